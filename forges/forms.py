"""What people enter to connect an account: an access token, or the key and secret of an OAuth consumer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django import forms
from django.core.validators import URLValidator
from django.utils.html import format_html
from django.utils.safestring import SafeString

from forges import connections
from forges.applications import oauth_applications
from forges.clients import FORGES
from forges.keeping import ConnectionRefused
from forges.models import NAME_LENGTH, Connection
from lib.forms import tell

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}
_HELP = {
    "github": "github.com or GitHub Enterprise",
    "gitlab": "gitlab.com or a server of your own",
    "bitbucket": "Bitbucket Cloud",
}


def _secret(label: str, **options: Any) -> forms.CharField:
    # What was entered is never rendered back, so that it is in no page, no cache and no history.
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"})
    return forms.CharField(label=label, max_length=2000, widget=widget, **options)


class _NameField(forms.CharField):
    """A connection's own name; "" for none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=NAME_LENGTH, widget=forms.TextInput(attrs=_PLAIN), **options)

    def clean(self, value: Any) -> str:
        return connections.clean_name(super().clean(value))


def option(value: str, label: str, help_text: str = "") -> tuple[str, SafeString]:
    """A choice of radio buttons, with what it means beneath its name."""
    words = '<span><strong>{}</strong><span class="choice-help">{}</span></span>'
    return value, format_html(words, label, help_text)


def api_address(forge: str, entered: str) -> str:
    """The API's base URL from the address of a server as people see it, or from the API's own; "" for "".

    One spelling for a server: its host in lower case, and no port that goes without saying.
    """
    if not entered.strip():
        return ""
    parts = urlsplit(entered.strip())
    host = parts.netloc.lower().removesuffix({"https": ":443", "http": ":80"}.get(parts.scheme.lower(), ""))
    address = urlunsplit((parts.scheme.lower(), host, parts.path.rstrip("/"), "", ""))
    known = FORGES[forge]
    return known.api_url(known.web_url(address))


def only_an_address(url: str) -> None:
    """ValidationError for an address that holds more than a server, such as a token."""
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise forms.ValidationError("Enter the address of the server alone, such as https://git.example.com.")


class RenameForm(forms.Form):
    name = _NameField(help_text="Empty means the name of its account.")


class _ConnectionForm(forms.Form):
    name = _NameField(help_text="What to call it here, such as what it is for. Empty means the name of its account.")
    shared = forms.BooleanField(
        label="Share with the organisation",
        required=False,
        help_text="Other members may choose it for repositories, too.",
    )

    def __init__(self, *args: Any, may_share: bool = False, into: Connection | None = None, **kwargs: Any) -> None:
        """`into` is the connection that is connected again: forge, server, name and sharing are its own."""
        super().__init__(*args, **kwargs)
        self.into = into
        if into is not None:
            del self.fields["name"]
        if into is not None or not may_share:
            del self.fields["shared"]

    def refuse(self, error: ConnectionRefused) -> None:
        """Say it beside its field, or at the top when that is not on this form."""
        tell(self, error.field, str(error))


class TokenForm(_ConnectionForm):
    forge = forms.ChoiceField(
        choices=[option(key, FORGES[key].label, text) for key, text in _HELP.items()],
        initial="github",
        widget=forms.RadioSelect(attrs={"class": "radio-cards"}),
    )
    base_url = forms.CharField(
        label="Server address",
        required=False,
        max_length=200,
        validators=[URLValidator(schemes=["https", "http"]), only_an_address],
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "url", "placeholder": "https://git.example.com"}),
        help_text="As you open it in the browser. Empty means the public one.",
    )
    username = forms.CharField(
        label="E-mail address of the Atlassian account",
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "email"}),
        help_text="An API token goes with one. The access token of a repository or workspace needs none.",
    )
    token = _secret("Access token", error_messages={"required": "Enter an access token."})

    field_order = ("forge", "base_url", "username", "token", "name", "shared")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.into is not None:
            del self.fields["forge"], self.fields["base_url"]
            self.fields["username"].initial = self.into.username
            if self.into.forge != "bitbucket":
                del self.fields["username"]

    def entered(self) -> dict[str, str]:
        """The valid form as `connecting.connect_token` takes it."""
        values = self.cleaned_data
        forge = self.into.forge if self.into is not None else values["forge"]
        base_url = self.into.base_url if self.into is not None else self._base_url(forge)
        username = values.get("username", "") if forge == "bitbucket" else ""
        return {
            "forge": forge,
            "base_url": base_url,
            "username": username,
            "token": values["token"],
            "name": values.get("name", ""),
        }

    def _base_url(self, forge: str) -> str:
        """ "" for the public server."""
        return bitbucket_base_url() if forge == "bitbucket" else api_address(forge, self.cleaned_data["base_url"])


class ConsumerForm(_ConnectionForm):
    key = forms.CharField(max_length=255, widget=forms.TextInput(attrs=_PLAIN))
    consumer_secret = _secret("Secret")

    field_order = ("key", "consumer_secret", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.into is not None:
            self.fields["key"].initial = self.into.consumer_key

    def entered(self) -> dict[str, str]:
        """The valid form as `connecting.connect_consumer` takes it."""
        base_url = self.into.base_url if self.into is not None else bitbucket_base_url()
        values = self.cleaned_data
        return {
            "base_url": base_url,
            "key": values["key"],
            "secret": values["consumer_secret"],
            "name": values.get("name", ""),
        }

    def refuse(self, error: ConnectionRefused) -> None:
        tell(self, "consumer_secret" if error.field == "secret" else error.field, str(error))


def bitbucket_base_url() -> str:
    """There is one Bitbucket Cloud, unless the operator's application is for another one. "" for the public one.

    ImproperlyConfigured for settings that are none.
    """
    return next((each.base_url for each in oauth_applications() if each.app.forge == "bitbucket"), "")

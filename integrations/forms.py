"""What people fill in to connect a repository and to edit an integration."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.utils.html import format_html

from forges.clients import FORGES
from integrations.models import Integration, Track
from integrations.probing import Entered, FieldError, normalise_mount, parse_filter
from integrations.wording import FORGE_HELP

PLAIN_GIT = "git"

INCLUDE_HELP = "Patterns as in a .gitignore file, one a line, such as docs/** or *.md. Empty means every file."
EXCLUDE_HELP = "Files that these patterns match are left out. A later line with ! in front takes one back."
MOUNT_HELP = "The folder on the server that the files go into. Empty means its top."


def _patterns(label: str, placeholder: str, help_text: str) -> forms.CharField:
    attributes = {"rows": 3, "class": "mono", "spellcheck": "false", "placeholder": placeholder}
    widget = forms.Textarea(attrs=attributes)
    return forms.CharField(label=label, required=False, max_length=20_000, widget=widget, help_text=help_text)


def _token(label: str, **options: Any) -> forms.CharField:
    # What was entered is never rendered back, so that it is in no page, no cache and no history.
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, max_length=2000, widget=widget, **options)


def _text(label: str, placeholder: str = "", **options: Any) -> forms.CharField:
    attributes = {"autocomplete": "off", "spellcheck": "false", "placeholder": placeholder}
    attributes |= options.pop("attrs", {})
    return forms.CharField(label=label, widget=forms.TextInput(attrs=attributes), **options)


class _FilterForm(forms.Form):
    """The fields that say which files are meant, and where they go."""

    branch = _text("Branch", "The default branch", required=False, max_length=255, attrs={"list": "branch-choices"})
    include = _patterns("Include", "docs/**", INCLUDE_HELP)
    exclude = _patterns("Exclude", "docs/drafts/", EXCLUDE_HELP)
    mount_path = _text("Mount path", "handbook", required=False, max_length=255, help_text=MOUNT_HELP)

    def add_field_error(self, error: FieldError) -> None:
        """Put an error of the services beside its field, or at the top when that is not on this form."""
        self.add_error(error.field if error.field in self.fields else None, str(error))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        try:
            parse_filter(values.get("include", ""), values.get("exclude", ""))
        except FieldError as error:
            self.add_field_error(error)
        try:
            normalise_mount(values.get("mount_path", ""))
        except FieldError as error:
            self.add_field_error(error)
        return values


class ConnectForm(_FilterForm):
    forge = forms.ChoiceField(
        label="Forge",
        choices=[
            (
                forge.key,
                format_html(
                    '<span><strong>{}</strong><span class="choice-help">{}</span></span>',
                    forge.label,
                    FORGE_HELP.get(forge.key, ""),
                ),
            )
            for forge in FORGES.values()
        ],
        widget=forms.RadioSelect(attrs={"class": "radio-cards"}),
    )
    base_url = _text(
        "API address",
        FORGES["github"].base_url,
        required=False,
        max_length=255,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text="Only for GitHub Enterprise: https://github.example.com/api/v3",
        attrs={"inputmode": "url"},
    )
    username = _text("User name", required=False, max_length=255, help_text="If the server asks for one.")
    token = _token("Access token")
    repository = _text(
        "Repository",
        "owner/name or its address",
        max_length=1000,
        attrs={"list": "repository-choices"},
        error_messages={"required": "Enter the repository as owner/name, or its address."},
    )

    field_order = ("forge", "base_url", "username", "token", "repository", "branch", "include", "exclude", "mount_path")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"forge": next(iter(FORGES))})
        super().__init__(*args, **kwargs)

    @property
    def chosen_forge(self) -> str:
        chosen = self["forge"].value()
        return chosen if chosen in FORGES else next(iter(FORGES))

    def entered(self) -> Entered:
        """The values so far, also of a form that is not complete: the pickers ask with what there is."""
        values = self.cleaned_data
        forge = values.get("forge") or self.chosen_forge
        plain = forge == PLAIN_GIT
        return Entered(
            forge=forge,
            repository=values.get("repository", ""),
            base_url="" if plain else values.get("base_url", ""),
            username=values.get("username", "") if plain else "",
            token=values.get("token", ""),
            branch=values.get("branch", ""),
            include=values.get("include", ""),
            exclude=values.get("exclude", ""),
            mount_path=values.get("mount_path", ""),
        )


class EditForm(_FilterForm):
    username = _text("User name", required=False, max_length=255)
    token = _token("New access token")
    clear_token = forms.BooleanField(
        label="Remove the stored token",
        required=False,
        help_text="For repositories that anyone can read.",
    )

    field_order = ("branch", "include", "exclude", "mount_path", "username", "token", "clear_token")

    def __init__(self, data: Any = None, *, integration: Integration, track: Track) -> None:
        initial = {
            "branch": track.branch,
            "include": track.include,
            "exclude": track.exclude,
            "mount_path": track.mount_path,
            "username": integration.username,
        }
        super().__init__(data, initial=initial)
        self.fields["branch"].required = True
        self.has_token = Integration.token.is_set(integration)
        if integration.forge != PLAIN_GIT:
            del self.fields["username"]
        if not self.has_token:
            del self.fields["clear_token"]
            self.fields["token"].label = "Access token"

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("token") and values.get("clear_token"):
            self.add_error("clear_token", "Either enter a new token or remove the stored one.")
        return values

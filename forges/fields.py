"""Fields that several forms have, and what an address of a server means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from forges.picking import FieldError
from lib.forms import tell

PLAIN_GIT = "git"


def patterns(label: str, placeholder: str, help_text: str) -> forms.CharField:
    attributes = {"rows": 3, "class": "mono", "spellcheck": "false", "placeholder": placeholder}
    widget = forms.Textarea(attrs=attributes)
    return forms.CharField(label=label, required=False, max_length=20_000, widget=widget, help_text=help_text)


def token(label: str, **options: Any) -> forms.CharField:
    # What was entered is never rendered back, so that it is in no page, no cache and no history.
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, max_length=2000, widget=widget, **options)


def text(label: str, placeholder: str = "", **options: Any) -> forms.CharField:
    attributes = {"autocomplete": "off", "spellcheck": "false", "placeholder": placeholder}
    attributes |= options.pop("attrs", {})
    return forms.CharField(label=label, widget=forms.TextInput(attrs=attributes), **options)


def conditional(field: Any) -> Any:
    """A field that is not required by itself, and that nobody should take for optional (`components/_field.html`)."""
    field.conditional = True
    return field


class ServiceForm(forms.Form):
    """A form whose values services judge, too."""

    @property
    def credential_name(self) -> str:
        """The field in which a connection is chosen."""
        return "credential"

    def add_field_error(self, error: FieldError) -> None:
        """Put an error of the services beside its field, or at the top when that is not on this form."""
        tell(self, self.credential_name if error.field == "connection" else error.field, str(error))


class _SomeDisabled(forms.widgets.ChoiceWidget):
    """Options of which some cannot be chosen: `disabled` has the reason of each by its value.

    Browsers send nothing for an option that is disabled; the form has to refuse it all the same.
    """

    def __init__(self, *args: Any, disabled: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.disabled = dict(disabled or {})

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.disabled:
            option["attrs"]["disabled"] = True
        return option


class Options(_SomeDisabled, forms.RadioSelect):
    """As radio buttons, which have room for what each means."""


class Dropdown(_SomeDisabled, forms.Select):
    """As a list that opens, for more than a page has room for."""

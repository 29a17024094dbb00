"""What people fill in to make tools of an OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.checking.urls import check_base_url, check_link
from catalog.forms.fields import MonoField, mono
from catalog.forms.refusing import RefusingForm
from catalog.models import Provider
from catalog.openapi.reading import MOST_BYTES


class SourceForm(forms.Form):
    """Where the document is: a file, its text, or an address."""

    file = forms.FileField(
        required=False,
        help_text="JSON or YAML, of OpenAPI 3.0 or 3.1.",
        widget=forms.FileInput(attrs={"accept": ".json,.yaml,.yml,application/json,application/yaml"}),
    )
    url = MonoField(
        label="Or its address",
        required=False,
        max_length=1024,
        widget=mono(placeholder="https://api.example.com/openapi.json"),
        help_text="It is asked for without credentials.",
    )
    text = forms.CharField(required=False, strip=False, label="Or its text", widget=mono(8))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.conditional = True  # type: ignore[attr-defined]  # one of them

    def clean_url(self) -> str:
        try:
            return check_link(str(self.cleaned_data["url"]))
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if self.errors or found.get("file") or found.get("url") or found.get("text", "").strip():
            return found
        raise ValidationError("Choose a file, enter an address, or paste the text.")

    @property
    def given(self) -> bytes | str | None:
        """The file, else the text; None where there is only an address."""
        if file := self.cleaned_data.get("file"):
            data: bytes = file.read(MOST_BYTES + 1)
            return data
        return str(self.cleaned_data["text"]) if self.cleaned_data.get("text", "").strip() else None


class ChooseForm(RefusingForm):
    """Which operations become tools, and of which provider. `document` is what was read, signed."""

    document = forms.CharField(widget=forms.HiddenInput)
    q = forms.CharField(required=False, label="Find an operation", max_length=200, widget=forms.SearchInput)
    provider = forms.ChoiceField(required=False, label="Provider")
    name = forms.CharField(required=False, max_length=120)
    base_url = MonoField(label="Base URL", required=False, max_length=1024)
    make_variables = forms.BooleanField(
        required=False,
        initial=True,
        label="Make the variables that are missing",
        help_text="Secret ones without a value: it is entered on the Variables tab.",
    )

    def __init__(self, *args: Any, providers: Iterable[Provider], base_urls: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.providers = {str(each.pk): each for each in providers}
        known = [(key, f"{each.name} ({each.base_url})"[:160]) for key, each in self.providers.items()]
        choice = self.fields["provider"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [("", "A new one"), *known]
        for name in ("q", "provider", "name", "base_url"):
            self.fields[name].conditional = True  # type: ignore[attr-defined]  # the last two of a new one
        listed = list(base_urls)
        more = f" The document also names {', '.join(listed[1:6])}." if len(listed) > 1 else ""
        self.fields["base_url"].help_text = (
            f"What the paths go behind.{more}"
            if listed
            else "The document names no complete address. Enter where the API is, such as https://api.example.com/v1."
        )
        self.urls = listed

    @property
    def home(self) -> Provider | None:
        """The provider that is chosen, None for a new one."""
        return self.providers.get(str(self["provider"].value() or ""))

    @property
    def address(self) -> str:
        """The base URL that tools would have, as far as it is one."""
        if self.home:
            return self.home.base_url
        try:
            return check_base_url(str(self["base_url"].value() or ""))
        except ValueError:
            return ""

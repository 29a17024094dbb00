"""What people fill in to bring a server's configuration from a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.exchange.reading import MOST_BYTES
from catalog.servers import RESERVED_SLUGS


class DocumentForm(forms.Form):
    file = forms.FileField(
        required=False,
        help_text="The export.json of a server. Of a pushed directory, this file alone holds all of it.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label="Or its text",
        widget=forms.Textarea(attrs={"class": "mono", "rows": 8, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.conditional = True  # type: ignore[attr-defined]  # one of the two

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if self.errors or found.get("file") or found.get("text", "").strip():
            return found
        raise ValidationError("Choose a file, or paste its text.")

    @property
    def document(self) -> bytes | str:
        """What was given, as far as it is of any use; the file if both were."""
        if file := self.cleaned_data.get("file"):
            data: bytes = file.read(MOST_BYTES + 1)
            return data
        return str(self.cleaned_data["text"])


class ImportForm(forms.Form):
    """Confirms a preview. `preview` is the document as it was shown, signed."""

    preview = forms.CharField(widget=forms.HiddenInput)
    remove = forms.BooleanField(required=False, label="Remove what is not in the file")
    confirm_hosts = forms.BooleanField(required=False, label="I know these hosts, and they may get what is sent there")


class ServerImportForm(forms.Form):
    preview = forms.CharField(widget=forms.HiddenInput)
    slug = forms.SlugField(max_length=63, help_text="The server's part of its address.")

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if slug in RESERVED_SLUGS:
            raise ValidationError(f"“{slug}” is used by Millrace itself. Choose another.")
        return slug

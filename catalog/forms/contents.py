"""What people fill in about files and versions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.models import Origin, Version
from catalog.paths import BadPath, check_path, normalise_path


class PathField(forms.CharField):
    """A path of content, normalised and checked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=1024, widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false"}), **kwargs
        )

    def clean(self, value: Any) -> str:
        path = normalise_path(str(super().clean(value) or ""))
        if not path:
            return ""
        try:
            return check_path(path)
        except BadPath as error:
            raise ValidationError(str(error)) from error


class TextField(forms.CharField):
    """A text as it was typed: its spaces are kept, its line ends become those of Unix, as git keeps them."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"class": "mono editor", "rows": 24, "spellcheck": "false"})
        super().__init__(strip=False, required=False, widget=widget, **kwargs)

    def clean(self, value: Any) -> str:
        return str(super().clean(value) or "").replace("\r\n", "\n")


class ContentForm(forms.Form):
    path = PathField(help_text="Folders are parted by slashes, such as guides/start.md.")
    text = TextField()


class TextForm(forms.Form):
    text = TextField()
    seen_blob = forms.IntegerField(widget=forms.HiddenInput)


class RenameForm(forms.Form):
    path = PathField(label="New path", help_text="Another folder moves the file there.")


class Files(forms.FileField):
    """Any number of files."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.ClearableFileInput()
        widget.allow_multiple_selected = True
        widget.attrs["multiple"] = True
        super().__init__(widget=widget, allow_empty_file=True, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        several = (list(data) or [None]) if isinstance(data, list | tuple) else [data]
        return [super(Files, self).clean(each, initial) for each in several]


class UploadForm(forms.Form):
    uploads = Files(
        label="Files", help_text="Text files in UTF-8. Others are refused one by one, the good ones are kept."
    )
    folder = PathField(required=False, help_text="Where they go; empty for the top.")
    replace = forms.BooleanField(required=False, label="Replace files that exist", help_text="Imported ones never are.")


class ContentFilter(forms.Form):
    q = forms.CharField(required=False, label="Path contains", max_length=200, widget=forms.SearchInput)
    origin = forms.ChoiceField(required=False, choices=[("", "Any origin"), *Origin.choices])
    stale = forms.BooleanField(required=False, label="Stale only")


class CutForm(forms.Form):
    note = forms.CharField(
        required=False, max_length=254, help_text="What is in it, for those who choose a version later."
    )
    activate = forms.BooleanField(
        required=False, label="Serve it at once", help_text="Makes it the Active version: agents get it from now on."
    )


class CompareForm(forms.Form):
    """Two of `live` and the versions' numbers."""

    before = forms.ChoiceField(label="From")
    after = forms.ChoiceField(label="To")

    def __init__(self, *args: Any, versions: list[Version], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("live", "Live content"), *((str(each.number), str(each)) for each in versions)]
        for name in ("before", "after"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101  # for the type checker
            field.choices = choices

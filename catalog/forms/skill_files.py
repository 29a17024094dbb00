"""What people fill in about the files beside a skill's SKILL.md."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from catalog.forms.contents import Files, PathField, TextField


def largest_file() -> str:
    """The cap of one file, as people read it."""
    return filesizeformat(settings.ENTITY_MAX_FILE_BYTES)


def largest_skill() -> str:
    """The caps of all files of a skill together, as people read them."""
    return f"{filesizeformat(settings.SKILL_MAX_BYTES)} and {settings.SKILL_MAX_FILES:,} files"


def check_size(upload: UploadedFile[bytes]) -> None:
    """Raises ValidationError for a file that is too large, before it is read."""
    if (upload.size or 0) > settings.ENTITY_MAX_FILE_BYTES:
        raise ValidationError(
            f"It has {filesizeformat(upload.size or 0)}; a file of a skill can have {largest_file()}."
        )


class SkillPathField(PathField):
    """A path below a skill's folder; that of its SKILL.md is taken."""

    def clean(self, value: Any) -> str:
        path = super().clean(value)
        if path.lower() == "skill.md":
            raise ValidationError("SKILL.md is made of the skill’s own form. Edit the skill, or choose another path.")
        return path


class SkillFileForm(forms.Form):
    """A new text file."""

    path = SkillPathField(help_text="Programs go into scripts/, texts to read on demand into references/.")
    text = TextField()


class SkillTextForm(forms.Form):
    """A text file as it was read: `seen` is its blob id then."""

    text = TextField()
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)


class SkillRenameForm(forms.Form):
    path = SkillPathField(label="New path", help_text="Another folder moves the file there.")
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)


class SkillReplaceForm(forms.Form):
    upload = forms.FileField(label="File", allow_empty_file=True)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["upload"].help_text = f"{largest_file()} at most. It keeps its path here, whatever its name."

    def clean_upload(self) -> UploadedFile[bytes]:
        upload: UploadedFile[bytes] = self.cleaned_data["upload"]
        check_size(upload)
        return upload


class SkillUploadForm(forms.Form):
    uploads = Files(label="Files")
    folder = PathField(
        required=False, help_text="Where they go: scripts, references, assets, or below. Empty for beside SKILL.md."
    )
    replace = forms.BooleanField(required=False, label="Replace files that exist")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["uploads"].help_text = (
            f"Of any kind, {largest_file()} each at most; {largest_skill()} in the whole skill. "
            "Those that cannot be taken are told one by one, the others are kept."
        )

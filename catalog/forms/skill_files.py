"""What people fill in about the files beside a skill's SKILL.md."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from catalog.checking import slugs
from catalog.checking.skills import check_file_path
from catalog.forms.contents import Files, PathField, TextField
from catalog.forms.fields import MonoField
from catalog.forms.library import owner_of, who_has_it
from orgs.models import User


def largest_file() -> str:
    """The cap of one file, as people read it."""
    return filesizeformat(settings.ENTITY_MAX_FILE_BYTES)


def largest_skill() -> str:
    """The caps of all files of a skill together, as people read them."""
    return f"{filesizeformat(settings.SKILL_MAX_BYTES)} and {settings.SKILL_MAX_FILES:,} files"


class SkillPathField(PathField):
    """A path below a skill's folder; that of its SKILL.md is taken."""

    def clean(self, value: Any) -> str:
        path = super().clean(value)
        try:
            return check_file_path(path) if path else path
        except ValueError as error:
            raise ValidationError(str(error)) from error


class FolderField(PathField):
    """A folder's path, "" for the top; a slash at its end is no mistake."""

    def clean(self, value: Any) -> str:
        return super().clean(str(value or "").strip().strip("/"))


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
        if (upload.size or 0) > settings.ENTITY_MAX_FILE_BYTES:
            raise ValidationError(f"It has {filesizeformat(upload.size or 0)}; {largest_file()} is the most.")
        return upload


class SkillUploadForm(forms.Form):
    uploads = Files(label="Files")
    folder = FolderField(
        required=False, help_text="Where they go: scripts, references, assets, or below. Empty for beside SKILL.md."
    )
    replace = forms.BooleanField(required=False, label="Replace files that exist")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["uploads"].help_text = (
            f"Of any kind, {largest_file()} each at most; {largest_skill()} in the whole skill. "
            "Those that cannot be taken are told one by one, the others are kept."
        )

    def clean_uploads(self) -> list[UploadedFile[bytes]]:
        """Told before any of them is read."""
        uploads: list[UploadedFile[bytes]] = self.cleaned_data["uploads"]
        sizes = [each.size or 0 for each in uploads]
        if (total := sum(size for size in sizes if size <= settings.ENTITY_MAX_FILE_BYTES)) > settings.SKILL_MAX_BYTES:
            raise ValidationError(f"They have {filesizeformat(total)} together; {largest_skill()} is the most.")
        return uploads


class SkillImportForm(forms.Form):
    """A skill as a zip file, in which its name and description are."""

    upload = forms.FileField(label="Zip file")
    slug = MonoField(
        max_length=slugs.LONGEST, required=False, help_text="Left empty, it is made of the name of the folder."
    )
    who = who_has_it()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "upload"
        ].help_text = f"A skill’s folder with its SKILL.md: {largest_skill()} at most, {largest_file()} each."

    def clean_upload(self) -> UploadedFile[bytes]:
        upload: UploadedFile[bytes] = self.cleaned_data["upload"]
        if (upload.size or 0) > settings.SKILL_MAX_BYTES:
            raise ValidationError(f"It has {filesizeformat(upload.size or 0)}; {largest_skill()} is the most.")
        return upload

    def owner(self, user: User) -> User | None:
        return owner_of(self.cleaned_data, user)

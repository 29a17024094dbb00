"""What people fill in about skills: SKILL.md in fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from catalog.forms.fields import MonoField, mono
from catalog.forms.library import OwnedForm
from catalog.portable.schemas import ID_KEY

FRONT_MATTER = {
    "license": "license",
    "compatibility": "compatibility",
    "allowed_tools": "allowed-tools",
    "metadata": "metadata",
}
"""Fields of the form, and what they are called in the front matter: https://agentskills.io/specification"""


class MetadataField(forms.CharField):
    """`key: value` on each line; its value is {key: value}."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=mono(3, placeholder="author: Acme"), strip=False, max_length=20_000, **{"required": False, **kwargs}
        )

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{key}: {text}" for key, text in value.items()) if isinstance(value, Mapping) else value

    def clean(self, value: Any) -> Any:
        found: dict[str, str] = {}
        for number, line in enumerate(str(super().clean(value) or "").splitlines(), start=1):
            key, colon, text = (part.strip() for part in line.partition(":"))
            if not line.strip():
                continue
            if not colon or not key:
                raise ValidationError(f"Line {number} is not of the form “key: value”, such as “author: Acme”.")
            if key in found:
                raise ValidationError(f"Line {number}: there is already a “{key}”.")
            found[key] = text
        return found


class SkillForm(OwnedForm):
    license = forms.CharField(
        required=False, max_length=500, help_text="Its name, or the file beside SKILL.md that holds it."
    )
    compatibility = forms.CharField(
        required=False, max_length=500, help_text="What it needs to run: a product, packages, the network."
    )
    allowed_tools = MonoField(
        label="Allowed tools",
        required=False,
        max_length=2_000,
        help_text="Tools that it may use without asking, parted by spaces. Not every agent heeds this.",
    )
    metadata = MetadataField(help_text="Anything else for programs, a line each: “key: value”.")
    instructions = forms.CharField(
        required=False,
        strip=False,
        widget=mono(18, **{"class": "mono editor"}),
        help_text="SKILL.md below its front matter, in Markdown: what the agent does, and when to read which file.",
    )
    field_order = ("name", "slug", "description", "instructions", *FRONT_MATTER, "who")

    def __init__(self, data: QueryDict | None = None, *, initial: Mapping[str, Any] | None = None, **more: Any) -> None:
        self.front_matter: Mapping[str, Any] = (initial or {}).get("front_matter", {})
        super().__init__(data, initial=initial, **more)
        self.fields["slug"].help_text = (
            "Its folder’s name in git. A new one renames the folder there."
            if self.fields["slug"].required
            else "Its folder’s name in git: small letters, digits, single hyphens. Left empty, it is made of the name."
        )
        self.fields["description"].required = True
        self.fields[
            "description"
        ].help_text = (
            "What the skill does and when to use it: agents choose it by this alone. They read 1,024 characters."
        )
        for field, name in FRONT_MATTER.items():
            if not _fits(field, self.front_matter.get(name)):
                del self.fields[field]

    def clean_metadata(self) -> dict[str, str]:
        typed: dict[str, str] = self.cleaned_data["metadata"]
        if ID_KEY in typed:
            raise ValidationError(f"“{ID_KEY}” is written by Millrace. Take it out.")
        return typed

    @classmethod
    def values_of(cls, row: Any) -> dict[str, Any]:
        front = row.front_matter
        return {
            **{name: getattr(row, name) for name in ("name", "slug", "description", "instructions")},
            **{field: front.get(name, {} if field == "metadata" else "") for field, name in FRONT_MATTER.items()},
            "front_matter": front,
            "seen_revision": row.revision,
        }

    @property
    def kept(self) -> dict[str, Any]:
        """What else stands in the front matter, and stays as it is."""
        known = {name for field, name in FRONT_MATTER.items() if field in self.fields}
        return {name: value for name, value in self.front_matter.items() if name not in known}

    @property
    def values(self) -> dict[str, Any]:
        """What the services take: the front matter in its former order, new members last."""
        typed = {name: self.cleaned_data[field] for field, name in FRONT_MATTER.items() if field in self.fields}
        former = {name: typed.get(name, value) for name, value in self.front_matter.items()}
        whole = {**former, **{name: value for name, value in typed.items() if name not in former}}
        front = {name: value for name, value in whole.items() if value or name in self.kept}
        return {
            **{name: self.cleaned_data[name] for name in ("name", "slug", "description", "instructions")},
            "front_matter": front,
        }


def _fits(field: str, value: Any) -> bool:
    """Whether a field can hold a value without altering it; what it cannot stays as git has it."""
    if value is None:
        return True
    if field == "metadata":
        return isinstance(value, dict) and all(
            isinstance(text, str) and ":" not in key and _is_line(key) and (not text or _is_line(text))
            for key, text in value.items()
        )
    return isinstance(value, str) and _is_line(value)


def _is_line(text: str) -> bool:
    return text == text.strip() and text.splitlines() == [text]

"""What people fill in about resources."""

from __future__ import annotations

from typing import Any

from django import forms

from catalog.forms.contents import TextField
from catalog.forms.entity import EntityForm
from catalog.forms.fields import MonoField
from catalog.models import Resource
from catalog.saving import Counted

TEXT, UPSTREAM = "text", "upstream"


class ResourceForm(EntityForm):
    name = forms.CharField(max_length=120)
    uri = MonoField(
        label="URI",
        max_length=1024,
        help_text="What agents ask for, such as docs://guides/start. With a scheme, and once on each server.",
    )
    description = forms.CharField(
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For agents: what it holds, and when to read it.",
    )
    mime_type = MonoField(
        label="MIME type",
        max_length=120,
        required=False,
        help_text="Such as text/markdown or application/json. Left empty, it is text/plain, or what the provider says.",
    )
    source = forms.ChoiceField(
        label="Where its content is",
        choices=[(TEXT, "Here: a text that you write"), (UPSTREAM, "Upstream: what the provider answers at a path")],
        initial=TEXT,
        widget=forms.RadioSelect,
    )
    upstream_path = MonoField(
        label="Path",
        max_length=1024,
        required=False,
        help_text="Below the provider’s base URL, such as /reports/today. A text that was kept here is removed.",
    )
    text = TextField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        path: Any = self.fields["upstream_path"]
        text: Any = self.fields["text"]
        path.conditional = text.conditional = True
        text.widget.attrs["rows"] = 12

    @classmethod
    def values_of(cls, row: Counted) -> dict[str, Any]:
        assert isinstance(row, Resource)  # noqa: S101  # for the type checker
        shown = [name for name in cls.base_fields if name not in ("source", "seen_revision")]
        source = UPSTREAM if row.upstream_path else TEXT
        return {**{name: getattr(row, name) for name in shown}, "source": source, "seen_revision": row.revision}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("source") == UPSTREAM:
            if not values.get("upstream_path") and "upstream_path" not in self.errors:
                self.add_error("upstream_path", "Enter the path to ask for, such as /reports/today.")
            values["text"] = ""
        elif values.get("source") == TEXT:
            values["upstream_path"] = ""
            self.errors.pop("upstream_path", None)
        return values

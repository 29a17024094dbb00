"""What people fill in to try a tool: the JSON of each part that it takes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from catalog.calls import input_schema, skeleton
from catalog.forms.fields import JsonField
from catalog.models import Tool

_NOTHING: Any = object()
_LABELS = {"path": "Path arguments", "query": "Query arguments", "body": "Body"}


class TryForm(forms.Form):
    """A field for each part, with something to begin with. A part that is left empty is not given."""

    def __init__(self, tool: Tool, data: QueryDict | None = None) -> None:
        super().__init__(data, initial=skeleton(tool))
        takes = input_schema(tool)
        for part in takes["properties"]:
            required = part in takes.get("required", ())
            self.fields[part] = JsonField(label=_LABELS[part], nothing=_NOTHING, rows=4, required=required)

    @property
    def arguments(self) -> dict[str, Any]:
        """Of a valid form, as `call_tool` takes them."""
        return {part: value for part, value in self.cleaned_data.items() if value is not _NOTHING}

"""Which branch, which of its files, and where they go."""

from __future__ import annotations

from typing import Any

from forges import fields
from forges.picking import FieldError
from integrations.probing import normalise_mount, parse_filter

INCLUDE_HELP = "Patterns as in a .gitignore file, one a line, such as docs/** or *.md. Empty means every file."
EXCLUDE_HELP = "Files that these patterns match are left out. A later line with ! in front takes one back."
MOUNT_HELP = "The folder on the server that the files go into. Empty means its top."


class BranchForm(fields.ServiceForm):
    branch = fields.text(
        "Branch", "The default branch", required=False, max_length=255, attrs={"list": "branch-choices"}
    )
    include = fields.patterns("Include", "docs/**", INCLUDE_HELP)
    exclude = fields.patterns("Exclude", "docs/drafts/", EXCLUDE_HELP)
    mount_path = fields.text("Mount path", "handbook", required=False, max_length=255, help_text=MOUNT_HELP)

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


class TrackForm(BranchForm):
    """Of an integration that is there, where the branch is never left to the forge."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["branch"].required = True
        self.fields["branch"].widget.attrs["placeholder"] = "main"

"""What to do about each code of `catalog.portable.model.Code`."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.portable.model import Code

_ADVICE: Mapping[Code, str] = {
    Code.INVALID_JSON: "Correct the file in git at the line that is named. Where the entity is here, saving it writes "
    "the file anew, too.",
    Code.VALIDATION_FAILED: "Correct what is named in git. Where the entity is here, saving it writes its file anew, "
    "too.",
    Code.EMPTY_DIRECTORY: "Add SKILL.md with a name and a description to the folder, or remove the folder.",
    Code.MISSING_INTEGRATION: "Create the MCP server, push its file, or take its slug out of the file.",
    Code.MISSING_TOOL: "Add to the server what is named, or take it out of the file: capitals count.",
    Code.MISSING_ENTITY: "Create what is named, push its file, or take its slug out of the file. What is personal "
    "cannot be named: share it first.",
    Code.FETCH_FAILED: "The next sync tries again. If it stays, see whether the connection may read the repository.",
    Code.CONFLICT: "Compare the two versions, and take theirs, keep ours, or edit.",
    Code.DUPLICATE_SLUG: "Rename one of the two, its file and the slug in it; or take the id out of a copy.",
    Code.TOO_LARGE: "Shorten the file or take it out of the folder; whoever operates this installation can raise the "
    "cap.",
    Code.SECRET_FOUND: "Take the secret out, and replace it where it is used: who has read it may know it.",
    Code.UNSUPPORTED_VERSION: "Update this Millrace, or write the file as the schema of this version says.",
    Code.HOST_CHANGED: "See whether the new host is right, and confirm it, or correct the address in git.",
    Code.VISIBILITY_CHANGED: "See whether anyone may reach it, and confirm it, or make it private again in git.",
}


def advice(code: Code | str) -> str:
    """A sentence or two for the person who mends it."""
    return _ADVICE[Code(code)]

"""Completing the path in a template of content, as somebody types it."""

from __future__ import annotations

import unicodedata

import mcp_types as types

from endpoint.admitted import Admitted
from endpoint.serving.entries import entries
from endpoint.serving.served import served
from endpoint.serving.uris import is_storable, template_of

MOST = 100
"""As many as an answer can have."""


def complete(
    admitted: Admitted,
    ref: types.ResourceTemplateReference | types.PromptReference,
    argument: types.CompletionArgument,
) -> types.CompleteResult:
    """Paths that begin with what was typed: all of them where they are few, and else those of one folder, whose own
    folders end with a slash. For everything but the path of a template, nothing."""
    if not isinstance(ref, types.ResourceTemplateReference) or argument.name != "path":
        return _result([])
    it = next((each for each in served(admitted) if template_of(each.server.slug) == ref.uri), None)
    if it is None or not is_storable(argument.value):
        return _result([])
    typed = unicodedata.normalize("NFC", argument.value.replace("%25", "%"))
    files = it.files(below=typed, limit=MOST + 1)
    if len(files) <= MOST:
        return _result([file.path for file in files])
    folder, _, beginning = typed.rpartition("/")
    return _result([entry.key for entry in entries(it, folder, beginning=beginning, limit=MOST + 1)])


def _result(paths: list[str]) -> types.CompleteResult:
    # In {+path} what looks encoded is taken as encoded (RFC 6570, 3.2.3).
    values = [path.replace("%", "%25") for path in paths[:MOST]]
    return types.CompleteResult(completion=types.Completion(values=values, has_more=len(paths) > MOST))

"""Which text of the index is a file's: the one with its blob, its format, and its name or a title of its own.

In Python for who has the rows, and in SQL for who asks about very many.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import BooleanField, Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Concat, Length, Right
from django.db.models.lookups import Exact

from indexing.chunking.model import CHUNKER
from indexing.formats import ENDINGS
from indexing.models import Format, ServerIndex, Text

_ENDINGS: Mapping[Format, tuple[str, ...]] = {
    Format.MARKDOWN: (*ENDINGS["markdown"], "llms.txt", "llms-full.txt"),
    Format.RST: ENDINGS["rst"],
    Format.ASCIIDOC: ENDINGS["asciidoc"],
}
"""In lower case; all others are plain text."""


def format_of(path: str) -> Format:
    """How a file is cut, by the ending of its path (or of an address's path)."""
    lower = path.lower()
    return next((each for each, endings in _ENDINGS.items() if lower.endswith(endings)), Format.PLAIN)


def name_of(path: str) -> str:
    """What a file's text is called without a title of its own."""
    return path.rpartition("/")[2]


def used_by(files: QuerySet[Any]) -> Exists:
    """Whether one of these rows of Content or VersionFile has the text, to filter Texts by."""
    same = files.filter(Exact(_format(), OuterRef("format")), blob=OuterRef("blob"))
    return Exists(same.filter(_named(F("path"), OuterRef("name"))))


def lacking(files: QuerySet[Any], index: ServerIndex) -> QuerySet[Any]:
    """Those rows of Content or VersionFile whose text is not in the index, or was cut by other rules."""
    own = Text.objects.filter(index=index, chunker=CHUNKER, blob=OuterRef("blob"), format=OuterRef("read_as"))
    there = Exists(own.filter(_named(OuterRef("path"), F("name"))))
    # As a CASE PostgreSQL asks it for each row, by index. As NOT EXISTS it is a join, and one without statistics (after
    # an import) compares all files with all texts.
    lacks = Case(When(there, then=Value(False)), default=Value(True), output_field=BooleanField())
    found: QuerySet[Any] = files.alias(read_as=_format(), lacks=lacks)
    return found.filter(lacks=True)


def _format() -> Case:
    """`format_of` of a column `path`."""
    cases = [
        When(Q(*(("path__iendswith", ending) for ending in endings), _connector=Q.OR), then=Value(each.value))
        for each, endings in _ENDINGS.items()
    ]
    return Case(*cases, default=Value(Format.PLAIN.value), output_field=CharField())


def _named(path: Any, name: Any) -> Q:
    # No LIKE, which ignores case on SQLite.
    tail = Exact(Right(path, Length(name) + 1), Concat(Value("/"), name, output_field=CharField()))
    return Q(Exact(name, Value(""))) | Q(Exact(name, path)) | Q(tail)

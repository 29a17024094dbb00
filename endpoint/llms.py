"""What llms.txt and llms-full.txt of a server say, a piece at a time: https://llmstxt.org."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from catalog.models import Blob
from endpoint.admitted import Admitted
from endpoint.serving.served import File, Served, served, titles
from indexing.models import Source

BATCH = 500
"""Files that are listed at a time."""
BATCH_BYTES = 256 << 10
"""Of texts that are read at a time, or one text. A client that reads slowly keeps as much in memory, several times."""
_TO_ESCAPE = re.compile(r"([\\\[\]<>`*_])")


@dataclass(frozen=True, slots=True)
class Links:
    """Where this is read: `base` is the site's address as the client knows it."""

    base: str
    admitted: Admitted
    _query: str = field(init=False)

    def __post_init__(self) -> None:
        pinned = self.admitted.version if self.admitted.pinned else None
        object.__setattr__(self, "_query", f"?version={pinned.number}" if pinned else "")

    def file(self, path: str) -> str:
        return self._to("mcp_file", path)

    @property
    def index(self) -> str:
        return self._to("llms_txt")

    @property
    def full(self) -> str:
        return self._to("llms_full_txt")

    def _to(self, name: str, *more: str) -> str:
        arguments = [self.admitted.organization.slug, self.admitted.target.slug, *more]
        url = urljoin(self.base, reverse(name, args=arguments)) + self._query
        return url.replace("(", "%28").replace(")", "%29")  # in Markdown, a link would end there


def index(admitted: Admitted, links: Links) -> Iterator[str]:
    """Title, description, and a list of links for each folder at the top, up to LLMS_TXT_MAX_FILES."""
    it = served(admitted)[0]
    yield _head(it)
    yield f"Each link leads to a file as it is; [llms-full.txt]({links.full}) has the texts of all of them.\n"
    if it.version is not None:
        yield f"These are the files of version {it.version.number}.\n"
    given = 0
    for folder, files in groupby(_in_sections(it), key=lambda file: file.path.rpartition("/")[0].partition("/")[0]):
        yield f"\n## {_escaped(folder) or 'Files'}\n\n"
        for some in _batches(files, BATCH):
            left = settings.LLMS_TXT_MAX_FILES - given
            called = titles(it, some[:left])
            yield "".join(_line(file, called.get(file.path), links) for file in some[:left])
            given += len(some[:left])
            if len(some) > left:
                yield _cut(it, given)
                return
    yield from _sources(it)


def full(admitted: Admitted, links: Links) -> Iterator[str]:
    """All texts, each below its path, up to LLMS_FULL_MAX_BYTES; none is cut. At most so much is in memory as
    BATCH_BYTES, or one text."""
    it = served(admitted)[0]
    yield _head(it)
    yield f"These are the texts of all files; [llms.txt]({links.index}) lists them.\n"
    size = files = 0
    for some in _by_bytes(_all(it.rows, it)):
        left = settings.LLMS_FULL_MAX_BYTES - size
        fitting = _fitting(some, left)
        yield _documents(fitting, links)
        size += sum(file.size for file in fitting)
        files += len(fitting)
        if len(fitting) < len(some):
            first = some[len(fitting)].path
            most = f"{settings.LLMS_FULL_MAX_BYTES / (1 << 20):,.0f} MiB"
            yield (
                f"\n---\n\nThis is not all: after {files:,} files, the next, {first}, would take it over {most}. "
                f"The rest can be read one by one: [llms.txt]({links.index}) lists all files.\n"
            )
            return


# -- pieces ------------------------------------------------------------------------------------------------------------


def _head(it: Served) -> str:
    description = " ".join(it.server.description.split())
    return f"# {_escaped(it.server.name)}\n\n" + (f"> {description}\n\n" if description else "")


def _line(file: File, title: str | None, links: Links) -> str:
    name = _escaped(title or file.path.rpartition("/")[2])
    brought = file.brought
    origin = f", from {brought['repository']}" if brought.get("repository") else ""
    return f"- [{name}]({links.file(file.path)}): {_escaped(file.path)}{_escaped(origin)}\n"


def _documents(files: list[File], links: Links) -> str:
    texts = dict(Blob.objects.filter(pk__in={file.blob for file in files}).values_list("pk", "text"))
    # Of a file that was replaced meanwhile the text may be collected.
    return "".join(_document(file, texts[file.blob], links) for file in files if file.blob in texts)


def _document(file: File, text: str, links: Links) -> str:
    end = "" if text.endswith("\n") else "\n"
    return f"\n---\n\nPath: {file.path}\nSource: {links.file(file.path)}\n\n{text}{end}"


def _cut(it: Served, given: int) -> str:
    total = it.version.files if it.version is not None else it.rows.count()
    return (
        f"\nThis is not all: {given:,} of {total:,} files are listed. Over MCP, all of them can be listed and read.\n"
    )


def _sources(it: Served) -> Iterator[str]:
    """What is indexed beside the files, and can be searched over MCP."""
    shown = Q(kind=Source.Kind.SITE) | Q(kind=Source.Kind.REPOSITORY, private=False)
    found = Source.objects.filter(shown, server=it.server, indexed_at__isnull=False).order_by("name", "pk")
    lines = [
        f"- [{_escaped(source.name)}]({source.url}): {Source.Kind(source.kind).label}, searched over MCP\n"
        for source in found
        if source.url.startswith(("https://", "http://")) and not re.search(r"[\s()<>]", source.url)
    ]
    if lines:
        yield "\n## Optional\n\n" + "".join(lines)


def _escaped(text: str) -> str:
    """On one line, with no mark of Markdown in it."""
    return _TO_ESCAPE.sub(r"\\\1", " ".join(text.split()))


# -- files -------------------------------------------------------------------------------------------------------------


def _in_sections(it: Served) -> Iterator[File]:
    """Those at the top, then those of each folder; in the order of paths, a folder can stand between two files."""
    yield from _all(it.rows.exclude(path__contains="/"), it)
    yield from _all(it.rows.filter(path__contains="/"), it)


def _all(rows: QuerySet[Any], it: Served) -> Iterator[File]:
    after = ""
    while files := it.files(rows=rows, after=after, limit=BATCH):
        yield from files
        after = files[-1].path


def _batches(files: Iterable[File], most: int) -> Iterator[list[File]]:
    some: list[File] = []
    for file in files:
        some.append(file)
        if len(some) == most:
            yield some
            some = []
    if some:
        yield some


def _by_bytes(files: Iterable[File]) -> Iterator[list[File]]:
    some: list[File] = []
    size = 0
    for file in files:
        if some and size + file.size > BATCH_BYTES:
            yield some
            some, size = [], 0
        some.append(file)
        size += file.size
    if some:
        yield some


def _fitting(files: list[File], left: int) -> list[File]:
    fitting = []
    for file in files:
        left -= file.size
        if left < 0:
            break
        fitting.append(file)
    return fitting

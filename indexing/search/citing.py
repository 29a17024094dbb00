"""Hits, as those who asked get them: what was found, where it stands, and where a person sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from indexing.models import Source
from indexing.search.model import Explanation, Hit
from indexing.search.ranking import Ranked
from indexing.search.snippets import Marker, snippet

RENDERED = (".md", ".mdx", ".markdown", ".rst", ".adoc", ".asciidoc")
"""What forges show as a page, which has no lines, unless they are asked for the text."""
_FILE_PAGE = re.compile(r"/[^/]+(?:/[^/]+)+?/(-/blob|blob|src)/")


def cited(
    ranked: Iterable[Ranked], marker: Marker, weights: Mapping[int, Mapping[str, float]] | None = None
) -> list[Hit]:
    """In the same order. With `weights`, each is explained."""
    hits = []
    for each in ranked:
        explanation = None if weights is None else Explanation(dict(weights.get(each.chunk_id, {})), each.others)
        hits.append(_hit(each, marker, explanation))
    return hits


def _hit(ranked: Ranked, marker: Marker, explanation: Explanation | None) -> Hit:
    chunk, place, source = ranked.chunk, ranked.place, ranked.place.source
    path, url, repository, commit = place.path, place.url, "", ""
    start, end = chunk.start_line, chunk.end_line
    if place.kind == Source.Kind.CONTENT:
        repository, commit = (str(place.provenance.get(name, "")) for name in ("repository", "commit"))
        url = with_lines(str(place.provenance.get("url", "")), start, end)
    elif place.kind == Source.Kind.REPOSITORY and source is not None:
        repository, commit = source.repository, source.last_commit
        url = with_lines(url, start, end)
    else:
        path, start, end = "", 0, 0
        url = f"{url}#{chunk.anchor}" if chunk.anchor and "#" not in url else url
    return Hit(
        title=chunk.title,
        heading=tuple(filter(None, chunk.heading.split("\n"))),
        snippet=snippet(chunk.body, marker),
        score=ranked.score,
        kind=place.kind,
        source_id=source.id if source else None,
        source_name=source.name if source else Source.Kind.CONTENT.label,
        server_id=ranked.scope.server.pk,
        path=path,
        url=url,
        repository=repository,
        commit=commit,
        start_line=start,
        end_line=end,
        chunk_id=chunk.id,
        blob=chunk.blob,
        explanation=explanation,
    )


def with_lines(url: str, start: int, end: int) -> str:
    """A file's page at its forge, at these lines, as its forge writes it.

    https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/creating-a-permanent-link-to-a-code-snippet
    """
    parts = urlsplit(url)
    kind = _FILE_PAGE.match(parts.path)
    if kind is None or parts.fragment or start < 1:
        return url
    if kind[1] == "src":
        return f"{url}#lines-{start}:{end}"  # Bitbucket
    plain = "?plain=1" if parts.path.lower().endswith(RENDERED) and not parts.query else ""
    until = f"-{end}" if kind[1] == "-/blob" else f"-L{end}"  # GitLab, and GitHub
    return f"{url}{plain}#L{start}{until if end > start else ''}"

"""A few files of a repository, fetched while somebody waits: its README, and those whose paths have words of the query.
Through the source's own connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.conf import settings

from forges.clients.base import Client, Entry
from forges.clients.errors import ForgeError
from forges.holding import client_of
from forges.reading import InvalidPattern, Skip, read_texts
from indexing.live.ranking import LONGEST, Document, likely
from indexing.matching import format_of, name_of
from indexing.models import Source
from indexing.repositories.choice import front_first
from indexing.repositories.indexing import choice_of
from indexing.search.snippets import Marker
from jobs.outcomes import Ending

FILES = 3
"""Fetched beside the README."""
NAMED = 5000
"""Files that are known by name."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What there is, kept for the next query."""

    repository: str
    commit: str
    entries: tuple[Entry, ...]
    """Those that would be indexed, the README first."""


def documents_of(
    source: Source,
    marker: Marker,
    *,
    seconds: float,
    listed: Listed | None,
    keep: Callable[[Listed], None],
) -> list[Document] | None:
    """What is to be ranked; None where the forge does not answer, or its answer is no."""
    try:
        with client_of(
            source, choose="", seconds=max(0.5, seconds), max_blob_bytes=settings.INDEX_FILE_MAX_BYTES
        ) as client:
            if listed is None:
                listed = _list(client, source)
                keep(listed)
            return _read(client, listed, marker)
    except (ForgeError, InvalidPattern, Ending):
        return None


def _list(client: Client, source: Source) -> Listed:
    name, branch = source.repository, source.branch or source.default_branch
    if not branch:
        there = client.repository(name)
        name, branch = there.full_name, there.default_branch
    commit = client.head(name, branch, repository_id=source.repository_id)
    wanted, _ = choice_of(source).select(client.tree(name, commit).entries)
    front, rest = front_first(wanted)
    return Listed(name, commit, tuple((*front, *rest)[:NAMED]))


def _read(client: Client, listed: Listed, marker: Marker) -> list[Document]:
    by_path = {entry.path: entry for entry in listed.entries}
    front = [entry.path for entry in listed.entries[:1] if PurePosixPath(entry.path).stem.lower() == "readme"]
    paths = dict.fromkeys([*front, *likely(((path, path) for path in by_path), marker, most=FILES)])
    found = read_texts(
        client,
        listed.repository,
        listed.commit,
        [by_path[path] for path in paths],
        max_bytes=settings.INDEX_FILE_MAX_BYTES,
    )
    return [
        Document(
            name_of(entry.path),
            text[:LONGEST],
            format_of(entry.path),
            client.file_url(listed.repository, listed.commit, entry.path),
            entry.path,
            listed.commit,
        )
        for entry, text in found
        if not isinstance(text, Skip)
    ]

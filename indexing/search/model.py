"""What is asked of a search and what it answers. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Filters:
    """What hits are confined to; everything empty means all."""

    path: str = ""
    """Prefix of a file's path, or of a page's address or its path."""
    sources: tuple[uuid.UUID, ...] = ()
    kinds: tuple[str, ...] = ()
    """`indexing.models.Source.Kind`."""

    @property
    def confines(self) -> bool:
        return bool(self.path or self.sources or self.kinds)


EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a snippet; `marked` parts are what matched."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a hit stands where it stands: the weight of each term, and of what else was added."""

    terms: Mapping[str, float]
    others: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """One chunk that was found, and where it comes from."""

    title: str
    heading: tuple[str, ...]
    snippet: tuple[Fragment, ...]
    score: float
    """Higher is better; comparable within one answer alone."""
    kind: str
    """`indexing.models.Source.Kind`."""
    source_id: uuid.UUID | None
    source_name: str
    server_id: uuid.UUID | None = None
    """Whose source it is: in an answer over several servers, one of them."""
    path: str = ""
    """Of a file: on the server for its own content, in the repository for a repository's."""
    url: str = ""
    """Where a person sees it: the page with its anchor, or the file at the forge with its lines; "" if nowhere."""
    repository: str = ""
    commit: str = ""
    start_line: int = 0
    """From 1; 0 where lines mean nothing."""
    end_line: int = 0
    chunk_id: int | None = None
    """None for what is not in the index."""
    blob: str = ""
    """SHA-256 of the whole text, for who reads it whole; "" for what is not in the index."""
    live: bool = False
    """Fetched now, because its source is not indexed yet."""
    federated: bool = False
    """Answered by another MCP server."""
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Results:
    hits: tuple[Hit, ...]
    cursor: str = ""
    """Of what follows; "" at the end."""
    corrected: Mapping[str, str] = field(default_factory=dict)
    """Words that were searched in place of mistyped ones, by these."""
    notes: tuple[str, ...] = ()
    """Sentences for who asked: a source that did not answer in time, that something is still being indexed."""
    milliseconds: float = 0.0


class BadCursor(ValueError):
    """The cursor is none of ours, or of another query. The text is a sentence."""

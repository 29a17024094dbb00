"""What the scan is given and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KnownSecret:
    """A secret that the database keeps."""

    kind: str
    """Whose it is, for a person: “value of the variable API_KEY”."""
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Where something is that looks like a secret, or is one. It never holds the secret itself, nor a part of it."""

    path: str
    """Of the file, or the name of the text, such as “commit message”; what of it is secret is “…”."""
    line: int
    """Counted from 1; 0 for what stands in the file's path."""
    field: str
    """What a person edits: “description of tool getWeather”. Empty where that is not known, as in Markdown."""
    kind: str
    """“GitHub token”, “value of the variable API_KEY”."""
    digest: str
    """HMAC-SHA-256 of the secret in hex: equal for the same secret wherever it is."""
    allowable: bool = True
    """Whether a person may say that it is no secret: not of one that the database keeps."""

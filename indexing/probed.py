"""What is known of an address before it becomes a source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from forges.models import Connection
from indexing.reasons import Reason


@dataclass(frozen=True, slots=True)
class Hint:
    """A repository that a web site names as its source."""

    forge: str
    label: str
    """GitHub, GitLab (git.example.com) …"""
    repository: str
    url: str
    """To be probed in place of the site's."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What is known of an address. Where `reason` is set it cannot be indexed as it is (yet)."""

    kind: str
    """`Source.Kind`: site, repository or mcp."""
    url: str
    """Normalised: `Source.url`."""
    name: str = ""
    """To begin with: the site's host and path, owner/name, what the MCP server calls itself."""
    final_url: str = ""
    """Where the address leads, if elsewhere."""
    private: bool = False
    reason: Reason | None = None
    detail: str = ""
    """What happened, as a sentence for a person; `WHAT_TO_DO[reason]` goes beside it."""
    until: datetime | None = None
    """When a rate limit ends."""
    notes: tuple[str, ...] = ()
    """Worth knowing and no error, sentences."""

    # Web sites
    pages: int | None = None
    """None where nothing tells."""
    by: str = "unknown"
    """What told: sitemap, llms, unknown."""
    llms: bool = False
    """Whether it has an llms.txt."""
    repositories: tuple[Hint, ...] = ()

    # Repositories
    forge: str = ""
    base_url: str = ""
    repository_id: str = ""
    repository: str = ""
    branch: str = ""
    """The one that the address names; "" for the default branch."""
    default_branch: str = ""
    include: str = ""
    """Patterns for the folder or file that the address names, one a line."""
    connection: Connection | None = field(default=None, repr=False)
    """With which it was read: the one given, or one that the member may use; None for a public repository."""

    @property
    def reachable(self) -> bool:
        return self.reason is None

    def facts(self) -> dict[str, Any]:
        """Fields of the Source that it would become."""
        return {
            "kind": self.kind,
            "url": self.url,
            "private": self.private,
            "forge": self.forge,
            "base_url": self.base_url,
            "repository_id": self.repository_id,
            "repository": self.repository,
            "default_branch": self.default_branch,
            "connection": self.connection,
        }

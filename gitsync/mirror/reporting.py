"""What is told of a sync: numbers, a sentence, and what the Run keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from forges.clients.base import Usage
from gitsync.mirror.deciding import Action
from gitsync.mirror.pairs import Pair
from gitsync.mirror.there import There


@dataclass(slots=True)
class Report:
    """What a Run tells of a sync."""

    usage: Usage = field(default_factory=Usage)
    message: str = ""
    commit: str = ""
    parent: str = ""
    """What the commit was put upon."""
    commit_url: str = ""
    branch: str = ""
    pull_request: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    read: set[str] = field(default_factory=set)
    """Keys of what was saved or deleted here, in all rounds."""
    written: set[str] = field(default_factory=set)
    complete: bool = True
    """Whether the repository was listed whole."""
    unfetched: int = 0
    """Entities whose files were not had, or were more than one sync can have in mind."""

    def result(self) -> dict[str, Any]:
        return {
            "summary": self.summary,
            "message": self.message,
            "commit": self.commit,
            "parent": self.parent,
            "commit_url": self.commit_url,
            "branch": self.branch,
            "pull_request": self.pull_request,
            "complete": self.complete,
            "unfetched": self.unfetched,
            "requests": self.usage.requests,
            "rate_remaining": self.usage.rate_remaining,
            "rate_limit": self.usage.rate_limit,
            "rate_reset_at": self.usage.rate_reset_at.isoformat() if self.usage.rate_reset_at else None,
        }

    def count(self, pairs: Sequence[Pair]) -> dict[str, int]:
        """Each entity in one of them; what was saved here counts as read, also where git then got something back."""
        counts = {"entities": 0, "written": 0, "read": 0, "unchanged": 0, "failed": 0}
        for pair in pairs:
            if pair.action is Action.FORGET:
                continue
            counts["entities"] += 1
            if pair.failed:
                counts["failed"] += 1
            elif pair.key in self.read:
                counts["read"] += 1
            elif pair.key in self.written:
                counts["written"] += 1
            else:
                counts["unchanged"] += 1
        return counts


def counted(entities: int) -> str:
    """1 entity, 1,000 entities"""
    return f"{entities:,} {'entity' if entities == 1 else 'entities'}"


def summary_of(counts: dict[str, int], there: There) -> str:
    """The last sync in a sentence, and why, where there was nothing to sync."""
    total = counts["entities"]
    said = (
        f"Synced {counted(total)}: {counts['written']:,} written, "
        f"{counts['read']:,} read, {counts['unchanged']:,} unchanged, {counts['failed']:,} failed."
    )
    if not there.complete:
        return f"{said} The repository could not be listed whole, so nothing was written or deleted. {there.reason}"
    if total:
        return said
    if not there.commit:
        return f"{said} The repository was empty, and there is nothing here that is the organisation's."
    return (
        f"{said} There is nothing here that is the organisation's, and the branch has no file in toolkits, commands, "
        "mcp-servers, mcp-clients or skills below the chosen directory."
    )

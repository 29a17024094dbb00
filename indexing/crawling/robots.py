"""What a site's robots.txt allows (RFC 9309), as protego reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from protego import Protego

from indexing.crawling.asking import Answer

MAX_BYTES = 512 << 10
"""RFC 9309, 2.5: at least 500 KiB have to be read."""
MAX_SITEMAPS = 50
_DAY = 86_400
_FOR = re.compile(r"\s*user[- ]?agent\s*[:\s]([^#]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Robots:
    """The rules for one origin and one user agent. Without a `file` everything, or nothing, is allowed."""

    user_agent: str = ""
    file: Protego | None = None
    refused: bool = False
    """The site could not tell its rules (5xx), and so nothing may be asked: RFC 9309, 2.3.1.4."""

    @classmethod
    def of(cls, answer: Answer, user_agent: str) -> Robots:
        """2xx: what it says; 5xx and 429: nothing is allowed; all others: everything is (RFC 9309, 2.3.1.3)."""
        name = user_agent.partition("/")[0]
        if answer.status == 200:
            text = answer.body.decode("utf-8-sig", "replace").replace("\0", "")
            return cls(name, Protego.parse(_without_others(text, name)))
        return cls(name, refused=answer.status is not None and (answer.status >= 500 or answer.status == 429))

    def allows(self, url: str) -> bool:
        if self.refused:
            return False
        return self.file is None or bool(self.file.can_fetch(url, self.user_agent))

    @property
    def delay(self) -> float:
        """Seconds between two requests that it asks for."""
        if self.file is None:
            return 0.0
        delay, rate = self.file.crawl_delay(self.user_agent), self.file.request_rate(self.user_agent)
        return max(delay or 0.0, min(rate.seconds, _DAY) / rate.requests if rate else 0.0)

    @property
    def sitemaps(self) -> list[str]:
        return [] if self.file is None else list(dict.fromkeys(self.file.sitemaps))[:MAX_SITEMAPS]


def _without_others(text: str, name: str) -> str:
    """With one name for all robots that are others: each of them would have a copy of the rules of its group, and ten
    thousand names before ten thousand rules would fill the memory."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if (said := _FOR.match(line)) and (robot := said[1].strip().lower()):
            is_ours = robot == "*" or robot.replace("*", "") in name.lower()
            lines[number] = line if is_ours else f"User-agent: {name}."
    return "\n".join(lines)


def robots_url(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))

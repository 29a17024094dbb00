"""The addresses at which servers and toolkits answer. Pure.

`/mcp/<organisation>/<server>` and `/mcp/<organisation>/toolkits/<toolkit>`; `?version=3` pins a version of a server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

PREFIX = "/mcp/"
_SLUG = r"[A-Za-z0-9_-]{1,80}"
_PATTERN = re.compile(rf"\A/mcp/(?P<organization>{_SLUG})/(?:toolkits/(?P<toolkit>{_SLUG})|(?P<server>{_SLUG}))/?\Z")


class HasSlug(Protocol):
    """An organisation, server or toolkit."""

    slug: str


class Addressed(Protocol):
    """A request."""

    @property
    def scheme(self) -> str | None: ...
    def get_host(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Address:
    """Of a server or of a toolkit: one of the two slugs is empty."""

    organization: str
    server: str = ""
    toolkit: str = ""

    @classmethod
    def of(cls, organization: HasSlug, *, server: HasSlug | None = None, toolkit: HasSlug | None = None) -> Address:
        """Where one of the two answers."""
        return cls(organization.slug, server.slug if server else "", toolkit.slug if toolkit else "")

    @property
    def path(self) -> str:
        return f"{PREFIX}{self.organization}/" + (f"toolkits/{self.toolkit}" if self.toolkit else self.server)

    @property
    def metadata_path(self) -> str:
        """Where its protected-resource metadata is (RFC 9728, 3.1)."""
        return f"/.well-known/oauth-protected-resource{self.path}"


def base_of(request: Addressed) -> str:
    """`https://host`, as it was addressed."""
    return f"{request.scheme}://{request.get_host()}"


def parse(path: str) -> Address | None:
    """The address that a path of a URL is, None for others."""
    match = _PATTERN.match(path)
    if match is None:
        return None
    return Address(match["organization"], match["server"] or "", match["toolkit"] or "")

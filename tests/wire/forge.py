"""The whole: one server that speaks GitHub and git over one world of repositories."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from tests.wire.github import Contract, GitHub, Violation
from tests.wire.github_archives import Codeload
from tests.wire.github_routes import Caps
from tests.wire.repos import GitRepo
from tests.wire.server import WireServer
from tests.wire.smart_http import SmartHttp
from tests.wire.world import HostedRepository, World


class Forge(WireServer):
    """A running forge in a folder of its own. `url` is the API's base for github.com-style clients, and the web's.

    Closing it ends every process and thread that it started.
    """

    def __init__(
        self,
        folder: Path,
        *,
        contract: Contract | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 0.0,
    ) -> None:
        self.world = World(folder)
        self.codeload = Codeload(self.world)
        self.github = GitHub(self.world, self.codeload, contract)
        super().__init__([SmartHttp(self.world), self.codeload, self.github], host=host, port=port, latency=latency)

    @property
    def enterprise_url(self) -> str:
        """The API's base as GitHub Enterprise Server has it."""
        return f"{self.url}/api/v3"

    @property
    def violations(self) -> list[Violation]:
        return self.github.violations

    @property
    def caps(self) -> Caps:
        return self.github.caps

    def clone_url(self, full_name: str) -> str:
        return f"{self.url}/{full_name}.git"

    def repository(
        self,
        full_name: str,
        *,
        git: GitRepo | None = None,
        private: bool = False,
        default_branch: str = "main",
        owner_kind: str = "User",
        collaborators: Iterable[str] = (),
        description: str | None = None,
    ) -> HostedRepository:
        """Host a repository, see `World.repository`; commit to it through its `git`."""
        return self.world.repository(
            full_name,
            git=git,
            private=private,
            default_branch=default_branch,
            owner_kind=owner_kind,
            collaborators=collaborators,
            description=description,
        )

    def token(
        self,
        login: str,
        *,
        scopes: Iterable[str] = ("repo",),
        fine_grained: bool = False,
        repositories: Iterable[str] | None = None,
        permissions: Iterable[str] = ("metadata", "contents"),
        expires_at: datetime | None = None,
    ) -> str:
        """Make a token, see `World.token`."""
        return self.world.token(
            login,
            scopes=scopes,
            fine_grained=fine_grained,
            repositories=repositories,
            permissions=permissions,
            expires_at=expires_at,
        )

    def send_archives_elsewhere(self, host: str = "127.0.0.2") -> str:
        """Let archive redirects lead to another host (codeload is one, too); returns its address."""
        self.codeload.host = self.listen_also(host)
        return self.codeload.host

    def close(self) -> None:
        super().close()
        self.world.close()

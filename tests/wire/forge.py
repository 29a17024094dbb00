"""The whole: one server that speaks every forge and git over one world of repositories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.wire import github_payloads
from tests.wire.bitbucket import Bitbucket
from tests.wire.bitbucket_routes import Caps as BitbucketCaps
from tests.wire.contract import Contract, Violation
from tests.wire.github import GitHub
from tests.wire.github_archives import Codeload
from tests.wire.github_routes import Caps
from tests.wire.github_web import GitHubWeb
from tests.wire.gitlab import GitLab
from tests.wire.gitlab_oauth import GitLabOAuth
from tests.wire.gitlab_routes import Caps as GitLabCaps
from tests.wire.hooks import NO_COMMIT, Change, Delivered
from tests.wire.repos import File, GitRepo
from tests.wire.server import Speaker, WireServer
from tests.wire.smart_http import SmartHttp
from tests.wire.world import HostedRepository, World


class Forge(WireServer):
    """A running forge in a folder of its own. `url` is the API's base for github.com-style clients, and the web's.

    `contract` is GitHub's, `contracts` may name others by their forge: `{"bitbucket": …}`. Closing it ends every
    process and thread that it started.
    """

    def __init__(
        self,
        folder: Path,
        *,
        contract: Contract | None = None,
        contracts: Mapping[str, Contract | None] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 0.0,
    ) -> None:
        self.world = World(folder)
        self.violations: list[Violation] = []
        """What was said in any API that its description does not know."""
        self.contracts = {"github": contract, **(contracts or {})}
        self.codeload = Codeload(self.world)
        self.github = GitHub(self.world, self.codeload, self.contracts["github"], self.violations)
        self.gitlab = GitLab(self.world, self.violations)
        self.bitbucket = Bitbucket(self.world, self.contracts.get("bitbucket"), self.violations)
        github_payloads.register(self.world.hooks)
        super().__init__(self._speakers(), host=host, port=port, latency=latency)
        self.world.hooks.origin = self.url

    def _speakers(self) -> list[Speaker]:
        """The first that knows a request answers it: what is at the root of the server comes last."""
        return [
            self.gitlab,
            GitLabOAuth(self.world, self.violations),
            self.bitbucket,
            self.bitbucket.oauth,
            self.bitbucket.downloads,
            SmartHttp(self.world),
            self.codeload,
            GitHubWeb(self.world, self.violations),
            self.github,
        ]

    @property
    def enterprise_url(self) -> str:
        """The API's base as GitHub Enterprise Server has it."""
        return f"{self.url}/api/v3"

    @property
    def gitlab_url(self) -> str:
        return f"{self.url}/api/v4"

    @property
    def bitbucket_url(self) -> str:
        return f"{self.url}/2.0"

    @property
    def bitbucket_caps(self) -> BitbucketCaps:
        return self.bitbucket.caps

    @property
    def caps(self) -> Caps:
        return self.github.caps

    @property
    def gitlab_caps(self) -> GitLabCaps:
        return self.gitlab.caps

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

    def gitlab_token(
        self,
        login: str,
        *,
        scopes: Iterable[str] = ("api",),
        kind: str = "personal",
        expires_at: datetime | None = None,
        repositories: Iterable[str] | None = None,
    ) -> str:
        """Make an access token of GitLab, see `GitLab.make_token`."""
        return self.gitlab.make_token(login, scopes, kind, expires_at, repositories)

    def bitbucket_token(
        self,
        login: str,
        *,
        kind: str = "api",
        scopes: Iterable[str] | None = None,
        email: str = "",
        repository: str = "",
        expires_at: datetime | None = None,
    ) -> str:
        """Make a token of Bitbucket: `kind` is api, workspace or repository; see `bitbucket_auth.make_token`."""
        return self.bitbucket.make_token(login, kind, scopes, email, repository, expires_at)

    # -- what happens at the forge, and is told to who listens ---------------------------------------------------------

    def push(
        self,
        full_name: str,
        files: Mapping[str, File | None],
        message: str = "Change files",
        *,
        branch: str | None = None,
        force: bool = False,
        with_commits: bool = True,
    ) -> str:
        """Commit to a repository and deliver the push to every hook that listens; returns the commit's id.

        `force` replaces the branch by this one commit; `with_commits=False` lists no commits, as moving a ref can.
        """
        hosted, git = self._hosted(full_name), self._hosted(full_name).git
        name = branch or git.default_branch
        before = git.tip(name) or NO_COMMIT
        after = (git.force_push if force else git.commit)(files, message, branch=name)
        forced = force and before != NO_COMMIT
        self.announce("push", hosted, branch=name, before=before, after=after, forced=forced, with_commits=with_commits)
        return after

    def delete_branch(self, full_name: str, branch: str) -> list[Delivered]:
        hosted = self._hosted(full_name)
        before = hosted.git.tip(branch) or NO_COMMIT
        hosted.git.delete_branch(branch)
        return self.announce("branch_deleted", hosted, branch=branch, before=before)

    def rename(self, full_name: str, to: str) -> list[Delivered]:
        """Rename a repository, or transfer it where the owner changes; it keeps its id."""
        kind = "renamed" if full_name.rpartition("/")[0] == to.rpartition("/")[0] else "transferred"
        old_name = self._hosted(full_name).full_name
        return self.announce(kind, self.world.rename(full_name, to), old_name=old_name)

    def delete(self, full_name: str) -> list[Delivered]:
        hosted = self._hosted(full_name)
        self.world.delete(full_name)
        return self.announce("deleted", hosted)

    def announce(self, kind: str, hosted: HostedRepository | None, **facts: Any) -> list[Delivered]:
        """Tell every hook that listens of a change (see `hooks.Change` for kinds and facts), true or not."""
        return self.world.hooks.happened(Change(kind, hosted, **facts))

    def _hosted(self, full_name: str) -> HostedRepository:
        hosted = self.world.find(full_name)
        assert hosted, f"there is no repository {full_name}"
        return hosted

    def send_archives_elsewhere(self, host: str = "127.0.0.2") -> str:
        """Let archive redirects lead to another host (codeload is one, too); returns its address."""
        self.codeload.host = self.listen_also(host)
        return self.codeload.host

    def close(self) -> None:
        super().close()
        self.world.close()

"""Clients that speak with the local forge, as strictly as in production: only its two addresses are allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest

from forges.clients import normalise_repository, open_client
from forges.clients.base import Client, Credential, CredentialSource, Limits
from lib import egress
from tests.wire.fixtures import contract, forge, git_repo, github_contract, github_repo, private_repo
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

__all__ = ["contract", "forge", "git_repo", "github_contract", "github_repo", "private_repo"]

POLICY = egress.Policy.parse([], ["127.0.0.1/32", "127.0.0.2/32"])
LIMITS = Limits(timeout=5.0, total_timeout=20.0)

OpenGitHub = Callable[..., Client]
OpenGitLab = Callable[..., Client]


BITBUCKET_SCOPES = [
    "read:user:bitbucket",
    "read:workspace:bitbucket",
    *(f"{verb}:{what}:bitbucket" for verb in ("read", "write") for what in ("repository", "pullrequest", "webhook")),
    "delete:webhook:bitbucket",
]
"""Of an API token that reads, pushes, proposes and listens: each is by itself there."""


@dataclass(frozen=True, slots=True)
class Side:
    """One forge as the suite for all clients meets it."""

    key: str
    base_url: Callable[[Forge], str]
    """Of its API at the local forge."""
    api: str
    """What the API's address ends in at any other host."""
    credential: Callable[[Forge, str], Credential]
    """A new one for the account of that login: it may do there what the account may."""
    address: Callable[[Forge, HostedRepository], str]
    """What a person would enter for the repository."""
    tells_sizes: bool = True
    """Whether a listing has the sizes of files."""
    file_page: str = ""
    """Where a person sees a file, below the forge's web address; "" where there is no page."""
    commit_page: str = ""
    manages: bool = True
    """Whether it has pull requests and webhooks."""


SIDES: dict[str, Side] = {
    side.key: side
    for side in (
        Side(
            key="github",
            base_url=lambda forge: forge.url,
            api="/api/v3",
            credential=lambda forge, login: Credential(forge.token(login)),
            address=lambda _forge, hosted: hosted.full_name,
            file_page="/{name}/blob/{commit}/{path}",
            commit_page="/{name}/commit/{commit}",
        ),
        Side(
            key="gitlab",
            base_url=lambda forge: forge.gitlab_url,
            api="/api/v4",
            credential=lambda forge, login: Credential(forge.gitlab_token(login)),
            address=lambda _forge, hosted: hosted.full_name,
            tells_sizes=False,
            file_page="/{name}/-/blob/{commit}/{path}",
            commit_page="/{name}/-/commit/{commit}",
        ),
        Side(
            key="bitbucket",
            base_url=lambda forge: forge.bitbucket_url,
            api="/2.0",
            credential=lambda forge, login: Credential(
                forge.bitbucket_token(login, scopes=BITBUCKET_SCOPES), username=f"{login}@example.org"
            ),
            address=lambda _forge, hosted: hosted.full_name,
            file_page="/{name}/src/{commit}/{path}",
            commit_page="/{name}/commits/{commit}",
        ),
        Side(
            key="git",
            base_url=lambda _forge: "",
            api="",
            credential=lambda forge, login: Credential(forge.token(login)),
            address=lambda forge, hosted: forge.clone_url(hosted.full_name),
            manages=False,
        ),
    )
}
"""Another forge is another row: the whole suite runs for it."""


@dataclass(frozen=True)
class Way:
    """One way to read the forge's repositories."""

    forge: Forge
    side: Side
    local: bool = False

    @property
    def key(self) -> str:
        return self.side.key

    def credential(self, login: str) -> Credential:
        """A new one for that account, or none: a folder asks for none."""
        return self.side.credential(self.forge, login) if login and not self.local else Credential()

    def open(self, login: str = "", *, credential: Credential | None = None, **limits: float) -> Client:
        return open_client(
            self.key,
            base_url=self.side.base_url(self.forge),
            credential=credential or self.credential(login),
            policy=POLICY,
            limits=replace(LIMITS, **limits),  # type: ignore[arg-type]
            local_roots=(self.forge.world.folder,) if self.local else (),
        )

    def name(self, hosted: HostedRepository) -> str:
        address = str(hosted.git.path) if self.local else self.side.address(self.forge, hosted)
        roots = (self.forge.world.folder,)
        return normalise_repository(self.key, self.side.base_url(self.forge), address, local_roots=roots)


@pytest.fixture(params=[*SIDES, "folder"])
def way(request: pytest.FixtureRequest, forge: Forge) -> Way:
    return Way(forge, SIDES["git" if request.param == "folder" else request.param], local=request.param == "folder")


@pytest.fixture(params=SIDES)
def remote_way(request: pytest.FixtureRequest, forge: Forge) -> Way:
    """The ways that go over the network."""
    return Way(forge, SIDES[request.param])


@pytest.fixture
def open_github(forge: Forge) -> Iterator[OpenGitHub]:
    """A client for the local GitHub: `open_github(token, max_entries=10)`; keywords replace single limits."""
    with ExitStack() as stack:

        def open_it(token: str = "", **limits: float) -> Client:
            client = open_client(
                "github",
                base_url=forge.url,
                credential=Credential(token),
                policy=POLICY,
                limits=replace(LIMITS, **limits),  # type: ignore[arg-type]
            )
            return stack.enter_context(client)

        yield open_it


@pytest.fixture
def open_gitlab(forge: Forge) -> Iterator[OpenGitLab]:
    """The same for the local GitLab: `open_gitlab(token)`, `open_gitlab(source=…, base_url=…, max_entries=10)`."""
    with ExitStack() as stack:

        def open_it(
            token: str = "", *, source: CredentialSource | None = None, base_url: str = "", **limits: float
        ) -> Client:
            client = open_client(
                "gitlab",
                base_url=base_url or forge.gitlab_url,
                credential=source or Credential(token),
                policy=POLICY,
                limits=replace(LIMITS, **limits),  # type: ignore[arg-type]
            )
            return stack.enter_context(client)

        yield open_it


@pytest.fixture
def open_bitbucket(forge: Forge) -> Iterator[OpenGitHub]:
    """The same for the local Bitbucket; with `email` it is an API token, else one of OAuth or an access token."""
    with ExitStack() as stack:

        def open_it(token: str = "", *, email: str = "", **limits: float) -> Client:
            client = open_client(
                "bitbucket",
                base_url=forge.bitbucket_url,
                credential=Credential(token, username=email),
                policy=POLICY,
                limits=replace(LIMITS, **limits),  # type: ignore[arg-type]
            )
            return stack.enter_context(client)

        yield open_it


@pytest.fixture
def open_git() -> Iterator[OpenGitHub]:
    """The same for plain git; `local_roots` are folders."""
    with ExitStack() as stack:

        def open_it(token: str = "", *, local_roots: tuple = (), **limits: float) -> Client:  # type: ignore[type-arg]
            client = open_client(
                "git",
                credential=Credential(token),
                policy=POLICY,
                limits=replace(LIMITS, **limits),  # type: ignore[arg-type]
                local_roots=local_roots,
            )
            return stack.enter_context(client)

        yield open_it

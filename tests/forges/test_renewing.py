"""A token that ends in the middle of a run is renewed and the run goes on, for GitHub and plain git."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from forges.clients import open_client
from forges.clients.base import Author, Client, Credential
from forges.clients.errors import AuthFailed, ForgeError, Unavailable
from tests.forges.conftest import LIMITS, POLICY
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository


class Renewing:
    """As a connection does it: a token is good until the forge says otherwise, and then there is another."""

    def __init__(self, forge: Forge, *, most: int = 10) -> None:
        self.forge = forge
        self.left = most
        self.refused: list[str] = []
        self.token = forge.token("acme")

    def __bool__(self) -> bool:
        return True

    def current(self) -> Credential:
        return Credential(self.token)

    def renewed(self, refused: Credential) -> Credential | None:
        self.refused.append(refused.token)
        if not self.left:
            return None
        self.left -= 1
        self.token = self.forge.token("acme")
        return self.current()

    def end(self) -> None:
        self.forge.world.revoke(self.token)


@contextmanager
def opened(kind: str, forge: Forge, source: Renewing) -> Iterator[Client]:
    base_url = forge.url if kind == "github" else ""
    with open_client(kind, base_url=base_url, credential=source, policy=POLICY, limits=LIMITS) as client:
        yield client


def name_of(kind: str, forge: Forge, hosted: HostedRepository) -> str:
    return hosted.full_name if kind == "github" else forge.clone_url(hosted.full_name).removesuffix(".git")


def archived(client: Client, name: str, hosted: HostedRepository) -> object:
    with client.archive(name, hosted.git.tip("main") or "") as files:
        return dict(files)["README.md"]


Read = Callable[[Client, str, HostedRepository], object]
READS: dict[str, Read] = {
    "repository": lambda client, name, _hosted: client.repository(name),
    "branches": lambda client, name, _hosted: client.branches(name),
    "head": lambda client, name, _hosted: client.head(name, "main"),
    "tree": lambda client, name, hosted: client.tree(name, hosted.git.tip("main") or "").entries,
    "archive": archived,
}
READS_OF_GITHUB: dict[str, Read] = {
    "account": lambda client, _name, _hosted: client.account(),
    "repositories": lambda client, _name, _hosted: client.repositories(),
    "find": lambda client, _name, hosted: client.find(str(hosted.id)),
    "blobs": lambda client, name, hosted: dict(client.blobs(name, list(hosted.git.files().values()))),
}


@pytest.mark.parametrize(
    ("kind", "read"),
    [(kind, read) for kind in ("github", "git") for read in READS.items()]
    + [("github", read) for read in READS_OF_GITHUB.items()],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_every_request_survives_a_token_that_has_just_ended(
    forge: Forge, private_repo: HostedRepository, kind: str, read: tuple[str, Read]
) -> None:
    source, name = Renewing(forge), name_of(kind, forge, private_repo)
    source.end()
    with opened(kind, forge, source) as client:
        assert read[1](client, name, private_repo)
    assert len(source.refused) == 1


@pytest.mark.parametrize("kind", ["github", "git"])
def test_a_run_goes_on_with_the_new_token(forge: Forge, private_repo: HostedRepository, kind: str) -> None:
    source, name = Renewing(forge), name_of(kind, forge, private_repo)
    first = source.token
    with opened(kind, forge, source) as client:
        assert client.head(name, "main")
        source.end()
        spent = client.usage.requests
        assert client.head(name, "main")
        assert client.usage.requests - spent == 2
        assert client.head(name, "main")
        assert client.usage.requests - spent == 3
    assert source.refused == [first]


@pytest.mark.parametrize("kind", ["github", "git"])
def test_where_there_is_no_other_token_the_refusal_stands(
    forge: Forge, private_repo: HostedRepository, kind: str
) -> None:
    source, name = Renewing(forge, most=0), name_of(kind, forge, private_repo)
    source.end()
    with opened(kind, forge, source) as client, pytest.raises(AuthFailed, match="wrong, expired or revoked"):
        client.head(name, "main")
    assert len(source.refused) == 1


@pytest.mark.parametrize("kind", ["github", "git"])
def test_a_forge_that_refuses_every_token_is_asked_twice(
    forge: Forge, private_repo: HostedRepository, kind: str
) -> None:
    source, name = Renewing(forge), name_of(kind, forge, private_repo)
    with opened(kind, forge, source) as client, forge.fault(faults.unauthorized()), pytest.raises(AuthFailed):
        client.head(name, "main")
    assert (len(source.refused), forge.requests.count()) == (1, 2)


@pytest.mark.parametrize("kind", ["github", "git"])
def test_what_goes_wrong_in_renewing_is_told_as_that(forge: Forge, private_repo: HostedRepository, kind: str) -> None:
    class Failing(Renewing):
        def renewed(self, refused: Credential) -> Credential | None:
            assert refused
            raise Unavailable("The server for tokens failed.")

    source, name = Failing(forge), name_of(kind, forge, private_repo)
    source.end()
    with opened(kind, forge, source) as client, pytest.raises(Unavailable, match="for tokens failed"):
        client.head(name, "main")


@pytest.mark.parametrize(("kind", "on"), [("github", "POST */git/trees"), ("git", "POST */git-receive-pack")])
def test_a_commit_survives_a_token_that_ends_between_its_requests(
    forge: Forge, private_repo: HostedRepository, kind: str, on: str
) -> None:
    source = Renewing(forge)
    with opened(kind, forge, source) as client, forge.fault(faults.first(source.end), on=on, times=1):
        made = client.commit(
            name_of(kind, forge, private_repo),
            branch="main",
            parent=private_repo.git.tip("main") or "",
            changes={"a.md": b"a"},
            message="m",
            author=Author("Ann", "ann@example.org"),
        )
    assert private_repo.git.tip("main") == made
    assert len(source.refused) == 1


def test_an_installations_token_that_ends_is_renewed_as_one(forge: Forge, private_repo: HostedRepository) -> None:
    app = forge.world.github_app()
    installation = forge.world.apps.installations[forge.world.install(app, "acme")]

    class Installed(Renewing):
        def __init__(self) -> None:
            super().__init__(forge)
            self.token = self.made()

        def made(self) -> str:
            return forge.world.apps.token(installation, None, app.permissions).value

        def renewed(self, refused: Credential) -> Credential | None:
            self.refused.append(refused.token)
            self.token = self.made()
            return self.current()

    source = Installed()
    with opened("github", forge, source) as client:
        assert client.account().login is None
        source.end()
        assert [found.full_name for found in client.repositories()] == ["acme/secret"]
        source.end()
        assert client.find(str(private_repo.id)).full_name == "acme/secret"
        assert client.create_hook("acme/secret", url="http://127.0.0.1:9/hook", secret="s").complete
    assert len(source.refused) == 2


def test_a_token_does_not_follow_to_another_server(forge: Forge, private_repo: HostedRepository) -> None:
    elsewhere = forge.send_archives_elsewhere()
    source = Renewing(forge)
    with opened("github", forge, source) as client:
        commit = client.head("acme/secret", "main")
        with client.archive("acme/secret", commit) as files:
            assert dict(files)
    away = [request for request in forge.requests if request.origin == elsewhere]
    assert away
    assert not [request for request in away if "Authorization" in request.headers]
    assert {request.headers["Authorization"] for request in forge.requests if request not in away} == {
        f"Bearer {source.token}"
    }


@pytest.mark.parametrize("token", ["two words", "ü", "x\r\nX-Injected: 1"])
def test_a_renewed_token_that_is_none_is_not_sent(forge: Forge, private_repo: HostedRepository, token: str) -> None:
    class Odd(Renewing):
        def renewed(self, refused: Credential) -> Credential | None:
            assert refused
            return Credential(token)

    for kind in ("github", "git"):
        source = Odd(forge)
        source.end()
        with opened(kind, forge, source) as client, pytest.raises(ForgeError, match="holds a character"):
            client.head(name_of(kind, forge, private_repo), "main")


def test_a_repository_is_found_by_its_id_whatever_it_is_called(forge: Forge, private_repo: HostedRepository) -> None:
    source = Renewing(forge)
    with opened("github", forge, source) as client:
        forge.world.rename("acme/secret", "acme/book")
        assert client.find(str(private_repo.id)).full_name == "acme/book"
        for odd in ("999999", "0", "-1", "x/../user", "", "٣"):
            with pytest.raises(ForgeError):
                client.find(odd)
    url = name_of("git", forge, private_repo)
    with opened("git", forge, source) as plain:
        assert plain.find(url).full_name == url


def test_plain_git_has_no_webhooks_and_no_pull_requests(forge: Forge) -> None:
    with opened("git", forge, Renewing(forge)) as client:
        assert (client.has_hooks, client.opens_pull_requests) == (False, False)
        for ask in (
            lambda: client.hooks("x"),
            lambda: client.create_hook("x", url="x", secret="s"),
            lambda: client.update_hook("x", "1", url="x", secret="s"),
            lambda: client.delete_hook("x", "1"),
            lambda: client.find_pull_request("x", source="a", target="b"),
            lambda: client.pull_request("x", source="a", target="b", title="t", body="b"),
        ):
            with pytest.raises(NotImplementedError):
                ask()

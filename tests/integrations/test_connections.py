"""Integrations that work through a connection: for as long as it is connected, and no longer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from catalog.models import Server
from forges import connections
from forges.clients.oauth import Grant
from forges.connecting import connect_installation
from forges.models import Connection as ForgeConnection
from forges.models import ConnectionStatus, Hook
from forges.picking import FieldError
from forges.usage import uses_of
from integrations import automation, clock, connecting, probing
from integrations.automation import Automation
from integrations.models import Integration, Schedule
from integrations.probing import Entered
from jobs.models import Run, Status
from orgs.models import User
from tests.forges_app.conftest import Register, app, github, gitlab, of, register, user_token
from tests.integrations.conftest import Connection
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp
from tests.wire.world import HostedRepository

__all__ = ["app", "github", "gitlab", "register", "user_token"]

pytestmark = pytest.mark.django_db

Through = Callable[..., Connection]


@pytest.fixture
def through(forge: Forge, docs: Server, alice: User) -> Through:
    """Connect a repository to a server of Acme through a connection."""

    def connected(repository: HostedRepository, connection: ForgeConnection, *, server: Server = docs) -> Connection:
        form = Entered(
            forge=connection.forge,
            base_url=connection.base_url,
            repository=repository.full_name,
            connection=connection,
        )
        made = connecting.connect(server, form, probing.probe(form), by=connection.user or alice)
        return Connection(forge, repository, made.integration, alice)

    return connected


@pytest.fixture
def secret(forge: Forge) -> HostedRepository:
    """A private repository of octo's."""
    hosted = forge.repository("octo/secret", private=True)
    hosted.git.commit({"plan.md": "# Plan\n"})
    return hosted


@pytest.mark.parametrize("kind", ["github", "gitlab", "bitbucket"])
def test_a_private_repository_is_imported_through_a_connection(
    kind: str, register: Register, through: Through, secret: HostedRepository, alice: User
) -> None:
    it = through(secret, register(kind).connect(alice))

    run = it.refresh()

    assert (run.status, it.texts()) == (Status.SUCCEEDED, {"plan.md": "# Plan\n"})
    assert it.refresh().result["requests"] == 1


@pytest.mark.parametrize("kind", ["gitlab", "bitbucket"])
def test_a_token_that_expires_all_the_time_is_nobodys_concern(
    kind: str, register: Register, through: Through, secret: HostedRepository, forge: Forge, alice: User
) -> None:
    registered = register(kind)
    it = through(secret, registered.connect(alice))

    for n in range(5):
        secret.git.commit({f"notes/{n}.md": f"# Note {n}\n"})
        forge.world.oauth.expire(ForgeConnection.objects.get().token)
        assert it.refresh().status == Status.SUCCEEDED

    assert len(it.paths()) == 6
    assert registered.refreshes == 5
    assert ForgeConnection.objects.get().status == ConnectionStatus.CONNECTED


def test_a_token_that_ends_in_the_middle_of_a_run_is_renewed_in_the_middle_of_it(
    register: Register, through: Through, secret: HostedRepository, forge: Forge, alice: User
) -> None:
    connection = register("gitlab").connect(alice)
    it = through(secret, connection)
    listing = "GET */repository/tree"
    before = connection.token

    with forge.fault(faults.first(lambda: forge.world.oauth.expire(before)), on=listing, times=1) as armed:
        run = it.refresh()

    assert (armed.hits, run.status) == (1, Status.SUCCEEDED)
    assert it.paths() == ["plan.md"]


def test_while_it_is_disconnected_a_refresh_waits_and_goes_on_when_it_is_connected_again(
    register: Register, through: Through, secret: HostedRepository, alice: User
) -> None:
    gitlab = register("gitlab")
    connection = gitlab.connect(alice)
    it = through(secret, connection)
    connections.disconnect(of(alice), connection)

    run = it.refresh()
    assert (run.status, run.waiting_for) == (Status.WAITING, "a connection of Alice to be connected again")

    gitlab.connect(alice, into=ForgeConnection.objects.get())

    run.refresh_from_db()
    assert run.status == Status.QUEUED


def test_a_refresh_that_sleeps_for_the_limit_of_one_credential_goes_on_with_another(
    register: Register, through: Through, secret: HostedRepository, forge: Forge, alice: User
) -> None:
    connection = register("github", ttl=None).connect(alice)
    it = through(secret, connection)
    forge.world.leave(0, token=connection.token, reset_in=3000)
    run = it.refresh()
    assert (run.status, run.waiting_for) == (Status.WAITING, "the forge's rate limit to reset")

    through(secret, register("gitlab").connect(alice))
    run.refresh_from_db()
    assert run.status == Status.WAITING, "another forge's repository is another integration"
    form = Entered(
        forge="github",
        base_url=connection.base_url,
        repository="octo/secret",
        token=forge.token("octo", scopes=["repo"]),
    )
    connecting.connect(it.server, form, probing.probe(form), by=alice)

    run.refresh_from_db()
    assert run.status == Status.QUEUED


def test_a_grant_that_was_revoked_in_the_middle_of_a_run_leaves_it_waiting_and_the_content_as_it_was(
    register: Register, through: Through, secret: HostedRepository, forge: Forge, alice: User
) -> None:
    connection = register("github", ttl=None).connect(alice)
    it = through(secret, connection)
    it.refresh()
    secret.git.commit({"plan.md": "# Another plan\n"})
    forge.world.revoke(connection.token)

    run = it.refresh()

    assert run.status == Status.WAITING, run.error_text
    assert ForgeConnection.objects.get().status == ConnectionStatus.DISCONNECTED
    assert it.texts() == {"plan.md": "# Plan\n"}


def test_deleting_a_connection_stops_what_used_it_and_another_one_takes_its_place(
    register: Register, through: Through, secret: HostedRepository, docs: Server, alice: User
) -> None:
    gitlab = register("gitlab")
    connection = gitlab.connect(alice)
    it = through(secret, connection)
    it.refresh()
    automation.configure(it.integration, Automation(schedule=Schedule.HOURLY), by=alice)

    connections.delete(of(alice), connection)

    stopped = Integration.objects.get()
    assert "was deleted" in stopped.credential_lost
    assert stopped.next_refresh_at is None
    run = it.refresh()
    assert (run.status, run.error_code) == (Status.FAILED, "credential_missing")
    assert "Choose another one with “Change credential”." in run.error_text

    through(secret, gitlab.connect(alice))
    going = Integration.objects.get()
    assert (going.credential_lost, going.next_refresh_at is not None) == ("", True)
    assert it.refresh().status == Status.SUCCEEDED


def test_a_connection_says_what_it_is_used_for(
    register: Register, through: Through, secret: HostedRepository, alice: User
) -> None:
    used, unused = register("gitlab").connect(alice), register("bitbucket").connect(alice)
    through(secret, used)

    found = uses_of([used, unused])

    assert [use.label for use in found[used.pk]] == ["octo/secret on Docs"]
    assert found[unused.pk] == []


def test_when_its_maker_leaves_what_used_a_personal_connection_waits(
    register: Register, through: Through, secret: HostedRepository, alice: User, adam: User
) -> None:
    it = through(secret, register("gitlab").connect(adam))

    of(adam).delete()

    assert it.refresh().status == Status.WAITING
    assert not clock.may_run(Integration.objects.select_related("connection").get())


def test_connecting_the_same_repository_again_updates_its_row_with_the_new_credential_and_filter(
    register: Register, through: Through, secret: HostedRepository, docs: Server, alice: User
) -> None:
    gitlab = register("gitlab")
    through(secret, gitlab.connect(alice))
    again = gitlab.connect(alice)
    form = Entered(
        forge="gitlab", repository="octo/secret", base_url=again.base_url, connection=again, include="docs/**"
    )

    connecting.connect(docs, form, probing.probe(form), by=alice)

    (it,) = Integration.objects.all()
    assert (it.connection, it.tracks.get().include) == (again, "docs/**")
    assert ForgeConnection.objects.count() == 1


def test_a_repository_that_the_account_does_not_see_is_an_error_on_its_field(
    register: Register, through: Through, forge: Forge, alice: User
) -> None:
    hidden = forge.repository("mallory/hidden", private=True)
    hidden.git.commit({"a.md": "a"})

    with pytest.raises(FieldError, match="This connection sees no such repository") as caught:
        through(hidden, register("gitlab").connect(alice))

    assert caught.value.field == "repository"


def test_the_github_app_tells_of_pushes_itself_so_no_webhook_is_made(
    app: HostedApp,
    forge: Forge,
    through: Through,
    secret: HostedRepository,
    alice: User,
    user_token: Callable[[str], str],
) -> None:
    installation = forge.world.apps.install(app, "octo")
    connection = connect_installation(
        of(alice), installation_id=str(installation.id), user_token=user_token("octo")
    ).connection
    it = through(secret, connection)

    automation.configure(it.integration, Automation(on_push=True), by=alice)

    assert it.refresh().status == Status.SUCCEEDED
    assert Hook.objects.count() == 0
    assert Run.objects.filter(kind="forges.hook").count() == 0


def test_a_grant_holds_no_secret_in_its_words(register: Register) -> None:
    grant: Grant = register("gitlab").grant()

    assert grant.access_token not in repr(grant)
    assert grant.refresh_token not in repr(grant)

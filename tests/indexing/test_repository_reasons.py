"""Why a repository cannot be indexed, as programs and people are told it; and what goes on by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from catalog.models import Server
from forges import connections, standing
from forges.models import Connection
from forges.usage import uses_of
from indexing.models import Source
from indexing.reasons import Reason
from indexing.repositories import news
from jobs.models import Run, Status, Trigger
from orgs.models import Membership, Organization, User
from tests import factories
from tests.forges.conftest import SIDES, Side
from tests.forges_app.conftest import of
from tests.indexing.repository_sources import Add, add
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

__all__ = ["add"]

pytestmark = pytest.mark.django_db

everywhere = pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)


@pytest.fixture
def secret(forge: Forge) -> HostedRepository:
    """A private repository of octo's."""
    hosted = forge.repository("octo/secret", private=True)
    hosted.git.commit({"README.md": "# Secret\n"})
    return hosted


@everywhere
def test_a_private_one_without_a_credential_needs_one(side: Side, add: Add, secret: HostedRepository) -> None:
    it = add(secret, side=side)
    run = it.index()
    assert (run.status, run.error_code) == (Status.FAILED, Reason.AUTH_REQUIRED)
    assert it.source.error_code == Reason.AUTH_REQUIRED
    assert it.source.error_text


@everywhere
def test_with_a_good_one_it_is_indexed(side: Side, add: Add, secret: HostedRepository) -> None:
    it = add(secret, side=side, login="octo")
    run = it.index()
    assert (run.error_text, it.paths) == ("", ["README.md"])
    assert it.source.private or side.key == "git"


@everywhere
def test_one_that_works_and_does_not_see_it_says_not_found(side: Side, add: Add, secret: HostedRepository) -> None:
    it = add(secret, side=side, login="mallory")
    run = it.index()
    assert (run.status, run.error_code) == (Status.FAILED, Reason.NOT_FOUND)


@everywhere
def test_a_refused_one_is_to_be_replaced(side: Side, add: Add, secret: HostedRepository, forge: Forge) -> None:
    it = add(secret, side=side, login="octo")
    it.index()
    forge.world._tokens.clear()

    run = it.index()

    assert it.source.error_code == Reason.AUTH_REQUIRED
    assert it.source.error_text
    assert it.paths == ["README.md"], "what was indexed stays"
    if side.key == "git":
        assert run.status == Status.FAILED
    else:
        assert (run.status, run.waiting_for) == (
            Status.WAITING,
            f"{standing.named(Connection.objects.get())} to be connected again",
        )


@everywhere
def test_a_deleted_one_is_not_found_with_and_needs_an_account_without_a_credential(
    side: Side, add: Add, secret: HostedRepository, forge: Forge
) -> None:
    public = forge.repository("octo/public")
    public.git.commit({"README.md": "# Public\n"})
    with_one, without = add(secret, side=side, login="octo"), add(public, side=side)
    with_one.index()
    without.index()
    forge.delete("octo/secret")
    forge.delete("octo/public")
    assert with_one.index().error_code == Reason.NOT_FOUND
    assert without.index().error_code == Reason.AUTH_REQUIRED
    assert with_one.paths == without.paths == ["README.md"]


@pytest.mark.parametrize("side", [SIDES["github"], SIDES["gitlab"], SIDES["bitbucket"]], ids=lambda side: side.key)
@pytest.mark.parametrize("login", ["", "octo"])
def test_a_rate_limit_is_waited_for_and_is_nobodys_fault(side: Side, login: str, add: Add, forge: Forge) -> None:
    hosted = forge.repository("octo/docs")
    hosted.git.commit({"README.md": "# Docs\n"})
    it = add(hosted, side=side, login=login)
    with forge.fault(faults.rate_limited(reset_in=120), times=None):
        run = it.index()
    assert (run.status, run.waiting_for) == (Status.WAITING, "the forge's rate limit to reset")
    assert run.wait_until is not None
    left = run.wait_until - timezone.now()
    assert timedelta(seconds=60) < left < timedelta(seconds=180)
    assert it.source.error_code == ""


def test_no_answer_is_a_matter_of_the_network(add: Add, forge: Forge) -> None:
    hosted = forge.repository("octo/docs")
    hosted.git.commit({"README.md": "# Docs\n"})
    it = add(hosted)
    with forge.fault(faults.status(503), times=None):
        run = it.index()
        assert (run.status, run.error_code) == (Status.FAILED, Reason.NETWORK)
        run = it.index(alone=True)
        assert (run.status, run.waiting_for) == (Status.WAITING, "the forge to answer again")


def test_an_address_of_our_own_network_is_blocked(add: Add, forge: Forge, settings: Settings) -> None:
    it = add(forge.repository("octo/docs"))
    settings.EGRESS_ALLOW_NETWORKS = []
    settings.EGRESS_ALLOW_HOSTS = []
    assert it.index().error_code == Reason.BLOCKED_ADDRESS


@everywhere
def test_one_without_a_commit_is_empty(side: Side, add: Add, forge: Forge) -> None:
    assert add(forge.repository("octo/new"), side=side).index().error_code == Reason.EMPTY


def test_wrong_patterns_are_told(add: Add, forge: Forge) -> None:
    run = add(forge.repository("octo/docs"), include="!*.md").index()
    assert run.error_code == Reason.EMPTY
    assert "Line 1" in run.error_text


# -- connections -------------------------------------------------------------------------------------------------------


def test_a_lost_connection_goes_on_by_itself_when_it_is_connected_again(
    add: Add, secret: HostedRepository, alice: User
) -> None:
    it = add(secret, login="octo")
    connection = Connection.objects.get()
    connections.disconnect(of(alice), connection)
    run = it.index()
    assert run.status == Status.WAITING
    assert it.source.error_code == Reason.AUTH_REQUIRED

    Connection.objects.update(status="connected", reason="", reason_code="")
    news.on_connection_changed(connection=Connection.objects.get(), kind="connected")

    run.refresh_from_db()
    assert run.status == Status.QUEUED
    assert Run.objects.count() == 1


def test_one_whose_maker_leaves_waits(add: Add, secret: HostedRepository, acme: Organization, alice: User) -> None:
    leaver = factories.user("dora@acme.example", name="Dora")
    factories.membership(leaver, acme)
    it = add(secret, login="octo")
    Connection.objects.update(user=leaver, shared=False)
    Membership.objects.get(user=leaver).delete()
    run = it.index()
    assert (run.status, run.waiting_for) == (Status.WAITING, "a connection of Dora to be connected again")
    assert "Dora left Acme" in it.source.error_text


def test_a_deleted_connection_says_so_and_its_run_does_not_wait_for_ever(
    add: Add, secret: HostedRepository, alice: User
) -> None:
    it = add(secret, login="octo")
    connection = Connection.objects.get()
    assert [use.label for use in uses_of([connection])[connection.pk]] == ["octo/secret on Docs"]
    connections.disconnect(of(alice), connection)
    run = it.index()
    connections.delete(of(alice), connection)
    run.refresh_from_db()
    assert run.status == Status.QUEUED
    Run.objects.all().delete()
    run = it.index()
    assert (run.status, run.error_code) == (Status.FAILED, Reason.AUTH_REQUIRED)
    assert it.source.credential_lost == "The connection of octo that it used was deleted."


def test_what_failed_without_an_account_is_asked_for_when_its_connection_works(
    add: Add, secret: HostedRepository
) -> None:
    it = add(secret, login="octo")
    it.set(error_code=Reason.AUTH_REQUIRED)
    news.on_connection_changed(connection=Connection.objects.get(), kind="connected")
    assert Run.objects.get().trigger == Trigger.CONNECT
    Run.objects.all().delete()
    it.set(paused_at=timezone.now())
    news.on_connection_changed(connection=Connection.objects.get(), kind="connected")
    assert not Run.objects.exists()


# -- news of the repository --------------------------------------------------------------------------------------------


@pytest.fixture
def told(forge: Forge, acme: Organization) -> Any:
    def tell(receiver: Any, source: Source, **facts: Any) -> Any:
        about = {"forge": source.forge, "base_url": source.base_url, "repository_id": source.repository_id}
        return receiver(organization=facts.pop("organization", acme), **about, **facts)

    return tell


def test_a_push_to_its_branch_asks_for_it(add: Add, forge: Forge, told: Any, docs: Server, charlie: User) -> None:
    hosted = forge.repository("octo/docs")
    hosted.git.commit({"README.md": "# Docs\n"})
    it, other = add(hosted), add(hosted, branch="next")
    it.index()
    other.set(repository_id=it.source.repository_id)
    Run.objects.all().delete()
    foreign = Membership.objects.get(user=charlie).organization

    assert told(news.on_pushed, it.source, branches=("main",), organization=foreign) == []
    (run,) = told(news.on_pushed, it.source, branches=("main",))
    assert (run.subject_id, run.trigger) == (str(it.pk), Trigger.WEBHOOK)
    assert told(news.on_pushed, it.source, branches=("main",)) == [run], "it joins"
    assert [run.subject_id for run in told(news.on_pushed, it.source, branches=("next",))] == [str(other.pk)]
    assert len(told(news.on_pushed, it.source, branches=())) == 2
    it.set(auto_refresh=False)
    other.set(paused_at=timezone.now())
    assert told(news.on_pushed, it.source, branches=()) == []


def test_renames_and_deletions_at_the_forge_are_told(add: Add, forge: Forge, told: Any) -> None:
    hosted = forge.repository("octo/docs")
    hosted.git.commit({"README.md": "# Docs\n"})
    it = add(hosted)
    it.index()
    told(news.on_changed, it.source, kind="renamed", repository="octo/handbook")
    assert (it.source.repository, it.source.url) == ("octo/handbook", f"{forge.url}/octo/handbook")
    told(news.on_changed, it.source, kind="branch_deleted", repository="octo/handbook", branches=("main",))
    assert "Its branch was deleted" in it.source.notice
    told(news.on_changed, it.source, kind="deleted", repository="octo/handbook")
    assert "The repository was deleted" in it.source.notice
    assert it.paths == ["README.md"]


def test_a_rename_onto_an_address_that_is_there_keeps_its_own(add: Add, forge: Forge, told: Any) -> None:
    first, second = forge.repository("octo/one"), forge.repository("octo/two")
    it, other = add(first, repository_id="1"), add(second, repository_id="2")
    told(news.on_changed, it.source, kind="renamed", repository="octo/two")
    assert it.source.repository == other.source.repository == "octo/two"
    assert it.source.url != other.source.url


def test_a_default_branch_that_changes_is_followed(add: Add, forge: Forge) -> None:
    hosted = forge.repository("octo/docs")
    hosted.git.commit({"README.md": "# Docs\n"})
    it = add(hosted)
    it.index()
    hosted.git.branch("trunk", at="main")
    hosted.git.commit({"trunk.md": "# Trunk\n"}, branch="trunk")
    hosted.git.default_branch = "trunk"
    it.index()
    assert it.forge.requests.count() == 1, "while the old one's head stays"
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        it.index()
    assert it.source.default_branch == "trunk"
    assert "trunk.md" in it.paths

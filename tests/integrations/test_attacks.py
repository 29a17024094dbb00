"""What members try with integrations and other people's credentials, and what forges' news cannot bring about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from catalog.models import Server
from forges import connections
from forges.connecting import connect_token
from forges.models import Connection as ForgeConnection
from forges.picking import FieldError
from integrations import automation, branches, connecting, entering, news, probing
from integrations.automation import Automation
from integrations.models import AfterRefresh, Integration, Track
from integrations.probing import Entered
from jobs.models import Status
from orgs.models import AuditEvent, Membership, Role, User
from tests.conftest import Browse
from tests.forges_app.conftest import of
from tests.integrations.conftest import Connect, Connection
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connect: Connect, book: HostedRepository) -> Connection:
    made = connect(book)
    made.refresh()
    return made


def account_of(person: User, forge: Forge, **options: Any) -> ForgeConnection:
    """A connection of theirs to the account that the book belongs to."""
    token = forge.token("acme", scopes=["repo"])
    return connect_token(of(person), forge="github", base_url=forge.url, token=token, **options).connection


# -- a colleague's own account -----------------------------------------------------------------------------------------


def test_nobody_connects_a_repository_with_a_colleagues_own_account(
    forge: Forge, book: HostedRepository, docs: Server, adam: User, bob: User
) -> None:
    its = account_of(adam, forge)
    entered = Entered(forge="github", repository=book.full_name, connection=its)
    with pytest.raises(FieldError, match="may use") as caught:
        connecting.connect(docs, entered, probing.probe(entered), by=bob)
    assert caught.value.field == "connection"
    assert not Integration.objects.exists()


def test_one_that_is_shared_no_longer_when_it_comes_to_saving_is_refused(
    forge: Forge, connection: Connection, adam: User, bob: User
) -> None:
    its = account_of(adam, forge, shared=True)
    it = connection.integration
    asked = entering.entered(it, {"connection": its})
    found = probing.probe(replace(asked, branch=connection.track.branch))
    connections.unshare(of(adam), its)
    with pytest.raises(FieldError, match="may use"):
        connecting.edit(it, connection.track, asked, found=found, by=bob)
    assert Integration.objects.get().connection is None


def test_one_that_was_deleted_when_it_comes_to_saving_is_refused(
    forge: Forge, connection: Connection, bob: User
) -> None:
    its = account_of(bob, forge)
    it = connection.integration
    asked = entering.entered(it, {"connection": its})
    found = probing.probe(replace(asked, branch=connection.track.branch))
    connections.delete(of(bob), ForgeConnection.objects.get())
    with pytest.raises(FieldError, match="may use"):
        connecting.edit(it, connection.track, asked, found=found, by=bob)


def test_another_organisations_connection_is_nobodys_credential_here(
    forge: Forge, book: HostedRepository, docs: Server, charlie: User, alice: User
) -> None:
    entered = Entered(forge="github", repository=book.full_name, connection=account_of(charlie, forge, shared=True))
    with pytest.raises(FieldError, match="may use"):
        connecting.connect(docs, entered, probing.probe(entered), by=alice)


def test_a_connection_to_another_forge_is_no_credential(
    forge: Forge, book: HostedRepository, docs: Server, alice: User
) -> None:
    entered = Entered(forge="github", repository=book.full_name, connection=account_of(alice, forge))
    found = probing.probe(entered)
    with pytest.raises(FieldError, match="may use"):
        connecting.connect(docs, replace(entered, forge="gitlab"), found, by=alice)


# -- the same number at another server ---------------------------------------------------------------------------------


def test_a_repository_of_the_same_number_at_another_server_is_another_one(
    connection: Connection, bob: User, forge: Forge
) -> None:
    """Else its server would learn the secret of the webhook at the first one, and its files would take their place."""
    it, track = connection.integration, connection.track
    its = account_of(bob, forge)
    asked = entering.entered(it, {"connection": its})
    found = replace(probing.probe(replace(asked, branch=track.branch)), base_url="https://evil.example/api/v3")
    ForgeConnection.objects.filter(pk=its.pk).update(base_url="https://evil.example/api/v3")
    with pytest.raises(FieldError, match="another repository"):
        connecting.edit(it, track, asked, found=found, by=bob)
    with pytest.raises(FieldError, match="another repository"):
        branches.add_branch(it, replace(asked, mount_path="x", connection=None), found, by=bob)
    assert Integration.objects.get().connection is None
    assert Track.objects.count() == 1


# -- rights ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "chosen"),
    [
        ("contents.can_delete", Automation(prune=True)),
        ("versions.publish", Automation(after_refresh=AfterRefresh.CUT)),
        ("versions.publish", Automation(after_refresh=AfterRefresh.ACTIVATE)),
        ("integrations.import", Automation(on_push=True)),
    ],
)
def test_nobody_lets_happen_by_itself_what_they_may_not_do(
    right: str, chosen: Automation, connection: Connection, bob: User
) -> None:
    Membership.objects.filter(user=bob).update(denied=[right])
    before = automation.automation_of(connection.integration)
    with pytest.raises(PermissionDenied, match=right):
        automation.configure(connection.integration, chosen, by=bob)
    assert automation.automation_of(Integration.objects.get()) == before


def test_an_outsider_configures_nothing(connection: Connection, charlie: User) -> None:
    with pytest.raises(PermissionDenied):
        automation.configure(connection.integration, Automation(on_push=True), by=charlie)


def test_what_somebody_else_chose_stays_when_an_operator_changes_the_rest(
    connection: Connection, alice: User, bob: User
) -> None:
    automation.configure(connection.integration, Automation(prune=True), by=alice)
    changed = automation.configure(connection.integration, Automation(prune=True, on_push=True), by=bob)
    assert (changed.automatic_prune, changed.on_push) == (True, True)


def test_who_may_not_delete_does_not_delete_by_a_filter_that_automatic_runs_prune_by(
    connection: Connection, alice: User, bob: User
) -> None:
    it, track = connection.integration, connection.track
    automation.configure(it, Automation(prune=True), by=alice)
    track.integration = it
    narrow = replace(entering.entered(it, {"branch": track.branch}), include="chapters/0*.md")
    connecting.edit(it, track, narrow, found=None, by=bob)

    changed = Integration.objects.get()
    assert not changed.automatic_prune
    assert "pruned by themselves no more" in changed.notice
    assert AuditEvent.objects.filter(action="integration.automated", actor=bob).exists()


def test_nor_by_removing_a_branch_and_following_it_again_with_a_filter(
    connection: Connection, alice: User, bob: User
) -> None:
    it, track = connection.integration, connection.track
    connection.repository.git.branch("next", at="main")
    automation.configure(it, Automation(prune=True), by=alice)

    def follow(branch: str, **entered: str) -> branches.Added:
        asked = entering.entered(it, {"branch": branch, **entered})
        return branches.add_branch(it, asked, entering.probe_branch(it, asked), by=bob)

    follow("next", mount_path="next")
    assert Integration.objects.get().automatic_prune  # it brings files, and takes none over
    branches.remove_branch(track, by=bob)
    assert follow(track.branch, include="chapters/0[1-8].md").adopted == 12
    assert not Integration.objects.get().automatic_prune


def test_who_may_delete_narrows_a_filter_as_before(connection: Connection, alice: User) -> None:
    it, track = connection.integration, connection.track
    automation.configure(it, Automation(prune=True), by=alice)
    track.integration = it
    narrow = replace(entering.entered(it, {"branch": track.branch}), include="chapters/0*.md")
    connecting.edit(it, track, narrow, found=None, by=alice)
    assert Integration.objects.get().automatic_prune


def test_what_was_switched_off_meanwhile_is_not_switched_on_by_saving_something_else(
    connection: Connection, alice: User
) -> None:
    it, track = connection.integration, connection.track
    automation.configure(it, Automation(prune=True, on_push=True), by=alice)
    it.refresh_from_db()
    track.integration = it
    automation.configure(it, Automation(), by=alice)
    same = entering.entered(it, {"branch": track.branch})
    connecting.edit(it, track, same, found=None, by=alice)
    assert automation.automation_of(Integration.objects.get()) == Automation()


# -- who may no longer -------------------------------------------------------------------------------------------------


def test_who_lost_the_right_while_the_forge_was_asked_connects_and_changes_nothing(
    connection: Connection, docs: Server, private_repo: HostedRepository, forge: Forge, bob: User
) -> None:
    it, track = connection.integration, connection.track
    token = forge.token("acme", scopes=["repo"])
    new = Entered(forge="github", base_url=forge.url, repository=private_repo.full_name, token=token)
    of_new, of_old = probing.probe(new), probing.probe(replace(new, repository=it.repository))
    other = entering.entered(it, {"mount_path": "elsewhere"})
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    for attempt in (
        lambda: connecting.connect(docs, new, of_new, by=bob),
        lambda: connecting.edit(it, track, replace(other, token=token), found=of_old, by=bob),
        lambda: branches.add_branch(it, other, of_old, by=bob),
    ):
        with pytest.raises(PermissionDenied, match="connect repositories"):
            attempt()
    assert list(Track.objects.values_list("integration", "mount_path")) == [(it.pk, "")]


# -- what deliveries say -----------------------------------------------------------------------------------------------


def test_a_new_name_that_a_delivery_made_up_brings_nothing_of_another_repository(
    connection: Connection, forge: Forge
) -> None:
    """Who maintains a project at GitLab can have any body signed, and name a project in it that they cannot see."""
    forge.repository("acme/payroll", private=True).git.commit({"salaries.md": "# Salaries\n"})
    it, before = connection.integration, connection.texts()
    news.on_changed(
        organization=it.server.organization,
        forge=it.forge,
        base_url=it.base_url,
        repository_id=it.repository_id,
        kind="renamed",
        repository="acme/payroll",
    )
    connection.repository.git.commit({"chapters/13.md": "# Chapter 13\n"})
    connection.preview()
    run = connection.refresh()
    assert run.status == Status.SUCCEEDED
    assert connection.texts() == before | {"chapters/13.md": "# Chapter 13\n"}
    assert Integration.objects.get().repository == "acme/book"


@pytest.mark.parametrize("part", ["branches/", "branches/count/"])
def test_a_new_name_that_a_delivery_made_up_shows_nobody_anothers_branches_and_files(
    part: str, connection: Connection, forge: Forge, bob: User, browse: Browse
) -> None:
    payroll = forge.repository("acme/payroll", private=True)
    payroll.git.commit({"salaries.md": "# Salaries\n"})
    payroll.git.branch("bonuses", at="main")
    Integration.objects.update(repository="acme/payroll")
    shown = browse(bob).post(f"/o/acme/integrations/{connection.integration.pk}/{part}", {"branch": "main"})
    assert "salaries" not in shown.content.decode()
    assert "bonuses" not in shown.content.decode()
    assert "another repository under this name" in shown.content.decode()


def test_a_new_name_that_a_delivery_made_up_does_not_tell_which_branches_there_are(
    connection: Connection, forge: Forge, bob: User, browse: Browse
) -> None:
    forge.repository("acme/payroll", private=True).git.commit({"salaries.md": "# Salaries\n"})
    Integration.objects.update(repository="acme/payroll")
    said = {
        str(
            browse(bob)
            .post(f"/o/acme/integrations/{connection.integration.pk}/branches/add/", {"branch": branch})
            .context["form"]
            .errors
        )
        for branch in ("main", "no-such")
    }
    assert len(said) == 1
    assert "another repository under this name" in said.pop()

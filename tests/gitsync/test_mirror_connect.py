"""Connecting a repository: what is tried, what is told when it does not work, and what is kept."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.test import Client

from catalog.models import Command
from forges.models import Connection, Hook
from gitsync.mirror.connecting import (
    Consumer,
    FieldError,
    NotConnected,
    StaleMirror,
    Wanted,
    connect_mirror,
    edit_mirror,
)
from gitsync.mirror.requesting import SYNC as KIND
from gitsync.models import Mirror, MirroredEntity, Mode
from gitsync.probing import Assignment
from jobs.models import Run, Status
from orgs.models import AuditEvent, Membership, Organization, Role, User
from tests.conftest import Browse
from tests.gitsync.conftest import FORGES, connection_at, git, of
from tests.gitsync.mirrors import BITBUCKET, SCOPES, SYNC, Workspace, entity_of, text_of, workspace
from tests.wire.forge import Forge

__all__ = ["workspace"]

pytestmark = pytest.mark.django_db

TITLE = "Connection test failed. Please verify your Workspace, Client ID, and Client Secret are correct."


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def window(alice: User, browse: Browse) -> Client:
    return browse(alice)


def failed(response: Any) -> str:
    """The page of a test that failed, which has the one title."""
    assert response.status_code == 422
    page = html.unescape(text_of(response))
    assert TITLE in page
    assert not Mirror.objects.exists()
    return page


def test_connect_tries_saves_and_begins_the_first_sync(window: Client, workspace: Workspace, alice: User) -> None:
    before = git(workspace.hosted, "for-each-ref")
    response = workspace.connect(window)
    assert response.status_code == 200, "the webhook's secret is shown this once"
    mirror = Mirror.objects.get()
    assert (mirror.forge, mirror.repository, mirror.branch) == ("bitbucket", "octo/entities", "main")
    assert (mirror.mode, mirror.apply_deletions, mirror.poll_minutes) == (Mode.COMMIT, False, 15)
    connection = Connection.objects.get()
    assert (mirror.connection, connection.method, connection.shared) == (connection, "consumer", True)
    run = Run.objects.get(kind=KIND)
    assert (run.status, run.trigger, run.requested_by) == (Status.QUEUED, "connect", alice)
    assert git(workspace.hosted, "for-each-ref") == before, "trying writes nothing"
    assert AuditEvent.objects.filter(action="mirror.connected", actor=alice).count() == 1


def test_a_blank_webhook_secret_is_made_and_shown_once(window: Client, workspace: Workspace) -> None:
    page = text_of(workspace.connect(window))
    hook = Hook.objects.get()
    assert len(hook.secret) == 64
    assert int(hook.secret, 16)
    assert hook.secret in page
    assert "http://127.0.0.1:8000/api/bitbucket/webhook" in page
    assert hook.secret not in text_of(window.get(SYNC))
    assert AuditEvent.objects.filter(action="hook.secret_shown").count() == 1


def test_a_webhook_secret_that_was_chosen_is_taken(window: Client, workspace: Workspace) -> None:
    response = workspace.connect(window, webhook_secret=" 'correct-horse-battery-staple'\r\n")
    assert response.status_code == 302
    assert Hook.objects.get().secret == "correct-horse-battery-staple"
    assert "correct-horse" not in str(list(AuditEvent.objects.values()))


def test_a_webhook_secret_that_is_too_short_is_refused_beside_its_field(window: Client, workspace: Workspace) -> None:
    response = workspace.connect(window, webhook_secret="short")
    assert response.status_code == 422
    assert 'id="id_webhook_secret_error"' in response.content.decode()
    assert not Mirror.objects.exists()


def test_what_is_around_a_pasted_value_is_cut_off(window: Client, workspace: Workspace) -> None:
    workspace.connect(
        window,
        workspace=" https://bitbucket.org/octo/entities/src/main/ ",
        repository="octo/entities.git\n",
        client_id=f'"{workspace.consumer.client_id}"\r\n',
        client_secret=f"\u200b {workspace.consumer.client_secret}\n",
    )
    assert Mirror.objects.get().repository == "octo/entities"
    assert Connection.objects.get().consumer_key == workspace.consumer.client_id


def test_a_wrong_secret_is_said_and_sent_back_to_nobody(window: Client, workspace: Workspace) -> None:
    page = failed(workspace.connect(window, client_secret="wr0ng-secret", webhook_secret="x" * 32))
    assert "does not accept this key and secret" in page
    assert 'value="octo"' in page
    assert 'value="entities"' in page
    assert f'value="{workspace.consumer.client_id}"' in page
    assert "wr0ng-secret" not in page
    assert "x" * 32 not in page
    assert not Connection.objects.exists()


def test_a_workspace_that_is_not_there_is_told_from_a_repository_that_is_not(
    window: Client, workspace: Workspace
) -> None:
    assert "The workspace “nobody” is not there" in failed(workspace.connect(window, workspace="nobody"))
    assert "The repository “octo/nothing” is not there" in failed(workspace.connect(window, repository="nothing"))


def test_a_branch_that_is_not_there_is_said_with_those_that_are(window: Client, workspace: Workspace) -> None:
    page = failed(workspace.connect(window, branch="release"))
    assert "There is no branch “release” in octo/entities. There is main." in page


def test_a_consumer_that_may_only_read_is_refused_with_what_to_tick(
    window: Client, workspace: Workspace, forge: Forge
) -> None:
    reading = forge.world.oauth.app("bitbucket", owner="octo", scopes=("account", "repository"))
    page = failed(workspace.connect(window, client_id=reading.client_id, client_secret=reading.client_secret))
    assert "Permission denied. The consumer lacks the permission repository:write (Repositories: Write)" in page
    assert not Connection.objects.exists()


def test_a_repository_that_may_only_be_read_is_refused(window: Client, workspace: Workspace, forge: Forge) -> None:
    public = forge.repository("acme/public")
    public.git.commit({"a.md": "a"})
    page = failed(workspace.connect(window, workspace="acme", repository="public"))
    assert "Permission denied: the consumer reads the repository and may not write to it." in page


def test_a_forge_that_does_not_answer_is_said(window: Client, workspace: Workspace, settings: Any) -> None:
    settings.FORGE_OAUTH_APPS = ["bitbucket|http://127.0.0.1:9|id|s3cr3t"]
    assert "127.0.0.1" in failed(workspace.connect(window))


def test_an_empty_repository_is_fine_and_said(window: Client, workspace: Workspace, forge: Forge) -> None:
    forge.repository("octo/empty", private=True)
    page = text_of(workspace.connect(window, repository="empty"))
    assert "The repository has no commit yet: the first one comes from Millrace." in page
    assert Mirror.objects.get().branch == "main"


def test_a_protected_branch_offers_pull_requests_where_the_forge_tells_of_it(
    forge: Forge, workspace: Workspace, acme: Organization, alice: User
) -> None:
    workspace.hosted.protected_branches.add("main")
    connection = connection_at(forge, "gitlab", acme, alice)
    wanted: dict[str, Any] = {"connection_id": connection.pk, "repository": "octo/entities"}
    with pytest.raises(NotConnected, match="Open a pull request") as caught:
        connect_mirror(membership=of(alice), values=Wanted(Assignment(**wanted)))
    assert (caught.value.field, caught.value.offers_pull_requests) == ("mode", True)
    made = connect_mirror(membership=of(alice), values=Wanted(Assignment(mode=Mode.PULL_REQUEST, **wanted)))
    assert made.mirror.mode == Mode.PULL_REQUEST


@pytest.mark.parametrize("key", FORGES)
def test_each_forge_is_connected_by_a_connection_or_an_address(
    key: str, forge: Forge, workspace: Workspace, acme: Organization, alice: User
) -> None:
    entered: dict[str, Any]
    if key == "git":
        entered = {"repository": forge.clone_url("octo/entities"), "token": forge.token("octo")}
    else:
        entered = {"connection_id": connection_at(forge, key, acme, alice).pk, "repository": "octo/entities"}
    made = connect_mirror(membership=of(alice), values=Wanted(Assignment(**entered)))
    assert (made.mirror.forge, made.mirror.branch, made.secret) == (
        key,
        "main",
        "" if key != "bitbucket" else made.secret,
    )
    assert Hook.objects.filter(repository_id=made.mirror.repository_id).exists() is (key != "git")
    assert Mirror.token.is_set(made.mirror) is (key == "git")


def test_the_same_consumer_need_not_be_entered_twice(window: Client, workspace: Workspace, forge: Forge) -> None:
    workspace.connect(window)
    other = forge.repository("octo/other", private=True)
    other.git.commit({"a.md": "a"})
    response = workspace.connect(window, repository="other", client_secret="", seen_revision="1")
    assert response.status_code == 200
    assert Mirror.objects.get().repository == "octo/other"
    assert Connection.objects.count() == 1


def test_another_repository_is_asked_about_first_and_forgets_what_was_agreed(
    window: Client, workspace: Workspace, forge: Forge, acme: Organization
) -> None:
    workspace.connect(window)
    mirror = Mirror.objects.get()
    row = Command.objects.create(
        organization=acme, name="Greet", slug="greet", prompt="Hi", git_integration={"state": "error"}
    )
    entity_of(mirror, entity=row.pk, files={"commands/greet.json": "a" * 40})
    forge.repository("octo/other", private=True).git.commit({"a.md": "a"})
    entered = {"repository": "other", "client_secret": "", "seen_revision": "1"}

    asked = workspace.connect(window, **entered)
    assert asked.status_code == 422
    assert "agreed on about 1 entity is forgotten" in text_of(asked)
    assert MirroredEntity.objects.exists()

    workspace.connect(window, **entered, agreed="1")
    mirror.refresh_from_db()
    assert (mirror.repository, mirror.last_commit, mirror.summary) == ("octo/other", "", "")
    assert not MirroredEntity.objects.exists()
    row.refresh_from_db()
    assert (row.git_integration, row.revision) == ({}, 1)


def test_who_saves_over_somebody_elses_change_is_told(window: Client, workspace: Workspace) -> None:
    workspace.connect(window)
    response = workspace.connect(window, client_secret="")
    assert response.status_code == 409
    assert "Somebody else saved this while you were editing it" in text_of(response)
    assert 'name="seen_revision" value="1"' in response.content.decode()
    assert Mirror.objects.get().revision == 1


def test_an_admin_whose_right_to_connections_was_taken_may_not_enter_a_consumer(
    workspace: Workspace, adam: User, browse: Browse
) -> None:
    Membership.objects.filter(user=adam).update(denied=["connections.manage"])
    assert workspace.connect(browse(adam)).status_code == 403
    assert not Connection.objects.exists()


def test_an_operator_sees_the_status_and_connects_nothing(workspace: Workspace, bob: User, browse: Browse) -> None:
    client = browse(bob)
    assert client.get(SYNC).status_code == 200
    assert workspace.connect(client).status_code == 403
    assert "gitsync.assign" in text_of(client.get(BITBUCKET))


def test_who_lost_the_right_while_the_forge_was_asked_connects_nothing(
    workspace: Workspace, adam: User, acme: Organization
) -> None:
    membership = of(adam)
    Membership.objects.filter(user=adam).update(role=Role.VIEWER)
    with pytest.raises(PermissionDenied):
        connect_mirror(
            membership=membership,
            values=Wanted(Assignment(repository="octo/entities")),
            consumer=Consumer(workspace.consumer.client_id, workspace.consumer.client_secret),
        )
    assert not Mirror.objects.exists()


def test_a_connection_of_somebody_else_cannot_be_used(
    forge: Forge, workspace: Workspace, acme: Organization, alice: User, adam: User
) -> None:
    private = connection_at(forge, "github", acme, adam)
    with pytest.raises(FieldError, match="not a connection that you may use"):
        connect_mirror(
            membership=of(alice),
            values=Wanted(Assignment(connection_id=private.pk, repository="octo/entities")),
        )


def test_settings_are_edited_through_whosever_connection_it_is(
    forge: Forge, workspace: Workspace, acme: Organization, alice: User, adam: User, browse: Browse
) -> None:
    private = connection_at(forge, "github", acme, adam)
    values = Wanted(Assignment(connection_id=private.pk, repository="octo/entities"))
    connect_mirror(membership=of(adam), values=values)
    entered = {"branch": "main", "directory": "", "mode": "pull_request", "apply_deletions": "on"}
    response = browse(alice).post(f"{SYNC}settings/", {**entered, "poll_minutes": "60", "seen_revision": "1"})
    assert response.status_code == 302
    mirror = Mirror.objects.get()
    assert (mirror.mode, mirror.apply_deletions, mirror.poll_minutes) == ("pull_request", True, 60)
    assert (mirror.connection, mirror.revision) == (private, 2)
    with pytest.raises(StaleMirror):
        edit_mirror(mirror=mirror, membership=of(alice), values=values, seen_revision=1)


def test_disconnecting_leaves_files_and_entities_and_says_so(
    window: Client, workspace: Workspace, acme: Organization
) -> None:
    workspace.connect(window)
    mirror = Mirror.objects.get()
    row = Command.objects.create(
        organization=acme, name="Greet", slug="greet", prompt="Hi", git_integration={"state": "error"}
    )
    entity_of(mirror, entity=row.pk)
    page = text_of(window.get(f"{SYNC}disconnect/"))
    assert "The files stay in octo/entities on main, and all entities stay here." in page
    assert window.post(f"{SYNC}disconnect/", {"seen_revision": "7"})["Location"].endswith("/disconnect/")
    assert Mirror.objects.exists(), "it is another one by now"
    before = git(workspace.hosted, "for-each-ref")
    window.post(f"{SYNC}disconnect/", {"seen_revision": "1"})
    assert not Mirror.objects.exists()
    assert git(workspace.hosted, "for-each-ref") == before
    row.refresh_from_db()
    assert row.git_integration == {}
    assert Run.objects.get(kind=KIND).status == Status.CANCELLED
    assert AuditEvent.objects.filter(action="mirror.disconnected").exists()


def test_no_secret_is_in_the_log_the_runs_or_the_session(window: Client, workspace: Workspace) -> None:
    workspace.connect(window, webhook_secret="correct-horse-battery-staple")
    runs = Run.objects.values("options", "result", "error_text", "subject_label")
    kept = str([*AuditEvent.objects.values(), *runs, *window.session.items()])
    for secret in (workspace.consumer.client_secret, "correct-horse-battery-staple"):
        assert secret not in kept


def test_scopes_of_the_test_are_those_of_the_page(window: Client, workspace: Workspace) -> None:
    """The steps on the page name what SCOPES are at Bitbucket."""
    page = text_of(window.get(BITBUCKET))
    assert "This is a private consumer" in page
    assert "<b>Repositories: Read</b> and <b>Write</b>, and <b>Pull requests: Read</b> and <b>Write</b>" in page
    assert {"repository", "repository:write", "pullrequest", "pullrequest:write"} < set(SCOPES)
    assert "Repository: Push" in page
    assert "openssl rand -hex 32" in page
    assert "case-sensitive" in page

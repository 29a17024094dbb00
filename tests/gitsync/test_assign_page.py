"""The form of the panel: which repository can be assigned, by whom, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from catalog.models import Server
from forges.models import Connection
from gitsync.forms import Choice
from gitsync.models import Mode, PushTarget
from jobs.models import Run
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.conftest import Browse
from tests.gitsync.pages import HTMX, account, address, choice, said, save, shown, target_for
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def config(forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/config", private=True)
    hosted.git.commit({"README.md": "# Ours\n"})
    return hosted


@pytest.fixture
def hers(forge: Forge, acme: Organization, alice: User) -> Connection:
    """Alice's own account."""
    return account(forge, acme, alice)


@pytest.fixture
def window(alice: User, docs: Server, browse: Browse) -> Client:
    return browse(alice)


def assigned() -> PushTarget:
    return PushTarget.objects.get()


def test_a_repository_of_ones_own_connection_is_assigned_and_pushed_at_once(
    window: Client, hers: Connection, config: HostedRepository, docs: Server
) -> None:
    response = save(window, choice=choice(hers, config))

    assert (response.status_code, response["Location"]) == (302, address())
    assert said(response) == ["Docs is pushed to the branch main of acme/config, now and with every save."]
    target = assigned()
    assert (target.server, target.connection, target.repository_id) == (docs, hers, str(config.id))
    assert (target.branch, target.directory, target.mode) == ("main", "docs", Mode.COMMIT)
    assert Run.objects.get().subject == target


def test_branch_directory_and_mode_are_as_entered(window: Client, hers: Connection, config: HostedRepository) -> None:
    config.git.commit({"a.md": "a"}, branch="release")
    save(window, choice=choice(hers, config), branch="release", directory="servers/docs", mode="pull_request")
    target = assigned()
    assert (target.branch, target.directory, target.mode) == ("release", "servers/docs", Mode.PULL_REQUEST)
    page = shown(window)
    assert 'value="servers/docs"' in page
    assert 'value="release"' in page


def test_the_list_has_a_group_for_each_connection_that_one_may_use(
    window: Client, hers: Connection, acme: Organization, adam: User, forge: Forge
) -> None:
    shared = account(forge, acme, adam, "team", shared=True)
    private = account(forge, acme, adam, "adams-own")
    page = shown(window)
    assert page.index("None (Disable Auto-Push)") < page.index("acme at") < page.index("team at")
    assert f"connection={shared.pk}" in page
    assert str(private.pk) not in page
    assert "adams-own" not in page


def test_a_group_lists_its_repositories_and_narrows_as_one_types(
    window: Client, hers: Connection, config: HostedRepository, forge: Forge
) -> None:
    forge.repository("acme/website")
    part = f"repositories/?connection={hers.pk}"
    everything = shown(window, part, **HTMX)
    assert choice(hers, config) in everything
    assert "acme/website" in everything
    narrowed = shown(window, f"{part}&q=web", **HTMX)
    assert "acme/website" in narrowed
    assert "acme/config" not in narrowed
    assert "No repository like “nothing”" in shown(window, f"{part}&q=nothing", **HTMX)


def test_of_very_many_repositories_few_are_shown_and_the_forge_finds_the_others(
    window: Client, hers: Connection, forge: Forge
) -> None:
    for number in range(60):
        forge.repository(f"acme/config-{number:02}")
    part = f"repositories/?connection={hers.pk}"
    newest = shown(window, part, **HTMX)
    assert newest.count('name="choice"') == 50
    assert "Search for others" in newest
    for name in ("config-00", "config-59"):
        assert f"acme/{name}" in shown(window, f"{part}&q={name}", **HTMX)


def test_what_is_chosen_stays_chosen_whatever_is_searched(
    window: Client, hers: Connection, config: HostedRepository
) -> None:
    wanted = choice(hers, config)
    found = window.get(
        address("repositories/"), {"connection": str(hers.pk), "q": "nothing", "choice": wanted}, headers=HTMX
    ).content.decode()
    assert f'value="{wanted}"' in found
    assert "checked" in found


def test_a_broken_forge_says_so_in_its_own_group_and_the_others_go_on(
    window: Client, hers: Connection, acme: Organization, alice: User, config: HostedRepository, forge: Forge
) -> None:
    broken = account(forge, acme, alice, "broken", base_url="http://127.0.0.1:9")
    said_there = shown(window, f"repositories/?connection={broken.pk}", **HTMX)
    assert "tone-error" in said_there
    assert f"/connections/{broken.pk}/" in said_there
    assert "acme/config" in shown(window, f"repositories/?connection={hers.pk}", **HTMX)


def test_a_connection_that_is_not_connected_is_not_asked(
    window: Client, hers: Connection, config: HostedRepository
) -> None:
    Connection.objects.filter(pk=hers.pk).update(status="disconnected", reason="The token has expired.")
    page = shown(window)
    assert "The token has expired." in page
    assert f"connection={hers.pk}" not in page


def test_a_full_house_asks_again_by_itself(
    window: Client, hers: Connection, config: HostedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forges.opening.TURN_SECONDS", 0.01)
    from forges.opening import AT_ONCE, turn

    turns = [turn() for _ in range(AT_ONCE)]
    for each in turns:
        each.__enter__()
    try:
        waiting = shown(window, f"repositories/?connection={hers.pk}", **HTMX)
    finally:
        for each in turns:
            each.__exit__(None, None, None)
    assert "waiting for a turn" in waiting
    assert 'hx-trigger="load delay:2s"' in waiting


def test_without_a_script_one_chooses_on_a_page_and_comes_back_with_it(
    window: Client, hers: Connection, config: HostedRepository
) -> None:
    page = shown(window, "repositories/")
    assert f'value="{choice(hers, config)}"' in page
    assert f'action="{address()}"' in page
    back = window.get(address(), {"choice": choice(hers, config)}).content.decode()
    assert 'id="choice-chosen" data-chosen>acme/config<' in back
    assert not PushTarget.objects.exists()


def test_the_default_branch_of_what_is_chosen_is_put_into_its_field(
    window: Client, hers: Connection, config: HostedRepository
) -> None:
    config.git.commit({"a.md": "a"}, branch="release")
    form = {"choice": choice(hers, config), "branch": "left from another"}
    filled = window.post(f"{address('branches/')}?fill=1", form, headers=HTMX).content.decode()
    assert 'name="branch" value="main"' in filled
    assert '<option value="release">' in filled
    listed = window.post(address("branches/"), form, headers=HTMX).content.decode()
    assert 'name="branch"' not in listed, "what somebody types stays"


def test_none_stops_the_pushes_and_says_that_the_files_stay(
    window: Client, hers: Connection, config: HostedRepository
) -> None:
    save(window, choice=choice(hers, config))
    target = assigned()
    assert "The files that were pushed stay in acme/config" in shown(window)
    response = save(window, target, choice="none")
    assert said(response)[-1] == "Docs is pushed to acme/config no more. What was pushed stays in the repository."
    assert not PushTarget.objects.exists()


def test_plain_git_is_assigned_by_its_address_and_the_token_is_never_sent_back(
    window: Client, forge: Forge, config: HostedRepository
) -> None:
    token = forge.token("acme")
    wrong = save(window, choice="url", url=forge.clone_url("acme/config"), token=token, branch="no-such-branch")
    assert wrong.status_code == 422
    assert token not in wrong.content.decode()
    assert list(wrong.context["form"].errors) == ["branch"]

    save(window, choice="url", url=forge.clone_url("acme/config"), username="acme", token=token, branch="main")
    target = assigned()
    assert (target.forge, target.repository, target.token) == ("git", f"{forge.url}/acme/config", token)
    page = shown(window)
    assert token not in page
    assert "Empty means the one that is stored" in page
    save(window, target, choice="url", url=target.repository, username="acme", branch="main", directory="elsewhere")
    assert (assigned().directory, assigned().token) == ("elsewhere", token)


def test_plain_git_has_no_pull_requests(window: Client, forge: Forge, config: HostedRepository) -> None:
    response = save(window, choice="url", url=forge.clone_url("acme/config"), mode="pull_request")
    assert response.context["form"].errors["mode"] == ["Plain git has no pull requests: commit to the branch."]
    assert not PushTarget.objects.exists()


def test_an_address_is_needed_for_another_repository(window: Client) -> None:
    response = save(window, choice="url", htmx=True)
    assert response.status_code == 422
    assert response.context["form"].errors["url"] == ["Enter the address of the repository."]


def test_directories_that_hold_each_other_are_refused_beside_their_field(
    window: Client, hers: Connection, config: HostedRepository, acme: Organization
) -> None:
    save(window, choice=choice(hers, config))
    factories.server(acme, "Other", slug="other")
    response = save(window, server="other", choice=choice(hers, config), directory="docs/other")
    assert list(response.context["form"].errors) == ["directory"]
    assert PushTarget.objects.count() == 1


# -- forged requests ---------------------------------------------------------------------------------------------------


def refused(response: Any) -> str:
    """Why; nothing was written."""
    assert response.status_code == 422
    assert not PushTarget.objects.exists()
    assert not Run.objects.exists()
    return str(response.context["form"].errors["choice"][0])


def test_a_connection_of_another_organization_cannot_be_used(
    window: Client, forge: Forge, config: HostedRepository, charlie: User
) -> None:
    theirs = account(forge, Organization.objects.get(slug="other"), charlie, shared=True)
    assert "not a connection that you may use" in refused(save(window, choice=choice(theirs, config)))
    part = f"repositories/?connection={theirs.pk}"
    assert window.get(address(part), headers=HTMX).status_code == 404
    form = {"choice": choice(theirs, config)}
    assert window.post(address("branches/"), form, headers=HTMX).status_code == 404


def test_a_colleagues_own_connection_cannot_be_used(
    window: Client, forge: Forge, config: HostedRepository, acme: Organization, adam: User
) -> None:
    his = account(forge, acme, adam)
    assert "not a connection that you may use" in refused(save(window, choice=choice(his, config)))
    assert window.get(address(f"repositories/?connection={his.pk}"), headers=HTMX).status_code == 404


def test_a_repository_that_the_connection_does_not_see_cannot_be_assigned_whatever_name_is_sent(
    window: Client, hers: Connection, config: HostedRepository, forge: Forge
) -> None:
    secret = forge.repository("rivals/secret", private=True)
    secret.git.commit({"a.md": "a"})
    forged = str(Choice(hers.pk, str(secret.id), config.full_name))
    assert "sees no such repository" in refused(save(window, choice=forged))


def test_the_name_that_is_sent_counts_for_nothing(window: Client, hers: Connection, config: HostedRepository) -> None:
    save(window, choice=str(Choice(hers.pk, str(config.id), "somebody/else")))
    assert assigned().repository == "acme/config"


@pytest.mark.parametrize("value", ["nonsense", "lost", "1 2 3", "00000000-0000-0000-0000-000000000000", "x" * 3000])
def test_what_is_no_choice_is_refused(window: Client, value: str) -> None:
    assert refused(save(window, choice=value))


def test_without_the_entitlement_nothing_is_saved(bob: User, docs: Server, browse: Browse) -> None:
    response = save(browse(bob), choice="none")
    assert response.status_code == 403
    assert "gitsync.assign" in response.content.decode()
    page = shown(browse(bob))
    assert "gitsync.assign" in page
    assert "push-form" not in page


@pytest.mark.parametrize("part", ["now/", "take-over/", "allow/", "pull-requests/", "branches/"])
def test_what_changes_something_is_posted(window: Client, docs: Server, part: str) -> None:
    target_for(docs)
    assert window.get(address(part)).status_code == 405


def test_a_personal_server_says_why_it_is_not_pushed(
    window: Client, hers: Connection, config: HostedRepository, docs: Server, alice: User
) -> None:
    Server.objects.filter(pk=docs.pk).update(owner=alice)
    page = shown(window)
    assert "Personal servers never leave the database" in page
    assert "push-form" not in page
    assert save(window, choice=choice(hers, config)).status_code == 422
    assert not PushTarget.objects.exists()


def test_a_stale_save_shows_what_is_saved_now_and_loses_neither(
    window: Client, hers: Connection, config: HostedRepository, adam: User, browse: Browse
) -> None:
    save(window, choice=choice(hers, config))
    seen = assigned()
    save(window, seen, choice=choice(hers, config), directory="theirs")

    response = save(window, seen, choice=choice(hers, config), directory="mine")
    page = " ".join(response.content.decode().split())
    assert response.status_code == 409
    assert "<dt>Directory</dt><dd>theirs</dd>" in page
    assert 'value="mine"' in page
    assert "Save mine" in page
    assert assigned().directory == "theirs"

    again = response.context["form"]
    save(window, assigned(), choice=again.chosen, directory=again["directory"].value())
    assert assigned().directory == "mine"
    assert save(window, seen, htmx=True, choice="none").status_code == 422, "and taking it away is no different"
    assert PushTarget.objects.exists()


def test_what_was_assigned_is_in_the_audit_log_without_the_token(
    window: Client, forge: Forge, config: HostedRepository
) -> None:
    token = forge.token("acme")
    save(window, choice="url", url=forge.clone_url("acme/config"), token=token)
    event = AuditEvent.objects.get(action="target.assigned")
    assert token not in f"{event.before}{event.after}"


def test_what_a_connection_lacks_for_pushes_is_told_before_its_repositories_are_chosen(
    window: Client, acme: Organization, alice: User
) -> None:
    factories.connection(acme, alice, forge="gitlab", scopes="read_api read_repository read_user")
    assert "Pushes need more. The token lacks the permission api" in window.get(address()).content.decode()


def test_nothing_is_said_of_a_connection_that_may_push(window: Client, acme: Organization, alice: User) -> None:
    factories.connection(acme, alice, forge="gitlab", scopes="api read_repository read_user")
    assert "Pushes need more" not in window.get(address()).content.decode()

"""Connecting a repository: the form, what it offers, and what its errors say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from catalog.models import Content, Server
from forges.models import Connection, Hook
from integrations.models import Integration
from jobs.models import Run, Trigger
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.conftest import Browse
from tests.integrations.conftest import Connect
from tests.integrations.pages import HTMX, said
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.repos import GitRepo
from tests.wire.world import HostedRepository

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("docs")]

ADDRESS = "/o/acme/servers/docs/integrations/connect/"
TABLE = "/o/acme/servers/docs/integrations/"


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def form(forge: Forge) -> dict[str, str]:
    """What somebody fills in to connect the book."""
    return {
        "forge": "github",
        "base_url": forge.url,
        "token": forge.token("acme", scopes=["repo"]),
        "repository": "acme/book",
        "branch": "",
        "include": "",
        "exclude": "",
        "mount_path": "",
    }


def post(client: Client, form: dict[str, str], part: str = "", **headers: Any) -> Any:
    return client.post(ADDRESS + part, form, **headers)


def test_the_first_import_starts_on_connect(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    response = post(browse(bob), form)

    assert (response.status_code, response["Location"]) == (302, TABLE)
    assert said(response)[0] == "acme/book is connected. 12 added."
    assert Content.objects.count() == 12
    run = Run.objects.get()
    assert (run.trigger, run.requested_by, run.options) == (Trigger.CONNECT, bob, {"prune": False})


def test_tokens_of_one_account_are_told_apart_by_when_they_were_added(
    acme: Organization, bob: User, browse: Browse
) -> None:
    for day in (1, 2):
        made = factories.connection(acme, bob, account="octo", account_id="1")
        Connection.objects.filter(pk=made.pk).update(created_at=datetime(2026, 11, day, 9, tzinfo=UTC))
    shown = browse(bob).get(ADDRESS).content.decode()
    for day in (1, 2):
        assert f"Access token, your own, added {day} November 2026, 09:00" in shown


def test_a_large_first_import_goes_on_in_the_background(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    book.git.commit({f"more/{n}.md": f"# {n}\n" for n in range(30)})
    response = post(browse(bob), form, headers=HTMX)
    assert response["HX-Redirect"] == TABLE
    assert said(response)[0] == "acme/book is connected. Its files are being imported."


def test_a_token_that_does_not_work_is_an_error_on_its_field_and_nothing_is_written(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    events = AuditEvent.objects.count()
    response = post(browse(bob), {**form, "token": "ghp_wrong-and-secret-0123456789"})

    assert response.status_code == 422
    errors = response.context["form"].errors
    assert list(errors) == ["token"]
    assert "does not accept this token" in errors["token"][0]
    assert not Integration.objects.exists()
    assert not Run.objects.exists()
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_token_is_never_sent_back_and_never_kept_in_the_session(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse, headers: dict[str, str]
) -> None:
    response = post(browse(bob), {**form, "branch": "no-such-branch"}, headers=headers)
    shown = response.content.decode()
    assert response.status_code == 422
    assert form["token"] not in shown
    assert "it is never sent back to your browser" in shown
    assert not [session for session in Session.objects.all() if form["token"] in str(session.get_decoded())]


def test_the_browser_keeps_its_token_unless_that_is_what_is_wrong(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    client = browse(bob)
    kept = post(client, {**form, "branch": "no-such-branch"}, headers=HTMX).content.decode()
    dropped = post(client, {**form, "token": "ghp_wrong"}, headers=HTMX).content.decode()
    assert "hx-preserve" in kept
    assert "hx-preserve" not in dropped
    assert kept.lstrip().startswith("<form"), "htmx swaps the form alone"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"repository": "acme/nowhere"}, "repository"),
        ({"repository": "not a repository"}, "repository"),
        ({"repository": ""}, "repository"),
        ({"branch": "nowhere"}, "branch"),
        ({"branch": "--upload-pack=x"}, "branch"),
        ({"include": "["}, "include"),
        ({"exclude": "!only"}, "exclude"),
        ({"mount_path": "../up"}, "mount_path"),
        ({"base_url": "javascript:alert(1)"}, "base_url"),
        ({"forge": "svn"}, "forge"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse, wrong: dict[str, str], field: str
) -> None:
    response = post(browse(bob), {**form, **wrong})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Integration.objects.exists()


def test_connecting_again_updates_the_integration_and_says_so(
    connect: Connect, forge: Forge, book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    connect(book, base_url=forge.enterprise_url).refresh()
    response = post(browse(bob), {**form, "include": "chapters/"})
    assert said(response)[0] == "acme/book was connected already and is updated. Nothing changed."
    assert Integration.objects.get().tracks.get().include == "chapters/"


def test_a_public_repository_needs_no_token(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    assert post(browse(bob), {**form, "token": ""}).status_code == 302
    assert not Integration.token.is_set(Integration.objects.get())


def test_a_folder_that_the_operator_allows_can_be_connected(
    git_repo: GitRepo, bob: User, browse: Browse, settings: Any
) -> None:
    git_repo.commit({"README.md": "# Hello\n"})
    form = {"forge": "git", "repository": str(git_repo.path)}
    assert post(browse(bob), form).status_code == 422
    settings.FORGE_LOCAL_ROOTS = [str(git_repo.path.parent)]
    response = post(browse(bob), form)
    assert said(response) == ["plain.git is connected. 1 added."]


def test_fields_of_another_forge_are_not_taken(
    git_repo: GitRepo, bob: User, browse: Browse, settings: Any, form: dict[str, str]
) -> None:
    """They are still in the form, hidden: what somebody typed before choosing plain git must not be used."""
    git_repo.commit({"README.md": "# Hello\n"})
    settings.FORGE_LOCAL_ROOTS = [str(git_repo.path.parent)]
    post(browse(bob), {**form, "forge": "git", "repository": str(git_repo.path), "token": ""})
    assert Integration.objects.get().base_url == ""


def test_the_form_says_which_permissions_a_token_needs(bob: User, browse: Browse) -> None:
    shown = browse(bob).get(ADDRESS).content.decode()
    assert "Contents: read" in shown
    assert "“repo”" in shown


def test_repositories_that_the_token_sees_are_searched(
    forge: Forge,
    book: HostedRepository,
    private_repo: HostedRepository,
    form: dict[str, str],
    bob: User,
    browse: Browse,
) -> None:
    client = browse(bob)
    everything = post(client, {**form, "repository": ""}, "repositories/").content.decode()
    some = post(client, {**form, "repository": "sec"}, "repositories/").content.decode()
    assert 'value="acme/book"' in everything
    assert 'value="acme/secret"' in everything
    assert 'value="acme/book"' not in some
    assert 'value="acme/secret"' in some


def test_another_token_does_not_get_what_the_first_one_saw(
    forge: Forge, private_repo: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    client = browse(bob)
    post(client, {**form, "repository": ""}, "repositories/")
    other = {**form, "repository": "", "token": forge.token("mallory", scopes=["repo"])}
    assert "acme/secret" not in post(client, other, "repositories/").content.decode()


def test_typing_on_does_not_ask_the_forge_again(
    forge: Forge, book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    client = browse(bob)
    post(client, {**form, "repository": ""}, "repositories/")
    post(client, form, "count/")
    forge.requests.clear()
    for typed in ("b", "bo", "boo"):
        post(client, {**form, "repository": typed}, "repositories/")
        post(client, {**form, "include": typed}, "count/")
    assert forge.requests.count() == 0


def test_branches_come_with_the_default_one_first(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    book.git.branch("archive", at="main")
    shown = post(browse(bob), form, "branches/").content.decode()
    assert shown.index('value="main"') < shown.index('value="archive"')
    assert "Default branch" in shown


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        ({}, "<b>12</b> of 12 files"),
        ({"include": "chapters/0*"}, "<b>9</b> of 12 files"),
        ({"include": "*.md", "exclude": "01.md\n02.md"}, "<b>10</b> of 12 files"),
        ({"include": "nothing/"}, "Nothing would be imported."),
        ({"include": "["}, "Line 1:"),
    ],
)
def test_a_filter_is_counted_before_anything_is_saved(
    book: HostedRepository,
    form: dict[str, str],
    bob: User,
    browse: Browse,
    patterns: dict[str, str],
    words: str,
) -> None:
    assert words in post(browse(bob), {**form, **patterns}, "count/").content.decode()
    assert not Integration.objects.exists()


@pytest.mark.parametrize("part", ["repositories/", "branches/", "count/"])
def test_the_pickers_answer_with_a_sentence_when_the_token_is_wrong(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse, part: str
) -> None:
    response = post(browse(bob), {**form, "token": "ghp_wrong-0123456789-0123456789"}, part)
    assert response.status_code == 200
    assert "does not accept this token" in response.content.decode()


def test_a_rate_limit_says_when_to_try_again(
    book: HostedRepository, forge: Forge, form: dict[str, str], bob: User, browse: Browse
) -> None:
    with forge.fault(faults.rate_limited(reset_in=600), on="*"):
        shown = post(browse(bob), form).content.decode()
    assert "allows no more requests for now. Try again after" in shown
    assert "by itself" not in shown, "nobody goes on with a form but the person"


@pytest.mark.parametrize("part", ["repositories/", "branches/", "count/"])
def test_the_pickers_take_a_token_from_no_address(bob: User, browse: Browse, part: str) -> None:
    assert browse(bob).get(f"{ADDRESS}{part}?token=ghp_x").status_code == 405


def test_a_server_of_nobody_is_not_found(bob: User, browse: Browse, form: dict[str, str]) -> None:
    assert browse(bob).post("/o/acme/servers/nowhere/integrations/connect/", form).status_code == 404
    assert Server.objects.count() == 1


# -- the forges, and what their tokens need ----------------------------------------------------------------------------


def test_a_gitlab_server_of_ones_own_is_named_by_the_address_that_people_open(
    forge: Forge, book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    token = forge.gitlab_token("acme", scopes=["read_api"])
    response = post(browse(bob), {**form, "forge": "gitlab", "base_url": f"{forge.url}/", "token": token})
    assert said(response)[0] == "acme/book is connected. 12 added."
    it = Integration.objects.get()
    assert (it.forge, it.base_url, it.token) == ("gitlab", forge.gitlab_url, token)


@pytest.mark.parametrize("written", ["{url}", "{url}/", "{url}/api/v4", "{url}/api/v4/"])
def test_one_server_is_one_however_its_address_is_written(
    forge: Forge, book: HostedRepository, form: dict[str, str], bob: User, browse: Browse, written: str
) -> None:
    token = forge.gitlab_token("acme", scopes=["read_api"])
    gitlab = {**form, "forge": "gitlab", "token": token}
    post(browse(bob), {**gitlab, "base_url": written.format(url=forge.url)})
    post(browse(bob), {**gitlab, "base_url": forge.url})
    assert Integration.objects.get().base_url == forge.gitlab_url


@pytest.mark.parametrize(
    "address", ["https://bob:ghp_secret@git.example.com", "https://git.example.com/?token=ghp_secret"]
)
def test_an_address_with_a_token_in_it_is_refused(
    address: str, form: dict[str, str], bob: User, browse: Browse
) -> None:
    response = post(browse(bob), {**form, "base_url": address})
    assert list(response.context["form"].errors) == ["base_url"]
    assert not Integration.objects.exists()


@pytest.mark.parametrize(
    ("token", "email", "field", "words"),
    [
        ("ATBBabcdefghijklmnop", "bob@acme.example", "token", "Bitbucket switched them off on 28 July 2026"),
        ("ATATTabcdefghijklmnop", "", "email", "goes with the e-mail address"),
    ],
)
def test_what_bitbucket_no_longer_has_or_wants_beside_is_said_before_it_is_asked(
    token: str, email: str, field: str, words: str, form: dict[str, str], bob: User, browse: Browse
) -> None:
    values = {**form, "forge": "bitbucket", "token": token, "email": email, "credential_bitbucket": "token"}
    response = post(browse(bob), values)
    assert list(response.context["form"].errors) == [field]
    assert words in response.context["form"].errors[field][0]
    assert token not in response.content.decode()


def test_a_token_that_is_chosen_has_to_be_entered(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    response = post(browse(bob), {**form, "credential_github": "token", "token": ""})
    assert list(response.context["form"].errors) == ["token"]


def test_a_token_that_was_typed_before_choosing_none_is_not_taken(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    assert post(browse(bob), {**form, "credential_github": "none"}).status_code == 302
    assert not Integration.token.is_set(Integration.objects.get())


def test_a_token_that_lacks_a_permission_is_told_which(
    forge: Forge, book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    token = forge.gitlab_token("acme", scopes=["read_api"])
    values = {**form, "forge": "gitlab", "token": token, "on_push": "on"}
    (_, lacking) = said(post(browse(bob), values))
    assert lacking.startswith("The token lacks the permission api: it cannot add a webhook")


def test_refresh_on_push_is_chosen_at_first_and_asks_for_a_webhook(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    assert browse(bob).get(ADDRESS).context["form"]["on_push"].value() is True
    post(browse(bob), {**form, "on_push": "on"})
    assert Integration.objects.get().on_push
    assert Hook.objects.get().repository == "acme/book"


def test_without_it_nobody_is_told_of_pushes(
    book: HostedRepository, form: dict[str, str], bob: User, browse: Browse
) -> None:
    post(browse(bob), form)
    assert not Integration.objects.get().on_push
    assert not Hook.objects.exists()


def test_each_forge_says_what_its_tokens_need(bob: User, browse: Browse) -> None:
    shown = browse(bob).get(ADDRESS).content.decode()
    for words in ("“read_api”", "read:repository:bitbucket", "no app passwords any more", "Contents: read"):
        assert words in shown

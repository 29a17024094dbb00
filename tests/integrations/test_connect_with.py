"""“Connect with …” on the connect form: to the forge and back, with what was entered."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from pytest_django import Settings

from catalog.models import Content, Server
from forges import connections
from forges.models import Connection as ForgeConnection
from forges.models import ConnectionStatus, Hook
from integrations.models import Integration
from integrations.views.page import integration_page
from jobs.models import Trigger
from orgs.models import User
from tests import factories
from tests.conftest import Browse
from tests.forges_app.conftest import app, of, register
from tests.forges_app.visiting import Visitor, parameters
from tests.integrations.consenting import ENTERED, FORM, Registering, at, begin, connect_with, secret
from tests.integrations.pages import HTMX, said
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp
from tests.wire.world import HostedRepository

__all__ = ["app", "at", "register", "secret"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("docs")]

FORGES = ["github", "gitlab", "bitbucket"]


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.mark.parametrize("kind", FORGES)
def test_it_comes_back_to_the_integration_with_the_credential_in_place_and_the_content_there(
    kind: str, at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    visitor = Visitor(browse(bob), forge)

    answer = connect_with(visitor, at(kind))

    it = Integration.objects.select_related("server__organization").get()
    assert (answer.status_code, answer["Location"]) == (302, integration_page(it))
    assert "octo/secret is connected. 1 added." in said(answer)
    made = ForgeConnection.objects.get()
    assert (it.connection, it.forge, it.repository) == (made, kind, "octo/secret")
    assert not Integration.token.is_set(it)
    track = it.tracks.get()
    assert (track.branch, track.include, track.mount_path) == ("main", "docs/", "handbook")
    assert list(Content.objects.values_list("path", flat=True)) == ["handbook/docs/plan.md"]
    assert it.on_push
    assert Hook.objects.get().repository_id == it.repository_id
    shown = visitor.client.get(answer["Location"]).content.decode()
    assert "The connection of octo at" in shown


def test_the_first_import_is_told_as_such(
    at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    connect_with(Visitor(browse(bob), forge), at("gitlab"))
    run = Integration.objects.get().server.organization.runs.get(kind="integrations.refresh")
    assert (run.trigger, run.requested_by, run.options) == (Trigger.CONNECT, bob, {"prune": False})


@pytest.mark.parametrize("kind", FORGES)
def test_doing_it_again_updates_the_row_and_makes_no_second(
    kind: str, at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    visitor, registered = Visitor(browse(bob), forge), at(kind)
    connect_with(visitor, registered)
    before = ForgeConnection.objects.get().token

    answer = connect_with(visitor, registered, branch="next", include="*.txt")

    it = Integration.objects.select_related("server__organization").get()
    assert answer["Location"] == integration_page(it)
    assert "octo/secret was connected already and is updated." in " ".join(said(answer))
    track = it.tracks.get()
    assert (track.branch, track.include) == ("next", "*.txt"), "branch and filter of this flow"
    assert it.connection == ForgeConnection.objects.get()
    assert it.connection is not None
    assert it.connection.token != before, "the credential is rotated"


def test_it_takes_the_place_of_the_integrations_own_token(
    at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    registered = at("gitlab")
    made = factories.integration(
        Server.objects.get(),
        forge="gitlab",
        base_url=registered.application.base_url,
        repository="octo/secret",
        repository_id=str(secret.id),
        token="glpat-an-old-token-of-bobs",
    )

    connect_with(Visitor(browse(bob), forge), registered)

    it = Integration.objects.get()
    assert it.pk == made.pk
    assert not Integration.token.is_set(it)
    assert it.connection == ForgeConnection.objects.get()


def test_without_a_repository_the_form_comes_back_with_the_new_connection_chosen(
    at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    visitor = Visitor(browse(bob), forge)
    answer = connect_with(visitor, at("gitlab"), repository="", exclude="docs/drafts/")

    assert answer.status_code == 200
    form = answer.context["form"]
    assert not form.is_bound, "nothing is wrong with it"
    assert (form["forge"].value(), form["exclude"].value(), form["mount_path"].value()) == (
        "gitlab",
        "docs/drafts/",
        "handbook",
    )
    assert form["credential_gitlab"].value() == str(ForgeConnection.objects.get().pk)
    assert form["on_push"].value() is True
    assert not Integration.objects.exists()

    chosen = {"forge": "gitlab", "credential_gitlab": form["credential_gitlab"].value()}
    picked = visitor.client.post(f"{FORM}repositories/", {**chosen, "repository": ""})
    assert 'value="octo/secret"' in picked.content.decode()
    assert "that this connection sees" in picked.content.decode()


def test_who_says_no_at_the_forge_finds_the_form_as_it_was_and_the_reason(
    at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    answer = connect_with(Visitor(browse(bob), forge), at("gitlab"), "cancel", on_push="")
    assert answer.status_code == 200
    assert "You said no at GitLab" in answer.content.decode()
    form = answer.context["form"]
    assert (form["repository"].value(), form["include"].value()) == ("octo/secret", "docs/")
    assert form["on_push"].value() is False
    assert not Integration.objects.exists()


def test_a_repository_that_the_account_does_not_see_is_an_error_beside_its_field(
    at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    visitor = Visitor(browse(bob), forge, login="mallory")
    answer = connect_with(visitor, at("gitlab"))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["repository"]
    assert "This connection sees no such repository." in answer.content.decode()
    assert not Integration.objects.exists()
    assert ForgeConnection.objects.get().account == "mallory", "the connection is there all the same"
    corrected = {**ENTERED, "forge": "gitlab", "credential_gitlab": str(ForgeConnection.objects.get().pk)}
    forge.repository("mallory/own").git.commit({"docs/a.md": "# A\n"})
    answer = visitor.client.post(FORM, {**corrected, "repository": "mallory/own"})
    assert answer.status_code == 302


def test_the_github_app_is_a_way_for_who_manages_connections(
    app: HostedApp, forge: Forge, secret: HostedRepository, adam: User, bob: User, browse: Browse
) -> None:
    shown = browse(adam).get(FORM).content.decode()
    assert 'name="with" value="app"' in shown
    shown = browse(bob).get(FORM).content.decode()
    assert 'value="app"' not in shown
    assert "Connect with the GitHub App" in shown, "disabled, with the reason"

    answer = browse(adam).post(f"{FORM}with/", {**ENTERED, "with": "app"})
    assert answer["Location"].startswith("/o/acme/connections/add/app/?return_to=")


def test_htmx_is_led_there_by_the_browser(at: Registering, bob: User, browse: Browse) -> None:
    answer = browse(bob).post(f"{FORM}with/", {**ENTERED, "with": at("gitlab").application.key}, headers=HTMX)
    assert answer["HX-Redirect"].startswith("/o/acme/connections/add/gitlab")


def test_a_wrong_setting_of_one_application_leaves_the_others_on_offer(
    at: Registering, bob: User, browse: Browse, settings: Settings
) -> None:
    at("gitlab")
    settings.GITHUB_APP_ID = "set in part only"

    page = browse(bob).get(FORM).content.decode()

    assert "Connect with GitLab" in page
    assert "Connect with the GitHub App" not in page


def test_only_applications_that_the_operator_set_up_are_offered(at: Registering, bob: User, browse: Browse) -> None:
    assert "Connect with" not in browse(bob).get(FORM).content.decode()
    at("gitlab")
    shown = browse(bob).get(FORM).content.decode()
    assert "Connect with GitLab" in shown
    assert "Connect with GitHub" not in shown
    assert browse(bob).post(f"{FORM}with/", {**ENTERED, "with": "github"}).status_code == 404


def test_webhooks_are_asked_for_only_where_pushes_are_wanted(
    at: Registering, forge: Forge, bob: User, browse: Browse
) -> None:
    registered = at("gitlab")
    visitor = Visitor(browse(bob), forge)
    assert "api" in parameters(begin(visitor, registered))["scope"].split()
    entered = {name: value for name, value in ENTERED.items() if name != "on_push"}
    answer = visitor.client.post(f"{FORM}with/", {**entered, "with": registered.application.key})
    url = visitor.left(visitor.client.get(answer["Location"]))
    assert "api" not in parameters(url)["scope"].split()


# -- a connection that is there ----------------------------------------------------------------------------------------


def test_a_connection_that_is_there_is_chosen_without_a_flow(
    at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    made = at("gitlab").connect(bob)
    client = browse(bob)
    form = client.get(FORM).context["form"]
    assert form["credential_gitlab"].value() == str(made.pk), "offered as chosen"
    client.post(FORM, {**ENTERED, "forge": "gitlab", "credential_gitlab": str(made.pk)})
    assert Integration.objects.get().connection == made


@pytest.mark.parametrize("part", ["repositories/", "branches/", "count/"])
def test_the_pickers_ask_with_the_chosen_connection(
    part: str, at: Registering, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    made = at("gitlab").connect(bob)
    chosen = {**ENTERED, "forge": "gitlab", "credential_gitlab": str(made.pk)}
    shown = browse(bob).post(FORM + part, chosen).content.decode()
    assert {"repositories/": "octo/secret", "branches/": 'value="next"', "count/": "<b>1</b> of 2 files"}[part] in shown


def test_many_repositories_are_searched_at_the_forges_server(
    at: Registering, forge: Forge, bob: User, browse: Browse
) -> None:
    for n in range(120):
        forge.repository(f"octo/repository-{n:03}")
    made = at("gitlab").connect(bob)
    forge.requests.clear()
    chosen = {"forge": "gitlab", "credential_gitlab": str(made.pk), "repository": "repository-007"}
    shown = browse(bob).post(f"{FORM}repositories/", chosen).content.decode()
    assert shown.count("<option") == 1
    assert forge.requests.count() <= 4, "however many there are"


def test_one_that_is_not_connected_is_shown_with_the_reason_and_cannot_be_chosen(
    at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    made = at("gitlab").connect(bob)
    connections.disconnect(of(bob), made)
    client = browse(bob)
    shown = client.get(FORM).content.decode()
    assert "Bob disconnected it." in shown
    answer = client.post(FORM, {**ENTERED, "forge": "gitlab", "credential_gitlab": str(made.pk)})
    assert list(answer.context["form"].errors) == ["credential_gitlab"]
    assert not Integration.objects.exists()


def test_a_lost_connection_is_connected_again_from_the_integrations_page(
    at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    visitor, registered = Visitor(browse(bob), forge), at("gitlab")
    connect_with(visitor, registered)
    it = Integration.objects.select_related("server__organization").get()
    made = ForgeConnection.objects.get()
    connections.disconnect(of(bob), made)

    page = visitor.client.get(integration_page(it))
    again = page.context["credential"].step
    assert again.label == "Reconnect"
    back = visitor.client.get(visitor.decides(visitor.left(visitor.client.get(again.url))))

    assert back["Location"].startswith(integration_page(it))
    assert ForgeConnection.objects.get().status == ConnectionStatus.CONNECTED
    assert ForgeConnection.objects.get().pk == made.pk

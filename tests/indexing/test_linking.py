"""“Link GitHub” beside a source and on the Add page: to the forge, back, and on by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.core import signing
from django.core.cache import cache
from django.utils import timezone

from catalog.models import Server
from forges import connections
from forges.models import Connection
from indexing.linking import TOKEN, _way_back, offer
from indexing.models import Source
from indexing.reasons import Reason
from jobs.models import Run, Status
from orgs import access
from orgs.models import AuditEvent, User
from tests import factories
from tests.conftest import Browse
from tests.forges.conftest import SIDES
from tests.forges_app.conftest import app, of, register
from tests.forges_app.visiting import Visit, Visitor, visit
from tests.indexing.repository_sources import Add, Indexed, add
from tests.integrations.consenting import Registering, at
from tests.integrations.pages import said
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp
from tests.wire.world import HostedRepository

__all__ = ["add", "app", "at", "register", "visit"]

pytestmark = pytest.mark.django_db

ADD = "/o/acme/servers/docs/sources/add/"
ENTERPRISE = replace(SIDES["github"], base_url=lambda forge: forge.enterprise_url)
"""The local forge as the operator's applications know it."""
FORGES = {"github": ENTERPRISE, "gitlab": SIDES["gitlab"], "bitbucket": SIDES["bitbucket"]}


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def secret(forge: Forge) -> HostedRepository:
    """A private repository of octo's."""
    hosted = forge.repository("octo/secret", private=True)
    hosted.git.commit({"README.md": "# Secret\n"})
    return hosted


@pytest.fixture
def lacking(add: Add, secret: HostedRepository) -> Indexed:
    """A source of it, which was tried in vain."""
    it = add(secret, side=ENTERPRISE)
    assert it.index().error_code == Reason.AUTH_REQUIRED
    return it


def way_of(it: Indexed, person: User) -> str:
    """The link beside the source."""
    found = offer(it.source, of(person))
    assert found is not None
    assert (found.label.startswith("Link "), found.why_not) == (True, "")
    return found.url


@pytest.mark.parametrize("kind", FORGES)
def test_a_click_leads_to_the_forge_and_back_and_the_source_is_indexed(
    kind: str, at: Registering, add: Add, secret: HostedRepository, bob: User, visit: Visit
) -> None:
    at(kind)
    it = add(secret, side=FORGES[kind])
    it.index()
    Run.objects.all().delete()
    visitor = visit(bob)

    back = visitor.client.get(visitor.decides(visitor.left(visitor.client.get(way_of(it, bob)))))
    landed = visitor.client.get(back["Location"])

    assert landed["Location"] == f"/o/acme/sources/{it.pk}/"
    assert any("is read with octo from now on" in text for text in said(landed))
    source = it.source
    assert source.connection == Connection.objects.get()
    run = Run.objects.get()
    assert (run.subject_id, run.status, run.requested_by) == (str(it.pk), Status.QUEUED, bob)
    assert AuditEvent.objects.filter(action="source.edited").exists()
    Run.objects.all().delete()
    assert it.index(by=bob).error_text == ""
    assert it.paths == ["README.md"]
    assert it.source.error_code == ""
    assert offer(it.source, of(bob)) is None, "nothing is lacking any more"


def test_the_row_shows_it(at: Registering, lacking: Indexed, bob: User, browse: Browse) -> None:
    at("github")
    shown = browse(bob).get("/o/acme/servers/docs/sources/").content.decode()
    assert "Link GitHub" in shown
    assert "/o/acme/connections/add/" in shown


def test_who_says_no_at_the_forge_is_told_so_and_nothing_changes(
    at: Registering, lacking: Indexed, bob: User, visit: Visit
) -> None:
    at("github")
    visitor = visit(bob)
    back = visitor.client.get(visitor.decides(visitor.left(visitor.client.get(way_of(lacking, bob))), "cancel"))
    landed = visitor.client.get(back["Location"])
    assert landed.status_code == 302
    assert any("You said no" in text for text in said(landed))
    assert lacking.source.connection is None


def test_a_lost_connection_is_connected_again_and_its_run_goes_on(
    at: Registering, add: Add, secret: HostedRepository, bob: User, visit: Visit
) -> None:
    registered = at("gitlab")
    made = registered.connect(bob)
    it = add(secret, side=SIDES["gitlab"], connection=made)
    connections.disconnect(of(bob), made)
    run = it.index()
    assert run.status == Status.WAITING
    found = offer(it.source, of(bob))
    assert found is not None
    assert found.label == "Connect again"
    visitor = visit(bob)

    back = visitor.client.get(visitor.decides(visitor.left(visitor.client.get(found.url))))
    visitor.client.get(back["Location"])

    assert Connection.objects.get().is_connected
    run.refresh_from_db()
    assert run.status == Status.QUEUED
    assert Run.objects.count() == 1, "it joined"


def test_it_is_offered_only_where_an_account_would_help(
    at: Registering, lacking: Indexed, add: Add, forge: Forge, docs: Server, bob: User
) -> None:
    at("github")
    member = of(bob)
    assert offer(lacking.source, member) is not None
    for code in (Reason.NOT_FOUND, Reason.RATE_LIMITED, Reason.NETWORK, ""):
        lacking.set(error_code=code)
        assert offer(lacking.source, member) is None
    lacking.set(credential_lost="Its connection was deleted.")
    assert offer(lacking.source, member) is not None
    git = add(forge.repository("octo/other"), side=SIDES["git"], error_code=Reason.AUTH_REQUIRED)
    assert offer(git.source, member) is None, "plain git has no accounts to connect"
    site = factories.source(docs, error_code=Reason.AUTH_REQUIRED)
    assert offer(site, member) is None


def test_who_may_not_is_told_why(at: Registering, app: HostedApp, lacking: Indexed, bob: User, carol: User) -> None:
    found = offer(lacking.source, of(carol))
    assert found is not None
    assert found.url == ""
    assert found.why_not == access.why_not("sources.edit")

    found = offer(lacking.source, of(bob))  # an operator does not manage connections, and there is only the App
    assert found is not None
    assert (found.label, found.url) == ("Link the GitHub App", "")
    assert found.why_not == access.why_not("connections.manage")

    at("github")
    found = offer(lacking.source, of(bob))
    assert found is not None
    assert (found.label.partition(" (")[0], found.why_not) == ("Link GitHub", "")


def test_where_the_operator_has_set_up_nothing_a_token_is_entered(
    lacking: Indexed, forge: Forge, bob: User, browse: Browse
) -> None:
    client = browse(bob)
    found = offer(lacking.source, of(bob))
    assert found is not None
    assert (found.key, "with a token" in found.label) == (TOKEN, True)
    page = client.get(found.url)
    entered = {"forge": "github", "base_url": forge.url, "token": forge.token("octo", scopes=["repo"])}
    made = client.post("/o/acme/connections/add/token/", {**entered, "return_to": page.context["return_to"]})
    client.get(made["Location"])
    assert lacking.source.connection == Connection.objects.get()


# -- attacks -----------------------------------------------------------------------------------------------------------


def test_a_way_back_is_good_for_its_member_and_source_alone_and_for_an_hour(
    at: Registering, lacking: Indexed, docs: Server, bob: User, adam: User, browse: Browse
) -> None:
    made = at("github").connect(bob)
    Connection.objects.update(shared=True)
    way = _way_back(lacking.source, of(bob))
    other = factories.source(docs, Source.Kind.REPOSITORY, forge="github", base_url=made.base_url)
    query = urlencode({"connection": made.pk})
    forged = [
        (adam, way),
        (bob, way.replace(str(lacking.pk), str(other.pk))),
        (bob, way[:-2] + "x/"),
        (bob, way.rsplit("/", 2)[0] + "/anything/"),
    ]
    for person, address in forged:
        answer = browse(person).get(f"{address}?{query}")
        assert answer.status_code == 302
        assert any("Nothing was changed" in text for text in said(answer))
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        browse(bob).get(f"{way}?{query}")
    assert not Source.objects.exclude(connection=None).exists()
    browse(bob).get(f"{way}?{query}")
    assert lacking.source.connection == made


def test_a_connection_that_is_not_theirs_or_of_another_forge_is_not_taken(
    at: Registering, lacking: Indexed, bob: User, adam: User, charlie: User, browse: Browse
) -> None:
    colleague = at("github").connect(adam)
    foreign = factories.connection(of(charlie).organization, charlie, shared=True, base_url=colleague.base_url)
    elsewhere = factories.connection(of(bob).organization, bob, forge="gitlab", base_url="https://gitlab.com/api/v4")
    way = _way_back(lacking.source, of(bob))
    for connection in (colleague, foreign, elsewhere):
        browse(bob).get(f"{way}?{urlencode({'connection': connection.pk})}")
    browse(bob).get(f"{way}?connection=nonsense")
    assert lacking.source.connection is None


def test_who_lost_the_right_meanwhile_changes_nothing(
    at: Registering, lacking: Indexed, carol: User, browse: Browse
) -> None:
    made = factories.connection(of(carol).organization, carol, shared=True)
    way = _way_back(lacking.source, of(carol))
    assert browse(carol).get(f"{way}?{urlencode({'connection': made.pk})}").status_code == 403
    assert lacking.source.connection is None


# -- on the Add page ---------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(secret: HostedRepository, forge: Forge) -> dict[str, str]:
    return {"url": f"{forge.url}/octo/secret/tree/main/docs", "kind": ""}


def test_from_the_add_page_it_comes_back_to_what_was_entered(
    at: Registering, asked: dict[str, str], docs: Server, bob: User, visit: Visit
) -> None:
    registered = at("github")
    visitor: Visitor = visit(bob)
    page = visitor.client.post(ADD, asked)
    assert page.status_code == 200
    shown = page.content.decode()
    assert "Link GitHub" in shown
    posted = {**asked, "found": page.context["found"], "name": "The secret", "with": registered.application.key}

    begun = visitor.client.post(f"{ADD}link/", posted)
    back = visitor.client.get(visitor.decides(visitor.left(visitor.client.get(begun["Location"]))))
    assert back["Location"].startswith(ADD)
    landed = visitor.client.get(back["Location"])

    assert landed.status_code == 200
    probe: Any = landed.context["probe"]
    assert (probe.reason, probe.repository, probe.private) == (None, "octo/secret", True)
    assert probe.connection == Connection.objects.get()
    assert probe.include == "/docs/"
    assert "The secret" in landed.content.decode()
    assert not Source.objects.exists(), "it is theirs to add"


def test_a_draft_is_good_for_its_member_server_and_session_alone(
    at: Registering, asked: dict[str, str], docs: Server, bob: User, adam: User, browse: Browse
) -> None:
    key = at("github").application.key
    client = browse(bob)
    begun = client.post(f"{ADD}link/", {**asked, "with": key})
    draft = next(iter(client.session["indexing.drafts"]))
    assert begun.status_code == 302
    other = factories.server(docs.organization, "Other", slug="else")
    signed = signing.dumps([draft, str(of(bob).pk), str(docs.pk)], salt="indexing.drafts")
    assert "probe" in client.get(f"{ADD}?{urlencode({'draft': signed})}").context
    assert (
        "probe" not in client.get(f"/o/acme/servers/{other.slug}/sources/add/?{urlencode({'draft': signed})}").context
    )
    assert "probe" not in browse(bob).get(f"{ADD}?{urlencode({'draft': signed})}").context
    assert "probe" not in browse(adam).get(f"{ADD}?{urlencode({'draft': signed})}").context
    assert "probe" not in client.get(f"{ADD}?draft=forged").context


def test_only_ways_that_there_are_begin(asked: dict[str, str], docs: Server, bob: User, browse: Browse) -> None:
    client = browse(bob)
    assert client.post(f"{ADD}link/", {**asked, "with": "github"}).status_code == 404
    assert client.post(f"{ADD}link/", {**asked, "with": TOKEN})["Location"].startswith("/o/acme/connections/add/token/")
    assert client.get(f"{ADD}link/").status_code == 405


def test_a_token_in_the_address_is_not_kept(at: Registering, docs: Server, bob: User, browse: Browse) -> None:
    client = browse(bob)
    key = at("github").application.key
    client.post(f"{ADD}link/", {"url": "https://bob:secret@example.com/", "token": "of-mine", "with": key})
    assert "secret" not in str(client.session["indexing.drafts"])
    assert "of-mine" not in str(client.session["indexing.drafts"])

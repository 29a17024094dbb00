"""What others try with the connect form: ids that are not theirs, ways back that are forged; and what is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from catalog.models import Server
from forges.drafts import MOST
from forges.models import Connection as ForgeConnection
from integrations.models import Integration
from integrations.views.connecting import DRAFTS
from orgs.models import User
from tests import factories
from tests.conftest import Browse
from tests.forges_app.conftest import of, register
from tests.forges_app.visiting import Visitor
from tests.integrations.consenting import ENTERED, FORM, Registering, at, begin, connect_with, secret
from tests.integrations.pages import said
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

__all__ = ["at", "register", "secret"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("docs")]


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


def session_of(client: Client) -> dict[str, Any]:
    return Session.objects.get(pk=client.session.session_key).get_decoded()


@pytest.fixture
def foreign(request: pytest.FixtureRequest, acme: Any, alice: User, charlie: User, forge: Forge) -> ForgeConnection:
    """A connection that bob may not use, whose token would open the repository."""
    whose = alice if request.param == "a colleague's own" else charlie
    organization = of(whose).organization
    return factories.connection(
        organization,
        whose,
        base_url=forge.enterprise_url,
        token=forge.token("octo", scopes=["repo"]),
        shared=request.param == "another organisation's",
    )


@pytest.mark.parametrize("foreign", ["a colleague's own", "another organisation's"], indirect=True)
def test_a_connection_that_is_not_theirs_cannot_be_chosen_by_its_id(
    foreign: ForgeConnection, secret: HostedRepository, forge: Forge, bob: User, browse: Browse
) -> None:
    client = browse(bob)
    forged = {**ENTERED, "forge": "github", "base_url": forge.url, "credential_github": str(foreign.pk)}
    assert str(foreign.pk) not in client.get(FORM).content.decode()

    answer = client.post(FORM, forged)

    assert answer.status_code == 422
    assert "credential_github" in answer.context["form"].errors
    assert not Integration.objects.exists()
    for part in ("repositories/", "branches/", "count/"):
        shown = client.post(FORM + part, forged).content.decode()
        assert "plan.md" not in shown
        assert 'value="' not in shown
    answer = client.get(f"/o/acme/servers/docs/integrations/connect/return/{_draft(client)}/?connection={foreign.pk}")
    assert not Integration.objects.exists()
    assert str(foreign.pk) not in answer.content.decode()


def _draft(client: Client) -> str:
    """The signed name of a draft of this client's."""
    session = client.session
    member = of(User.objects.get(pk=session["_auth_user_id"]))
    signed = DRAFTS.keep(session, ENTERED, membership=member, about=Server.objects.get(slug="docs"))
    session.save()
    return signed


@pytest.mark.parametrize("foreign", ["a colleague's own", "another organisation's"], indirect=True)
def test_an_integration_that_is_there_is_not_given_one_that_is_not_theirs(
    foreign: ForgeConnection, docs: Server, bob: User, browse: Browse
) -> None:
    made = factories.integration(docs, base_url=foreign.base_url, repository="octo/secret")
    edit = f"/o/acme/integrations/{made.pk}/edit/"
    client = browse(bob)
    assert str(foreign.pk) not in client.get(f"{edit}?connection={foreign.pk}").content.decode()
    answer = client.post(edit, {"credential": str(foreign.pk)})
    assert list(answer.context["form"].errors) == ["credential"]
    assert Integration.objects.get().connection is None


def test_a_way_back_is_good_for_its_member_server_and_session_alone(
    at: Registering, docs: Server, forge: Forge, secret: HostedRepository, alice: User, bob: User, browse: Browse
) -> None:
    made = at("gitlab").connect(bob, shared=False)
    ForgeConnection.objects.filter(pk=made.pk).update(shared=True)
    another = factories.server(docs.organization, "Another", slug="another")
    client = browse(bob)
    signed = _draft(client)
    query = urlencode({"connection": made.pk})
    for who, server, name in (
        (browse(alice), "docs", signed),
        (client, another.slug, signed),
        (browse(bob), "docs", signed),  # another browser of his
        (client, "docs", f"{signed[:-2]}xx"),
        (client, "docs", "forged"),
    ):
        answer = who.get(f"/o/acme/servers/{server}/integrations/connect/return/{name}/?{query}")
        assert answer["Location"] == f"/o/acme/servers/{server}/integrations/connect/"
        assert said(answer)[-1] == "What you had entered is no longer kept. Enter it again."
    assert not Integration.objects.exists()

    assert client.get(f"{FORM}return/{signed}/?{query}").status_code == 302
    assert Integration.objects.count() == 1


def test_a_way_back_is_used_once_and_ends_after_an_hour(
    at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    made = at("gitlab").connect(bob)
    client = browse(bob)
    once, late = _draft(client), _draft(client)
    query = urlencode({"connection": made.pk})
    assert client.get(f"{FORM}return/{once}/?{query}").status_code == 302
    Integration.objects.all().delete()
    assert client.get(f"{FORM}return/{once}/?{query}")["Location"] == FORM
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert client.get(f"{FORM}return/{late}/?{query}")["Location"] == FORM
    assert not Integration.objects.exists()


@pytest.mark.parametrize("connection", ["", "not-an-id", "5c1c8f4e-0000-4000-8000-000000000000"])
def test_a_way_back_with_a_connection_that_is_none_shows_the_form(connection: str, bob: User, browse: Browse) -> None:
    client = browse(bob)
    answer = client.get(f"{FORM}return/{_draft(client)}/?{urlencode({'connection': connection})}")
    assert answer.context["form"]["repository"].value() == "octo/secret"
    assert not Integration.objects.exists()


def test_no_token_is_kept_in_the_session(
    at: Registering, forge: Forge, secret: HostedRepository, bob: User, browse: Browse
) -> None:
    visitor, registered = Visitor(browse(bob), forge), at("gitlab")
    begin(visitor, registered)
    assert ENTERED["token"] not in str(session_of(visitor.client))
    assert "octo/secret" in str(session_of(visitor.client))
    connect_with(visitor, registered)
    assert ForgeConnection.objects.get().token not in str(session_of(visitor.client))


def test_a_token_that_was_pasted_within_an_address_is_not_kept_either(
    at: Registering, forge: Forge, bob: User, browse: Browse
) -> None:
    visitor = Visitor(browse(bob), forge)
    pasted = {
        "repository": "https://bob:pasted-1@git.example.com/team/docs",
        "base_url": "http://pasted-2@git.example.com",
    }
    begin(visitor, at("gitlab"), **pasted)
    kept = str(session_of(visitor.client))
    assert "pasted" not in kept
    assert "https://git.example.com/team/docs" in kept


# -- what the pickers tell others --------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["repositories/", "branches/", "count/"])
@pytest.mark.parametrize("kind", ["github", "gitlab"])
@pytest.mark.parametrize("address", ["git.example.com", "https://bob:secret@git.example.com"])
def test_the_public_server_is_not_told_the_token_of_one_whose_address_is_wrong(
    address: str, kind: str, part: str, docs: Server, bob: User, browse: Browse
) -> None:
    entered = {"forge": kind, "base_url": address, "token": "of-our-own-server", "repository": "team/docs"}
    shown = browse(bob).post(FORM + part, {**entered, f"credential_{kind}": "token"}).content.decode()
    assert not any(host in shown for host in ("github.com", "gitlab.com"))
    assert ("Server address: " in shown) == (part == "repositories/")
    assert "secret" not in shown


def test_a_session_keeps_a_handful_of_drafts(docs: Server, bob: User, browse: Browse) -> None:
    client = browse(bob)
    names = [_draft(client) for _ in range(MOST + 2)]
    member = of(bob)
    kept = [DRAFTS.find(client.session, name, membership=member, about=docs) is not None for name in names]
    assert kept == [False, False, True, True, True, True, True]

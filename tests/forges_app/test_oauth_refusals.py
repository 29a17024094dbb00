"""Coming back from a forge as somebody else, by a forged way, too late, or with an error: nothing is connected."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from forges.models import Connection
from forges.returning import sign
from orgs.models import Membership, Organization, Role, User
from tests import factories
from tests.forges_app.conftest import of
from tests.forges_app.visiting import LIST, Registering, Visit, at, parameters, start, told, visit
from tests.wire import faults

pytestmark = pytest.mark.django_db

__all__ = ["at", "visit"]


def test_somebody_else_cannot_finish_it(at: Registering, visit: Visit, alice: User, bob: User) -> None:
    app = at("github")
    hers, his = visit(alice), visit(bob)
    back = hers.decides(hers.set_out(start(app)))
    answer = his.client.get(back)
    assert answer.status_code == 400
    assert "not in this browser" in answer.content.decode()
    assert not Connection.objects.exists()


def test_whoever_has_the_session_of_another_is_asked_who_they_are(
    at: Registering, visit: Visit, alice: User, bob: User
) -> None:
    app = at("gitlab")
    hers, his = visit(alice), visit(bob)
    back = hers.decides(hers.set_out(start(app)))
    session = his.client.session
    session["socialaccount_states"] = hers.client.session["socialaccount_states"]
    session.save()
    assert his.client.get(back).status_code == 403
    assert not Connection.objects.exists()
    assert app.forge.requests.count("POST /oauth/revoke") == 1


def test_nobody_is_made_to_connect_the_account_of_another(at: Registering, visit: Visit, alice: User) -> None:
    """The attacker's own code, with a state that is nobody's, or was taken from the attacker's session."""
    app = at("github")
    mallory = visit(factories.user("mallory@evil.example"), login="mallory")
    acme = Organization.objects.get(slug="acme")
    factories.membership(User.objects.get(email="mallory@evil.example"), acme, Role.OPERATOR)
    back = mallory.decides(mallory.set_out(start(app)))
    hers = visit(alice)
    assert hers.client.get(back).status_code == 400
    forged = back.replace(parameters(back)["state"], "a" * 16)
    hers.set_out(start(app))
    assert hers.client.get(forged).status_code == 400
    assert not Connection.objects.exists()


def test_a_way_back_from_one_forge_is_none_from_another(at: Registering, visit: Visit, bob: User) -> None:
    gitlab, github = at("gitlab"), at("github")
    visitor = visit(bob)
    back = visitor.decides(visitor.set_out(start(gitlab)))
    mixed_up = back.replace(gitlab.application.key, github.application.key)
    assert visitor.client.get(mixed_up).status_code == 400
    assert not gitlab.forge.requests.count("POST /login/oauth/access_token")


def test_who_may_no_longer_connects_nothing_and_the_token_is_taken_back(
    at: Registering, visit: Visit, bob: User
) -> None:
    app = at("gitlab")
    visitor = visit(bob)
    back = visitor.decides(visitor.set_out(start(app)))
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    visitor.client.get(back)
    assert "You may not" in told(visitor.client)[0]
    assert app.forge.requests.count("POST /oauth/revoke") == 1
    assert not Connection.objects.exists()


def test_who_left_in_the_meantime_connects_nothing(at: Registering, visit: Visit, bob: User) -> None:
    app = at("github")
    visitor = visit(bob)
    back = visitor.decides(visitor.set_out(start(app)))
    Membership.objects.get(user=bob).delete()
    answer = visitor.client.get(back)
    assert answer.status_code == 403
    assert not Connection.objects.exists()


def test_it_is_made_for_the_organisation_where_it_began(at: Registering, visit: Visit, alice: User) -> None:
    app = at("github")
    other = factories.organization("Second", slug="second")
    factories.membership(alice, other, Role.OWNER)
    visitor = visit(alice)
    back = visitor.decides(visitor.set_out(start(app, "second")))
    visitor.client.get("/o/acme/")
    visitor.client.get(back)
    assert Connection.objects.get().organization == other


def test_a_form_of_another_site_sets_nobody_out(at: Registering, bob: User) -> None:
    app = at("github")
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    assert client.post(start(app)).status_code == 403


def test_a_link_of_another_site_asks_first(at: Registering, visit: Visit, alice: User, bob: User) -> None:
    app = at("gitlab")
    client = visit(bob).client
    for query in (
        {},
        {"return_to": "/o/acme/"},
        {"return_to": sign("/o/acme/", of(alice))},
        {"return_to": "https://evil.example/", "shared": "", "write": "on"},
    ):
        answer = client.get(start(app), {name: value for name, value in query.items() if name != "shared"})
        assert answer.status_code == 200
        assert not answer.has_header("Refresh")
        assert "Connect GitLab" in answer.content.decode()


def test_a_link_of_a_page_of_ours_leads_there_and_back(at: Registering, visit: Visit, bob: User) -> None:
    app = at("gitlab")
    visitor = visit(bob)
    back_to = "/o/acme/servers/docs/integrations/connect/?draft=7"
    link = f"{start(app)}?{urlencode({'return_to': sign(back_to, of(bob))})}"
    answer = visitor.client.get(visitor.decides(visitor.left(visitor.client.get(link))))
    assert answer["Location"] == f"{back_to}&connection={Connection.objects.get().pk}"


def test_the_flow_never_leads_to_another_site(at: Registering, visit: Visit, bob: User) -> None:
    answer = visit(bob).connects(start(at("gitlab")), return_to="https://evil.example/")
    assert answer["Location"].startswith(LIST)


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_saying_no_at_the_forge_leads_back_with_a_sentence(at: Registering, visit: Visit, bob: User) -> None:
    app = at("github")
    visitor = visit(bob)
    back_to = "/o/acme/servers/"
    url = visitor.set_out(start(app), return_to=sign(back_to, of(bob)))
    answer = visitor.client.get(visitor.decides(url, "cancel"))
    assert (answer.status_code, answer["Location"]) == (302, back_to)
    assert told(visitor.client) == [f"You said no at {app.application.label}. Nothing was connected."]


def test_a_way_back_leads_somewhere_once(at: Registering, visit: Visit, bob: User) -> None:
    app = at("gitlab")
    visitor = visit(bob)
    visitor.client.get(LIST)
    back = visitor.decides(visitor.set_out(start(app)))
    visitor.client.get(back)
    answer = visitor.client.get(back)
    assert answer.status_code == 400
    assert LIST in answer.content.decode()
    assert Connection.objects.count() == 1
    assert Connection.objects.get().is_connected


def test_a_way_back_is_open_for_ten_minutes(at: Registering, visit: Visit, bob: User) -> None:
    app = at("gitlab")
    visitor = visit(bob)
    back = visitor.decides(visitor.set_out(start(app)))
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert visitor.client.get(back).status_code == 400
    assert not Connection.objects.exists()


@pytest.mark.parametrize("kind", ["github", "gitlab", "bitbucket"])
def test_a_code_that_the_forge_does_not_know_connects_nothing(
    kind: str, at: Registering, visit: Visit, bob: User
) -> None:
    app = at(kind)
    visitor = visit(bob)
    back = visitor.decides(visitor.set_out(start(app)))
    answer = visitor.client.get(back.replace(parameters(back)["code"], "0123456789"))
    assert answer["Location"] == LIST
    assert "used before, or took too long" in told(visitor.client)[0]
    assert not Connection.objects.exists()


@pytest.mark.parametrize("kind", ["github", "gitlab", "bitbucket"])
def test_a_wrong_secret_is_the_operators_to_mend(kind: str, at: Registering, visit: Visit, bob: User) -> None:
    app = at(kind)
    visitor = visit(bob)
    back = visitor.decides(visitor.set_out(start(app)))
    app.hosted.client_secret = "another"
    assert visitor.client.get(back)["Location"] == LIST
    (sentence,) = told(visitor.client)
    assert "does not accept the id and secret" in sentence
    assert "operator" in sentence


def test_a_forge_that_fails_is_named_and_not_quoted(at: Registering, visit: Visit, bob: User) -> None:
    app = at("gitlab")
    visitor = visit(bob)
    back = visitor.decides(visitor.set_out(start(app)))
    with app.forge.fault(faults.status(502, "glpat-quoted-by-the-forge"), on="POST /oauth/token"):
        assert visitor.client.get(back)["Location"] == LIST
    (sentence,) = told(visitor.client)
    assert "127.0.0.1" in sentence
    assert "glpat" not in sentence


def test_what_the_address_says_of_an_error_is_not_repeated(at: Registering, visit: Visit, bob: User) -> None:
    app = at("github")
    visitor = visit(bob)
    for error, expected in (("redirect_uri_mismatch", "callback address"), ("<b>pay here</b>", "did not say why")):
        state = parameters(visitor.set_out(start(app)))["state"]
        query = {"error": error, "error_description": "Call 555-1234", "state": state}
        visitor.client.get(reverse("oauth:callback", args=[app.application.key]), query)
        (sentence,) = told(visitor.client)
        assert expected in sentence
        assert "555" not in sentence
        assert "pay here" not in sentence

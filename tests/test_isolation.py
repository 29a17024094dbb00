"""Every URL there is, tried by those who should not be there. A URL without a case fails; see tests/isolation.py."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from orgs.models import Organization, User
from tests.conftest import Browse
from tests.isolation import Case

APPS = ["orgs", "jobs", "catalog", "endpoint", "forges_app", "gitsync", "indexing", "integrations"]
ELSEWHERE = {
    "accounts/": "allauth's own pages, about the signed-in person alone; ours of them are tested in tests/orgs",
    "admin/": "the Django admin: one rule for all of it, proven below",
}
"""Parts of the site whose patterns have no case of their own, and why."""


def _patterns(resolver: URLResolver, route: str = "", namespace: str = "") -> Iterator[tuple[str, str, URLPattern]]:
    """(full route, name with namespace, pattern) of all that can be reached."""
    for entry in resolver.url_patterns:
        full = route + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _patterns(entry, full, inner)
        else:
            yield full, f"{namespace}{entry.name}" if entry.name else "", entry


def _cases() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for app in APPS:
        module = f"tests.{app}.isolation"
        try:
            found: dict[str, Case] = importlib.import_module(module).CASES
        except ModuleNotFoundError as error:
            if error.name not in (module, f"tests.{app}"):
                raise
            continue
        assert not cases.keys() & found.keys(), f"{module} repeats a case"
        cases |= found
    return cases


EVERYTHING = list(_patterns(get_resolver()))
OURS = {name or route: route for route, name, _ in EVERYTHING if not route.startswith(tuple(ELSEWHERE))}
"""The full route of each URL of ours, by its name."""
ADMIN = {route: (name, pattern) for route, name, pattern in EVERYTHING if route.startswith("admin/")}
CASES = _cases()
WITH_CASE = sorted(OURS.keys() & CASES.keys())


@pytest.fixture(autouse=True)
def people(alice: User, carol: User, charlie: User) -> None:
    """All of them exist, so that no page takes this for a first run."""


def _ask(client: Client, case: Case, url: str, method: str) -> HttpResponse:
    response: HttpResponse = getattr(client, method)(url, case.data or {})
    return response


def _url(name: str, organization: Organization, arguments: dict[str, object]) -> str:
    return reverse(name, kwargs={**({"org": organization.slug} if _is_of_one(name) else {}), **arguments})


def _is_of_one(name: str) -> bool:
    """Whether the address begins with an organisation's slug."""
    return "<slug:org>" in OURS[name]


def test_every_url_has_a_case() -> None:
    missing = sorted(OURS.keys() - CASES.keys())
    assert not missing, f"Add a case for each of these to tests/<app>/isolation.py: {missing}"


def test_every_case_has_a_url() -> None:
    assert sorted(CASES.keys() - OURS.keys()) == []


@pytest.mark.parametrize("name", WITH_CASE)
def test_what_is_open_says_why(name: str) -> None:
    case = CASES[name]
    assert case.why or (case.nobody in (302, 401) and case.outsider == 404 and case.elsewhere == 404)


@pytest.mark.parametrize("name", WITH_CASE)
def test_nobody_is_sent_to_sign_in(name: str, acme: Organization) -> None:
    case = CASES[name]
    url = _url(name, acme, case.arguments(acme))
    response = _ask(Client(), case, url, case.method)
    assert response.status_code == case.nobody
    if case.nobody == 302 and not case.why:
        assert response["Location"].startswith(f"{reverse('account_login')}?next=")
    other = _ask(Client(), case, url, "get" if case.method == "post" else "post")
    assert other.status_code in (case.nobody, 405)


@pytest.mark.parametrize("name", WITH_CASE)
def test_an_outsider_finds_nothing(name: str, acme: Organization, charlie: User, browse: Browse) -> None:
    case = CASES[name]
    url = _url(name, acme, case.arguments(acme))
    assert _ask(browse(charlie), case, url, case.method).status_code == case.outsider
    other = _ask(browse(charlie), case, url, "get" if case.method == "post" else "post")
    assert other.status_code in (case.outsider, 404, 405)


@pytest.mark.parametrize("name", [name for name in WITH_CASE if _is_of_one(name)])
def test_ids_of_others_lead_nowhere_in_ones_own_organization(
    name: str, acme: Organization, charlie: User, browse: Browse
) -> None:
    case = CASES[name]
    arguments = case.arguments(acme)
    if not arguments:
        return  # the address names nothing but the organisation
    own = Organization.objects.get(slug="other")
    url = _url(name, own, arguments)
    assert _ask(browse(charlie), case, url, case.method).status_code == case.elsewhere


@pytest.mark.parametrize("name", WITH_CASE)
def test_a_viewer_gets_what_the_case_says(name: str, acme: Organization, carol: User, browse: Browse) -> None:
    case = CASES[name]
    url = _url(name, acme, case.arguments(acme))
    assert _ask(browse(carol), case, url, case.method).status_code == case.viewer


@pytest.mark.parametrize("route", sorted(ADMIN))
def test_the_admin_is_for_staff_alone(route: str, alice: User, browse: Browse) -> None:
    name, pattern = ADMIN[route]
    if name in ("admin:login", "admin:logout"):
        return  # for everybody, by their nature
    known = {"app_label": "orgs", "object_id": "1", "content_type_id": "1", "url": "nothing"}
    arguments = {key: known[key] for key in pattern.pattern.regex.groupindex}
    url = reverse(name, kwargs=arguments) if name else "/admin/nothing-of-the-kind/"
    for client in (Client(), browse(alice)):
        response = client.get(url)
        assert response.status_code in (302, 403, 404)
        if response.status_code == 302 and "/login/" not in response["Location"]:
            assert client.get(response["Location"]).status_code in (302, 403)

"""A personal server is its owner's alone: whoever else is in the organisation, its owners included, finds no trace."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.urls import NoReverseMatch, reverse

from catalog.activity import entrust
from catalog.models import Server
from catalog.servers import delete_server
from endpoint import keys
from indexing import content_news
from indexing.requesting import INDEX
from jobs.models import Run
from jobs.runs import request_run
from orgs import audit
from orgs.models import AuditEvent, Membership, Organization, User
from tests import factories
from tests.conftest import Browse
from tests.test_isolation import CASES, WITH_CASE, _ask, _is_of_one, _url

NAME = "Zanzibar"


@pytest.fixture
def hers(acme: Organization, bob: User) -> Server:
    """Bob's own server, with something of everything that lists show, named so that it is found wherever it is."""
    made = factories.server(acme, NAME, slug="zanzibar", owner=bob)
    api = factories.provider(made, f"{NAME} API")
    tool = factories.tool(api, "askZanzibar")
    factories.content(made, "zanzibar.md", text=f"{NAME} is an island.\n")
    shared = factories.connection(acme, bob, shared=True)
    work = factories.integration(made, f"acme/{NAME}", connection=shared, on_push=True)
    read = factories.source(made, name=f"{NAME} site", connection=shared)
    for subject in (made, work, read):
        request_run(
            kind="tests.work",
            subject=subject,
            organization=acme,
            scope=str(made.pk),
            trigger="manual",
            requested_by=bob,
            enqueue=False,
        )
    audit.record("server.edited", organization=acme, actor=bob, target=made, after={"name": NAME})
    audit.record("tool.edited", organization=acme, actor=bob, target=tool, scope=made)
    audit.record("integration.edited", organization=acme, actor=bob, target=work)
    factories.toolkit(acme, f"{NAME} kit", tool, owner=bob)
    # What was chosen before it became personal.
    factories.toolkit(acme, "Kit", tool)
    factories.client(acme, "Editor", servers=[made])
    mine = Membership.objects.get(user=bob)
    mine.granted = ["keys.manage"]
    mine.save()
    keys.make_key(by=mine, values={"name": "Mine", "servers": [made.pk]})
    factories.hook(acme, repository=work.repository, repository_id=work.repository_id)
    return made


def _lists() -> list[str]:
    """The names of all pages of an organisation that name nothing in particular."""
    return [name for name in WITH_CASE if _is_of_one(name) and CASES[name].method == "get"]


_BY_SCOPE = ("jobs:runs", "orgs:audit")


def _addresses(acme: Organization, more: str) -> list[str]:
    """All pages of the organisation that name nothing in particular, and what can be searched in them."""
    found = []
    for name in WITH_CASE:
        if _is_of_one(name) and CASES[name].method == "get":
            try:
                page = reverse(name, kwargs={"org": acme.slug})
            except NoReverseMatch:  # it needs the id of something, and is tried below
                continue
            found += [page, f"{page}?q=zanzi&target=zanzi", *([f"{page}?{more}"] if name in _BY_SCOPE else [])]
    return found


def _read(answer: Any) -> str:
    if getattr(answer, "streaming", False):
        parts = async_to_sync(_collected)(answer) if answer.is_async else list(answer.streaming_content)
        return b"".join(parts).decode()
    return str(answer.content.decode(errors="replace"))


async def _collected(answer: Any) -> list[bytes]:
    return [part async for part in answer.streaming_content]


def test_no_page_names_it_to_others(
    hers: Server, acme: Organization, alice: User, adam: User, bob: User, browse: Browse
) -> None:
    addresses = _addresses(acme, f"scope={hers.pk}")
    assert len(addresses) > 50
    for person, pages in ((alice, addresses), (adam, [each for each in addresses if "?" not in each])):
        client = browse(person)
        for address in pages:
            answer = client.get(address)
            assert answer.status_code < 500, address
            assert NAME.lower() not in _read(answer).lower(), address
    client = browse(bob)
    # Not because nobody finds it.
    found = {
        address for address in addresses if "?" not in address and NAME.lower() in _read(client.get(address)).lower()
    }
    lists = ("catalog:servers", "integrations:list", "indexing:list", "jobs:runs", "library:toolkits", "endpoint:keys")
    assert found >= {reverse(name, args=["acme"]) for name in lists}


def test_no_address_of_it_answers_an_owner_of_the_organisation(
    acme: Organization, alice: User, bob: User, browse: Browse
) -> None:
    client = browse(alice)
    tried = 0
    for name in WITH_CASE:
        if not _is_of_one(name):
            continue
        with transaction.atomic():
            case = CASES[name]
            arguments = case.arguments(acme)
            servers = list(Server.objects.filter(organization=acme))
            for server in servers:
                server.owner, server.name = bob, NAME
                server.save()
                entrust(server)
            if servers:
                tried += 1
                answer = _ask(client, case, _url(name, acme, arguments), case.method)
                assert answer.status_code == 404 or name in INCIDENTAL, (name, answer.status_code)
                assert NAME not in _read(answer), name
            transaction.set_rollback(True)
    assert tried > 80


def test_what_happened_on_it_stays_private_when_it_is_gone(
    hers: Server, acme: Organization, alice: User, bob: User, browse: Browse
) -> None:
    assert AuditEvent.objects.filter(target_label=NAME).exists()
    delete_server(server=hers, by=bob)
    for page in ("orgs:audit", "orgs:audit_export", "jobs:runs"):
        assert NAME not in _read(browse(alice).get(reverse(page, args=["acme"])))


def test_it_goes_with_its_owners_account_and_is_nobodys_while_they_are_away(
    hers: Server, alice: User, bob: User, browse: Browse
) -> None:
    role = bob.memberships.get().role
    bob.memberships.get().delete()
    page = reverse("catalog:server", args=["acme", hers.slug])
    assert browse(alice).get(page).status_code == 404
    assert browse(bob).get(page).status_code == 404
    factories.membership(bob, hers.organization, role)
    assert browse(bob).get(page).status_code == 200
    bob.delete()
    assert not Server.objects.filter(pk=hers.pk).exists()
    assert NAME not in _read(browse(alice).get(reverse("orgs:audit", args=["acme"])))


def test_the_clock_goes_on_working_on_it(hers: Server, bob: User) -> None:
    content_news.look()
    assert content_news.ask_for_runs() >= 1
    run = Run.objects.get(scope=str(hers.pk), kind=INDEX)
    assert run.private_to == bob.pk


INCIDENTAL = {
    "gitsync:again": "about the files of a server that is deleted",
    "gitsync:abandon": "the same",
    "llms_txt": "answered by what a client carries, and this one carries nothing",
    "llms_full_txt": "the same",
    "mcp_file": "the same",
}
"""Addresses that answer something else than 404, and why."""

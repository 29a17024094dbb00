"""The audit log: what it keeps, who sees it, and how it is searched."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from catalog.models import Server
from orgs import audit
from orgs.models import AuditEvent, Organization, User
from tests.conftest import Browse

URL = "/o/acme/audit/"


def exported(client: Client, **query: str) -> str:
    """The whole text of the export, taken as an asynchronous server takes it."""
    response: Any = client.get(URL + "export/", query)
    assert response.status_code == 200
    assert response.is_async, "an ordinary iterator would be collected in memory before the first byte is sent"

    async def collected() -> bytes:
        return b"".join([part async for part in response])

    return async_to_sync(collected)().decode()


def event(acme: Organization, actor: User | None, action: str = "server.created", **fields: object) -> AuditEvent:
    at = fields.pop("at", None)
    made = audit.record(action, organization=acme, actor=actor, **fields)  # type: ignore[arg-type]
    if at:
        AuditEvent.objects.filter(pk=made.pk).update(at=at)
    return made


def test_it_shows_who_did_what_to_what_with_before_and_after(
    acme: Organization, alice: User, docs: Server, browse: Browse
) -> None:
    event(acme, alice, "server.renamed", target=docs, before={"name": "Dcos"}, after={"name": "Docs"})
    text = browse(alice).get(URL).content.decode()
    for words in ("alice@acme.example", "Server renamed", "Docs", "<del>Dcos</del>"):
        assert words in text


def test_secrets_are_masked_however_deep_they_are(acme: Organization, alice: User) -> None:
    made = event(
        acme,
        alice,
        after={
            "token": "ghp_secret1",
            "nested": {"client_secret": "s3cr3t2", "name": "kept"},
            "list": [{"password": "s3cr3t3"}],
            "api_key": "",
            "ciphertext": b"s3cr3t4",
        },
    )
    made.refresh_from_db()
    text = str(made.after)
    assert "secret1" not in text
    assert "s3cr3t" not in text
    assert made.after["nested"]["name"] == "kept"
    assert made.after["api_key"] == ""


def test_a_long_text_is_cut_however_deep_it_is_and_only_once(acme: Organization, alice: User) -> None:
    made = event(acme, alice, after=audit.masked({"instructions": "é" * 50_000, "list": [{"note": "n" * 501}]}))
    made.refresh_from_db()
    assert made.after["instructions"].endswith("é… (50000 characters)")
    assert made.after["list"][0]["note"].endswith("n… (501 characters)")
    assert len(made.after["instructions"]) == audit.LONGEST_VALUE
    assert event(acme, alice, after={"name": "n" * audit.LONGEST_VALUE}).after["name"] == "n" * audit.LONGEST_VALUE


def test_the_events_of_others_are_not_in_it(acme: Organization, alice: User, charlie: User, browse: Browse) -> None:
    event(Organization.objects.get(slug="other"), charlie, "server.deleted")
    audit.record("account.signed_in", organization=None, actor=charlie)
    text = browse(alice).get(URL).content.decode()
    assert "charlie" not in text
    assert "charlie" not in exported(browse(alice))


@pytest.mark.parametrize("path", [URL, URL + "export/"])
def test_without_the_entitlement_it_is_refused(bob: User, browse: Browse, path: str) -> None:
    response = browse(bob).get(path)
    assert response.status_code == 403
    assert "audit.view" in response.content.decode()


def test_it_is_filtered_by_actor_action_and_target(
    acme: Organization, alice: User, bob: User, docs: Server, browse: Browse
) -> None:
    event(acme, alice, "server.created", target=docs)
    event(acme, bob, "content.deleted")
    client = browse(alice)

    def found(**query: str) -> set[str]:
        return {row.record.action for row in client.get(URL, query).context["table"].paginated_rows}

    assert found(actor="bob") == {"content.deleted"}
    assert found(action="server.created") == {"server.created"}
    assert found(target="Docs") == {"server.created"}
    assert found(target=str(docs.pk)) == {"server.created"}
    assert found(actor="nobody") == set()
    assert found() == {"server.created", "content.deleted"}


def test_days_begin_at_midnight_in_the_persons_zone(acme: Organization, alice: User, browse: Browse) -> None:
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Tokyo")
    event(acme, alice, "late.there", at=datetime(2026, 3, 1, 16, 0, tzinfo=UTC))  # 1:00 on the 2nd in Tokyo
    client = browse(alice)

    def found(**query: str) -> int:
        return len(client.get(URL, query).context["table"].rows)

    assert found(since="2026-03-02") == 1
    assert found(until="2026-03-01") == 0
    assert found(since="2026-03-02", until="2026-03-02") == 1
    assert "2 Mar 2026, 01:00:00" in client.get(URL).content.decode()


@pytest.mark.parametrize("query", ["since=yesterday", "action=nothing.known", "page=9999", "sort=-organization__name"])
def test_nonsense_in_the_address_does_no_harm(acme: Organization, alice: User, browse: Browse, query: str) -> None:
    event(acme, alice)
    assert browse(alice).get(f"{URL}?{query}").status_code == 200


def test_it_pages_and_asks_as_many_queries_for_two_hundred_as_for_three(
    acme: Organization, alice: User, browse: Browse
) -> None:
    client = browse(alice)
    client.get(URL)

    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            client.get(URL)
        return len(context)

    for number in range(3):
        event(acme, alice, f"thing.done{number}")
    few = queries()
    for number in range(200):
        event(acme, alice, f"thing.done{number % 7}")
    assert queries() == few
    assert len(client.get(URL, {"page": "5"}).context["table"].paginated_rows) == 3


def test_the_export_holds_what_the_filter_leaves(acme: Organization, alice: User, docs: Server, browse: Browse) -> None:
    event(acme, alice, "server.created", target=docs, after={"name": "Docs"}, at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    event(acme, alice, "content.deleted")
    client = browse(alice)
    assert client.head(URL + "export/").headers["Content-Disposition"].startswith('attachment; filename="audit-acme-')
    (row,) = csv.DictReader(exported(client, action="server.created").splitlines())
    assert row["at"] == "2026-03-01T12:00:00+00:00"
    assert (row["actor"], row["action"], row["target"]) == ("alice@acme.example", "server.created", "Docs")
    assert row["after"] == '{"name": "Docs"}'


def test_the_export_goes_out_piece_by_piece(acme: Organization, alice: User, browse: Browse) -> None:
    for number in range(1_200):
        event(acme, alice, f"thing.done{number}")
    rows = list(csv.DictReader(exported(browse(alice)).splitlines()))
    assert [rows[0]["action"], rows[-1]["action"], len(rows)] == ["thing.done1199", "thing.done0", 1_200]


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx"])
def test_the_export_holds_no_formulas(acme: Organization, alice: User, docs: Server, browse: Browse, name: str) -> None:
    docs.name = name
    event(acme, alice, "server.created", target=docs)
    (row,) = csv.DictReader(exported(browse(alice)).splitlines())
    assert row["target"] == f"'{name}"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unix:", None),
        ("203.0.113.9, 10.0.0.1", None),
    ],
)
def test_from_where_is_an_address_or_nothing(
    acme: Organization, alice: User, rf: RequestFactory, given: str, kept: str | None
) -> None:
    made = event(acme, alice, request=rf.get("/", REMOTE_ADDR=given))
    made.refresh_from_db()
    assert made.address == kept


def test_an_event_outlives_the_person(acme: Organization, alice: User, bob: User, browse: Browse) -> None:
    event(acme, bob, "server.created")
    bob.delete()
    assert "bob@acme.example" in browse(alice).get(URL).content.decode()


def test_a_name_is_shown_as_text(acme: Organization, alice: User, docs: Server, browse: Browse) -> None:
    docs.name = "<script>alert(1)</script>"
    event(acme, alice, "server.created", target=docs, after={"name": "<img src=x>"})
    text = browse(alice).get(URL).content.decode()
    assert "<script>alert(1)" not in text
    assert "<img src=x>" not in text


def test_it_is_offered_to_those_who_may_read_it(alice: User, bob: User, carol: User, browse: Browse) -> None:
    link = f'href="{URL}"'
    assert link in browse(alice).get("/o/acme/").content.decode()
    for person in (bob, carol):
        client = browse(person)
        assert link not in client.get("/o/acme/").content.decode()
        refused = client.get(URL)
        assert refused.status_code == 403
        assert "audit.view" in refused.content.decode()

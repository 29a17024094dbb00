"""Sources are added, edited, paused, gone on with and deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from catalog.models import Server
from forges.picking import FieldError
from indexing import sources
from indexing.models import Page, Source
from jobs.models import Run, Status, Trigger
from orgs.models import AuditEvent, Membership, Organization, User
from tests import factories
from tests.indexing.pages import indexed, page_of, run_of

SITE = {"kind": Source.Kind.SITE, "url": "https://docs.example.com/"}


def repository(**fields: Any) -> dict[str, Any]:
    return {
        "kind": Source.Kind.REPOSITORY,
        "url": "https://github.com/acme/handbook",
        "forge": "github",
        "base_url": "https://api.github.com",
        "repository_id": "7",
        "repository": "acme/handbook",
        "private": True,
        **fields,
    }


@pytest.fixture
def member(bob: User) -> Membership:
    return bob.memberships.get()


def add(server: Server, facts: dict[str, Any], member: Membership, **values: Any) -> Source:
    return sources.add(server, facts, {"name": "Handbook", **values}, by=member)


def last_event(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("pk")


def test_what_is_added_is_indexed_and_planned_and_in_the_log(docs: Server, member: Membership) -> None:
    source = add(docs, SITE, member, exclude="old/**")
    assert (source.url, source.exclude, source.created_by) == ("https://docs.example.com/", "old/**", member.user)
    run = Run.objects.about(source).get()
    assert (run.trigger, run.requested_by, run.scope) == (Trigger.CONNECT, member.user, str(docs.pk))
    assert source.next_refresh_at is not None
    assert source.next_refresh_at > timezone.now()
    event = last_event("source.added")
    assert (event.after["url"], event.scope) == ("https://docs.example.com/", str(docs.pk))


def test_the_same_address_is_added_once_to_a_server(docs: Server, acme: Organization, member: Membership) -> None:
    add(docs, SITE, member)
    with pytest.raises(FieldError, match="source of this server already"):
        add(docs, SITE, member)
    assert Source.objects.count() == Run.objects.count() == 1
    add(factories.server(acme), SITE, member)


def test_two_branches_of_a_repository_are_two_sources(docs: Server, member: Membership) -> None:
    add(docs, repository(), member)
    add(docs, repository(), member, branch="next")
    with pytest.raises(FieldError):
        add(docs, repository(), member, branch="next")


def test_a_colleagues_own_connection_cannot_be_taken_not_even_as_what_was_found(
    docs: Server, acme: Organization, alice: User, member: Membership
) -> None:
    theirs = factories.connection(acme, alice)
    for facts, values in ((repository(connection=theirs), {}), (repository(), {"connection": theirs})):
        with pytest.raises(FieldError, match="not a connection that you may use"):
            add(docs, facts, member, **values)
    assert not Source.objects.exists()


def test_a_connection_to_another_forge_is_refused(docs: Server, acme: Organization, member: Membership) -> None:
    other = factories.connection(acme, member.user, forge="gitlab", base_url="https://gitlab.com")
    with pytest.raises(FieldError):
        add(docs, repository(), member, connection=other)


def test_who_may_not_any_more_adds_and_edits_nothing(docs: Server, member: Membership) -> None:
    source = add(docs, SITE, member)
    Membership.objects.filter(pk=member.pk).update(denied=["sources.edit"])
    with pytest.raises(PermissionDenied):
        add(docs, repository(), member)
    with pytest.raises(PermissionDenied):
        sources.edit(source, {"name": "Mine"}, by=member)


def test_bad_patterns_are_told_beside_their_field(docs: Server, member: Membership) -> None:
    with pytest.raises(FieldError) as refused:
        add(docs, SITE, member, include="[")
    assert refused.value.field == "include"


def test_another_name_indexes_nothing_and_other_patterns_do(docs: Server, member: Membership) -> None:
    source = indexed(factories.source(docs, name="Old"))
    assert not sources.edit(source, {"name": "New"}, by=member)
    assert not Run.objects.exists()
    assert sources.edit(source, {"exclude": "old/**"}, by=member)
    assert Run.objects.about(source).count() == 1
    event = last_event("source.edited")
    assert (event.before, event.after) == ({"exclude": ""}, {"exclude": "old/**"})


def test_an_edit_of_nothing_is_none(docs: Server, member: Membership) -> None:
    source = factories.source(docs)
    assert not sources.edit(source, {"name": source.name, "include": ""}, by=member)
    assert not AuditEvent.objects.exists()


def test_a_token_is_kept_encrypted_stays_when_left_empty_and_is_in_no_log(docs: Server, member: Membership) -> None:
    source = factories.source(docs, Source.Kind.MCP, token="first secret")
    sources.edit(source, {"token": "", "name": "Other"}, by=member)
    assert Source.objects.get(pk=source.pk).token == "first secret"
    assert sources.edit(source, {"token": "second secret"}, by=member)
    assert Source.objects.get(pk=source.pk).token == "second secret"
    assert not any("secret" in f"{event.before}{event.after}" for event in AuditEvent.objects.all())


def test_an_edit_keeps_what_a_run_wrote_meanwhile(docs: Server, member: Membership) -> None:
    source = factories.source(docs)
    Source.objects.filter(pk=source.pk).update(pages=12, error_code="network")
    sources.edit(source, {"name": "New"}, by=member)
    source.refresh_from_db()
    assert (source.pages, source.error_code, source.name) == (12, "network", "New")


def test_a_source_that_is_not_refreshed_by_itself_is_planned_for_never(docs: Server, member: Membership) -> None:
    source = add(docs, SITE, member)
    sources.edit(source, {"auto_refresh": False}, by=member)
    source.refresh_from_db()
    assert source.next_refresh_at is None


def test_a_pause_stops_what_runs_keeps_what_is_indexed_and_ends_with_a_run(docs: Server, member: Membership) -> None:
    source = indexed(add(docs, SITE, member), pages=3)
    running, queued = run_of(source, Status.RUNNING), Run.objects.about(source).get(status=Status.QUEUED)
    assert sources.pause(source, by=member.user)
    assert not sources.pause(source, by=member.user)
    source.refresh_from_db()
    running.refresh_from_db()
    queued.refresh_from_db()
    assert source.paused_at is not None
    assert (source.next_refresh_at, source.pages) == (None, 3)
    assert running.cancel_requested_at is not None
    assert queued.status == Status.CANCELLED
    Run.objects.filter(pk=running.pk).update(status=Status.CANCELLED)

    assert sources.go_on(source, by=member.user)
    assert not sources.go_on(source, by=member.user)
    source = Source.objects.get(pk=source.pk)
    assert source.paused_at is None
    assert source.next_refresh_at is not None
    assert Run.objects.about(source).filter(status=Status.QUEUED).count() == 1
    assert last_event("source.paused").target_id == last_event("source.resumed").target_id == str(source.pk)


def test_a_deleted_source_takes_its_pages_and_runs_and_leaves_those_of_others(docs: Server, member: Membership) -> None:
    source, other = add(docs, SITE, member), factories.source(docs)
    page_of(source, "a")
    page_of(source, "b", skip_reason="robots")
    kept = page_of(other, "a")
    gone = sources.delete(source, by=member.user)
    assert (gone.pages, gone.chunks) == (2, 0)
    assert list(Page.objects.all()) == [kept]
    assert list(Source.objects.all()) == [other]
    assert Run.objects.get().status == Status.CANCELLED
    assert last_event("source.deleted").before["pages"] == 2

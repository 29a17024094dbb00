"""What entities were, and back to it: also of what was deleted, and only by those who may see it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import clients, commands, history, revisions, skills, toolkits, tools
from catalog.checking.problems import Invalid
from catalog.documents import document_of
from catalog.models import Client, Command, EntityRevision, RevisionFile, Server, Skill, Toolkit
from catalog.saving import Stale
from orgs.models import AuditEvent, Membership, Organization, User
from tests import factories

GREET: dict[str, Any] = {"name": "Greet", "prompt": "Say hello."}
GIT = revisions.Source("git", "c" * 40, "https://git.example.com/c")


def member(person: User) -> Membership:
    return Membership.objects.get(user=person)


def greet(org: Organization, owner: User | None = None) -> Command:
    return commands.create_command(organization=org, values=GREET, by=owner, owner=owner)


def edit(row: Command, **values: Any) -> Command:
    return commands.edit_command(command=row, values=values, seen_revision=None, by=None)


def revision(row: Any, number: int) -> EntityRevision:
    return EntityRevision.objects.get(entity=row.pk, number=number)


def test_a_revision_says_what_it_was_who_did_it_and_from_where(acme: Organization, alice: User) -> None:
    row = greet(acme)
    values = {"name": "Welcome"}
    row = commands.edit_command(command=row, values=values, seen_revision=1, by=alice, source=GIT)
    newest, first = history.revisions("command", row.pk, member(alice))
    assert (newest.number, newest.verb, newest.name, newest.slug, newest.by) == (2, "rename", "Welcome", "greet", alice)
    assert (newest.source, newest.commit, newest.commit_url) == ("git", GIT.commit, GIT.url)
    assert newest.document == document_of(row)
    assert (first.document, first.source) == ({"name": "Greet", "slug": "greet", "prompt": "Say hello."}, "page")


def test_the_newest_are_kept(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    assert revisions.KEPT == 100
    monkeypatch.setattr(revisions, "KEPT", 4)
    row = skills.create_skill(
        organization=acme, values={"name": "A", "description": "A", "files": {"a": b"a"}}, by=None
    )
    for number in range(1, 9):
        skills.edit_skill(skill=row, values={"description": str(number)}, seen_revision=None, by=None)
    kept = EntityRevision.objects.filter(entity=row.pk).values_list("number", flat=True)
    assert sorted(kept) == [6, 7, 8, 9]
    assert RevisionFile.objects.count() == 4


def test_an_earlier_version_is_restored_as_a_new_one(
    acme: Organization, alice: User, entity_news: list[dict[str, Any]]
) -> None:
    row = edit(greet(acme), name="Welcome", prompt="Welcome them.")
    restored = history.restore(revision(row, 1), by=alice)
    assert (restored.pk, restored.name, Command.objects.get().prompt) == (row.pk, "Greet", "Say hello.")
    assert (revision(row, 3).verb, revision(row, 3).by, entity_news[-1]["change"].verb) == ("restore", alice, "rename")
    assert AuditEvent.objects.filter(action="command.restored", actor=alice).count() == 1
    history.restore(revision(row, 3), by=alice)
    assert EntityRevision.objects.count() == 3, "It is what it was: nothing is written."


def test_a_deleted_one_comes_back_with_its_key_and_forms_of_before_are_stale(
    acme: Organization, alice: User, entity_news: list[dict[str, Any]]
) -> None:
    row = edit(greet(acme), prompt="Welcome them.")
    commands.delete_command(command=row, by=None)
    last = history.deleted("command", member(alice)).get()
    assert (last.entity, last.verb, last.document["prompt"]) == (row.pk, "delete", "Welcome them.")
    restored = history.restore(last, by=alice)
    assert isinstance(restored, Command)
    assert (restored.pk, restored.slug, restored.prompt) == (row.pk, "greet", "Welcome them.")
    assert not history.deleted("command", member(alice)).exists()
    assert (entity_news[-1]["change"].verb, entity_news[-1]["pk"]) == ("create", row.pk)
    assert [it.number for it in history.revisions("command", row.pk, member(alice))] == [4, 3, 2, 1]
    for seen in (1, 2, 3):
        with pytest.raises(Stale):
            commands.edit_command(command=restored, values=GREET, seen_revision=seen, by=alice)


def test_a_slug_that_another_has_by_now_is_told(acme: Organization, alice: User) -> None:
    row = greet(acme)
    commands.delete_command(command=row, by=None)
    other = greet(acme)
    with pytest.raises(Invalid, match="already a command with the slug “greet”"):
        history.restore(revision(row, 2), by=alice)
    edit(other, slug="hello")
    assert history.restore(revision(row, 2), by=alice).pk == row.pk


def test_a_skill_comes_back_with_its_files(acme: Organization, alice: User) -> None:
    values = {"name": "Forms", "description": "Fills in forms.", "front_matter": {"license": "MIT"}}
    files: dict[str, bytes | None] = {"a.bin": b"\0\xff", "b/c.md": b"c"}
    row = skills.create_skill(organization=acme, values={**values, "files": files}, by=None)
    before = document_of(row)
    changes = {"a.bin": b"new", "b/c.md": None, "d": b"d"}
    row = skills.edit_skill(skill=row, values={"files": changes}, seen_revision=1, by=None)
    history.restore(revision(row, 1), by=alice)
    assert document_of(row) == before
    skills.delete_skill(skill=row, by=None)
    history.restore(revision(row, 4), by=alice)
    restored = Skill.objects.get(pk=row.pk)
    assert document_of(restored) == before
    assert {it.path: bytes(it.blob.data) for it in restored.files.all()} == files


def test_what_is_gone_by_then_is_left_out_and_told(acme: Organization, alice: User, docs: Server) -> None:
    tool, kept = (factories.tool(factories.provider(docs), name) for name in ("gone", "kept"))
    command = factories.command(acme, "Greet")
    row = toolkits.create_toolkit(
        organization=acme,
        values={"name": "Weather", "tools": [tool.pk, kept.pk], "commands": [command.pk]},
        by=None,
    )
    client = clients.create_client(
        organization=acme, values={"name": "Editor", "servers": [docs.pk], "toolkits": [row.pk]}, by=None
    )
    clients.delete_client(client=client, by=None)
    toolkits.delete_toolkit(toolkit=row, by=None)
    tools.delete_tool(tool=tool, by=None)
    commands.delete_command(command=command, by=None)
    (toolkit_lost,) = history.lost(revision(client, 2))
    tool_lost, command_lost = history.lost(revision(row, 2))
    assert "no toolkit “weather”" in toolkit_lost
    assert "“docs” has no tool “gone”. It has kept." in tool_lost
    assert "no command “greet”" in command_lost
    history.restore(revision(row, 2), by=alice)
    history.restore(revision(client, 2), by=alice)
    assert document_of(Toolkit.objects.get())["servers"] == {"docs": {"tools": ["kept"]}}
    assert document_of(Client.objects.get())["toolkits"] == ["weather"]
    assert history.lost(revision(client, 1)) == []


def test_a_personal_history_is_its_owners_alone(acme: Organization, alice: User, bob: User, charlie: User) -> None:
    row = greet(acme, alice)
    commands.delete_command(command=row, by=alice)
    assert history.revisions("command", row.pk, member(alice)).count() == 2
    assert history.deleted("command", member(alice)).count() == 1
    for other in (bob, charlie):
        assert not history.revisions("command", row.pk, member(other)).exists()
        assert not history.deleted("command", member(other)).exists()
        with pytest.raises(PermissionDenied):
            history.restore(revision(row, 1), by=other)
    restored = history.restore(revision(row, 1), by=alice)
    assert isinstance(restored, Command)
    assert restored.owner == alice
    commands.share_command(command=restored, by=alice)
    assert [it.verb for it in history.revisions("command", row.pk, member(bob))] == ["share"]
    edit(restored, prompt="Everybody's.")
    history.restore(revision(row, 1), by=alice)
    assert (Command.objects.get().owner, Command.objects.get().prompt) == (None, "Say hello.")


def test_a_personal_toolkit_comes_back_with_what_is_personal(
    acme: Organization, alice: User, bob: User, docs: Server
) -> None:
    factories.command(acme, "Greet", owner=bob)
    factories.command(acme, "Greet")
    mine = factories.command(acme, "Greet", owner=alice)
    values = {"name": "Mine", "commands": [mine.pk]}
    row = toolkits.create_toolkit(organization=acme, values=values, by=alice, owner=alice)
    toolkits.delete_toolkit(toolkit=row, by=alice)
    assert history.lost(revision(row, 2)) == []
    restored = history.restore(revision(row, 2), by=alice)
    assert isinstance(restored, Toolkit)
    assert list(restored.commands.all()) == [mine]


def test_others_do_not_see_an_organisations_history(acme: Organization, charlie: User) -> None:
    row = greet(acme)
    commands.delete_command(command=row, by=None)
    assert not history.revisions("command", row.pk, member(charlie)).exists()
    assert not history.deleted("command", member(charlie)).exists()


def test_lists_take_one_query_whatever_their_length(acme: Organization, carol: User) -> None:
    for _ in range(5):
        commands.delete_command(command=greet(acme), by=None)
    membership = member(carol)
    with CaptureQueriesContext(connection) as queries:
        assert [it.by for it in history.deleted("command", membership)] == [None] * 5
    assert len(queries) == 1


def test_what_was_shared_comes_back_as_the_organisations_whoever_had_it_before(
    acme: Organization, alice: User, bob: User
) -> None:
    row = greet(acme, alice)
    commands.share_command(command=row, by=alice)
    commands.delete_command(command=Command.objects.get(), by=bob)
    restored = history.restore(revision(row, 1), by=alice)
    assert restored.pk == row.pk
    assert Command.objects.get().owner is None


def test_what_was_shared_comes_back_without_what_is_still_somebodys_own(acme: Organization, alice: User) -> None:
    own = greet(acme, alice)
    values = {"name": "Mine", "commands": [own.pk]}
    row = toolkits.create_toolkit(organization=acme, values=values, by=alice, owner=alice)
    row = toolkits.edit_toolkit(toolkit=row, values={"commands": []}, seen_revision=None, by=alice)
    toolkits.share_toolkit(toolkit=row, by=alice)
    toolkits.delete_toolkit(toolkit=Toolkit.objects.get(), by=alice)
    first = revision(row, 1)
    assert history.lost(first) == ["There is no command “greet”."]
    history.restore(first, by=alice)
    assert (Toolkit.objects.get().owner, Toolkit.objects.get().commands.count()) == (None, 0)

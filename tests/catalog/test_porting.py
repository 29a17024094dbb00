"""Rows as documents and back, by the rules of the pages, for what syncs with a repository."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import porting
from catalog.file_blobs import oid_of
from catalog.models import Client, Command, EntityRevision, Server, Skill, Toolkit
from catalog.portable import reading, writing
from catalog.portable.model import BadFile, Code, Definition, Kind, Unit
from catalog.portable.normal import normal
from catalog.revisions import Source
from catalog.saving import Stale
from orgs.models import AuditEvent, Organization, User
from tests import factories

GIT = Source(kind="git", commit="a" * 40, url="https://git.example.com/commit/a")
GREET: dict[str, Any] = {
    "name": "Greet",
    "slug": "greet",
    "description": "Says hello.",
    "arguments": [{"name": "who", "required": True}, {"name": "how", "description": "Warmly"}],
    "prompt": "Say hello to {{who}} {{how}}.",
}


def definition(kind: Kind, document: dict[str, Any], data: dict[str, bytes] | None = None) -> Definition:
    return Definition(kind, "", document["slug"], document["name"], document, raw={}, data=data or {})


def apply(
    org: Organization,
    kind: Kind,
    document: dict[str, Any],
    *,
    pk: UUID | None = None,
    seen: int | None = None,
    data: dict[str, bytes] | None = None,
    by: User | None = None,
) -> porting.Ours:
    what = definition(kind, document, data)
    return porting.apply(org, what, pk=pk, seen_revision=seen, by=by, source=GIT)


def refused(org: Organization, kind: Kind, document: dict[str, Any], **how: Any) -> list[tuple[Code, tuple[str, ...]]]:
    with pytest.raises(BadFile) as bad:
        apply(org, kind, document, **how)
    assert all(each.path and each.message for each in bad.value.problems)
    return [(each.code, each.fields) for each in bad.value.problems]


@pytest.fixture
def world(acme: Organization, docs: Server) -> dict[str, Any]:
    """A server with things, a command, a skill and a toolkit of all of it."""
    weather = factories.provider(docs)
    things: dict[str, Any] = {
        "tool": factories.tool(weather, "getWeather"),
        "prompt": factories.prompt(weather, "askWeather"),
        "resource": factories.resource(weather, "Guide", uri="docs://guide"),
        "command": factories.command(acme, "Greet"),
        "skill": factories.skill(acme, "Forms", {"scripts/a.py": b"print()\n", "b.bin": b"\0\xff"}),
    }
    chosen = (things["tool"], things["prompt"], things["resource"])
    things["toolkit"] = factories.toolkit(
        acme, "Weather", *chosen, commands=[things["command"]], skills=[things["skill"]]
    )
    things["client"] = factories.client(acme, "Editor", [docs], [things["toolkit"]], kind="editor")
    return {**things, "server": docs}


WEATHER = {
    "name": "Weather",
    "slug": "weather",
    "servers": {"docs": {"tools": ["getWeather"], "prompts": ["askWeather"], "resources": ["docs://guide"]}},
    "commands": ["greet"],
    "skills": ["forms"],
}


def test_documents_say_what_rows_hold(acme: Organization, world: dict[str, Any]) -> None:
    toolkit = porting.ours(acme, Kind.TOOLKIT)[world["toolkit"].pk]
    assert dict(toolkit.document) == WEATHER
    assert list(toolkit.document) == ["name", "slug", "servers", "commands", "skills"]
    client = porting.ours(acme, Kind.CLIENT)[world["client"].pk]
    assert dict(client.document) == {
        "name": "Editor",
        "slug": "editor",
        "kind": "editor",
        "servers": ["docs"],
        "toolkits": ["weather"],
    }
    skill = porting.ours(acme, Kind.SKILL)[world["skill"].pk]
    assert skill.files == {"b.bin": oid_of(b"\0\xff"), "scripts/a.py": oid_of(b"print()\n")}
    assert skill.document["files"] == skill.files
    assert porting.file_bytes(skill.pk, ["b.bin", "none"]) == {"b.bin": b"\0\xff"}


@pytest.mark.parametrize("kind", [Kind.COMMAND, Kind.SKILL, Kind.TOOLKIT, Kind.CLIENT])
def test_a_document_is_in_normal_form_and_applied_to_another_organisation_the_same(
    acme: Organization, world: dict[str, Any], kind: Kind, charlie: User
) -> None:
    here = porting.ours(acme, kind)[world[kind].pk]
    document = dict(here.document)
    assert normal(kind, document) == document
    assert apply(acme, kind, document, pk=here.pk, seen=here.revision) == here, "Nothing changed."
    type(world[kind]).objects.filter(pk=here.pk).delete()
    data = {"scripts/a.py": b"print()\n", "b.bin": b"\0\xff"} if kind is Kind.SKILL else None
    again = apply(acme, kind, document, data=data)
    assert (again.document, again.slug, again.name, again.revision) == (document, here.slug, here.name, 1)
    assert list(again.document) == list(document)
    assert again.pk != here.pk


@pytest.mark.parametrize("kind", [Kind.COMMAND, Kind.SKILL, Kind.TOOLKIT, Kind.CLIENT])
def test_a_document_written_and_read_is_the_same(acme: Organization, world: dict[str, Any], kind: Kind) -> None:
    here = porting.ours(acme, kind)[world[kind].pk]
    data = porting.file_bytes(here.pk, list(here.files))
    files = writing.write(kind, id="1", document=here.document, data=data, schema_url="https://x.example.com/s")
    unit = Unit(
        kind,
        here.slug,
        f"skills/{here.slug}" if kind is Kind.SKILL else next(iter(files)),
        {path: oid_of(content) for path, content in files.items()},
    )
    read = reading.read(unit, files)
    assert read.document == here.document
    done = porting.apply(acme, read, pk=here.pk, seen_revision=1, by=None, source=GIT)
    assert done == here


def test_what_git_says_is_saved_with_its_commit(acme: Organization, alice: User) -> None:
    made = apply(acme, Kind.COMMAND, GREET, by=alice)
    row = Command.objects.get()
    assert (row.pk, row.prompt, dict(made.document)) == (made.pk, GREET["prompt"], GREET)
    revision = EntityRevision.objects.get()
    assert (revision.source, revision.commit, revision.commit_url, revision.by) == ("git", GIT.commit, GIT.url, alice)
    renamed = apply(acme, Kind.COMMAND, {**GREET, "slug": "hello", "name": "Hello"}, pk=made.pk, seen=1)
    assert (renamed.pk, renamed.slug, renamed.revision) == (made.pk, "hello", 2)
    with pytest.raises(Stale):
        apply(acme, Kind.COMMAND, GREET, pk=made.pk, seen=1)
    assert apply(acme, Kind.COMMAND, GREET, pk=made.pk).revision == 3
    porting.remove(acme, Kind.COMMAND, made.pk, by=None, source=GIT)
    porting.remove(acme, Kind.COMMAND, made.pk, by=None, source=GIT)
    assert EntityRevision.objects.filter(verb="delete", source="git").count() == 1
    with pytest.raises(Command.DoesNotExist):
        apply(acme, Kind.COMMAND, GREET, pk=made.pk)


def test_rules_of_the_pages_hold_and_tell_their_places(acme: Organization) -> None:
    assert refused(acme, Kind.COMMAND, {**GREET, "name": " ", "slug": "con", "prompt": "{{town}}"}) == [
        (Code.VALIDATION_FAILED, ("/name",)),
        (Code.VALIDATION_FAILED, ("/slug",)),
        (Code.VALIDATION_FAILED, ("/prompt",)),
    ]
    twice = [{"name": "who"}, {"name": "how"}, {"name": "who"}]
    assert refused(acme, Kind.COMMAND, {**GREET, "arguments": twice}) == [
        (Code.VALIDATION_FAILED, ("/arguments/2/name",))
    ]
    skill = {"name": "A", "slug": "a", "description": "A", "frontMatter": {"name": "B"}, "files": {"../x": oid_of(b"")}}
    assert refused(acme, Kind.SKILL, skill, data={"../x": b""}) == [
        (Code.VALIDATION_FAILED, ("/frontMatter",)),
        (Code.VALIDATION_FAILED, ("/files/..~1x",)),
    ]
    assert refused(acme, Kind.CLIENT, {"name": "A", "slug": "a", "kind": "toaster"}) == [
        (Code.VALIDATION_FAILED, ("/kind",))
    ]
    assert not EntityRevision.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("kind", [Kind.COMMAND, Kind.SKILL, Kind.TOOLKIT, Kind.CLIENT])
def test_a_slug_that_another_has_is_told_and_that_of_a_personal_one_is_free(
    acme: Organization, alice: User, kind: Kind
) -> None:
    make: Any = getattr(factories, kind)
    document = {"name": "Same", "slug": "same", "description": "D", **({"prompt": "P"} if kind is Kind.COMMAND else {})}
    if kind is not Kind.CLIENT:
        make(acme, "Same", owner=alice)
    first = apply(acme, kind, document)
    assert refused(acme, kind, document) == [(Code.DUPLICATE_SLUG, ("/slug",))]
    other = make(acme, "Other")
    assert refused(acme, kind, document, pk=other.pk) == [(Code.DUPLICATE_SLUG, ("/slug",))]
    assert porting.ours(acme, kind)[first.pk].slug == "same"


def test_all_that_is_missing_is_named(acme: Organization, world: dict[str, Any], alice: User, charlie: User) -> None:
    factories.server(acme, "Hers", slug="hers", owner=alice)
    factories.server(charlie.memberships.get().organization, "Theirs", slug="theirs")
    factories.command(acme, "Diary", owner=alice)
    things = {"tools": ["getWeather", "a", "b"], "prompts": ["getWeather"], "resources": ["docs://x"]}
    document = {
        "name": "All",
        "slug": "all",
        "servers": {"docs": things, "hers": {"tools": ["x"]}, "theirs": {}, "none": {}},
        "commands": ["diary", "greet"],
        "skills": ["greet"],
    }
    assert sorted(refused(acme, Kind.TOOLKIT, document)) == [
        (Code.MISSING_ENTITY, ("diary",)),
        (Code.MISSING_ENTITY, ("greet",)),
        (Code.MISSING_INTEGRATION, ("hers",)),
        (Code.MISSING_INTEGRATION, ("none",)),
        (Code.MISSING_INTEGRATION, ("theirs",)),
        (Code.MISSING_TOOL, ("a",)),
        (Code.MISSING_TOOL, ("b",)),
        (Code.MISSING_TOOL, ("docs://x",)),
        (Code.MISSING_TOOL, ("getWeather",)),
    ]
    client = {"name": "A", "slug": "a", "servers": ["docs", "hers"], "toolkits": ["weather", "none"]}
    assert refused(acme, Kind.CLIENT, client) == [
        (Code.MISSING_INTEGRATION, ("hers",)),
        (Code.MISSING_ENTITY, ("none",)),
    ]
    assert not Toolkit.objects.filter(slug="all").exists()
    assert not Client.objects.filter(slug="a").exists()


def test_a_tool_of_one_server_is_not_taken_for_that_of_another(acme: Organization, docs: Server) -> None:
    other = factories.server(acme, "Other", slug="other")
    factories.tool(factories.provider(docs), "mine")
    factories.tool(factories.provider(other), "theirs")
    both = factories.tool(factories.provider(docs), "both")
    factories.tool(factories.provider(other), "both")
    document = {"name": "A", "slug": "a", "servers": {"docs": {"tools": ["both"]}, "other": {"tools": ["theirs"]}}}
    made = apply(acme, Kind.TOOLKIT, document)
    assert made.document["servers"] == document["servers"]
    assert Toolkit.objects.get().items.filter(tool=both).exists()


def test_a_personal_row_of_another_organisations_or_another_kind_is_not_there(
    acme: Organization, alice: User, charlie: User
) -> None:
    other = charlie.memberships.get().organization
    forged = [factories.command(acme, owner=alice).pk, factories.command(other).pk, factories.skill(acme).pk, uuid4()]
    for pk in forged:
        with pytest.raises(Command.DoesNotExist):
            apply(acme, Kind.COMMAND, GREET, pk=pk)
        porting.remove(acme, Kind.COMMAND, pk, by=None, source=GIT)
    assert Command.objects.count() == 2
    assert Skill.objects.count() == 1
    assert porting.ours(acme, Kind.COMMAND, only=forged) == {}
    assert porting.revisions(acme, Kind.COMMAND) == {}


def test_files_of_a_skill_come_with_their_bytes_or_are_those_it_has(
    acme: Organization, world: dict[str, Any], charlie: User
) -> None:
    skill = world["skill"]
    document = dict(porting.ours(acme, Kind.SKILL)[skill.pk].document)
    moved = {"moved.py": oid_of(b"print()\n"), "new.md": oid_of(b"new")}
    made = apply(acme, Kind.SKILL, {**document, "files": moved}, pk=skill.pk, data={"new.md": b"new"})
    assert made.files == moved
    theirs = factories.skill(acme, "Theirs", {"secret.md": b"theirs"}).files.get().blob
    for forged in (theirs.oid, oid_of(b"nowhere")):
        files = {**moved, "forged.md": forged}
        assert refused(acme, Kind.SKILL, {**document, "files": files}, pk=skill.pk) == [(Code.FETCH_FAILED, ())]
    assert apply(acme, Kind.SKILL, {**document, "files": {}}, pk=skill.pk).files == {}
    assert "files" not in porting.ours(acme, Kind.SKILL)[skill.pk].document


def test_nothing_personal_is_there(acme: Organization, alice: User) -> None:
    mine = factories.server(acme, "Mine", slug="mine", owner=alice)
    factories.tool(factories.provider(mine), "secretTool")
    for make in (factories.command, factories.skill, factories.toolkit):
        make(acme, "Mine", owner=alice)
    there = porting.there(acme)
    assert not any((there.servers, there.commands, there.skills, there.toolkits))
    for kind in Kind:
        assert porting.ours(acme, kind) == {}
        assert porting.revisions(acme, kind) == {}


def test_what_is_there_is_told_by_its_names(acme: Organization, world: dict[str, Any]) -> None:
    there = porting.there(acme)
    assert there.servers["docs"].tools == {"getWeather"}
    assert there.servers["docs"].prompts == {"askWeather"}
    assert there.servers["docs"].resources == {"docs://guide"}
    assert (set(there.commands), set(there.skills), set(there.toolkits)) == ({"greet"}, {"forms"}, {"weather"})


def test_all_of_it_takes_as_many_queries_as_one(acme: Organization, world: dict[str, Any]) -> None:
    def counted() -> list[int]:
        counts = []
        for kind in (Kind.COMMAND, Kind.SKILL, Kind.TOOLKIT, Kind.CLIENT):
            with CaptureQueriesContext(connection) as queries:
                porting.ours(acme, kind)
            counts.append(len(queries))
            with CaptureQueriesContext(connection) as queries:
                porting.revisions(acme, kind)
            assert len(queries) == 1
        with CaptureQueriesContext(connection) as queries:
            porting.there(acme)
        return [*counts, len(queries)]

    few = counted()
    for number in range(10):
        server = factories.server(acme)
        provider = factories.provider(server)
        things = (factories.tool(provider), factories.prompt(provider), factories.resource(provider))
        made = [factories.command(acme)], [factories.skill(acme, "", {f"{number}.md": b"x"})]
        toolkit = factories.toolkit(acme, "", *things, commands=made[0], skills=made[1])
        factories.client(acme, "", [server], [toolkit])
    assert counted() == few == [1, 2, 6, 3, 7]


def test_applying_takes_as_many_queries_for_much_as_for_little(acme: Organization, docs: Server) -> None:
    provider = factories.provider(docs)
    names = sorted(factories.tool(provider).name for _ in range(30))
    counts = []
    for many in (3, 30):
        slug = f"toolkit-{many}"
        document = {"name": slug, "slug": slug, "servers": {"docs": {"tools": names[:many]}}}
        with CaptureQueriesContext(connection) as queries:
            apply(acme, Kind.TOOLKIT, document)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_state_in_git_is_no_change(acme: Organization, world: dict[str, Any]) -> None:
    for kind in Kind:
        row = world[kind]
        before = type(row).objects.get(pk=row.pk)
        porting.set_state(kind, row.pk, {"state": "error"})
        after = type(row).objects.get(pk=row.pk)
        assert after.git_integration == {"state": "error"}
        assert after.updated_at == before.updated_at
    assert porting.ours(acme, Kind.COMMAND)[world["command"].pk].revision == 1


def test_a_server_is_applied_and_removed_like_the_others(acme: Organization, docs: Server, alice: User) -> None:
    command = factories.command(acme, "Greet")
    made = apply(acme, Kind.SERVER, {"name": "New", "slug": "fresh", "visibility": "private", "commands": ["greet"]})
    assert porting.ours(acme, Kind.SERVER, only=[made.pk]) == {made.pk: made}
    assert list(Server.objects.get(pk=made.pk).commands.all()) == [command]
    assert porting.revisions(acme, Kind.SERVER)[made.pk] == (made.revision, "fresh", "New")
    porting.remove(acme, Kind.SERVER, made.pk, by=alice, source=GIT)
    assert set(porting.revisions(acme, Kind.SERVER)) == {docs.pk}

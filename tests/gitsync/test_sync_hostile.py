"""What must not happen to a mirror, whoever wants it: decisions about something else, deletions on doubt, one bad file
that stops all."""

from __future__ import annotations

import time
from typing import Any

import pytest

from catalog import servers
from catalog.models import Command, EntityRevision, Provider
from forges.clients.base import Entry, EntryKind
from gitsync.mirror import comparing
from gitsync.mirror.there import found_in
from gitsync.models import EntityState, Mirror, MirroredEntity
from jobs.models import Run, Status, Trigger
from orgs.models import Membership, User
from tests.gitsync.mirror_world import ALL, HELLO, SKILL, WEATHER, Begin, Mirrored, begin, command, dumps, skill, work
from tests.wire.repos import Submodule, Symlink

__all__ = ["begin"]

pytestmark = pytest.mark.django_db

WEATHER_AT = "mcp-servers/weather.json"


def at_host(host: str) -> dict[str, Any]:
    """The server's file with its provider at another host."""
    return {**WEATHER, "providers": [{**WEATHER["providers"][0], "baseUrl": f"https://{host}/v1"}]}


def many(count: int) -> dict[str, Any]:
    return {f"commands/c{number}.json": command(f"c{number}", id=f"id-{number}") for number in range(count)}


# -- decisions ---------------------------------------------------------------------------------------------------------


def test_who_agreed_to_one_host_agreed_to_no_other(begin: Begin) -> None:
    made = begin(files={WEATHER_AT: WEATHER})
    made.commit({WEATHER_AT: at_host("new.example.net")})
    made.sync()
    assert made.states() == {WEATHER_AT: EntityState.CONFIRM}
    made.decide(WEATHER_AT, "confirm")
    made.commit({WEATHER_AT: at_host("evil.example.org")})
    work()
    assert Provider.objects.get().base_url == WEATHER["providers"][0]["baseUrl"]
    assert made.states() == {WEATHER_AT: EntityState.CONFIRM}
    made.settle(WEATHER_AT, "confirm")
    assert Provider.objects.get().base_url == "https://evil.example.org/v1"


def test_what_came_after_a_decision_is_not_done_in_the_name_of_who_decided(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.edit("commands/hello.json", prompt="Theirs, {{who}}.")
    made.sync()
    made.decide("commands/hello.json", "theirs")
    made.edit("commands/hello.json", prompt="Something else, {{who}}.")
    work()
    assert made.states() == {"commands/hello.json": EntityState.CONFLICT}, "it is asked again"
    assert made.row("command", "hello").prompt == "Ours, {{who}}."


@pytest.mark.parametrize("choice", ["theirs", "ours"])
def test_what_somebody_decided_who_may_not_any_more_is_asked_again(choice: str, begin: Begin, bob: User) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.edit("commands/hello.json", prompt="Theirs, {{who}}.")
    made.sync()
    Membership.objects.filter(user=bob, organization=made.organization).update(role="admin")
    head = made.head
    Mirrored(made.forge, made.key, made.hosted, made.organization, bob).decide("commands/hello.json", choice)
    Membership.objects.filter(user=bob, organization=made.organization).delete()
    made.sync(Trigger.SCHEDULE)
    assert made.states() == {"commands/hello.json": EntityState.CONFLICT}
    assert made.row("command", "hello").prompt == "Ours, {{who}}."
    assert made.head == head
    assert not EntityRevision.objects.filter(by=bob).exists()
    assert MirroredEntity.objects.get().settle == {}


def test_an_error_is_overridden_by_an_edit_of_it_alone(begin: Begin) -> None:
    """Not by what becomes of its document because something that it names is called otherwise."""
    made = begin(files=ALL)
    made.edit("toolkits/forecasts.json", description="Theirs.", commands=["hello", "not-there"])
    made.sync()
    assert made.problem("toolkits/forecasts.json")["code"] == "MISSING_ENTITY"
    made.save("command", "hello", slug="greet")
    made.sync()
    assert made.json("toolkits/forecasts.json")["description"] == "Theirs.", "nobody had a look at it"
    made.save("toolkit", "forecasts", description="Ours.")
    made.sync()
    assert made.json("toolkits/forecasts.json")["description"] == "Ours."


# -- deletions ---------------------------------------------------------------------------------------------------------


def test_most_of_it_gone_at_once_waits_for_a_person_until_the_last_one(begin: Begin) -> None:
    made = begin(files=many(12), apply_deletions=True)
    made.commit(dict.fromkeys(many(12)), "Empty the folder")
    made.sync()
    assert len(made.states()) == 12
    for number in (0, 1, 2):
        made.settle(f"commands/c{number}.json", "restore")
    assert Command.objects.count() == 12, "nor are those that are left few enough now"
    assert len(made.states()) == 9
    made.settle("commands/c5.json", "delete")
    assert Command.objects.count() == 11


def test_more_than_half_is_most_of_it_although_it_is_few(begin: Begin) -> None:
    made = begin(files=many(12), apply_deletions=True)
    made.commit(dict.fromkeys(many(7)), "Delete seven")
    made.sync()
    assert Command.objects.count() == 12
    made.commit({**many(7), **dict.fromkeys(list(many(12))[7:])}, "Bring them back, and delete the other five")
    made.sync()
    assert Command.objects.count() == 7
    made.assert_in_step()


def test_what_is_told_of_an_entity_goes_with_it_also_after_half_a_listing(begin: Begin) -> None:
    made = begin(files={**{f"z/{number}.md": "x" for number in range(9)}, "commands/a.json": command("a", id="id-a")})
    made.commit({"commands/hello.json": HELLO})
    made.create("command", name="Hello", slug="hello", prompt="Ours.")
    made.sync()
    assert made.states().keys() == {"commands/hello.json"}
    made.save("command", "hello", slug="greet")
    made.commit({"commands/greet.json": command("greet", id="other")})
    made.forge.caps.tree_entries = 4
    run = made.tried()
    assert run.status == Status.PARTIAL, run.error_text
    made.forge.caps.tree_entries = 100_000
    made.sync()


@pytest.mark.parametrize("at", ["skills/pdf-forms", "skills"])
def test_what_a_link_or_submodule_stands_for_is_not_gone(at: str, begin: Begin) -> None:
    made = begin(files=SKILL, apply_deletions=True)
    made.commit({**dict.fromkeys(SKILL), at: Submodule("1" * 40)}, "Make it a repository of its own")
    made.sync()
    assert set(made.here()) == {"skills/pdf-forms"}
    assert made.states().keys() == {"skills/pdf-forms"}


def test_a_file_where_the_directory_was_deletes_nothing(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO}, directory="base/all", apply_deletions=True)
    made.hosted.git.commit({"base/all/commands/hello.json": None, "base": "Gone.\n"})
    made.sync()
    assert set(made.here()) == {"commands/hello.json"}


def test_more_strange_files_than_are_told_hide_no_entity(begin: Begin) -> None:
    strange = {f"commands/deep/{number}.json": "{}\n" for number in range(1001)}
    made = begin(files={**SKILL, "skills/tea/SKILL.md": skill("tea")}, apply_deletions=True)
    made.commit({**strange, "skills/pdf-forms/SKILL.md": None})
    made.sync()
    assert set(made.here()) == {"skills/pdf-forms", "skills/tea"}


@pytest.mark.parametrize("key", ["github", "gitlab", "bitbucket", "git"])
def test_a_repository_that_has_no_commit_any_more_deletes_nothing_and_is_not_begun_anew(key: str, begin: Begin) -> None:
    made = begin(key, ALL, apply_deletions=True)
    before = made.head
    made.hosted.git.delete_branch("main")
    run = made.tried()
    assert set(made.here()) == {
        "commands/hello.json",
        WEATHER_AT,
        "toolkits/forecasts.json",
        "mcp-clients/desk.json",
        "skills/pdf-forms",
    }
    assert made.states() == {}
    assert made.hosted.git.empty
    assert run.status == Status.FAILED
    assert "no commit any more" in made.mirror.problem_text
    made.hosted.git.branch("main", at=before)
    made.sync()
    made.assert_in_step()


def test_what_was_saved_while_the_listing_was_not_whole_is_no_less_a_change(begin: Begin, alice: User) -> None:
    made = begin(files=ALL)
    made.forge.caps.tree_entries = 2
    made.commit({"a.md": "So that the head moves.\n"})
    server = made.row("server", "weather")
    servers.edit_server(
        server=server,
        values={**{name: getattr(server, name) for name in servers.FIELDS}, "description": "Ours."},
        seen_revision=server.config_revision,
        by=alice,
    )
    made.tried()
    made.forge.caps.tree_entries = 100_000
    made.edit(WEATHER_AT, description="Theirs.")
    made.sync()
    assert made.row("server", "weather").description == "Ours."
    assert made.states() == {WEATHER_AT: EntityState.CONFLICT}


# -- one bad file ------------------------------------------------------------------------------------------------------


BAD: dict[str, Any] = {
    "commands/nul.json": dumps(command("nul", extra="a\0b")),
    "commands/half.json": '{"name": "Half", "slug": "half", "prompt": "x", "extra": "\\ud800"}',
    "commands/large.json": '{"name": "L", "slug": "large", "prompt": "x", "extra": 1e999}',
    "commands/digits.json": '{"name": "L", "slug": "digits", "prompt": "x", "extra": ' + "9" * 5000 + "}",
    "commands/deep.json": '{"name": "D", "slug": "deep", "prompt": "x", "extra": ' + "[" * 5000 + "]" * 5000 + "}",
    "commands/list.json": "[]",
    "commands/empty.json": "",
    "commands/utf16.json": '{"name": "U"}'.encode("utf-16"),
    "commands/id.json": dumps(command("id", id=7)),
    "commands/long-id.json": dumps(command("long-id", id="x" * 65)),
    "commands/name.json": dumps(command("name", id="ok-name") | {"name": "x" * 5000}),
    "commands/nan.json": '{"name": "N", "slug": "nan", "prompt": "x", "extra": NaN}',
    "commands/proto.json": dumps(command("proto", **{"$schema": 3, "__proto__": {}})),
    "commands/schema.json": dumps(command("schema", **{"$schema": "x/schemas/v999999999/command.json"})),
    "toolkits/t.json": dumps({"name": "T", "slug": "t", "servers": {"x": {"tools": [1]}}}),
    "toolkits/u.json": dumps({"name": "T", "slug": "u", "servers": []}),
    "mcp-clients/c.json": dumps({"name": "C", "slug": "c", "kind": {"a": 1}}),
    "mcp-servers/s.json": dumps({"name": "S", "slug": "s", "providers": [{"name": 1}]}),
    "mcp-servers/con.json": dumps({"name": "S", "slug": "con", "providers": "x"}),
    "skills/date/SKILL.md": "---\nname: date\ndescription: x\nlicense: 2020-01-01\nextra: .nan\n1: 2\n---\nx\n",
    "skills/bomb/SKILL.md": "---\nname: &a bomb\ndescription: [*a, *a]\n---\nx\n",
    "skills/tag/SKILL.md": "---\nname: !!python/object:os.system x\ndescription: x\n---\nx\n",
    "skills/nul/SKILL.md": '---\nname: nul\ndescription: x\nextra: "a\\0b"\n---\nx\0y\n',
    "skills/list/SKILL.md": "---\n- a\n---\n",
    "skills/meta/SKILL.md": "---\nname: meta\ndescription: x\nmetadata: [1]\n---\n",
    "skills/meta-id/SKILL.md": "---\nname: meta-id\ndescription: x\nmetadata:\n  millrace-id: [1]\n---\n",
    "skills/folder/SKILL.md/x.md": "x",
    "skills/line\nbreak/SKILL.md": skill("line"),
    "skills/paths/SKILL.md": skill("paths"),
    "skills/paths/assets/a\tb\x7f": "x",
    "commands/new\nline.json": dumps(command("new-line")),
    "commands/link.json": Symlink("../../../etc/passwd"),
    "toolkits/sub.json": Submodule("2" * 40),
}


def test_no_file_keeps_the_others_from_being_synced(begin: Begin) -> None:
    made = begin(files=BAD | {"commands/hello.json": HELLO})
    assert made.row("command", "hello").prompt == HELLO["prompt"]
    assert Run.objects.filter(status=Status.FAILED).count() == 0
    first = len(made.states())
    head = made.head
    made.sync()
    assert (len(made.states()), made.head) == (first, head)


def test_a_conflict_with_a_file_that_no_database_can_keep_is_told(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.edit("commands/hello.json", prompt="Theirs, {{who}}.", extra="a\0b")
    made.sync()
    assert made.states().keys() == {"commands/hello.json"}


def test_what_is_more_than_one_sync_can_have_in_mind_waits_for_the_next(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "MOST_READ", 1 << 20)
    body = "x" * 600_000
    made = begin(files={f"skills/s{number}/SKILL.md": skill("s", body=body) for number in range(5)})
    assert len(made.here()) < 5
    assert {row.error["code"] for row in MirroredEntity.objects.filter(state="error")} == {"FETCH_FAILED"}
    for _ in range(3):
        made.sync()
    assert len(made.here()) == 5
    made.assert_in_step()


def test_hostile_trees_take_no_time_to_look_through() -> None:
    """Each unit is found by its own files: what grows with all that is there for each of them takes hours."""
    skills = [f"skills/s{number}" for number in range(10_000)]
    tree = {f"{each}/l": Entry(f"{each}/l", "1" * 40, None, EntryKind.SYMLINK) for each in skills}
    tree |= {f"{each}/SKILL.md": Entry(f"{each}/SKILL.md", "2" * 40, 1, EntryKind.FILE) for each in skills}
    tree |= {
        path: Entry(path, "3" * 40, 1, EntryKind.FILE)
        for number in range(1_000)
        for path in (f"skills/b{number}/{name}" for name in range(40))
    }
    before = time.process_time()
    assert len(found_in(tree)) == 11_000
    assert time.process_time() - before < 5


def test_a_secret_in_a_file_is_kept_nowhere(begin: Begin) -> None:
    secret = "ghp_" + "Ab1" * 12
    made = begin(files={"commands/hello.json": HELLO})
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.commit(
        {
            "commands/hello.json": {**HELLO, "prompt": secret},
            "commands/broken.json": '{"prompt": "' + secret + '", }',
            "commands/slugged.json": dumps({**command("other"), "slug": secret}),
            "skills/x/SKILL.md": skill("x"),
            f"skills/x/{secret}.md": "x",
        }
    )
    made.sync()
    assert len(made.states()) == 4
    told = MirroredEntity.objects.values("name", "path", "error", "theirs", "document")
    rows = Command.objects.values("git_integration", "prompt")
    assert secret not in repr(
        [*told, *rows, *Run.objects.values("result", "error_text", "stage"), *Mirror.objects.values()]
    )

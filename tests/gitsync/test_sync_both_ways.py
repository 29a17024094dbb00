"""What is saved here is in git and what is committed there is here, of every kind and at every forge."""

from __future__ import annotations

import json

import pytest

from catalog import commands
from catalog.models import Client, Command, EntityRevision, Skill, Toolkit
from catalog.portable.model import SKILL_FILE
from gitsync.models import MirroredEntity
from jobs.models import Status
from orgs.models import Organization, User
from tests import factories
from tests.gitsync.conftest import FORGES, changed, git
from tests.gitsync.mirror_world import ALL, HELLO, PIXEL, SKILL, UNITS, Begin, begin, command, dumps, skill

__all__ = ["begin"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("key", FORGES)
def test_a_repository_written_by_hand_is_here_after_one_sync_and_each_edit_goes_either_way(
    key: str, begin: Begin
) -> None:
    made = begin(key, ALL, synced=False)
    head = made.head
    run = made.sync()
    assert made.mirror.summary == "Synced 5 entities: 0 written, 5 read, 0 unchanged, 0 failed."
    assert run.status == Status.SUCCEEDED
    assert made.states() == {}
    assert set(made.here()) == UNITS
    assert made.there() == made.here()
    assert made.head == head or "skill" in made.subjects[0].lower(), "only SKILL.md had no id"
    assert made.row("skill", "pdf-forms").files.get(path="assets/pixel.png").blob.data == PIXEL
    toolkit = made.row("toolkit", "forecasts")
    assert [item.tool.name for item in toolkit.items.all()] == ["getForecast"]
    assert toolkit.clients.get().slug == "desk"

    # Each kind edited here,
    made.save("command", "hello", prompt="Say hello to {{who}}, twice.")
    made.save("skill", "pdf-forms", instructions="# How, now\n")
    made.save("toolkit", "forecasts", description="About tomorrow.")
    made.save("client", "desk", kind="agent")
    made.sync()
    assert made.json("commands/hello.json")["prompt"] == "Say hello to {{who}}, twice."
    assert "# How, now" in made.text("skills/pdf-forms/SKILL.md")
    assert made.json("toolkits/forecasts.json")["description"] == "About tomorrow."
    assert made.json("mcp-clients/desk.json")["kind"] == "agent"
    assert {path for _, path in changed(made.hosted)} == {
        "commands/hello.json",
        "skills/pdf-forms/SKILL.md",
        "toolkits/forecasts.json",
        "mcp-clients/desk.json",
    }, "one commit, and nothing else in it"

    # and in git.
    made.edit("commands/hello.json", description="Greets.")
    made.edit("toolkits/forecasts.json", name="Tomorrow")
    made.edit("mcp-clients/desk.json", name="The desk")
    made.edit("mcp-servers/weather.json", instructions="Ask twice.")
    made.commit({"skills/pdf-forms/scripts/fill.py": "print('twice')\n", "skills/pdf-forms/assets/pixel.png": None})
    made.sync()
    assert made.row("command", "hello").description == "Greets."
    assert made.row("toolkit", "forecasts").name == "Tomorrow"
    assert made.row("client", "desk").name == "The desk"
    assert made.row("server", "weather").instructions == "Ask twice."
    files = {each.path: bytes(each.blob.data) for each in made.row("skill", "pdf-forms").files.all()}
    assert files == {
        "scripts/fill.py": b"print('twice')\n",
        "references/by/country/swiss.md": "# Grüezi\n".encode(),
    }
    made.assert_in_step()


@pytest.mark.parametrize("key", FORGES)
def test_an_empty_repository_gets_its_first_commit_from_us(key: str, begin: Begin) -> None:
    made = begin(key, empty=True, synced=False)
    made.create("command", **{name: HELLO[name] for name in ("name", "slug", "prompt", "arguments")})
    made.create("client", name="Desk", slug="desk", kind="editor")
    made.sync()
    assert set(made.tree()) == {"README.md", "commands/hello.json", "mcp-clients/desk.json"}
    assert made.organization.name not in made.text("README.md"), "which is not scanned"
    assert len(made.subjects) == (2 if key == "github" else 1), "GitHub begins a repository with one file"
    assert made.subjects[0] == "Add client Desk and command Hello (Alice)"
    assert made.mirror.last_commit == made.head
    written = made.json("commands/hello.json")
    assert written["id"] == str(made.row("command", "hello").pk)
    assert written["$schema"].endswith("/schemas/v1/command.json")
    made.assert_in_step()


def test_an_empty_repository_and_an_empty_organisation_begin_with_a_readme(begin: Begin) -> None:
    made = begin(empty=True)
    assert set(made.tree()) == {"README.md"}
    assert made.subjects[0] == "Add a README about what is synced here"


def test_the_first_commit_says_what_it_brings_and_is_of_who_connected(begin: Begin, acme: Organization) -> None:
    for number in range(3):
        factories.command(acme, f"Greet {number}")
        factories.skill(acme, f"Forms {number}")
    factories.server(acme, "The weather of tomorrow")
    factories.toolkit(acme, "Forecasts and warnings")
    made = begin()
    assert made.subjects[0] == "Add 8 entities (Alice)"
    assert git(made.hosted, "log", "-1", "--format=%an", "main").strip() == "Alice"
    factories.command(acme, "Later")
    made.sync()
    assert made.subjects[0] == "Add command Later", "which she has nothing to do with"


@pytest.mark.parametrize("key", FORGES)
def test_our_own_push_coming_back_costs_one_request_and_makes_no_commit(key: str, begin: Begin) -> None:
    made = begin(key, ALL)
    made.save("command", "hello", description="Greets.")
    made.sync()
    commits, revisions = len(made.subjects), EntityRevision.objects.count()
    made.forge.requests.clear()
    made.sync(trigger="webhook")
    assert len(made.forge.requests) == 1, [request.line for request in made.forge.requests]
    assert len(made.subjects) == commits
    assert EntityRevision.objects.count() == revisions


def test_each_save_is_told_by_the_commit_with_its_author(begin: Begin, bob: User) -> None:
    made = begin(files=ALL)
    made.save("command", "hello", description="Greets.", by=bob)
    made.sync()
    assert "Hello" in made.subjects[0]
    assert git(made.hosted, "log", "-1", "--format=%an <%ae>", "main").strip() == "Bob <bob@acme.example>"
    made.delete("client", "desk", by=bob)
    made.sync()
    assert "Delete" in made.subjects[0]
    assert "Desk" in made.subjects[0]
    assert changed(made.hosted) == {("D", "mcp-clients/desk.json")}


def test_a_file_made_by_hand_gets_an_id_and_keeps_what_nobody_knows(begin: Begin) -> None:
    made = begin()
    made.commit({"commands/tidy-up.json": command("tidy-up", **{"x-team": {"on": ["call", 3]}, "$comment": "Ours."})})
    made.sync()
    row = made.row("command", "tidy-up")
    written = made.json("commands/tidy-up.json")
    assert written["id"] == str(row.pk)
    assert written["x-team"] == {"on": ["call", 3]}
    assert MirroredEntity.objects.get().file_id == str(row.pk)
    assert len(made.subjects) == 3

    made.save("command", "tidy-up", prompt="Tidy up.")
    made.sync()
    written = made.json("commands/tidy-up.json")
    assert (written["prompt"], written["x-team"], written["$comment"]) == ("Tidy up.", {"on": ["call", 3]}, "Ours.")
    made.assert_in_step()


def test_a_skill_made_by_hand_gets_its_id_into_the_metadata_and_keeps_its_front_matter(begin: Begin) -> None:
    made = begin()
    text = "---\nname: Tea\ndescription: Makes tea.\nx-mood: calm\nmetadata:\n  author: me\n---\n\nBoil water.\n"
    made.commit({"skills/tea/SKILL.md": text})
    made.sync()
    row = made.row("skill", "tea")
    now = made.text("skills/tea/SKILL.md")
    assert f"millrace-id: {row.pk}" in now.replace('"', "").replace("'", "")
    assert "x-mood: calm" in now
    assert "author: me" in now
    assert now.endswith("\nBoil water.\n")
    made.assert_in_step()


def test_what_somebody_formatted_by_hand_stays_until_it_changes_here(begin: Begin) -> None:
    odd = json.dumps(dict(reversed(HELLO.items())), separators=(",", ":"))
    made = begin(files={"commands/hello.json": odd})
    assert made.text("commands/hello.json") == odd
    made.save("command", "hello", description="Greets.")
    made.sync()
    assert made.text("commands/hello.json") != odd
    assert made.json("commands/hello.json")["description"] == "Greets."
    assert made.json("commands/hello.json")["id"] == "hello-1"


def test_a_skill_is_the_same_byte_for_byte_on_both_sides(begin: Begin) -> None:
    weird = bytes(range(256)) * 40
    made = begin(
        files={**SKILL, "skills/pdf-forms/assets/deep/down/raw.bin": weird, "skills/pdf-forms/a b.txt": "ü\r\n"}
    )
    made.save("skill", "pdf-forms", files={"assets/new.bin": weird[::-1], "scripts/fill.py": None})
    made.sync()
    folder = "skills/pdf-forms/"
    assert set(made.tree()) - {"README.md"} == {
        folder + path
        for path in (
            SKILL_FILE,
            "references/by/country/swiss.md",
            "assets/pixel.png",
            "assets/deep/down/raw.bin",
            "assets/new.bin",
            "a b.txt",
        )
    }
    assert made.bytes_of(folder + "assets/deep/down/raw.bin") == weird
    assert made.bytes_of(folder + "assets/new.bin") == weird[::-1]
    assert made.bytes_of(folder + "a b.txt") == "ü\r\n".encode()
    made.assert_in_step()


def test_a_skill_md_stays_as_somebody_wrote_it_while_only_other_files_of_the_skill_change_here(begin: Begin) -> None:
    text = "---\ndescription:   'Makes tea.'\nname: Tea\nmetadata: {millrace-id: tea-1}\n---\nBoil water.\n\n\n"
    made = begin(files={"skills/tea/SKILL.md": text, "skills/tea/a.md": "a\n"})
    made.save("skill", "tea", files={"a.md": b"b\n", "c.md": b"c\n"})
    made.sync()
    assert changed(made.hosted) == {("M", "skills/tea/a.md"), ("A", "skills/tea/c.md")}
    assert made.text("skills/tea/SKILL.md") == text
    made.assert_in_step()
    made.save("skill", "tea", instructions="Boil more water.", files={"c.md": None})
    made.sync()
    assert "Boil more water." in made.text("skills/tea/SKILL.md")
    assert "millrace-id: tea-1" in made.text("skills/tea/SKILL.md")
    made.assert_in_step()


def test_a_directory_of_the_repository_is_all_that_is_looked_at(begin: Begin) -> None:
    made = begin(directory="agents/all", files={"commands/hello.json": HELLO})
    made.hosted.git.commit({"commands/elsewhere.json": dumps(command("elsewhere"))})
    made.sync()
    assert set(made.here()) == {"commands/hello.json"}
    made.save("command", "hello", description="Greets.")
    made.sync()
    assert changed(made.hosted) == {("M", "agents/all/commands/hello.json")}
    made.assert_in_step()


def test_what_is_personal_is_in_no_file_no_message_and_no_name(begin: Begin) -> None:
    made = begin(files=ALL)
    made.create("command", name="Diary of Alice", slug="diary", prompt="Dear diary.", owner=made.by)
    made.create("skill", name="Confidant", slug="confidant", description="Listens.", owner=made.by)
    made.create("toolkit", name="My own things", slug="own-things", owner=made.by)
    own = Command.objects.get(slug="diary")
    made.save("command", "hello", description="Greets.")
    made.sync()
    for word in ("diary", "Diary", "onfidant", "own-things", "own things", str(own.pk)):
        assert word not in made.log
    assert not MirroredEntity.objects.filter(entity=own.pk).exists()
    assert "iary" not in json.dumps(made.runs[-1].result) + made.mirror.summary
    made.commit({"commands/diary.json": command("diary", prompt="Of all of us.")})
    made.sync()
    assert Command.objects.get(slug="diary", owner=made.by).prompt == "Dear diary."
    assert made.row("command", "diary").prompt == "Of all of us."
    made.assert_in_step()


def test_what_is_shared_goes_to_git_from_then_on(begin: Begin) -> None:
    made = begin()
    own = made.create("command", name="Diary", slug="diary", prompt="Dear diary.", owner=made.by)
    made.sync()
    assert made.there() == {}
    commands.share_command(command=own, by=made.by)
    made.sync()
    assert set(made.there()) == {"commands/diary.json"}
    made.assert_in_step()


@pytest.mark.parametrize("backwards", [False, True])
def test_a_toolkit_and_what_it_needs_may_come_in_one_push_in_any_order(backwards: bool, begin: Begin) -> None:
    made = begin()
    files = dict(reversed(ALL.items())) if backwards else ALL
    made.commit(files)
    made.sync()
    assert made.states() == {}
    assert Toolkit.objects.count() == Client.objects.count() == Skill.objects.count() == 1
    made.assert_in_step()


def test_many_entities_come_in_one_push_in_a_constant_number_of_requests(begin: Begin) -> None:
    made = begin()
    made.commit({f"commands/c{number}.json": command(f"c{number}", id=f"c-{number}") for number in range(5)})
    made.forge.requests.clear()
    made.sync()
    few = len(made.forge.requests)
    made.commit({f"commands/d{number}.json": command(f"d{number}", id=f"d-{number}") for number in range(60)})
    made.commit({f"skills/s{number}/SKILL.md": skill(f"s{number}") for number in range(20)})
    made.forge.requests.clear()
    made.sync()
    assert made.states() == {}
    assert Command.objects.count() == 65
    assert Skill.objects.count() == 20
    # Up to twenty files are asked for by themselves, more come as one archive; the skills get their ids in one commit.
    assert len(made.forge.requests) <= few + 6, [request.line for request in made.forge.requests]
    made.assert_in_step()

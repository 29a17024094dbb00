"""Edited in both places, renamed, deleted: nothing that anybody did is lost, on either side."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import history
from catalog.models import Command, EntityRevision, Server
from gitsync.models import EntityState, MirroredEntity
from jobs.models import Status
from orgs.models import User
from tests.gitsync.conftest import FORGES, changed, git, of
from tests.gitsync.mirror_world import (
    ALL,
    DESK,
    HELLO,
    PIXEL,
    SKILL,
    WEATHER,
    Begin,
    Mirrored,
    begin,
    command,
    dumps,
    skill,
)

__all__ = ["begin"]

pytestmark = pytest.mark.django_db

CONFLICT = {"commands/hello.json": EntityState.CONFLICT}


def test_edits_of_different_fields_are_merged_and_of_the_same_field_are_a_conflict(begin: Begin) -> None:
    made = begin(files=ALL)
    made.edit("commands/hello.json", description="From git.")
    made.save("command", "hello", prompt="From here, {{who}}.")
    made.sync()
    assert made.states() == {}
    merged = made.there()["commands/hello.json"]
    assert (merged["description"], merged["prompt"]) == ("From git.", "From here, {{who}}.")
    assert made.here()["commands/hello.json"] == merged

    made.edit("commands/hello.json", prompt="Theirs, {{who}}.")
    made.save("command", "hello", prompt="Ours, {{who}}.")
    head = made.head
    made.sync()
    assert made.states() == CONFLICT
    found = made.problem("commands/hello.json")
    assert (found["code"], found["status"]) == ("CONFLICT", 400)
    assert any("prompt" in each for each in found["fields"])
    assert made.head == head, "nothing is written there"
    assert made.row("command", "hello").prompt == "Ours, {{who}}.", "nor here"
    made.sync()
    assert made.states() == CONFLICT

    made.settle("commands/hello.json", "theirs")
    assert made.row("command", "hello").prompt == "Theirs, {{who}}."
    assert "Ours, {{who}}." in was(made)
    made.assert_in_step()


def was(made: Mirrored) -> set[str]:
    """All prompts that commands ever had here."""
    rows = EntityRevision.objects.filter(organization=made.organization, kind="command")
    return {each.document["prompt"] for each in rows}


def in_conflict(begin: Begin, files: dict[str, Any] | None = None) -> Mirrored:
    made = begin(files=files or {"commands/hello.json": HELLO})
    made.edit("commands/hello.json", prompt="Theirs, {{who}}.", name="Theirs")
    made.save("command", "hello", prompt="Ours, {{who}}.", description="Ours.")
    made.sync()
    assert made.states() == CONFLICT
    return made


def test_a_conflict_is_settled_by_keeping_ours_and_theirs_is_in_gits_history(begin: Begin) -> None:
    made = in_conflict(begin)
    made.settle("commands/hello.json", "ours")
    now = made.json("commands/hello.json")
    assert (now["prompt"], now["name"], now["description"]) == ("Ours, {{who}}.", "Hello", "Ours.")
    assert "Theirs, {{who}}." in made.log
    made.assert_in_step()


def test_a_conflict_is_settled_by_editing_and_both_are_in_the_histories(begin: Begin) -> None:
    made = in_conflict(begin)
    document = {"id": "hello-1", **made.here()["commands/hello.json"], "prompt": "Of both, {{who}}."}
    made.settle("commands/hello.json", "edit", document=dumps(document))
    assert made.row("command", "hello").prompt == "Of both, {{who}}."
    assert made.json("commands/hello.json")["prompt"] == "Of both, {{who}}."
    assert "Theirs, {{who}}." in made.log
    assert "Ours, {{who}}." in was(made)
    made.assert_in_step()


def test_a_decision_does_not_hold_for_what_came_after_it(begin: Begin) -> None:
    """Nobody takes, unseen, what was pushed while they read the page."""
    made = in_conflict(begin)
    made.decide("commands/hello.json", "theirs")
    made.edit("commands/hello.json", prompt="Later, {{who}}.")
    made.sync()
    assert made.states() == CONFLICT
    assert made.row("command", "hello").prompt == "Ours, {{who}}."
    assert made.json("commands/hello.json")["prompt"] == "Later, {{who}}."


def test_a_conflict_goes_when_git_takes_its_change_back(begin: Begin) -> None:
    made = in_conflict(begin)
    made.commit({"commands/hello.json": HELLO}, "Take it back")
    made.sync()
    assert made.states() == {}
    assert made.json("commands/hello.json")["prompt"] == "Ours, {{who}}."
    made.assert_in_step()


def test_the_same_edit_in_both_places_is_agreed(begin: Begin) -> None:
    made = begin(files=ALL)
    made.edit("commands/hello.json", prompt="The same, {{who}}.")
    made.save("command", "hello", prompt="The same, {{who}}.")
    head = made.head
    made.sync()
    assert made.head == head
    made.assert_in_step()


def test_a_skill_edited_in_both_places_is_merged_file_by_file(begin: Begin) -> None:
    made = begin(files=SKILL)
    made.commit({"skills/pdf-forms/scripts/fill.py": "print('theirs')\n", "skills/pdf-forms/scripts/new.py": "1\n"})
    made.save("skill", "pdf-forms", instructions="# Ours\n", files={"assets/pixel.png": PIXEL + b"\0"})
    made.sync()
    assert made.states() == {}
    assert made.text("skills/pdf-forms/scripts/fill.py") == "print('theirs')\n"
    assert made.bytes_of("skills/pdf-forms/assets/pixel.png") == PIXEL + b"\0"
    assert "# Ours" in made.text("skills/pdf-forms/SKILL.md")
    made.assert_in_step()

    made.commit({"skills/pdf-forms/scripts/fill.py": "print('theirs, again')\n"})
    made.save("skill", "pdf-forms", files={"scripts/fill.py": b"print('ours')\n"})
    made.sync()
    assert made.states() == {"skills/pdf-forms": EntityState.CONFLICT}
    made.settle("skills/pdf-forms", "ours")
    assert made.text("skills/pdf-forms/scripts/fill.py") == "print('ours')\n"
    made.assert_in_step()


# -- renamed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", FORGES)
def test_a_rename_keeps_the_entity_whoever_did_it(key: str, begin: Begin) -> None:
    made = begin(key, ALL)
    row = made.row("command", "hello")
    made.move("commands/hello.json", "commands/greet.json", slug="greet", name="Greet")
    made.edit("toolkits/forecasts.json", commands=["greet"])
    made.sync()
    assert made.states() == {}
    assert made.row("command", "greet").pk == row.pk
    assert Command.objects.count() == 1
    assert made.row("toolkit", "forecasts").commands.get().pk == row.pk

    made.save("command", "greet", slug="welcome", name="Welcome")
    made.sync()
    assert "commands/greet.json" not in made.tree()
    assert made.json("commands/welcome.json")["id"] == "hello-1"
    assert ("D", "commands/greet.json") in changed(made.hosted)
    assert made.json("toolkits/forecasts.json")["commands"] == ["welcome"], "it follows what it refers to"
    assert "Rename" in made.subjects[0]
    made.assert_in_step()


def test_a_skill_is_renamed_with_all_that_is_in_it(begin: Begin) -> None:
    made = begin(files=SKILL)
    row = made.row("skill", "pdf-forms")
    made.hosted.git.move("skills/pdf-forms", "skills/paper-forms")
    made.sync()
    assert made.row("skill", "paper-forms").pk == row.pk
    made.save("skill", "paper-forms", slug="forms")
    made.sync()
    assert {path.split("/")[1] for path in made.tree() if path.startswith("skills/")} == {"forms"}
    assert made.bytes_of("skills/forms/assets/pixel.png") == PIXEL
    made.assert_in_step()


def test_renamed_there_and_edited_here_is_both(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.move("commands/hello.json", "commands/greet.json", slug="greet")
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.sync()
    assert made.states() == {}
    assert made.there()["commands/greet.json"]["prompt"] == "Ours, {{who}}."
    assert "commands/hello.json" not in made.tree()
    made.assert_in_step()


def test_two_that_swap_their_names_in_git_are_still_the_same_two(begin: Begin) -> None:
    made = begin(files={"commands/a.json": command("a", id="id-a"), "commands/b.json": command("b", id="id-b")})
    first, second = made.row("command", "a").pk, made.row("command", "b").pk
    made.commit({"commands/a.json": command("a", id="id-b"), "commands/b.json": command("b", id="id-a")})
    for _ in range(3):  # each by itself: the second may have to wait for the first
        made.sync()
    assert (made.row("command", "a").pk, made.row("command", "b").pk) == (second, first)
    made.assert_in_step()


# -- deleted -----------------------------------------------------------------------------------------------------------


def test_what_is_deleted_here_goes_there_and_what_is_deleted_there_waits_for_a_person(begin: Begin) -> None:
    made = begin(files=ALL)
    made.delete("client", "desk")
    made.sync()
    assert "mcp-clients/desk.json" not in made.tree()

    made.commit({"toolkits/forecasts.json": None, **dict.fromkeys(SKILL)}, "Delete them")
    head = made.head
    made.sync()
    assert made.states() == {"toolkits/forecasts.json": EntityState.MISSING, "skills/pdf-forms": EntityState.MISSING}
    assert made.row("toolkit", "forecasts").git_integration["state"] == "missing"
    assert made.head == head, "nor is it written again"
    made.settle("toolkits/forecasts.json", "delete")
    made.settle("skills/pdf-forms", "restore")
    assert set(made.here()) == {"commands/hello.json", "mcp-servers/weather.json", "skills/pdf-forms"}
    assert made.bytes_of("skills/pdf-forms/assets/pixel.png") == PIXEL
    made.assert_in_step()


def test_who_puts_something_back_into_git_is_the_commits_author(begin: Begin, bob: User) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.save("command", "hello", prompt="Hi, {{who}}.", by=bob)
    made.commit({"commands/hello.json": None}, "Delete it")
    made.sync()
    made.settle("commands/hello.json", "restore")
    assert made.subjects[0] == "Restore command Hello (Bob, Alice)"
    shown = git(made.hosted, "log", "-1", "--format=%an <%ae>%n%b")
    assert shown.startswith(f"{made.by.name} <{made.by.email}>\n")
    assert f"Co-authored-by: Bob <{bob.email}>" in shown

    made.commit({"commands/hello.json": None}, "Delete it again")
    made.sync()
    made.settle("commands/hello.json", "restore")
    assert made.subjects[0] == "Restore command Hello (Alice)"


def test_a_commit_that_only_gives_files_their_ids_says_so(begin: Begin) -> None:
    made = begin(files={"commands/one.json": command("one")})
    assert made.subjects[0] == "Give command One its id (Alice)"
    made.commit({"commands/two.json": command("two"), "skills/pdf/SKILL.md": skill("pdf")}, "Write files by hand")
    made.sync()
    assert made.subjects[0] == "Give command Two and skill pdf their ids"
    made.commit({"commands/three.json": command("three")}, "Write another one")
    made.save("command", "one", prompt="Do more.")
    made.sync()
    assert made.subjects[0] == "Update command One and give command Three its id (Alice)"


def test_where_deletions_are_applied_nobody_is_asked_but_for_servers(begin: Begin) -> None:
    made = begin(files=ALL, apply_deletions=True)
    made.commit(dict.fromkeys(ALL), "Delete all")
    made.sync()
    assert set(made.here()) == {"mcp-servers/weather.json"}
    assert made.states() == {"mcp-servers/weather.json": EntityState.MISSING}
    assert Server.objects.count() == 1
    made.settle("mcp-servers/weather.json", "restore")
    assert made.json("mcp-servers/weather.json")["id"] == WEATHER["id"]
    made.assert_in_step()


def test_a_deletion_by_git_is_undone_from_the_history(begin: Begin) -> None:
    made = begin(files=ALL, apply_deletions=True)
    row = made.row("skill", "pdf-forms")
    made.commit({**dict.fromkeys(SKILL), "toolkits/forecasts.json": None, "mcp-clients/desk.json": None})
    made.sync()
    gone = history.deleted("skill", of(made.by, made.organization))
    (revision,) = [each for each in gone if each.entity == row.pk]
    history.restore(revision, by=made.by, request=None)
    made.sync()
    assert made.row("skill", "pdf-forms").pk == row.pk
    assert made.bytes_of("skills/pdf-forms/assets/pixel.png") == PIXEL
    made.assert_in_step()


def test_a_file_that_comes_back_is_the_entity_again(begin: Begin) -> None:
    made = begin(files={"mcp-clients/desk.json": {**DESK, "servers": [], "toolkits": []}})
    row = made.row("client", "desk")
    kept = made.bytes_of("mcp-clients/desk.json")
    made.commit({"mcp-clients/desk.json": None})
    made.sync()
    assert made.states() == {"mcp-clients/desk.json": EntityState.MISSING}
    made.commit({"mcp-clients/desk.json": kept})
    made.sync()
    assert made.row("client", "desk").pk == row.pk
    made.assert_in_step()


def test_deleted_here_and_edited_there_is_a_conflict_and_neither_is_lost(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.edit("commands/hello.json", prompt="Theirs, {{who}}.")
    made.delete("command", "hello")
    made.sync()
    assert made.states() == CONFLICT
    assert made.json("commands/hello.json")["prompt"] == "Theirs, {{who}}."
    made.settle("commands/hello.json", "theirs")
    assert made.row("command", "hello").prompt == "Theirs, {{who}}."
    made.assert_in_step()


def test_deleted_there_and_edited_here_is_not_lost_either(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO}, apply_deletions=True)
    made.commit({"commands/hello.json": None})
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.sync()
    assert made.row("command", "hello").prompt == "Ours, {{who}}."
    assert made.states() == {"commands/hello.json": EntityState.MISSING}, "nor is it written again unasked"
    made.settle("commands/hello.json", "restore")
    assert made.json("commands/hello.json")["prompt"] == "Ours, {{who}}."
    made.assert_in_step()


def test_deleted_in_both_places_is_agreed(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.commit({"commands/hello.json": None})
    made.delete("command", "hello")
    made.sync()
    assert not MirroredEntity.objects.exists()
    made.assert_in_step()


def test_nothing_is_deleted_after_a_listing_that_is_not_whole(begin: Begin) -> None:
    made = begin(files=ALL, apply_deletions=True)
    made.forge.caps.tree_entries = 3
    made.commit({"other.md": "So that the head moves.\n"})
    assert made.tried().status != Status.SUCCEEDED
    assert len(made.here()) == 5
    assert EntityState.MISSING not in made.states().values()
    made.forge.caps.tree_entries = 100_000
    made.sync()
    made.assert_in_step()


def test_all_that_git_changed_says_so_in_the_history_with_its_commit(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.edit("commands/hello.json", prompt="Theirs, {{who}}.")
    head = made.head
    made.sync()
    newest = EntityRevision.objects.filter(kind="command").first()
    assert newest is not None
    assert (newest.source, newest.commit) == ("git", head)
    assert newest.commit_url.endswith(head)
    assert git(made.hosted, "rev-parse", "main").strip() == head


def test_a_folder_of_a_new_skill_is_a_new_skill_although_it_was_copied(begin: Begin) -> None:
    made = begin(files={"skills/tea/SKILL.md": skill("tea")})
    made.commit({"skills/coffee/SKILL.md": skill("coffee")})
    made.sync()
    assert set(made.here()) == {"skills/tea", "skills/coffee"}
    made.assert_in_step()

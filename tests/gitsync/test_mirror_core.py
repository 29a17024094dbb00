"""What a sync costs, what it holds back, and what it leaves alone."""

from __future__ import annotations

import pytest

from catalog import tools
from catalog.models import Command
from gitsync.mirror.previewing import preview
from gitsync.models import EntityState, MirroredEntity, Mode
from jobs import runs
from jobs.context import RunContext
from jobs.execution import execute
from jobs.models import Run, Status, Trigger
from tests.gitsync.conftest import changed
from tests.gitsync.mirror_world import ALL, HELLO, SKILL, Begin, begin, command
from tests.wire.repos import Symlink

__all__ = ["begin"]

pytestmark = pytest.mark.django_db


def many(count: int) -> dict[str, object]:
    return {f"commands/c{number:02}.json": command(f"c{number:02}", id=f"id-{number}") for number in range(count)}


def test_one_changed_file_among_many_costs_head_tree_and_one_batch(begin: Begin) -> None:
    made = begin(files=many(30))
    made.edit("commands/c07.json", prompt="Do it twice.")
    assert made.sync(Trigger.WEBHOOK).result["requests"] == 3
    assert made.mirror.summary == "Synced 30 entities: 0 written, 1 read, 29 unchanged, 0 failed."
    assert made.sync(Trigger.SCHEDULE).result["requests"] == 1


def test_a_broken_file_is_not_fetched_again_until_somebody_asks(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO, "commands/bad.json": "{"})
    at = made.problem("commands/bad.json")["at"]
    made.commit({"README.md": "# Something else\n"})
    assert made.sync(Trigger.WEBHOOK).result["requests"] == 2
    assert made.sync(Trigger.MANUAL).result["requests"] == 3
    assert made.states() == {"commands/bad.json": "error"}
    assert made.problem("commands/bad.json")["at"] == at


def test_most_of_it_gone_at_once_is_asked_about_although_deletions_are_applied(begin: Begin) -> None:
    made = begin(files=many(14), apply_deletions=True)
    made.commit({f"commands/c{number:02}.json": None for number in range(12)}, "Tidy up")
    made.sync()
    assert Command.objects.count() == 14
    assert set(made.states().values()) == {"missing"}
    assert len(made.states()) == 12


def test_a_file_that_moved_and_broke_deletes_nothing(begin: Begin) -> None:
    made = begin(files=many(3), apply_deletions=True)
    made.commit({"commands/c01.json": None, "commands/moved.json": "{"}, "Move it, and break it")
    made.sync()
    assert made.states() == {"commands/c01.json": "missing", "commands/moved.json": "error"}
    moved = command("moved", id="id-1")
    made.commit({"commands/moved.json": moved}, "Mend it")
    made.sync()
    assert Command.objects.count() == 3
    made.assert_in_step()


def test_a_tool_renamed_in_git_is_renamed_in_the_toolkits_that_have_it(begin: Begin) -> None:
    made = begin(files=ALL)
    text = made.text("mcp-servers/weather.json")
    made.commit({"mcp-servers/weather.json": text.replace("getForecast", "forecast")})
    made.sync(Trigger.WEBHOOK)
    assert made.json("toolkits/forecasts.json")["servers"] == {"weather": {"tools": ["forecast"]}}
    made.assert_in_step()


def test_a_tool_renamed_here_is_renamed_in_the_toolkits_that_have_it(begin: Begin) -> None:
    made = begin(files=ALL)
    tool = made.row("server", "weather").tools.get(name="getForecast")
    tools.edit_tool(tool=tool, values={"name": "forecast"}, seen_revision=None, by=made.by)
    made.sync(Trigger.SAVE)
    assert made.json("toolkits/forecasts.json")["servers"] == {"weather": {"tools": ["forecast"]}}
    assert changed(made.hosted) == {("M", "toolkits/forecasts.json"), ("M", "mcp-servers/weather.json")}
    made.assert_in_step()


def test_what_is_in_the_way_in_git_is_told_and_the_rest_goes_on(begin: Begin) -> None:
    made = begin(files={"skills/tea": "A file where a folder should be.\n", "commands/hello.json": HELLO})
    made.create("skill", name="tea", slug="tea", description="Makes tea.")
    made.create("command", name="Other", slug="other", prompt="Do it.")
    made.sync()
    assert made.text("skills/tea") == "A file where a folder should be.\n"
    assert made.states() == {"skills/tea": "error"}
    assert made.problem("skills/tea")["code"] == "DUPLICATE_SLUG"
    assert made.json("commands/other.json")["prompt"] == "Do it."


def test_a_rename_here_to_a_name_that_somebody_took_in_git_overwrites_nothing(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.save("command", "hello", slug="greet")
    made.commit({"commands/greet.json": command("greet", id="theirs", prompt="Theirs.")})
    made.sync()
    assert made.json("commands/greet.json")["prompt"] == "Theirs."
    assert set(made.states().values()) == {"error"}
    made.save("command", "greet", slug="hi")
    made.sync()
    assert set(made.tree()) == {"README.md", "commands/greet.json", "commands/hi.json"}
    made.assert_in_step()


def test_two_that_swap_their_names_here_are_one_commit(begin: Begin) -> None:
    made = begin(files={"commands/a.json": command("a", id="a"), "commands/b.json": command("b", id="b")})
    made.save("command", "a", slug="c")
    made.save("command", "b", slug="a")
    made.save("command", "c", slug="b")
    made.sync()
    assert (made.json("commands/a.json")["id"], made.json("commands/b.json")["id"]) == ("b", "a")
    made.assert_in_step()


def test_a_sync_that_is_cancelled_stops_between_entities_and_the_next_goes_on(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = begin(files=many(6), synced=False)
    run = made.ask()
    progress = RunContext.progress

    def cancelling(self: RunContext, stage: str, done: int | None = None, total: int | None = None) -> None:
        progress(self, stage, done, total)
        if (stage, done) == ("Saving", 2):
            runs.cancel_run(Run.objects.get(pk=run.pk), by=made.by)
            monkeypatch.setattr("jobs.context.ASK_EVERY", 0)

    monkeypatch.setattr(RunContext, "progress", cancelling)
    execute(str(run.pk))
    run.refresh_from_db()
    assert (run.status, run.stage, run.total) == (Status.CANCELLED, "Saving", 6)
    assert Command.objects.count() == 3
    monkeypatch.undo()
    made.sync()
    assert made.mirror.summary == "Synced 6 entities: 0 written, 3 read, 3 unchanged, 0 failed."


def test_a_preview_tells_all_and_does_nothing(begin: Begin) -> None:
    made = begin(files=ALL)
    made.save("command", "hello", description="Ours.")
    made.create("command", name="New", slug="new", prompt="Do it.")
    made.edit("toolkits/forecasts.json", description="Theirs.")
    made.commit({"mcp-clients/desk.json": None, "commands/bad.json": "{"})
    head, rows = made.head, list(MirroredEntity.objects.order_by("pk").values())
    found = preview(made.mirror, seconds=20)
    assert {(step.path, step.action) for step in found.steps} == {
        ("commands/hello.json", "write"),
        ("commands/new.json", "write"),
        ("toolkits/forecasts.json", "read"),
        ("mcp-clients/desk.json", "missing"),
        ("commands/bad.json", "error"),
    }
    assert (found.commit, found.complete, found.unchanged) == (head, True, 2)
    assert made.head == head
    assert list(MirroredEntity.objects.order_by("pk").values()) == rows


def test_a_preview_leaves_out_what_the_open_pull_request_holds(begin: Begin) -> None:
    made = begin(files=ALL, mode=Mode.PULL_REQUEST)
    made.save("command", "hello", description="Ours.")
    made.save("skill", "pdf-forms", description="Ours.")
    made.delete("client", "desk")
    made.sync()
    found = preview(made.mirror, seconds=20)
    assert (found.steps, found.proposed, found.unchanged) == ((), 3, 2)
    assert found.same == "In the open pull request: 3 entities. All else is the same on both sides."

    made.save("command", "hello", description="Ours again.")
    found = preview(made.mirror, seconds=20)
    assert ([step.path for step in found.steps], found.proposed) == (["commands/hello.json"], 2)

    made.hosted.pulls[0].state = "closed"
    found = preview(made.mirror, seconds=20)
    assert (len(found.steps), found.proposed) == (3, 0), "it would be proposed anew"


def test_what_is_taken_back_here_is_taken_out_of_the_open_pull_request(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO}, mode=Mode.PULL_REQUEST)
    made.save("command", "hello", description="Once.")
    made.create("client", name="Phone", slug="phone", kind="agent")
    made.sync()
    mirror = made.mirror
    assert mirror.pull_request
    assert made.json("commands/hello.json", mirror.side_branch)["description"] == "Once."
    made.save("command", "hello", description=HELLO["description"])
    made.delete("client", "phone")
    made.sync()
    assert made.tree(mirror.side_branch) == made.tree()
    assert not MirroredEntity.objects.filter(state=EntityState.PROPOSED).exists()


def test_files_of_a_skill_that_are_taken_back_here_are_taken_out_of_the_pull_request_beside_those_that_stay(
    begin: Begin,
) -> None:
    made = begin(files=SKILL, mode=Mode.PULL_REQUEST)
    before = made.tree()
    script = made.bytes_of("skills/pdf-forms/scripts/fill.py")
    made.save("skill", "pdf-forms", instructions="# Once\n", files={"scripts/fill.py": b"Once.", "new.md": b"New."})
    made.sync()
    side = made.mirror.side_branch
    assert set(made.tree(side)) - set(before) == {"skills/pdf-forms/new.md"}
    made.save("skill", "pdf-forms", files={"scripts/fill.py": script, "new.md": None, "assets/pixel.png": b"Other."})
    made.sync()
    assert {path for path, oid in made.tree(side).items() if before.get(path) != oid} == {
        "skills/pdf-forms/SKILL.md",
        "skills/pdf-forms/assets/pixel.png",
    }


def test_what_somebody_else_changed_in_the_pull_request_is_left_alone(begin: Begin) -> None:
    made = begin(files=ALL, mode=Mode.PULL_REQUEST)
    made.save("command", "hello", description="Once.")
    made.sync()
    side = made.mirror.side_branch
    theirs = {**made.json("commands/hello.json", side), "prompt": "Theirs."}
    made.commit({"commands/hello.json": theirs}, branch=side)
    made.save("command", "hello", description="Twice.")
    made.create("command", name="New", slug="new", prompt="Do it.")
    made.sync()
    assert made.json("commands/hello.json", side) == theirs
    assert made.json("commands/new.json", side)["prompt"] == "Do it."


def test_a_link_is_told_and_never_followed(begin: Begin) -> None:
    made = begin(files={**SKILL, "commands/hello.json": HELLO})
    made.commit({"skills/pdf-forms/assets/more": Symlink("/etc/passwd"), "commands/link.json": Symlink("hello.json")})
    made.sync()
    assert made.states() == {"skills/pdf-forms": "error", "commands/link.json": "error"}
    assert "symbolic link" in made.problem("skills/pdf-forms")["message"]
    made.commit({"skills/pdf-forms/assets/more": None, "commands/link.json": None})
    made.sync()
    made.assert_in_step()


def test_what_was_edited_again_before_its_pull_request_was_merged_is_no_conflict(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO}, mode=Mode.PULL_REQUEST)
    made.save("command", "hello", description="Once.")
    made.sync()
    made.save("command", "hello", description="Twice.")
    first = made.mirror.pull_request
    made.commit({"commands/hello.json": made.bytes_of("commands/hello.json", made.mirror.side_branch)}, "Merge it")
    made.hosted.pulls[-1].state = "merged"
    made.sync()
    assert made.states() == {}
    assert made.mirror.pull_request != first
    assert made.json("commands/hello.json", made.mirror.side_branch)["description"] == "Twice."
    assert made.row("command", "hello").description == "Twice."


def test_what_was_edited_again_after_a_sync_was_killed_is_no_conflict(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    before = MirroredEntity.objects.values().get()
    made.save("command", "hello", description="Once.")
    made.sync()
    noted = MirroredEntity.objects.get()
    # As it is where the commit arrived and nothing was noted of it but what it was to bring.
    MirroredEntity.objects.filter(pk=noted.pk).update(
        **{name: before[name] for name in ("files", "document", "digest", "entity_revision")}, proposed=noted.files
    )
    made.save("command", "hello", description="Twice.")
    made.sync()
    assert made.states() == {}
    assert made.json("commands/hello.json")["description"] == "Twice."
    made.assert_in_step()

"""What is wrong with a file stays on its entity, with all that one needs to mend it, and stops nobody else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from pytest_django import Settings

from catalog import servers
from catalog.models import Command, EntityRevision, Skill
from gitsync.models import EntityState, MirroredEntity
from jobs.models import Status
from tests.gitsync.conftest import FORGES
from tests.gitsync.mirror_world import (
    ALL,
    DESK,
    FORECASTS,
    HELLO,
    SKILL,
    SKILL_MD,
    WEATHER,
    Begin,
    Mirrored,
    begin,
    command,
    dumps,
    skill,
)
from tests.wire import faults

__all__ = ["begin"]

pytestmark = pytest.mark.django_db

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
WITHOUT_A_COMMA = dumps(HELLO).replace('"Greets somebody.",', '"Greets somebody."')

BAD: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    # what is wrong -> the path that it is told of, what is committed on top of ALL, what is told of it
    "syntax": (
        "commands/hello.json",
        {"commands/hello.json": WITHOUT_A_COMMA},
        {"code": "INVALID_JSON", "line": 6, "column": 3},
    ),
    "no name": (
        "commands/hello.json",
        {"commands/hello.json": {key: value for key, value in HELLO.items() if key != "name"}},
        {"code": "VALIDATION_FAILED"},
    ),
    "another slug than the file's name": (
        "commands/hello.json",
        {"commands/hello.json": {**HELLO, "slug": "goodbye"}},
        {"code": "VALIDATION_FAILED"},
    ),
    "a number for a text": (
        "commands/hello.json",
        {"commands/hello.json": {**HELLO, "prompt": 3}},
        {"code": "VALIDATION_FAILED", "line": 13},
    ),
    "no SKILL.md": (
        "skills/pdf-forms",
        {"skills/pdf-forms/SKILL.md": None},
        {"code": "EMPTY_DIRECTORY"},
    ),
    "a server that is not here": (
        "toolkits/forecasts.json",
        {"toolkits/forecasts.json": {**FORECASTS, "servers": {"climate": {"tools": ["getForecast"]}}}},
        {"code": "MISSING_INTEGRATION", "line": 7, "column": 5},
    ),
    "a tool that the server lacks": (
        "toolkits/forecasts.json",
        {"toolkits/forecasts.json": {**FORECASTS, "servers": {"weather": {"tools": ["getForecast", "getSnow"]}}}},
        {"code": "MISSING_TOOL", "line": 10, "column": 9},
    ),
    "a command that is not here": (
        "toolkits/forecasts.json",
        {"toolkits/forecasts.json": {**FORECASTS, "commands": ["hello", "goodbye"]}},
        {"code": "MISSING_ENTITY", "line": 15, "column": 5},
    ),
    "a secret": (
        "commands/hello.json",
        {"commands/hello.json": {**HELLO, "prompt": f"Use {TOKEN} for it."}},
        {"code": "SECRET_FOUND"},
    ),
    "a later version": (
        "commands/hello.json",
        {"commands/hello.json": {"$schema": "https://millrace.example/schemas/v2/command.json", **HELLO}},
        {"code": "UNSUPPORTED_VERSION"},
    ),
    "authentication in a server's file": (
        "mcp-servers/weather.json",
        {
            "mcp-servers/weather.json": {
                **WEATHER,
                "providers": [{**WEATHER["providers"][0], "oauth2": {"tokenUrl": "https://api.example.com/token"}}],
            }
        },
        {"code": "VALIDATION_FAILED"},
    ),
}


def told(made: Mirrored, path: str) -> dict[str, Any]:
    """What the entity says of itself; all that it has to say is there."""
    found = made.problem(path)
    assert found, f"nothing is told of {path}"
    assert found["status"] == (500 if found["code"] == "FETCH_FAILED" else 400)
    assert found["message"].strip().endswith((".", "?"))
    assert found["path"].startswith(path)
    assert datetime.fromisoformat(found["at"]).tzinfo is not None
    return found


def test_bad_files_among_good_ones_are_told_each_on_its_own_and_mended_each_on_its_own(begin: Begin) -> None:
    made = begin(files=ALL)
    made.commit(
        {
            "commands/hello.json": WITHOUT_A_COMMA,
            "commands/good.json": command("good", id="good-1"),
            "commands/bad.json": {"slug": "bad", "prompt": "Do it."},
            "skills/empty/notes.md": "Nothing.\n",
            "toolkits/forecasts.json": {**FORECASTS, "commands": ["good"]},
            "mcp-clients/new.json": {
                "id": "new-1",
                "name": "New",
                "slug": "new",
                "kind": "agent",
                "servers": ["nowhere"],
            },
        }
    )
    head = made.head
    run = made.sync()
    assert run.counts["failed"] == 4
    assert made.states() == dict.fromkeys(
        ("commands/hello.json", "commands/bad.json", "skills/empty", "mcp-clients/new.json"), EntityState.ERROR
    )
    codes = {path: told(made, path)["code"] for path in made.states()}
    assert codes == {
        "commands/hello.json": "INVALID_JSON",
        "commands/bad.json": "VALIDATION_FAILED",
        "skills/empty": "EMPTY_DIRECTORY",
        "mcp-clients/new.json": "MISSING_INTEGRATION",
    }
    first = told(made, "commands/hello.json")
    assert (first["line"], first["column"]) == (6, 3)
    assert first["commit"] == head
    assert made.row("command", "hello").prompt == HELLO["prompt"], "what was good stays"
    assert made.row("command", "good").prompt == "Do it."
    assert [each.slug for each in made.row("toolkit", "forecasts").commands.all()] == ["good"]
    assert made.row("command", "good").git_integration == {}
    assert "4 failed" in made.mirror.summary

    assert made.sync().counts["failed"] == 4, "it stays told of"
    assert made.head == head

    made.commit(
        {
            "commands/hello.json": {**HELLO, "description": "Greets."},
            "commands/bad.json": None,
            "skills/empty/notes.md": None,
            "mcp-clients/new.json": {
                "id": "new-1",
                "name": "New",
                "slug": "new",
                "kind": "agent",
                "servers": ["weather"],
            },
        }
    )
    made.sync()
    assert made.row("command", "hello").description == "Greets."
    assert not MirroredEntity.objects.filter(path__in=("commands/bad.json", "skills/empty")).exists()
    made.assert_in_step()


@pytest.mark.parametrize("what", BAD)
def test_each_error_is_told_cleared_by_a_good_file_and_by_an_edit_here(what: str, begin: Begin) -> None:
    path, files, expected = BAD[what]
    made = begin(files=ALL)
    good, before = made.there(), made.here()
    kept = {each: made.bytes_of(each) for each in files}
    made.commit(files, "Break it")
    made.sync()
    assert set(made.states()) == {path}
    found = told(made, path)
    assert {name: found[name] for name in expected} == expected
    assert made.here() == before
    assert TOKEN not in str(found)
    assert TOKEN not in str(list(MirroredEntity.objects.values()))

    made.commit(kept, "Mend it")
    made.sync()
    assert made.states() == {}
    assert made.there() == good == made.here()

    made.commit(files, "Break it again")
    made.sync()
    assert set(made.states()) == {path}
    kind, slug = _kind_of(path)
    if kind == "server":
        row = made.row("server", slug)
        servers.edit_server(
            server=row, values={"description": "By hand."}, seen_revision=row.config_revision, by=made.by
        )
    else:
        made.save(kind, slug, description="By hand.")
    made.sync()
    assert made.there()[path]["description"] == "By hand."
    made.assert_in_step()


def _kind_of(path: str) -> tuple[str, str]:
    folder, _, name = path.partition("/")
    kinds = {"commands": "command", "skills": "skill", "toolkits": "toolkit", "mcp-servers": "server"}
    return kinds[folder], name.removesuffix(".json")


def test_which_fields_are_wrong_is_told_by_name(begin: Begin) -> None:
    made = begin(files=ALL)
    made.commit({"commands/hello.json": {**HELLO, "prompt": 3, "arguments": [{"description": "Nameless."}]}})
    made.sync()
    fields = told(made, "commands/hello.json")["fields"]
    assert any("prompt" in each for each in fields)
    assert any("arguments" in each for each in fields)


def test_which_tools_are_missing_is_told_by_name(begin: Begin) -> None:
    made = begin(files=ALL)
    made.edit("toolkits/forecasts.json", servers={"weather": {"tools": ["getForecast", "getSnow", "getHail"]}})
    made.sync()
    said = str(told(made, "toolkits/forecasts.json"))
    assert "getSnow" in said
    assert "getHail" in said


LEFT_OUT = {".gitattributes": "commands/hello.json export-ignore\n"}
"""An archive has all files but this one."""
FILES = {
    "github": "POST */graphql*",
    "gitlab": "* */repository/*blobs*",
    "bitbucket": "GET */src/*hello.json*",
    "git": "POST */git-upload-pack*",
}
"""Where a file is asked for by itself, if that can be."""


def test_a_file_that_the_forge_does_not_give_is_told_with_500_and_read_next_time(begin: Begin) -> None:
    made = begin(files=ALL)
    made.hosted.git.commit(LEFT_OUT, "Leave it out of archives")
    made.edit("commands/hello.json", description="Greets.")
    made.commit({"mcp-clients/desk.json": {**DESK, "description": "Everywhere."}})
    wrong = faults.wrong_blob()
    with made.forge.fault(wrong, on=FILES["github"]), made.forge.fault(wrong, on="GET */git/blobs/*"):
        made.tried()
    found = told(made, "commands/hello.json")
    assert (found["code"], found["status"]) == ("FETCH_FAILED", 500)
    assert made.row("client", "desk").description == "Everywhere.", "the others come in"
    made.sync(trigger="schedule")
    assert made.row("command", "hello").description == "Greets."
    made.assert_in_step()


@pytest.mark.parametrize("key", FORGES)
def test_a_forge_that_fails_while_files_are_read_loses_and_deletes_nothing(key: str, begin: Begin) -> None:
    made = begin(key, ALL, apply_deletions=True)
    made.hosted.git.commit(LEFT_OUT, "Leave it out of archives")
    made.edit("commands/hello.json", description="Greets.")
    before = made.here()
    with made.forge.fault(faults.status(500), on=FILES[key]) as armed:
        run = made.tried()
    assert armed.hits, f"{key} asks for files another way"
    assert run.status in (Status.WAITING, Status.PARTIAL)
    assert made.here() == before
    assert EntityState.MISSING not in made.states().values()
    made.sync()
    assert made.row("command", "hello").description == "Greets."
    made.assert_in_step()


@pytest.mark.parametrize(
    ("limit", "value", "files", "path"),
    [
        (
            "ENTITY_MAX_FILE_BYTES",
            2_000,
            {"commands/hello.json": {**HELLO, "prompt": "x" * 2_000}},
            "commands/hello.json",
        ),
        ("ENTITY_MAX_FILE_BYTES", 2_000, {"skills/pdf-forms/assets/big.bin": b"\0" * 2_001}, "skills/pdf-forms"),
        ("SKILL_MAX_BYTES", 2_000, {"skills/pdf-forms/assets/big.bin": b"\0" * 1_900}, "skills/pdf-forms"),
        ("SKILL_MAX_FILES", 4, {f"skills/pdf-forms/n{n}.md": f"{n}\n" for n in range(4)}, "skills/pdf-forms"),
    ],
)
def test_what_is_over_a_cap_is_told_and_the_rest_comes_in(
    limit: str, value: int, files: dict[str, Any], path: str, begin: Begin, settings: Settings
) -> None:
    made = begin(files=ALL)
    setattr(settings, limit, value)
    before = made.here()
    made.commit({**files, "commands/small.json": command("small", id="small-1")})
    made.sync()
    assert set(made.states()) == {path}
    assert told(made, path)["code"] == "TOO_LARGE"
    assert {**made.here(), "commands/small.json": None} == {**before, "commands/small.json": None}
    assert made.row("command", "small")
    made.commit({each: SKILL.get(each, ALL.get(each)) for each in files})
    made.sync()
    made.assert_in_step()


def test_two_files_with_one_id_are_told_and_the_first_goes_on(begin: Begin) -> None:
    made = begin(files=ALL)
    made.commit({"commands/copy.json": {**HELLO, "slug": "copy", "name": "Copy"}}, "Copy a file, id and all")
    made.sync()
    assert made.row("command", "hello").name == "Hello"
    assert set(made.states()) == {"commands/copy.json"}
    assert told(made, "commands/copy.json")["code"] == "DUPLICATE_SLUG"
    assert Command.objects.count() == 1
    made.edit("commands/copy.json", id="copy-1")
    made.sync()
    assert Command.objects.count() == 2
    made.assert_in_step()


def test_names_that_differ_in_case_alone_are_told(begin: Begin) -> None:
    made = begin(files={**ALL, "skills/PDF-Forms/SKILL.md": skill("other")})
    (path,) = made.states()
    assert path.startswith("skills/")
    assert told(made, path)["code"] in ("DUPLICATE_SLUG", "VALIDATION_FAILED")
    assert Skill.objects.count() == 1


def test_a_slug_that_is_taken_here_is_told(begin: Begin) -> None:
    made = begin()
    made.create("command", name="Hello", slug="hello", prompt="Hello from here.")
    made.commit({"commands/hello.json": {**HELLO, "prompt": "Hello from git."}})
    made.sync()
    assert set(made.states()) == {"commands/hello.json"}
    assert told(made, "commands/hello.json")["code"] in ("DUPLICATE_SLUG", "CONFLICT")
    assert made.row("command", "hello").prompt == "Hello from here."
    assert made.json("commands/hello.json")["prompt"] == "Hello from git."
    assert Command.objects.count() == 1


def test_hostile_files_are_told_and_do_nothing(begin: Begin) -> None:
    deep = "[" * 50_000 + "]" * 50_000
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
    made = begin(files=ALL)
    made.commit(
        {
            "commands/deep.json": deep,
            "commands/twice.json": '{"name": "A", "name": "B", "slug": "twice", "prompt": "x"}',
            "commands/bytes.json": b"\xff\xfe\x00{",
            "skills/bomb/SKILL.md": f"---\nname: bomb\ndescription: x\n{bomb}---\n\nBoom.\n",
            "skills/tag/SKILL.md": "---\nname: !!python/object/apply:os.system ['true']\ndescription: x\n---\n\n.\n",
        }
    )
    made.sync()
    assert {"commands/deep.json", "commands/bytes.json", "skills/bomb", "skills/tag"} <= set(made.states())
    assert all(told(made, path)["code"] in ("INVALID_JSON", "VALIDATION_FAILED") for path in made.states())
    assert EntityRevision.objects.filter(slug__in=("deep", "bytes", "bomb", "tag")).count() == 0
    assert SKILL_MD.splitlines()[-1] in made.text("skills/pdf-forms/SKILL.md")


def test_what_would_be_public_waits_for_a_person(begin: Begin) -> None:
    made = begin(files=ALL)
    assert made.row("server", "weather").visibility == "private"
    made.edit("mcp-servers/weather.json", visibility="public")
    made.sync()
    assert made.states() == {"mcp-servers/weather.json": EntityState.CONFIRM}
    assert told(made, "mcp-servers/weather.json")["code"] == "VISIBILITY_CHANGED"
    assert made.row("server", "weather").visibility == "private"
    made.settle("mcp-servers/weather.json", "confirm")
    made.sync()
    assert made.row("server", "weather").visibility == "public"
    made.assert_in_step()

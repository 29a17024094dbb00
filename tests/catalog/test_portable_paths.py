"""Which files of a tree are entities, and what is told of those that look as if."""

from __future__ import annotations

import pytest

from catalog.portable.model import Code, Kind
from catalog.portable.paths import Found, path_of, units


def found(*paths: str) -> Found:
    return units({path: f"oid of {path}" for path in paths})


def only_problem(*paths: str) -> tuple[Code, str, str]:
    it = found(*paths)
    assert len(it.problems) == 1, it.problems
    return it.problems[0].code, it.problems[0].path, it.problems[0].message


def test_each_kind_has_its_folder_and_a_skill_all_its_files() -> None:
    it = found(
        "toolkits/travel.json",
        "commands/release-notes.json",
        "mcp-servers/Weather_2.json",
        "mcp-clients/desk.json",
        "skills/pdf-forms/SKILL.md",
        "skills/pdf-forms/scripts/deep/fill.py",
        "skills/pdf-forms/.env.example",
    )
    assert it.problems == ()
    assert {path: (unit.kind, unit.slug) for path, unit in it.units.items()} == {
        "toolkits/travel.json": (Kind.TOOLKIT, "travel"),
        "commands/release-notes.json": (Kind.COMMAND, "release-notes"),
        "mcp-servers/Weather_2.json": (Kind.SERVER, "Weather_2"),
        "mcp-clients/desk.json": (Kind.CLIENT, "desk"),
        "skills/pdf-forms": (Kind.SKILL, "pdf-forms"),
    }
    assert it.units["skills/pdf-forms"].files == {
        path: f"oid of {path}"
        for path in (
            "skills/pdf-forms/.env.example",
            "skills/pdf-forms/SKILL.md",
            "skills/pdf-forms/scripts/deep/fill.py",
        )
    }
    for path, unit in it.units.items():
        assert path_of(unit.kind, unit.slug) == path == unit.path


def test_what_is_no_entity_is_passed_over() -> None:
    it = found(
        "README.md", "toolkits", "commands.json", "src/commands/a.json", "commands/README.md", "commands/.hidden.json",
        "commands/notes.txt", "commands/sub/notes.md", "skills/README.md", "skills/.git/config",
        "docs/skills/a/SKILL.md",
    )  # fmt: skip
    assert (dict(it.units), it.problems) == ({}, ())


@pytest.mark.parametrize(
    "path",
    ["commands/Release.json", "commands/a_b.json", "commands/-a.json", "commands/a--b.json", "commands/a.b.json",
     "toolkits/é.json", "mcp-clients/con.json", "commands/a\n.json", "mcp-servers/a b.json", "mcp-servers/a\n.json",
     "mcp-servers/new.json",
     "commands/" + "a" * 64 + ".json", "commands/a.JSON", "skills/PDF/SKILL.md", "commands/\ud800.json"],
)  # fmt: skip
def test_a_name_that_is_no_slug_is_told_with_a_path_that_can_be_shown(path: str) -> None:
    code, told, message = only_problem(path)
    assert code is Code.VALIDATION_FAILED
    assert told.isprintable()
    assert "Rename it." in message
    assert not found(path).units


def test_a_file_deeper_than_its_folder_is_told() -> None:
    code, path, message = only_problem("commands/team/a.json")
    assert (code, path) == (Code.VALIDATION_FAILED, "commands/team/a.json")
    assert "right in commands/" in message


def test_of_two_names_that_differ_in_case_the_second_is_told() -> None:
    code, path, message = only_problem("mcp-servers/Weather.json", "mcp-servers/weather.json")
    assert (code, path) == (Code.DUPLICATE_SLUG, "mcp-servers/weather.json")
    assert "mcp-servers/Weather.json" in message
    assert list(found("mcp-servers/Weather.json", "mcp-servers/weather.json").units) == ["mcp-servers/Weather.json"]


def test_a_name_that_is_no_slug_is_in_nobodys_way() -> None:
    it = found("mcp-servers/Weather.JSON", "mcp-servers/weather.json", "skills/PDF/SKILL.md", "skills/pdf/SKILL.md")
    assert list(it.units) == ["mcp-servers/weather.json", "skills/pdf"]
    assert [each.path for each in it.problems] == ["mcp-servers/Weather.JSON", "skills/PDF"]


@pytest.mark.parametrize(
    ("paths", "hint"),
    [
        (["skills/a/.gitkeep"], "Add SKILL.md"),
        (["skills/a/skill.md"], "Rename skill.md to SKILL.md"),
        (["skills/a/pdf/SKILL.md", "skills/a/pdf/x.py"], "pdf/SKILL.md is deeper"),
    ],
)
def test_a_skill_without_its_page_is_an_empty_directory(paths: list[str], hint: str) -> None:
    code, path, message = only_problem(*paths)
    assert (code, path) == (Code.EMPTY_DIRECTORY, "skills/a")
    assert hint in message


def test_a_tree_of_nothing_but_strange_names_is_told_up_to_a_cap() -> None:
    assert len(found(*(f"commands/{number}_.json" for number in range(3_000))).problems) == 1_000

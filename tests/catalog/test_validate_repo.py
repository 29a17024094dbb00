"""`manage.py validate_repo`, the published schemas, and the examples of docs/entities.md. No database."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from jsonschema import Draft202012Validator
from pytest_django import Settings

from catalog.checking.json_text import parse_json
from catalog.portable import schemas
from catalog.portable.folders import check_folder
from catalog.portable.front_matter import parse
from catalog.portable.model import FOLDERS, Code, Kind
from catalog.portable.reading import Limits
from tests.catalog.portable_samples import DOCUMENTS, SKILL, write

GUIDE = Path(settings.BASE_DIR) / "docs" / "entities.md"


def fill(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """One of each kind, which name each other."""
    page = write(Kind.SKILL, SKILL)
    return fill(
        tmp_path / "repo",
        {
            "README.md": "# Ours",
            "toolkits/travel.json": write(Kind.TOOLKIT, DOCUMENTS[Kind.TOOLKIT]),
            "commands/release-notes.json": write(Kind.COMMAND, DOCUMENTS[Kind.COMMAND]),
            "mcp-servers/weather.json": write(Kind.SERVER, DOCUMENTS[Kind.SERVER]),
            "mcp-clients/desk.json": write(Kind.CLIENT, DOCUMENTS[Kind.CLIENT]),
            "skills/pdf-forms/SKILL.md": page,
            "skills/pdf-forms/assets/deep/stamp.png": b"\x89PNG\0\xff",
        },
    )


def run(root: Path, *options: str) -> tuple[int, str]:
    """How it ends, and what it prints."""
    out = StringIO()
    try:
        call_command("validate_repo", str(root), *options, stdout=out, stderr=StringIO())
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def test_a_folder_that_is_right_ends_with_zero_and_a_count(good: Path) -> None:
    assert run(good) == (0, "5 entities checked, 0 problems.\n")


def test_each_problem_is_a_line_that_editors_and_ci_can_read(good: Path) -> None:
    toolkit = good / "toolkits/travel.json"
    toolkit.write_text(toolkit.read_text().replace('"getForecast"', '"getStorm"'))
    fill(
        good,
        {
            "commands/broken.json": '{\n  "name": "x"\n  "slug": "broken"\n}',
            "commands/other.json": '{\n  "name": "",\n  "slug": "another",\n  "prompt": "x"\n}',
            "mcp-clients/robot.json": '{"name": "R", "slug": "robot",\n"servers": ["maps"], "toolkits": ["none"]}',
            "skills/half/notes.md": "x",
            "skills/Loud/SKILL.md": "x",
        },
    )
    line = 1 + toolkit.read_text().split("\n").index('        "getStorm"')
    code, said = run(good)
    assert code == 1
    lines = said.splitlines()
    assert lines[-1] == "8 entities checked, 8 problems."
    assert [re.match(r"([^:]+:\d+: [A-Z_]+) \S", each)[1] for each in lines[:-1]] == [  # type: ignore[index]
        "commands/broken.json:3: INVALID_JSON",
        "commands/other.json:2: VALIDATION_FAILED",
        "commands/other.json:3: VALIDATION_FAILED",
        "mcp-clients/robot.json:2: MISSING_INTEGRATION",
        "mcp-clients/robot.json:2: MISSING_ENTITY",
        "skills/Loud:1: VALIDATION_FAILED",
        "skills/half:1: EMPTY_DIRECTORY",
        f"toolkits/travel.json:{line}: MISSING_TOOL",
    ]


def test_a_program_gets_the_same_as_json(good: Path) -> None:
    (good / "commands/release-notes.json").write_text('{"name": 1}')
    code, said = run(good, "--format", "json")
    told = json.loads(said)
    assert (code, told["entities"]) == (1, 5)
    assert {each["code"] for each in told["problems"]} == {"VALIDATION_FAILED"}
    first = told["problems"][0]
    assert first["path"] == "commands/release-notes.json"
    assert first.keys() == {"path", "line", "column", "code", "message", "advice", "fields"}


def test_a_broken_entity_is_still_there_for_those_that_name_it(good: Path) -> None:
    for path in ("mcp-servers/weather.json", "commands/release-notes.json", "skills/pdf-forms/SKILL.md"):
        (good / path).write_text("{")
    found = check_folder(good).problems
    assert {each.path for each in found} == {
        "mcp-servers/weather.json",
        "commands/release-notes.json",
        "skills/pdf-forms/SKILL.md",
    }


def test_a_directory_in_the_repository_can_be_named_and_paths_stay_those_of_the_repository(good: Path) -> None:
    (good / "commands/release-notes.json").write_text("{")
    root = good.parent / "outer"
    (root / "config").mkdir(parents=True)
    good.rename(root / "config" / "millrace")
    code, said = run(root, "--directory", "/config/millrace/")
    assert (code, said.splitlines()[0].split(" ")[0]) == (1, "config/millrace/commands/release-notes.json:1:")
    code, said = run(root)
    assert (code, said.splitlines()[0]) == (0, "0 entities checked, 0 problems.")
    assert "toolkits/" in said, "where entities are looked for"


@pytest.mark.parametrize("options", [["--directory", "nothing"], ["--directory", ".."], ["--directory", "a/../.."]])
def test_no_such_folder_ends_with_two(good: Path, options: list[str]) -> None:
    assert run(good, *options)[0] == 2
    assert run(good / "nothing")[0] == 2
    assert run(good / "README.md")[0] == 2


def test_links_are_told_and_never_followed(good: Path, tmp_path: Path) -> None:
    outside = fill(tmp_path / "outside", {"secret.json": "{", "skill/SKILL.md": "{", "deep/x.json": "{"})
    (good / "commands/secret.json").symlink_to(outside / "secret.json")
    (good / "skills/linked").symlink_to(outside / "skill")
    (good / "skills/pdf-forms/scripts").symlink_to(outside / "deep")
    found = check_folder(good)
    assert found.entities == 5
    assert [each.path for each in found.problems] == [
        "commands/secret.json",
        "skills/linked",
        "skills/pdf-forms/scripts",
    ]
    (good / "commands/secret.json").unlink()
    (good / "commands").rename(outside / "commands")
    (good / "commands").symlink_to(outside / "commands")
    assert "commands" in [each.path for each in check_folder(good).problems]
    (good / "sub").symlink_to(outside)
    assert run(good, "--directory", "sub")[0] == 2


def test_a_pipe_is_not_waited_for(good: Path) -> None:
    os.mkfifo(good / "commands/pipe.json")
    assert check_folder(good).problems == ()


def test_caps_hold_and_are_those_of_the_settings(good: Path, settings: Settings) -> None:
    settings.ENTITY_MAX_FILE_BYTES = 1_000
    fill(good, {"commands/large.json": "x" * 1_001, "skills/pdf-forms/large.bin": b"\0" * 1_001})
    code, said = run(good)
    large = ["commands/large.json", "mcp-servers/weather.json", "skills/pdf-forms/large.bin"]
    assert code == 1
    assert [line.split(":")[0] for line in said.splitlines() if f": {Code.TOO_LARGE} " in line] == large
    (good / "commands/large.json").unlink()
    fill(good, {f"skills/pdf-forms/{number}": b"x" * 50 for number in range(20)})
    found = check_folder(good, Limits(5_000, 800, 500)).problems
    assert [(each.code, each.path) for each in found] == [(Code.TOO_LARGE, "skills/pdf-forms")]
    found = check_folder(good, Limits(5_000, 8_000, 10)).problems
    assert [(each.code, each.path) for each in found] == [(Code.TOO_LARGE, "skills/pdf-forms")]


def test_a_copied_file_with_its_id_is_told(good: Path) -> None:
    text = (good / "commands/release-notes.json").read_text().replace("release-notes", "zebra")
    fill(good, {"commands/zebra.json": text})
    (found,) = check_folder(good).problems
    assert (found.path, found.fields) == ("commands/zebra.json", ("/id",))
    assert "commands/release-notes.json" in found.message


def test_names_that_are_no_text_are_told_and_can_be_printed(good: Path) -> None:
    with open(os.fsencode(good / "commands") + b"/\xff\xfe.json", "wb") as file:
        file.write(b"{")
    os.mkdir(os.fsencode(good / "skills") + b"/\xff")
    code, said = run(good)
    assert code == 1
    said.encode()
    assert said.count("�") >= 2


@pytest.mark.parametrize("kind", list(Kind))
def test_a_schema_is_public_and_may_be_read_from_anywhere(kind: Kind, settings: Settings) -> None:
    settings.BASE_URL = "https://millrace.example"
    url = reverse("schemas:schema", args=[kind])
    answer = Client().get(url)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/schema+json"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "public" in answer["Cache-Control"]
    assert "max-age=86400" in answer["Cache-Control"]
    schema = json.loads(answer.content)
    assert schema["$id"] == f"https://millrace.example{url}" == schemas.url("https://millrace.example", kind)
    Draft202012Validator.check_schema(schema)


def test_another_schema_is_not_found_and_nothing_is_posted() -> None:
    for name in ("nothing", "Toolkit", "SKILL"):
        answer = Client().get(f"/schemas/v1/{name}.json")
        assert (answer.status_code, answer["Content-Type"]) == (404, "text/plain; charset=utf-8")
        assert name.encode() not in answer.content
    assert Client().get("/schemas/v2/toolkit.json").status_code == 404
    assert Client().post("/schemas/v1/toolkit.json").status_code == 405


@pytest.mark.parametrize("kind", list(Kind))
def test_each_part_of_a_schema_is_described(kind: Kind) -> None:
    def undescribed(schema: object, path: str) -> list[str]:
        if not isinstance(schema, dict):
            return []
        parts = {f"{path}/{name}": part for name, part in schema.get("properties", {}).items()}
        bare = [name for name, part in parts.items() if "$ref" not in part and not part.get("description")]
        inner = {**parts, **{f"{path}/$defs/{name}": part for name, part in schema.get("$defs", {}).items()}}
        inner[f"{path}/items"], inner[f"{path}/*"] = schema.get("items"), schema.get("additionalProperties")
        return bare + [each for name, part in inner.items() for each in undescribed(part, name)]

    schema = schemas.SCHEMAS[kind]
    assert schema["title"]
    assert schema["description"]
    assert undescribed(schema, "") == []
    assert '"additionalProperties": false' not in json.dumps(schema), "unknown members are kept"


def examples() -> dict[str, str]:
    """The files of docs/entities.md: a line with the path in backticks and a colon, then the file."""
    found = re.findall(r"^`([^`\n]+)`:\n\n```[a-z]+\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return dict(found)


def test_the_guides_examples_are_a_repository_without_a_problem(tmp_path: Path) -> None:
    files = examples()
    assert {path.split("/")[0] for path in files} == {
        "toolkits",
        "commands",
        "mcp-servers",
        "mcp-clients",
        "skills",
    }
    assert run(fill(tmp_path, files)) == (0, "5 entities checked, 0 problems.\n")


def test_the_guides_examples_hold_to_the_published_schemas() -> None:
    kinds = {folder: kind for kind, folder in FOLDERS.items()}
    for path, text in examples().items():
        kind = kinds[path.split("/")[0]]
        value = parse(text).front if kind is Kind.SKILL else parse_json(text)
        validator = Draft202012Validator(schemas.published("https://millrace.example", kind))
        assert not list(validator.iter_errors(value)), path


def test_the_guide_tells_what_to_do_about_each_code() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \|", GUIDE.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(Code)

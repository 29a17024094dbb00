"""What documents name of others, what of it is missing, and what to do about each code."""

from __future__ import annotations

import json
import time

import pytest

from catalog.portable import normal, references
from catalog.portable.advice import advice
from catalog.portable.model import Code, Kind
from catalog.portable.references import Offered, There
from tests.catalog.portable_samples import CLIENT, COMMAND, SERVER, SKILL, TOOLKIT

ALL = There(
    {"weather": references.offered(SERVER)}, commands={"release-notes"}, skills={"pdf-forms"}, toolkits={"travel"}
)


def test_a_server_offers_what_all_its_providers_have() -> None:
    assert ALL.servers["weather"] == Offered({"getForecast"}, {"pack"}, {"weather://units"})


def test_each_reference_is_told_with_its_place() -> None:
    assert [(each.kind, each.name, each.pointer, each.server) for each in references.of(Kind.TOOLKIT, TOOLKIT)] == [
        ("server", "weather", "/servers/weather", ""),
        ("tool", "getForecast", "/servers/weather/tools/0", "weather"),
        ("prompt", "pack", "/servers/weather/prompts/0", "weather"),
        ("resource", "weather://units", "/servers/weather/resources/0", "weather"),
        ("command", "release-notes", "/commands/0", ""),
        ("skill", "pdf-forms", "/skills/0", ""),
    ]
    assert [(each.kind, each.name) for each in references.of(Kind.SERVER, SERVER)] == [("command", "release-notes")]
    assert [each.kind for each in references.of(Kind.CLIENT, CLIENT)] == ["server", "toolkit"]
    assert references.of(Kind.COMMAND, COMMAND) == references.of(Kind.SKILL, SKILL) == ()


def test_nothing_is_missing_where_all_is_there() -> None:
    for kind, document in ((Kind.TOOLKIT, TOOLKIT), (Kind.SERVER, SERVER), (Kind.CLIENT, CLIENT)):
        assert references.check(kind, document, "x", ALL) == ()


def test_what_is_missing_is_told_at_the_line_where_people_wrote_it() -> None:
    document = {
        **TOOLKIT,
        "servers": {"maps": {"tools": ["x"]}, "weather": {"prompts": ["nap"], "tools": ["getForecast", "aTool"]}},
        "skills": ["pdf-forms", "a-skill"],
    }
    text = "\ufeff" + json.dumps(document, indent=1).replace('["', '[\n"').replace("\n", "\r\n")
    normalised = normal.normal(Kind.TOOLKIT, document)
    assert normalised["skills"] == ["a-skill", "pdf-forms"]
    found = references.check(Kind.TOOLKIT, normalised, "toolkits/travel.json", ALL, text)
    lines = text.split("\n")
    assert [(each.code, each.fields) for each in found] == [
        (Code.MISSING_INTEGRATION, ("maps",)),
        (Code.MISSING_TOOL, ("nap",)),
        (Code.MISSING_TOOL, ("aTool",)),
        (Code.MISSING_ENTITY, ("a-skill",)),
    ]
    for each in found:
        assert f'"{each.fields[0]}"' in lines[each.line - 1]
        assert lines[each.line - 1].removeprefix("\ufeff")[each.column - 1] == '"'
    assert [each.line for each in references.check(Kind.TOOLKIT, normalised, "x", ALL)] == [0] * 4


def test_a_missing_tool_is_told_with_those_that_there_are() -> None:
    (found,) = references.check(Kind.TOOLKIT, {"servers": {"weather": {"tools": ["getforecast"]}}}, "x", ALL)
    assert "getForecast" in found.message


@pytest.mark.parametrize("code", list(Code))
def test_each_code_has_advice(code: Code) -> None:
    assert advice(code).endswith((".", "git."))
    assert advice(code.value) == advice(code)


def test_thousands_of_missing_tools_are_told_within_seconds_and_not_all() -> None:
    slugs = [f"s{number}" for number in range(10)]
    document = {"servers": {slug: {"tools": [f"t{number}" for number in range(5_000)]} for slug in slugs}}
    there = There(dict.fromkeys(slugs, Offered({f"u{number}" for number in range(2_000)})))
    before = time.process_time()
    assert len(references.check(Kind.TOOLKIT, document, "x", there, json.dumps(document))) == references.MOST_MISSING
    assert time.process_time() - before < 4

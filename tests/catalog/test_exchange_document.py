"""The export document: a server's configuration as JSON and back, and what is wrong with one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from catalog.checking.json_text import parse_json
from catalog.exchange import model
from catalog.exchange.document import DocumentError, dumps, from_document, render, to_document
from catalog.exchange.model import MASK, ServerConfig, order
from catalog.exchange.reading import MOST_BYTES, read
from catalog.exchange.schema import SCHEMA
from tests.catalog.exchange_samples import SAMPLE, text

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
names = st.from_regex(r"[a-z][a-zA-Z0-9]{0,6}", fullmatch=True)
upper = st.from_regex(r"[A-Z][A-Z0-9_]{0,6}", fullmatch=True)
filled = texts.filter(bool)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
schemas = st.dictionaries(texts, json_values, max_size=2)
flags = st.none() | st.booleans()
word_lists = st.lists(filled, max_size=2).map(tuple)
visibilities = st.sampled_from(["public", "private"])


def _named(things: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(things, max_size=2).map(lambda found: tuple(sorted(found, key=order)))


variables = st.builds(
    model.VariableConfig, name=upper, description=texts, secret=st.just(True), value=st.just(MASK), hosts=word_lists
) | st.builds(model.VariableConfig, name=upper, description=texts, value=texts.filter(lambda value: value != MASK))
tools = st.builds(
    model.ToolConfig,
    name=names,
    method=st.sampled_from(["GET", "DELETE"]),
    path=texts,
    title=texts,
    description=texts,
    enabled=st.booleans(),
    path_schema=schemas,
    query_schema=schemas,
    body_schema=st.none() | schemas,
    headers=st.dictionaries(texts, texts, max_size=2),
    scopes=word_lists,
    read_only=flags,
    destructive=flags,
    idempotent=flags,
    open_world=flags,
)
resources = st.builds(
    model.ResourceConfig, name=filled, uri=filled, description=texts, mime_type=texts, text=texts
) | st.builds(model.ResourceConfig, name=filled, uri=filled, upstream_path=filled)
prompts = st.builds(
    model.PromptConfig,
    name=names,
    title=texts,
    description=texts,
    arguments=st.lists(st.builds(model.PromptArgument, filled, texts, st.booleans()), max_size=2).map(tuple),
    messages=st.lists(st.builds(model.PromptMessage, st.sampled_from(["user", "assistant"]), texts), max_size=2).map(
        tuple
    ),
)
providers = st.builds(
    model.ProviderConfig,
    name=filled,
    description=texts,
    base_url=texts,
    documentation_url=texts,
    icon_url=texts,
    visibility=visibilities,
    oauth2=st.none() | st.builds(model.OAuth2Config, texts, texts, texts, word_lists),
    tools=_named(tools),
    resources=_named(resources),
    prompts=_named(prompts),
)
configs = st.builds(
    ServerConfig,
    name=filled,
    slug=st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True),
    version=st.integers(1, 10**6),
    description=texts,
    instructions=texts,
    visibility=visibilities,
    variables=_named(variables),
    providers=_named(providers),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configs)
def test_a_configuration_comes_back_from_its_document_exactly(config: ServerConfig) -> None:
    there = dumps(to_document(config))
    back = from_document(json.loads(there))
    assert back == config
    assert dumps(to_document(back)) == there


def test_the_schema_is_one_and_the_sample_is_as_it_says() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert not list(Draft202012Validator(SCHEMA).iter_errors(json.loads(render(SAMPLE))))


def test_what_is_empty_is_left_out_and_an_empty_body_schema_is_not() -> None:
    report = to_document(SAMPLE)["providers"][1]["tools"][1]
    assert report == {
        "name": "report",
        "enabled": False,
        "method": "POST",
        "path": "/reports",
        "body": {},
        "hints": {"destructive": False},
    }


def test_a_render_that_is_not_as_the_schema_says_is_refused() -> None:
    with pytest.raises(DocumentError, match="letters, digits, - and _"):
        render(replace(SAMPLE, slug="no slug"))


def test_the_document_ends_with_a_line_and_keeps_letters_as_they_are() -> None:
    assert text().endswith("}\n")
    assert "Zürich" in text()


def _told(document: str | bytes) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        read(document)
    return [str(problem) for problem in refused.value.problems]


def _line(document: str, fragment: str) -> int:
    return next(number for number, line in enumerate(document.splitlines(), start=1) if fragment in line)


def _edited(change: Callable[[Any], object]) -> str:
    document = json.loads(text())
    change(document)
    return dumps(document).decode()


def test_the_sample_is_read_as_it_is() -> None:
    assert read(text()).config == SAMPLE
    assert read(text().encode()).config == SAMPLE
    assert read("\ufeff" + text().replace("\n", "\r\n")).config == SAMPLE


def test_errors_are_told_all_at_once_each_with_its_line_and_place() -> None:
    document = text().replace('"report"', '"Report It"').replace('"docs://guide"', "7")
    assert _told(document) == [
        f"Line {_line(document, 'Report It')}, /providers/1/tools/1/name: This has to be a small letter, then up to 63 "
        "letters and digits: getWeather.",
        f"Line {_line(document, ': 7,')}, /providers/1/resources/0/uri: This has to be a text.",
    ]


def test_errors_of_the_forms_rules_have_lines_too() -> None:
    def change(document: Any) -> None:
        tool = document["providers"][1]["tools"][0]
        tool["path"] = "//evil.example/{city}"
        tool["queryArguments"]["properties"]["zeta"]["type"] = "no such type"
        document["variables"][0]["hosts"] = ["*.weather.example"]

    document = _edited(change)
    told = _told(document)
    assert [line.split(":")[0] for line in told] == [
        f"Line {_line(document, 'hosts')}, /variables/0/hosts",
        f"Line {_line(document, '//evil')}, /providers/1/tools/0/path",
        f"Line {_line(document, 'no such type')}, /providers/1/tools/0/queryArguments/properties/zeta/type",
    ]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"\xff\xfe", "Line 1: The file is not text in UTF-8"),
        ("", "is not valid JSON"),
        ("null", "This has to be an object"),
        ("[]", "This has to be an object"),
        ('{"formatVersion": 1}', "“server” is missing"),
        ('{"formatVersion": "1", "server": []}', "This has to be 1"),
        ('{"formatVersion": 2}', "made by a newer Millrace"),
        ('{"formatVersion": 1,\n "formatVersion": 1}', "Line 2, column 2: The object has “formatVersion” twice"),
        ('{"formatVersion": 1e999}', "larger than others can read"),
        ('{"formatVersion": NaN}', "NaN is no number"),
        ('{"a": "\\u0000"}', "cannot be kept"),
        ('{"a": "\\ud800"}', "Half of a character"),
        ("[" * 100_000, "nested deeper"),
        ('{"a":' * 100_000, "nested deeper"),
        ("9" * 10_000, "more digits"),
        (b" " * (MOST_BYTES + 1), "larger than 8 MB"),
    ],
)
def test_what_is_no_document_is_refused(document: str | bytes, said: str) -> None:
    assert said in _told(document)[0]


def test_unknown_members_are_refused_by_name() -> None:
    def change(document: Any) -> None:
        document["owner"] = "alice"
        document["providers"][1]["tools"][0]["timeout"] = 5

    told = " ".join(_told(_edited(change)))
    assert "“owner” is not a member that Millrace knows here" in told
    assert "/providers/1/tools/0/timeout: “timeout” is not a member" in told


def _twice(document: Any) -> None:
    document["providers"][0]["prompts"] = [document["providers"][1]["prompts"][0]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda it: it["variables"].append(it["variables"][0]),
            "/variables/2/name: The variable “API_TOKEN” is in the",
        ),
        (
            lambda it: it["providers"].append({"name": "NOTES", "visibility": "public"}),
            "/providers/2/name: The provider",
        ),
        (lambda it: it["providers"][1]["tools"].append(it["providers"][1]["tools"][0]), "The tool “getWeather” is in"),
        (_twice, "The prompt “compareCities” is in the file twice"),
        (lambda it: it["providers"][0]["resources"][0].update(uri="docs://guide"), "The URI “docs://guide” is in the"),
        (
            lambda it: it["providers"][1]["resources"][1].update(name="Guide"),
            "The resource “Guide” is in the file twice",
        ),
        (lambda it: it["providers"][1].pop("baseUrl"), "Tools are called below a base URL"),
        (lambda it: it["providers"][1].update(baseUrl="https://${API_TOKEN}.example"), "API_TOKEN is secret, and no"),
        (lambda it: it["providers"][1]["oauth2"].update(clientSecret="${CLIENT_ID}"), "CLIENT_ID is plain. A client"),
        (lambda it: it["variables"][0].pop("hosts"), "Name a host at least"),
        (lambda it: it["providers"][1]["prompts"][0]["messages"].clear(), "A prompt needs a message at least"),
        (lambda it: it["server"].update(name=" "), "/server/name: A server needs a name"),
    ],
)
def test_what_cannot_stand_together_is_refused(change: Callable[[Any], object], said: str) -> None:
    assert said in " ".join(_told(_edited(change)))


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["variables"][0].update(value="hunter2-hunter2"),
        lambda it: it["providers"][1]["oauth2"].update(clientSecret="hunter2-hunter2"),
        lambda it: it["providers"][1]["tools"][0]["headers"].update(Authorization="Bearer hunter2-hunter2"),
        lambda it: it["providers"][1]["tools"][0]["headers"].update({"X-Api-Key": "hunter2-hunter2"}),
    ],
)
def test_a_secret_in_a_document_is_refused_and_never_repeated(change: Callable[[Any], object]) -> None:
    told = _told(_edited(change))
    assert len(told) == 1
    assert "hunter2" not in told[0]


OTHERS: tuple[Any, ...] = (None, 7, True, "text", [], {}, [[]], {"": {}})


def test_wrong_types_everywhere_are_told_and_nothing_breaks() -> None:
    """Each value of the sample in turn becomes each other type."""
    document = to_document(SAMPLE)
    replaced = 0
    for path in list(_paths(document)):
        for value in OTHERS:
            copy = json.loads(json.dumps(document))
            _put(copy, path, value)
            try:
                assert isinstance(read(json.dumps(copy)).config, ServerConfig)
            except DocumentError as error:
                assert all(problem.line == 1 for problem in error.problems)  # noqa: PT017
            replaced += 1
    assert replaced > 500


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        yield from _paths(each, (*path, step))


def _put(document: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value


@pytest.mark.parametrize(("count", "property_"), [(25, {}), (7, {"pattern": "[a-z]{1900}"})])
def test_a_document_of_more_schemas_than_can_be_checked_in_time_is_refused_at_once(count: int, property_: Any) -> None:
    def change(document: Any) -> None:
        schema = {"type": "object", "properties": {f"p{number}": property_ for number in range(2_000)}}
        tools = document["providers"][1]["tools"]
        tools += [{"name": f"many{number}", "method": "POST", "path": "/x", "body": schema} for number in range(count)]

    (told,) = _told(_edited(change))
    assert "more than 50,000 subschemas in all" in told


@pytest.mark.parametrize("text", ["[" + "0," * 200_000 + "0]", "[" + "0," * 200_000, "[" + "{}," * 200_000])
def test_a_document_of_more_values_than_can_be_read_in_time_is_refused_at_once(text: str) -> None:
    assert _told(text) == ["This holds more than 150,000 values, the most that is read."]


def test_commas_in_texts_are_no_values() -> None:
    text = '\\",' * 600_000
    assert parse_json(json.dumps(text), longest=MOST_BYTES) == text

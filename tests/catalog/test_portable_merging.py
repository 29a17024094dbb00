"""Three-way merge of entities' documents: laws that hold for all, and what people would expect of some."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.portable.merging import digest, merge
from catalog.portable.model import Kind
from tests.catalog.portable_samples import COMMAND, SERVER, TOOLKIT, VALUES, documents

KINDS = st.sampled_from(list(Kind))
THREE = st.one_of(
    KINDS.flatmap(lambda kind: st.tuples(documents(kind), documents(kind), documents(kind))),
    st.tuples(*[st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)] * 3),
)


@given(THREE)
@settings(max_examples=80, deadline=None)
def test_who_changed_nothing_gets_what_the_other_made(three: tuple[dict[str, Any], ...]) -> None:
    base, one, _ = three
    assert merge(base, base, one).document == one
    assert merge(base, one, base).document == one
    assert merge(base, one, copy.deepcopy(one)).document == one
    for sides in ((base, one), (one, base), (one, one)):
        assert merge(base, *sides).conflicts == ()


@given(THREE)
@settings(max_examples=80, deadline=None)
def test_which_side_is_ours_changes_no_conflict_and_no_merged_document(three: tuple[dict[str, Any], ...]) -> None:
    base, one, other = three
    there, back = merge(base, one, other), merge(base, other, one)
    assert there.conflicts == back.conflicts
    if not there.conflicts:
        assert _unordered(there.document) == _unordered(back.document)


@given(THREE)
@settings(max_examples=60, deadline=None)
def test_merging_leaves_its_arguments_alone_and_merging_again_changes_nothing(
    three: tuple[dict[str, Any], ...],
) -> None:
    before = copy.deepcopy(three)
    base, one, other = three
    merged = merge(base, one, other)
    assert three == before
    if not merged.conflicts:
        assert merge(base, merged.document, other).document == merged.document
        assert merge(base, one, merged.document).document == merged.document


def _unordered(value: Any) -> Any:
    """Where both sides put something new, its place is the first side's choice."""
    if isinstance(value, dict):
        return {name: _unordered(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(each) for each in value), key=repr)
    return value


def test_different_fields_are_merged_and_the_same_field_is_a_conflict() -> None:
    ours, theirs = {**COMMAND, "description": "Ours."}, {**COMMAND, "prompt": "Theirs."}
    assert merge(COMMAND, ours, theirs).document == {**COMMAND, "description": "Ours.", "prompt": "Theirs."}
    found = merge(COMMAND, {**COMMAND, "prompt": "Ours."}, {**COMMAND, "prompt": "Theirs."})
    assert found.conflicts == ("/prompt",)
    assert found.document["prompt"] == "Ours."


def test_what_one_deleted_and_the_other_edited_is_a_conflict_on_both_sides() -> None:
    gone = {name: value for name, value in COMMAND.items() if name != "description"}
    edited = {**COMMAND, "description": "Another."}
    assert merge(COMMAND, gone, edited).conflicts == merge(COMMAND, edited, gone).conflicts == ("/description",)
    assert merge(COMMAND, gone, COMMAND).document == gone


def test_named_things_are_merged_by_their_names() -> None:
    ours, theirs = copy.deepcopy(SERVER), copy.deepcopy(SERVER)
    ours["providers"][0]["tools"][0]["title"] = "Forecast"
    theirs["providers"][0]["tools"][0]["description"] = "For a city."
    theirs["providers"][0]["tools"].insert(0, {"name": "addCity", "method": "POST", "path": "/cities"})
    found = merge(SERVER, ours, theirs)
    assert found.conflicts == ()
    tools = found.document["providers"][0]["tools"]
    assert [each["name"] for each in tools] == ["addCity", "getForecast"]
    assert (tools[1]["title"], tools[1]["description"]) == ("Forecast", "For a city.")
    ours["providers"][0]["tools"][0]["description"] = "Of a city."
    assert merge(SERVER, ours, theirs).conflicts == ("/providers/Forecasts/tools/getForecast/description",)


def test_a_thing_that_one_deleted_and_the_other_edited_is_a_conflict_at_its_name() -> None:
    ours, theirs = copy.deepcopy(SERVER), copy.deepcopy(SERVER)
    del ours["providers"]
    theirs["providers"][0]["baseUrl"] = "https://elsewhere.example.com"
    assert merge(SERVER, ours, theirs).conflicts == ("/providers/Forecasts",)


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        (["a", "b", "c"], ["a", "b", "d"], ["a", "b", "c", "d"]),
        (["a"], ["a", "b", "c"], ["a", "c"]),
        (["a"], ["b"], None),
        (None, ["a", "b", "c"], ["c"]),
        (["a", "x"], ["b", "x"], ["x"]),
    ],
)
def test_names_are_added_and_taken_out_by_both_sides(
    ours: list[str] | None, theirs: list[str], merged: list[str] | None
) -> None:
    def of(names: list[str] | None) -> dict[str, Any]:
        return {"skills": names} if names is not None else {}

    found = merge(of(["a", "b"]), of(ours), of(theirs))
    assert (found.document, found.conflicts) == (of(merged), ())


def test_servers_of_a_toolkit_are_chosen_by_both_sides() -> None:
    ours = {name: value for name, value in TOOLKIT.items() if name != "servers"}
    theirs = {**TOOLKIT, "servers": {**TOOLKIT["servers"], "maps": {"tools": ["route"]}}}
    found = merge(TOOLKIT, ours, theirs)
    assert (found.document["servers"], found.conflicts) == ({"maps": {"tools": ["route"]}}, ())


def named(text: str) -> dict[str, Any]:
    return {"arguments": [{"name": name} for name in text]}


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("abc", "acb", "abc", "acb"),
        ("abc", "cab", "abxc", "cabx"),
        ("abc", "abxc", "cab", "cabx"),
        ("abc", "ac", "axbc", "axc"),
        ("ab", "abx", "aby", "abyx"),
        ("abc", "bac", "acb", None),
        ("abc", "ac", "ab", "a"),
        ("", "x", "y", "yx"),
    ],
)
def test_the_order_is_that_of_the_side_that_changed_it(base: str, ours: str, theirs: str, merged: str | None) -> None:
    found = merge(named(base), named(ours), named(theirs))
    if merged is None:
        assert found.conflicts == ("/arguments",)
    else:
        assert (found.document, found.conflicts) == (named(merged), ())


def test_true_is_not_one_and_messages_are_one_value() -> None:
    assert merge({"a": {"x": 0}}, {"a": {"x": True}}, {"a": {"x": 1}}).conflicts == ("/a/x",)
    assert merge({"m": [{"text": "a"}]}, {"m": [{"text": "b"}]}, {"m": [{"text": "c"}]}).conflicts == ("/m",)
    assert merge({}, {"a/b": "x"}, {"a/b": "y"}).conflicts == ("/a~1b",)


def test_digests_tell_documents_apart_and_nothing_else() -> None:
    assert digest({"a": 1, "b": {"c": [1], "d": 2}}) == digest({"b": {"d": 2, "c": [1]}, "a": 1})
    values: list[Any] = [1, 1.5, True, "1", None, [1], {"1": 1}, [], {}]
    assert len({digest({"a": each}) for each in values}) == len(values)
    assert len(digest({})) == 64


def test_what_either_side_added_by_the_thousand_is_merged_within_seconds() -> None:
    ours, theirs = ([{"name": f"{side}{number}"} for number in range(20_000)] for side in ("o", "t"))
    before = time.process_time()
    base, one, other = ({"providers": [{"name": "a"}, *more]} for more in ([], ours, theirs))
    assert merge(base, one, other).document == {"providers": [{"name": "a"}, *theirs, *ours]}
    assert time.process_time() - before < 4

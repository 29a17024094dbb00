"""What a commit says: what changed and who saved it, and nothing that a name could smuggle in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from forges.clients.base import Author
from gitsync.messages import SUBJECT, InvalidTemplate, Message, Told, author_of, check_template, compose, net_changes

ALICE, BOB = Author("Alice", "alice@acme.example"), Author("Bob", "bob@acme.example")


def said(*changes: Told, **more: object) -> Message:
    return compose(changes, server="weather", organization="Acme", **more)  # type: ignore[arg-type]


def test_one_change_is_told_by_name() -> None:
    message = said(Told("update", "tool", "getWeather", person=ALICE))
    assert message.text == "Update tool `getWeather` of weather (Alice)\n"
    assert message.author == ALICE


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        (Told("create", "provider", "Open Meteo"), "Add provider Open Meteo of weather"),
        (Told("delete", "resource", "Guide"), "Delete resource Guide of weather"),
        (Told("rename", "prompt", "greet", "hello"), "Rename prompt `hello` to `greet` of weather"),
        (Told("rename", "server", "climate", "weather"), "Rename server weather to climate"),
        (Told("delete", "server", "weather"), "Delete server weather"),
        (Told("move", "server", "weather", "old/place"), "Move server weather from old/place"),
        (Told("import", "configuration", "weather"), "Import the configuration of weather"),
        (Told("take over", "files", "1"), "Take over 1 file in weather"),
        (Told("update", "variable", "API_KEY"), "Update variable API_KEY of weather"),
    ],
)
def test_each_sort_of_change_is_a_sentence(change: Told, subject: str) -> None:
    assert said(change).subject == subject


def test_several_changes_are_summed_up_and_listed() -> None:
    message = said(
        *(Told("update", "tool", name, person=ALICE) for name in ("a", "b", "c")),
        Told("create", "provider", "X", person=BOB),
    )
    assert message.subject == "Update 3 tools and add provider X of weather (Alice, Bob)"
    assert message.body.splitlines() == [
        "- Update tool `a` (Alice)",
        "- Update tool `b` (Alice)",
        "- Update tool `c` (Alice)",
        "- Add provider X (Bob)",
    ]
    assert message.author == BOB
    assert message.trailers == ("Co-authored-by: Alice <alice@acme.example>",)


@pytest.mark.parametrize(
    ("commands", "skills", "subject"),
    [
        (1, 0, "Give command command 0 its id"),
        (300, 0, "Give 300 commands their ids"),
        (2, 1, "Give 2 commands and skill skill 0 their ids"),
        (1, 1, "Give command command 0 and skill skill 0 their ids"),
    ],
)
def test_ids_are_given(commands: int, skills: int, subject: str) -> None:
    given = [
        Told("give", kind, f"{kind} {number}")
        for kind, many in (("command", commands), ("skill", skills))
        for number in range(many)
    ]
    assert compose(given, organization="Acme").subject == subject


def test_entities_are_counted_where_they_cannot_be_named() -> None:
    kinds = ("client", "command", "server", "skill", "toolkit")
    long = [Told("create", kind, f"{kind} {'x' * 30}", person=ALICE) for kind in kinds]
    assert compose(long, organization="Acme").subject == "Add 5 entities (Alice)"
    given = [Told("give", kind, f"{kind} {'x' * 20}") for kind in kinds]
    assert compose(given, organization="Acme").subject == "Give 5 entities their ids"
    more = [Told("update", "command", "y" * 40), *long, Told("delete", "skill", "pdf"), Told("give", "skill", "z")]
    assert compose(more, organization="Acme").subject == "Update 1 entity, add 5, delete 1 and give 1 its id (Alice)"


def test_the_first_push_adds_the_server_whatever_was_saved() -> None:
    message = said(
        Told("add", "server", "weather", person=ALICE), Told("update", "tool", "a", person=BOB), initial=True
    )
    assert message.subject == "Add server weather (Alice, Bob)"


@pytest.mark.parametrize(
    ("steps", "net"),
    [
        (["create a", "update a"], ["create a"]),
        (["create a", "delete a"], []),
        (["delete a", "create a"], ["update a"]),
        (["update a", "update a"], ["update a"]),
        (["update a", "delete a"], ["delete a"]),
        (["rename b a", "update b"], ["rename b a"]),
        (["rename b a", "rename c b"], ["rename c a"]),
        (["rename b a", "delete b"], ["delete a"]),
        (["create a", "rename b a"], ["create b"]),
    ],
)
def test_what_many_saves_come_to_is_told_once(steps: list[str], net: list[str]) -> None:
    def told(step: str) -> Told:
        verb, name, *former = step.split()
        return Told(verb, "tool", name, "".join(former))

    assert net_changes(told(step) for step in steps) == [told(step) for step in net]


def test_a_subject_never_exceeds_its_length_and_names_give_way_first() -> None:
    crowd = [Author(f"Person {number} of the weather team", f"p{number}@acme.example") for number in range(9)]
    message = said(*(Told("update", "tool", f"tool{number}", person=person) for number, person in enumerate(crowd)))
    assert message.subject == "Update 9 tools of weather (Person 0 of the weather team and 8 others)"
    long = compose([Told("update", "tool", "x" * 64, person=ALICE)], server="y" * 120, organization="Acme")
    assert len(long.subject) <= SUBJECT
    assert long.subject.startswith("Update tool `xxx")


def test_hundreds_of_changes_are_not_all_listed() -> None:
    message = said(*(Told("update", "tool", f"tool{number}") for number in range(300)))
    assert len(message.body.splitlines()) == 51
    assert message.body.endswith("- and 250 more")


def test_each_person_is_a_co_author_once_and_the_author_none() -> None:
    message = said(*(Told("update", "tool", "a", person=person) for person in (ALICE, BOB, ALICE)))
    assert message.author == ALICE
    assert message.trailers == ("Co-authored-by: Bob <bob@acme.example>",)


def test_what_nobody_saved_is_millraces_own() -> None:
    message = said(Told("update", "tool", "a"))
    assert (message.author, message.trailers, message.subject) == (None, (), "Update tool `a` of weather")


def test_names_cannot_begin_lines_or_trailers_of_their_own(tmp_path: Path) -> None:
    evil = "x\n\nCo-authored-by: Eve <eve@evil.example>\r\nSigned-off-by: Eve <eve@evil.example>\u2028tree 0"
    person = author_of(evil, "mallory@acme.example>\nauthor Eve <eve@evil.example")
    message = compose(
        [Told("update", "tool", evil, evil, person), Told("rename", "provider", evil, evil, ALICE)],
        server=evil,
        organization=evil,
        template="{summary}\n\n{server}\n{organization}\n\n{changes}\n\n{people}",
    )
    assert "\n" not in message.subject
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    ended = subprocess.run(
        [*git, "interpret-trailers", "--parse"], input=message.text.encode(), capture_output=True, check=True
    )
    trailers = ended.stdout.decode().splitlines()
    assert len(trailers) == 1
    assert trailers[0].startswith("Co-authored-by: x Co-authored-by: Eve eve@evil.example")
    assert trailers[0].count("<") == trailers[0].count(">") == 1
    assert "\n" not in person.name + person.email


def test_a_template_words_it_and_braces_in_values_stay_as_they_are() -> None:
    message = compose(
        [Told("update", "provider", "{people}", person=ALICE)],
        server="weather",
        organization="Acme",
        template="[{organization}] {summary}\n\nSaved by {people}:\n{changes}",
    )
    assert message.subject == "[Acme] Update provider {people} of weather (Alice)"
    assert message.body == "Saved by Alice:\n- Update provider {people} (Alice)"


def test_a_person_without_a_name_is_known_by_their_address() -> None:
    assert author_of("", "dora@acme.example") == Author("dora", "dora@acme.example")


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{summary} by {person}", "There is no placeholder {person}"),
        ("{summary.__class__}", "There is no placeholder {summary.__class__}"),
        ("{}", "There is no placeholder {}"),
        ("x" * 5000, "at most 4,000 characters"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(template: str, sentence: str) -> None:
    with pytest.raises(InvalidTemplate) as caught:
        check_template(template)
    assert sentence in str(caught.value)


def test_a_template_that_can_is_kept_without_blank_ends() -> None:
    assert check_template("  {summary}\r\n\r\n{changes}\n\n") == "{summary}\n\n{changes}"
    assert check_template("") == ""

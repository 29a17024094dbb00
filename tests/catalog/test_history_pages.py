"""The history of toolkits, commands, skills and clients, back to what they were, and what was deleted."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import clients, commands, skills, toolkits
from catalog.models import Client, Command, EntityRevision, Skill, Toolkit
from catalog.revision_text import as_text
from catalog.revisions import Source
from orgs.models import Organization, User
from tests import factories
from tests.catalog.pages import page, queries_of, words
from tests.conftest import Browse

LIST = "/o/acme/commands/"
GREET = {"name": "Greet", "description": "Says hello.", "arguments": [], "prompt": "Say hello.\nSmile."}


def at(row: Any, name: str = "history/") -> str:
    return f"/o/acme/{row._meta.model_name}s/{row.pk}/{name}"


@pytest.fixture
def greet(acme: Organization, bob: User) -> Command:
    """Made by Bob, then changed in git."""
    row = commands.create_command(organization=acme, values=GREET, by=bob)
    return commands.edit_command(
        command=row,
        values={"prompt": "Say hello.\nFrown."},
        seen_revision=None,
        by=None,
        source=Source("git", "0123456789abcdef", "https://forge.example/acme/conf/commit/0123456789abcdef"),
    )


def test_history_says_who_and_when_and_from_where_and_what_changed(browse: Browse, carol: User, greet: Command) -> None:
    shown = page(browse(carol), at(greet))
    assert "Bob" in shown
    assert "the pages" in shown
    assert 'href="https://forge.example/acme/conf/commit/0123456789abcdef"' in shown
    assert ">0123456</a>" in shown
    assert '<span class="diff-sign">−</span> Smile.' in shown
    assert '<span class="diff-sign">+</span> Frown.' in shown


def test_a_commit_is_linked_only_by_an_address_of_the_web(browse: Browse, carol: User, greet: Command) -> None:
    EntityRevision.objects.update(commit_url="javascript:alert(1)")
    shown = page(browse(carol), at(greet))
    assert "javascript:" not in shown
    assert ">0123456</span>" in shown


def test_the_change_of_each_version_can_be_looked_at(browse: Browse, carol: User, greet: Command) -> None:
    first = EntityRevision.objects.get(verb="create").number
    shown = page(browse(carol), f"{at(greet)}?change={first}")
    assert f"What version {first} changed" in shown
    assert '<span class="diff-sign">+</span> Smile.' in shown
    assert "Frown" not in shown


def test_what_has_no_history_yet_says_so(browse: Browse, carol: User, acme: Organization) -> None:
    assert "Nothing is written down yet" in page(browse(carol), at(factories.toolkit(acme)))


@pytest.mark.parametrize("number", ["99", "x", "-1", "9" * 30, "²"])
def test_a_version_that_is_not_there_is_not_found(browse: Browse, carol: User, greet: Command, number: str) -> None:
    assert browse(carol).get(f"{at(greet)}?change={number}").status_code == 404


def test_a_version_is_restored_once_confirmed(browse: Browse, bob: User, greet: Command) -> None:
    first = EntityRevision.objects.get(verb="create").number
    address = at(greet, f"history/{first}/restore/")
    shown = page(browse(bob), address)
    assert "Restore Greet?" in shown
    greet.refresh_from_db()
    assert greet.prompt == "Say hello.\nFrown."
    shown = words(browse(bob).post(address, follow=True))
    assert f"restored as it was in version {first}" in shown
    greet.refresh_from_db()
    assert greet.prompt == "Say hello.\nSmile."
    assert "Restored" in page(browse(bob), at(greet))


def test_a_viewer_reads_history_and_restores_nothing(browse: Browse, carol: User, greet: Command) -> None:
    first = EntityRevision.objects.get(verb="create").number
    assert "restore/" not in page(browse(carol), at(greet))
    assert browse(carol).post(at(greet, f"history/{first}/restore/")).status_code == 403


def test_history_has_pages_and_a_constant_number_of_queries(
    browse: Browse, bob: User, carol: User, greet: Command
) -> None:
    client = browse(carol)
    client.get(at(greet))
    few = queries_of(lambda: client.get(at(greet)))
    for number in range(30):
        commands.edit_command(command=greet, values={"prompt": f"{number}"}, seen_revision=None, by=bob)
    assert queries_of(lambda: client.get(at(greet))) == few
    assert "26–32 of 32 versions" in page(client, f"{at(greet)}?page=2")


KINDS: dict[str, Any] = {
    "toolkit": (Toolkit, toolkits.delete_toolkit, toolkits.create_toolkit, {}),
    "command": (Command, commands.delete_command, commands.create_command, {"prompt": "Say hello."}),
    "skill": (Skill, skills.delete_skill, skills.create_skill, {"description": "Forms.", "instructions": "Fill in.\n"}),
    "client": (Client, clients.delete_client, clients.create_client, {"kind": "agent"}),
}


def _deleted(acme: Organization, kind: str, by: User, **more: Any) -> Any:
    _, delete, create, values = KINDS[kind]
    row = create(organization=acme, values={"name": "Weather", "description": "", **values}, by=by, **more)
    pk = row.pk
    delete(**{kind: row}, by=by)
    row.pk = pk
    return row


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_deleted_is_listed_and_comes_back_as_it_was(
    browse: Browse, bob: User, acme: Organization, kind: str
) -> None:
    row = _deleted(acme, kind, bob)
    last = EntityRevision.objects.get(verb="delete").number
    shown = page(browse(bob), f"/o/acme/deleted/?kind={kind}")
    restore = f"/o/acme/{kind}s/{row.pk}/history/{last}/restore/"
    assert f'href="{restore}"' in shown
    assert "Weather" in shown
    assert "is deleted" in page(browse(bob), at(row))
    assert browse(bob).get(at(row, "")).status_code == 404
    assert "Restore Weather?" in page(browse(bob), restore)
    browse(bob).post(restore)
    assert KINDS[kind][0].objects.get().pk == row.pk
    assert "Nothing deleted" in page(browse(bob), f"/o/acme/deleted/?kind={kind}")


def test_what_cannot_come_back_says_why(browse: Browse, bob: User, acme: Organization) -> None:
    row = _deleted(acme, "toolkit", bob)
    factories.toolkit(acme, "Other", slug="weather")
    last = EntityRevision.objects.get(verb="delete").number
    shown = words(browse(bob).post(at(row, f"history/{last}/restore/"), follow=True))
    assert "Weather is not restored" in shown
    assert "“weather”" in shown


def test_a_restore_says_what_it_leaves_out(browse: Browse, bob: User, acme: Organization) -> None:
    command = factories.command(acme, "Greet")
    row = toolkits.create_toolkit(organization=acme, values={"name": "Kit", "commands": [command.pk]}, by=bob)
    first = EntityRevision.objects.get(kind="toolkit").number
    commands.delete_command(command=command, by=bob)
    shown = page(browse(bob), at(row, f"history/{first}/restore/"))
    assert "is not there any more, and is left out" in shown
    assert "greet" in shown


@pytest.mark.parametrize("kind", ["toolkit", "command", "skill"])
def test_nobody_else_sees_the_history_of_what_is_personal_nor_that_it_was_deleted(
    browse: Browse, alice: User, bob: User, acme: Organization, kind: str
) -> None:
    row = _deleted(acme, kind, bob, owner=bob)
    last = EntityRevision.objects.get(verb="delete").number
    restore = at(row, f"history/{last}/restore/")
    assert "Nothing deleted" in page(browse(alice), f"/o/acme/deleted/?kind={kind}")
    assert browse(alice).get(at(row)).status_code == 404
    assert browse(alice).post(restore).status_code == 404
    assert "Weather" in page(browse(bob), f"/o/acme/deleted/?kind={kind}")
    browse(bob).post(restore)
    assert KINDS[kind][0].objects.get().owner == bob


def test_what_was_personal_before_it_was_shared_stays_its_owners_to_read(
    browse: Browse, alice: User, bob: User, acme: Organization
) -> None:
    row = commands.create_command(organization=acme, values={**GREET, "prompt": "My secret plan."}, by=bob, owner=bob)
    row = commands.edit_command(command=row, values={"prompt": "For all."}, seen_revision=None, by=bob)
    commands.share_command(command=row, by=bob)
    assert "secret plan" not in page(browse(alice), at(row))
    first = EntityRevision.objects.get(verb="create").number
    assert browse(alice).get(f"{at(row)}?change={first}").status_code == 404
    assert browse(alice).post(at(row, f"history/{first}/restore/")).status_code == 404
    assert "secret plan" in page(browse(bob), f"{at(row)}?change={first}")


def test_the_list_of_what_was_deleted_asks_a_constant_number_of_queries(
    browse: Browse, bob: User, acme: Organization
) -> None:
    client = browse(bob)
    _deleted(acme, "toolkit", bob)
    client.get("/o/acme/deleted/")
    few = queries_of(lambda: client.get("/o/acme/deleted/"))
    for _ in range(5):
        _deleted(acme, "toolkit", bob)
    assert queries_of(lambda: client.get("/o/acme/deleted/")) == few


def test_there_are_four_kinds_of_what_was_deleted(browse: Browse, bob: User, acme: Organization) -> None:
    for kind in ("server", "nothing", "x" * 300):
        assert browse(bob).get("/o/acme/deleted/", {"kind": kind}).status_code == 404


def test_a_document_reads_as_lines_with_its_texts_as_they_are() -> None:
    document = {
        "name": "Greet",
        "arguments": [{"name": "city", "required": True}, {"name": "tone"}],
        "prompt": "Say\n\n  hello",
        "frontMatter": {"license": "MIT"},
        "servers": {"docs": {"tools": ["getWeather"]}},
        "nothing": None,
    }
    assert as_text(document).splitlines() == [
        "name: Greet",
        "arguments:",
        "  - name: city",
        "    required: yes",
        "  - name: tone",
        "prompt:",
        "  Say",
        "",
        "    hello",
        "front matter:",
        "  license: MIT",
        "servers:",
        "  docs:",
        "    tools:",
        "      - getWeather",
        "nothing: nothing",
    ]


def test_a_document_however_deep_is_read() -> None:
    deep: dict[str, Any] = {}
    for _ in range(500):
        deep = {"a": deep}
    assert as_text(deep).count("\n") < 100

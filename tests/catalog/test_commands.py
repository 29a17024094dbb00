"""Commands: what may be saved, whose they are, and what is told of each change."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import commands
from catalog.checking import commands as rules
from catalog.checking.problems import Invalid
from catalog.entity_saving import SlugTaken
from catalog.entity_uses import uses_of
from catalog.models import Command, EntityKind, EntityRevision, Server
from catalog.revisions import Source
from catalog.saving import Change, Stale
from orgs.models import AuditEvent, Membership, Organization, User
from tests import factories
from tests.catalog.conftest import together

WHO = {"name": "who", "description": "Whom", "required": True}
VALUES: dict[str, Any] = {"name": "Greet people", "arguments": [WHO], "prompt": "Say hello to {{ who }}.\r\n"}


def make(org: Organization, **values: Any) -> Command:
    return commands.create_command(organization=org, values={**VALUES, **values}, by=None)


def refused(org: Organization, **values: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as invalid:
        make(org, **values)
    assert not Command.objects.exists()
    return [(error.field, error.pointer) for error in invalid.value.errors]


def test_a_command_is_saved_counted_logged_and_told(
    acme: Organization, alice: User, entity_news: list[dict[str, Any]]
) -> None:
    row = commands.create_command(organization=acme, values=VALUES, by=alice)
    stored = Command.objects.get()
    assert (stored.slug, stored.arguments, stored.prompt) == ("greet-people", [WHO], "Say hello to {{ who }}.\n")
    same = {name: getattr(stored, name) for name in commands.FIELDS}
    row = commands.edit_command(command=row, values=same, seen_revision=1, by=alice)
    assert row.revision == 1
    row = commands.edit_command(
        command=row, values={"name": "Welcome"}, seen_revision=1, by=alice, source=Source("git", "c" * 40)
    )
    commands.delete_command(command=row, by=alice)
    assert [(each["change"], each["source"]) for each in entity_news] == [
        (Change("create", "command", "Greet people"), "page"),
        (Change("rename", "command", "Welcome", "Greet people"), "git"),
        (Change("delete", "command", "Welcome"), "page"),
    ]
    assert {(each["kind"], each["pk"], each["organization"], each["by"]) for each in entity_news} == {
        (EntityKind.COMMAND, stored.pk, acme, alice)
    }
    events = list(AuditEvent.objects.order_by("pk"))
    assert [it.action for it in events] == ["command.created", "command.edited", "command.deleted"]
    assert (events[1].before, events[1].after) == ({"name": "Greet people"}, {"name": "Welcome"})
    told = EntityRevision.objects.order_by("number").values_list("number", "verb", "name", "source")
    assert list(told) == [
        (1, "create", "Greet people", "page"),
        (2, "rename", "Welcome", "git"),
        (3, "delete", "Welcome", "page"),
    ]


def test_nobody_saves_over_what_they_have_not_seen(acme: Organization, alice: User) -> None:
    row = make(acme)
    commands.edit_command(command=row, values={"name": "Theirs"}, seen_revision=1, by=None)
    with pytest.raises(Stale) as stale:
        commands.edit_command(command=row, values={"name": "Mine"}, seen_revision=1, by=alice)
    assert str(stale.value.current) == "Theirs" == Command.objects.get().name


@pytest.mark.parametrize(
    "slug", ["Greet", "a_b", "-a", "a-", "a--b", "grüße", "a b", "a/b", "..", "a\nb", "con", "nul", "com1", "a" * 64]
)
def test_a_slug_is_a_name_that_each_disk_takes(acme: Organization, slug: str) -> None:
    assert refused(acme, slug=slug) == [("slug", "")]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Résumé — kurz!", "resume-kurz"),
        ("日本語", "command"),
        ("con", "con-2"),
        ("a" * 120, "a" * 56),
        ("x -- y", "x-y"),
    ],
)
def test_a_slug_is_made_of_the_name(acme: Organization, name: str, slug: str) -> None:
    assert make(acme, name=name).slug == slug


def test_a_slug_made_of_a_name_is_a_free_one(acme: Organization, alice: User) -> None:
    assert [make(acme).slug for _ in range(3)] == ["greet-people", "greet-people-2", "greet-people-3"]
    mine = commands.create_command(organization=acme, values=VALUES, by=alice, owner=alice)
    assert mine.slug == "greet-people"


def test_a_slug_is_once_in_an_organisation_and_once_of_each_owner(
    acme: Organization, alice: User, bob: User, charlie: User
) -> None:
    values = {**VALUES, "slug": "greet"}
    other = charlie.memberships.get().organization
    for owner in (None, alice, bob):
        commands.create_command(organization=acme, values=values, by=owner, owner=owner)
        with pytest.raises(SlugTaken, match="already a command with the slug “greet”"):
            commands.create_command(organization=acme, values=values, by=owner, owner=owner)
    commands.create_command(organization=other, values=values, by=None)
    taken = make(acme, slug="welcome")
    with pytest.raises(SlugTaken):
        commands.edit_command(command=taken, values={"slug": "greet"}, seen_revision=1, by=None)
    assert Command.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_of_two_that_take_a_slug_at_the_same_moment_one_is_told_so() -> None:
    acme = factories.organization("Acme")
    results = together(*(lambda: make(acme, slug="greet") for _ in range(3)))
    assert sorted(type(it).__name__ for it in results) == ["Command", "SlugTaken", "SlugTaken"]
    assert (Command.objects.count(), EntityRevision.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"name": " "}, ("name", "")),
        ({"name": "a" * 121}, ("name", "")),
        ({"name": "a\u202eb"}, ("name", "")),
        ({"description": "a\0b"}, ("description", "")),
        ({"prompt": " \n"}, ("prompt", "")),
        ({"prompt": "a\0", "arguments": []}, ("prompt", "")),
        ({"prompt": "{{who}} {{town}}"}, ("prompt", "")),
        ({"prompt": "x" * 1_000_001}, ("prompt", "")),
        ({"arguments": [WHO, WHO]}, ("arguments", "/1/name")),
        ({"arguments": [WHO, {"name": "a-b"}]}, ("arguments", "/1/name")),
        ({"arguments": [WHO] + [{"name": f"n{number}"} for number in range(50)]}, ("arguments", "")),
    ],
)
def test_what_cannot_be_saved_is_told_beside_its_field(
    acme: Organization, values: dict[str, Any], where: tuple[str, str]
) -> None:
    assert refused(acme, **values) == [where]


def test_an_argument_that_the_prompt_does_not_use_and_strange_braces_are_warnings() -> None:
    assert rules.warnings([WHO, {"name": "how"}], "{{who}} {{#if x}}") == [
        "The prompt does not use the argument “how”. Write {{how}} where it goes.",
        "The prompt holds {{#if x}}, which is no argument’s name: it stays so.",
    ]


def test_a_personal_one_is_shared_once_and_for_all(
    acme: Organization, alice: User, entity_news: list[dict[str, Any]]
) -> None:
    row = commands.create_command(organization=acme, values=VALUES, by=alice, owner=alice)
    assert entity_news[0]["owner"] == alice
    made = make(acme, slug="greet-people")
    with pytest.raises(SlugTaken):
        commands.share_command(command=row, by=alice)
    commands.delete_command(command=made, by=alice)
    shared = commands.share_command(command=row, by=alice)
    assert (shared.owner, shared.revision, Command.objects.get().owner) == (None, 2, None)
    assert (entity_news[-1]["owner"], entity_news[-1]["change"].verb) == (None, "create")
    assert commands.share_command(command=row, by=alice).revision == 2


def test_the_audit_log_says_nothing_of_what_is_personal(acme: Organization, alice: User) -> None:
    row = commands.create_command(organization=acme, values=VALUES, by=alice, owner=alice)
    commands.edit_command(command=row, values={"name": "Diary"}, seen_revision=1, by=alice)
    commands.delete_command(command=row, by=alice)
    for event in AuditEvent.objects.all():
        assert not event.target_label
        assert "Greet" not in str(event.__dict__)
        assert "Diary" not in str(event.__dict__)
    assert [it.action for it in AuditEvent.objects.order_by("pk")] == [
        "command.created",
        "command.edited",
        "command.deleted",
    ]


def test_what_uses_a_command_is_told_but_not_what_is_somebody_elses(
    acme: Organization, docs: Server, alice: User, bob: User
) -> None:
    row = make(acme)
    factories.toolkit(acme, "Shared", commands=[row])
    factories.toolkit(acme, "Bob's", commands=[row], owner=bob)
    docs.commands.add(row)
    seen = {
        person: [(use.kind, use.label) for use in uses_of(row, Membership.objects.get(user=person))]
        for person in (alice, bob)
    }
    assert seen[alice] == [("toolkit", "Shared"), ("server", "Docs")]
    assert seen[bob] == [("toolkit", "Bob's"), ("toolkit", "Shared"), ("server", "Docs")]


def test_servers_that_have_it_count_its_new_slug_and_its_deletion(
    acme: Organization, docs: Server, config_news: list[dict[str, Any]]
) -> None:
    row = make(acme)
    docs.commands.add(row)
    row = commands.edit_command(command=row, values={"prompt": "Hello {{who}}"}, seen_revision=1, by=None)
    assert config_news == []
    row = commands.edit_command(command=row, values={"slug": "hello"}, seen_revision=2, by=None)
    commands.delete_command(command=row, by=None)
    docs.refresh_from_db()
    assert (len(config_news), docs.config_revision) == (2, 3)

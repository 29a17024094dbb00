"""Secrets in entities' files: found on the way out and in, told by place and never by value."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from catalog import server_files
from catalog.portable import schemas, writing
from catalog.portable.model import Kind
from gitsync import gate
from gitsync.messages import Message
from gitsync.mirror.secrets import Scanner
from gitsync.models import AllowedFinding
from lib.crypto import CryptoError
from orgs.models import Organization
from tests import factories
from tests.catalog import exchange_samples as samples
from tests.gitsync.test_push_secrets import PLANTED

pytestmark = pytest.mark.django_db
URL = schemas.url("https://millrace.example", Kind.COMMAND)
FOUND = {"line", "field", "kind", "digest", "allowable", "path"}


def command(prompt: str, **more: Any) -> dict[str, bytes]:
    document = {"name": "Greet", "slug": "greet", "prompt": prompt, **more}
    return writing.write(Kind.COMMAND, id="greet", document=document, schema_url=URL)


def places(found: list[dict[str, Any]]) -> list[tuple[str, int, str, str]]:
    for each in found:
        assert each.keys() == FOUND
    return [(each["path"], each["line"], each["field"], each["kind"]) for each in found]


def test_what_holds_none_is_let_past(acme: Organization) -> None:
    factories.variable(factories.server(acme), "API_KEY", secret="correct-horse-battery")
    scanner = Scanner(acme)
    assert scanner.findings(command("Say hello to ${API_KEY}.")) == []
    document = server_files.document(samples.server(acme))
    assert scanner.findings(writing.write(Kind.SERVER, id="a", document=document, schema_url=URL)) == []


def test_a_secret_is_told_with_its_field_and_line_and_never_itself(acme: Organization) -> None:
    found = Scanner(acme).findings(command(f"Use {PLANTED}."))
    assert places(found) == [("commands/greet.json", 6, "prompt of command Greet", "GitHub token")]
    assert PLANTED not in json.dumps(found)


def test_the_line_is_the_one_that_its_author_wrote(acme: Organization) -> None:
    written = (
        '\ufeff{"name": "Greet",\r\n\r\n\r\n  "arguments": [],\n "x": {"y": [1, {"z":\n"a '
        + PLANTED
        + '"}]}, "slug": "greet"}'
    )
    found = Scanner(acme).findings({"commands/greet.json": written.encode()})
    ((path, line, field, _),) = places(found)
    assert (path, line, field) == ("commands/greet.json", 5, "x.y.1.z of command Greet"), "where the member begins"
    key = {
        "mcp-servers/weather.json": json.dumps({"providers": [{"name": "A", "tools": [{"name": PLANTED}]}]}).encode()
    }
    assert [line for _, line, *_ in places(Scanner(acme).findings(key))] == [1]


def test_escapes_hide_nothing(acme: Organization) -> None:
    factories.variable(factories.server(acme), "API_KEY", secret="correct-horse-battery")
    escaped = "".join(f"\\u{ord(each):04x}" for each in "correct-horse-battery")
    data = {"commands/greet.json": f'{{"prompt": "{escaped}"}}'.encode()}
    ((*_, kind),) = places(Scanner(acme).findings(data))
    assert kind == "value of the variable API_KEY"


@pytest.mark.parametrize(
    "content",
    [
        '{"a": 1, "a": "%s"',
        '{"a": "%s", "a": 1}',
        '{"a": "\\x %s"}',
        "%s",
        '{"a": "\\ud800 %s"}',
        "[" * 200 + '"%s"',
    ],
)
def test_a_file_that_is_no_json_is_looked_through_all_the_same(acme: Organization, content: str) -> None:
    for path in ("toolkits/kit.json", "skills/pdf/assets/data.json"):
        found = Scanner(acme).findings({path: (content % PLANTED).encode()})
        assert [(path, "GitHub token")] == [(each["path"], each["kind"]) for each in found]


def test_all_files_of_a_skill_are_looked_through(acme: Organization) -> None:
    factories.variable(factories.server(acme), "API_KEY", secret="correct-horse-battery")
    found = Scanner(acme).findings(
        {
            "skills/pdf/SKILL.md": f"---\nname: pdf\ndescription: a\n---\nUse\n{PLANTED}\n".encode(),
            "skills/pdf/scripts/run.sh": b"#!/bin/sh\nkey=correct-horse-battery\n",
            "skills/pdf/assets/logo.png": b"\x89PNG\0\xff" + PLANTED.encode() + b"\0\xfe\n\n\0",
            "skills/pdf/assets/a\\_b.md": b"correct-horse\\-battery correct-horse-battery",
            "skills/pdf/assets/clean.bin": os.urandom(100_000) + b"\0",
        }
    )
    assert [each[:2] for each in places(found)] == [
        ("skills/pdf/SKILL.md", 6),
        ("skills/pdf/assets/a\\_b.md", 1),
        ("skills/pdf/assets/logo.png", 0),
        ("skills/pdf/scripts/run.sh", 2),
    ]


def test_a_name_that_holds_one_is_hidden(acme: Organization) -> None:
    found = Scanner(acme).findings({f"skills/pdf/assets/{PLANTED}.txt": b"nothing"})
    assert places(found) == [("skills/pdf/assets/….txt", 0, "the name of the file", "GitHub token")]


def test_a_message_that_holds_one_is_told(acme: Organization) -> None:
    found = Scanner(acme).findings({}, {"commit message": f"Rename command {PLANTED}\n"})
    assert places(found) == [("commit message", 1, "", "GitHub token")]
    scanner = gate.Gate(acme)
    plain = Message("Update entities", "", None)
    assert gate.harmless(Message(f"Rename {PLANTED}", "", None), plain, scanner) == plain
    assert gate.harmless(Message("Rename a", "", None), plain, scanner) == Message("Rename a", "", None)


def test_what_somebody_allowed_is_let_past_but_not_what_is_kept_here(acme: Organization) -> None:
    (found,) = Scanner(acme).findings(command(f"Use {PLANTED}."))
    assert found["allowable"]
    AllowedFinding.objects.create(organization=acme, digest=found["digest"], where="there")
    assert Scanner(acme).findings(command(f"Use {PLANTED}.")) == []
    elsewhere = factories.organization("Elsewhere")
    assert Scanner(elsewhere).findings(command(f"Use {PLANTED}.")) != [], "an organisation's word is its own"
    factories.variable(factories.server(acme), "API_KEY", secret=PLANTED)
    (known,) = Scanner(acme).findings(command(f"Use {PLANTED}."))
    assert (known["kind"], known["allowable"]) == ("value of the variable API_KEY", False)


def test_the_secrets_of_others_and_of_personal_servers_are_not_named(acme: Organization) -> None:
    factories.variable(factories.server(factories.organization("Elsewhere")), "THEIRS", secret="staple-horse-of-others")
    owner = factories.user()
    factories.variable(factories.server(acme, owner=owner), "MINE", secret="battery-of-one-person")
    (found,) = Scanner(acme).findings(command("staple-horse-of-others and battery-of-one-person"))
    assert found["kind"] == "value of a variable of a personal server"


def test_with_a_secret_that_does_not_open_nothing_is_let_past(acme: Organization) -> None:
    row = factories.variable(factories.server(acme), "API_KEY", secret="correct-horse-battery")
    type(row).objects.filter(pk=row.pk).update(**{type(row).secret.columns[2]: "another-key"})
    with pytest.raises(CryptoError):
        Scanner(acme)

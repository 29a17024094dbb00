"""Configured resources and the files of skills, read by their URIs."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from catalog.models import Provider, Server
from catalog.portable.front_matter import parse
from endpoint.admitted import Admitted
from orgs.models import Organization, User
from tests import factories
from tests.catalog.upstream import Upstream
from tests.endpoint.configured import admitted, asked, names, result
from tests.endpoint.live import HANDSHAKE, MODERN


def read(of: Admitted, uri: str, **options: Any) -> Any:
    contents = result(of, "resources/read", {"uri": uri}, **options)["contents"]
    assert len(contents) == 1
    assert contents[0]["uri"] == uri
    return contents[0]


def sentence(of: Admitted, uri: str) -> str:
    """Of the error that reading it is."""
    told: str = asked(of, "resources/read", {"uri": uri})["error"]["message"]
    assert of.trace.outcome == "error"
    return told


def absent(of: Admitted, uri: str) -> bool:
    return sentence(of, uri).startswith("There is no resource “")


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
def test_a_text_is_listed_and_read(docs: Server, era: str) -> None:
    of = factories.provider(docs)
    factories.resource(of, "Guide", uri="docs://guides/start", description="How to begin.", text="# Start\n")
    listed = result(admitted(docs), "resources/list", era=era)["resources"]
    assert listed == [
        {"uri": "docs://guides/start", "name": "Guide", "description": "How to begin.", "mimeType": "text/markdown"}
    ]
    told = read(admitted(docs), "docs://guides/start", era=era)
    assert (told["text"], told["mimeType"]) == ("# Start\n", "text/markdown")
    assert read(admitted(docs), "DOCS://guides/start")["text"] == "# Start\n"


def test_what_is_upstream_is_asked_for_as_it_is_read(weather: Provider, api: Upstream) -> None:
    factories.resource(weather, uri="w://say", text="", mime_type="", upstream_path="/text?say=hi")
    client = admitted(weather.server)
    assert names(client, "resources", "uri") == ["w://say"]
    assert api.seen == []
    told = read(client, "w://say")
    assert (told["text"], told["mimeType"]) == ("hi", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/slow", "took too long"),
        ("/huge", "larger than the limit"),
        ("/redirect?to=http://169.254.169.254/", "which is not followed"),
        ("/teapot", "Weather answered with an error: HTTP 418"),
    ],
)
def test_each_fault_of_an_upstream_is_a_sentence(weather: Provider, settings: Any, path: str, words: str) -> None:
    settings.CALL_TOTAL_TIMEOUT, settings.CALL_MAX_BYTES = (0.4 if path == "/slow" else 5), 1 << 20
    factories.resource(weather, uri="w://x", text="", upstream_path=path)
    told = sentence(admitted(weather.server), "w://x")
    assert words in told
    assert "short and stout" not in told


def test_a_private_provider_is_for_those_who_are_known(docs: Server) -> None:
    factories.resource(factories.provider(docs, visibility="private"), uri="docs://x")
    stranger = admitted(docs, "anonymous")
    assert names(stranger, "resources", "uri") == []
    assert absent(stranger, "docs://x")
    assert names(admitted(docs), "resources", "uri") == ["docs://x"]


@pytest.mark.parametrize("uri", ["millrace://docs/guide.md", "skill://forms/SKILL.md", "configured://docs/x"])
def test_a_uri_that_begins_as_ours_is_offered_at_another(docs: Server, acme: Organization, uri: str) -> None:
    """So that it stands in the way of nothing, and nothing in its."""
    factories.resource(factories.provider(docs), uri=uri, text="configured")
    factories.content(docs, "guide.md", "content")
    docs.skills.add(factories.skill(acme, "Forms", instructions="skill"))
    client = admitted(docs)
    offered = names(client, "resources", "uri")
    assert len(offered) == len(set(offered)) == 3
    texts = {each: read(client, each)["text"] for each in offered}
    (own,) = [each for each, text in texts.items() if text == "configured"]
    assert own.startswith("configured://docs/")
    assert texts["millrace://docs/guide.md"] == "content"
    assert "skill" in texts["skill://forms/SKILL.md"]


def test_two_servers_of_a_toolkit_have_one_uri(docs: Server, acme: Organization, alice: User) -> None:
    other = factories.server(acme, "Another", slug="another")
    chosen = [
        factories.resource(factories.provider(of), uri="docs://start", text=f"of {of.slug}") for of in (docs, other)
    ]
    factories.resource(chosen[0].provider, uri="docs://unchosen")
    client = admitted(factories.toolkit(acme, "Desk", *chosen))
    offered = names(client, "resources", "uri")
    assert offered == ["configured://docs/docs%3A%2F%2Fstart", "docs://start"]
    assert [read(client, uri)["text"] for uri in offered] == ["of docs", "of another"]
    assert absent(client, "docs://unchosen")
    assert absent(client, "configured://docs/docs%3A%2F%2Funchosen")
    Server.objects.filter(pk=other.pk).update(owner=alice)
    assert names(client, "resources", "uri") == ["docs://start"]
    assert read(client, "docs://start")["text"] == "of docs"


# -- skills ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def forms(docs: Server, acme: Organization) -> Admitted:
    files = {"scripts/fill.py": b"print()\n", "logo.png": b"\x89PNG\x00\xff", "ü x.md": "ü".encode(), "raw": b"\xff", "nul.txt": b"a\0"}  # fmt: skip  # noqa: E501
    row = factories.skill(
        acme, "Forms", files, description="Fills: forms.", instructions="Do it.", front_matter={"license": "MIT"}
    )
    docs.skills.add(row)
    factories.skill(acme, "Other", {"x.md": b"other"})
    return admitted(docs)


def test_a_skill_is_a_folder_of_resources(forms: Admitted) -> None:
    listed = {each["uri"]: each for each in result(forms, "resources/list")["resources"]}
    assert sorted(listed) == [
        "skill://forms/%C3%BC%20x.md",
        "skill://forms/SKILL.md",
        "skill://forms/logo.png",
        "skill://forms/nul.txt",
        "skill://forms/raw",
        "skill://forms/scripts/fill.py",
    ]
    assert listed["skill://forms/logo.png"]["size"] == 6
    assert listed["skill://forms/SKILL.md"]["title"] == "Forms"
    page = parse(read(forms, "skill://forms/SKILL.md")["text"])
    assert page.front == {"name": "Forms", "description": "Fills: forms.", "license": "MIT"}
    assert page.body.strip() == "Do it."


@pytest.mark.parametrize(
    ("path", "kind", "text", "blob"),
    [
        ("scripts/fill.py", "text/x-python", "print()\n", None),
        ("%C3%BC%20x.md", "text/markdown", "ü", None),
        ("logo.png", "image/png", None, b"\x89PNG\x00\xff"),
        ("raw", "application/octet-stream", None, b"\xff"),
        ("nul.txt", "application/octet-stream", None, b"a\0"),
    ],
)
def test_its_files_are_texts_or_bytes(
    forms: Admitted, path: str, kind: str, text: str | None, blob: bytes | None
) -> None:
    told = read(forms, f"skill://forms/{path}")
    assert told["mimeType"] == kind
    assert told.get("text") == text
    assert (base64.b64decode(told["blob"]) if "blob" in told else None) == blob


@pytest.mark.parametrize(
    "uri",
    [
        "skill://forms/../other/x.md",
        "skill://forms/%2e%2e/other/x.md",
        "skill://other/x.md",
        "skill://forms/",
        "skill://forms",
        "skill:///SKILL.md",
        "skill://forms/SKILL.md/x",
        "skill://forms/%00",
        "skill://forms/%FF",
        "skill://forms/" + "x" * 20_000,
        "configured://docs/%00",
        "configured://",
        "docs://\x00",
        "",
        ":",
    ],
)
def test_what_is_not_there_is_not_read(forms: Admitted, uri: str) -> None:
    assert absent(forms, uri)

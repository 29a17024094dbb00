"""What people paste into clients: it is valid, and means what was meant, whatever a name or an address holds."""

from __future__ import annotations

import base64
import json
import shlex
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from endpoint.snippets import Snippet, Target, snippets

ADDRESS = "https://mcp.example.com/mcp/acme/docs"
NASTY = ["docs", "it's", 'a "b"', "$(reboot)", "`id`", "a b\\c", "--flag", "x;y&z", "naïve ☂"]
KEY = "mr_" + "a-_Z" * 10 + "abc"


def of(client: str, target: Target) -> Snippet:
    return next(each for each in snippets(target) if each.client == client)


def texts(target: Target, where: str) -> list[str]:
    return [part.text for each in snippets(target) for part in each.parts if where in part.where]


@pytest.mark.parametrize("key", ["", KEY])
@pytest.mark.parametrize("name", NASTY)
def test_each_command_is_split_by_a_shell_into_the_words_that_were_meant(name: str, key: str) -> None:
    target = Target(name, f"{ADDRESS}?version=3&x='y'", key)
    commands = texts(target, "erminal") + texts(target, "browser")
    assert len(commands) == 6
    for command in commands:
        words = shlex.split(command)
        assert any(target.address in word for word in words), words
        if key and "code" not in words[0] and "--server-url" not in words:
            assert f"Authorization: Bearer {key}" in words
    for client in ("claude-code", "gemini"):
        assert name in shlex.split(of(client, target).parts[0].text)


@pytest.mark.parametrize("key", ["", KEY])
@pytest.mark.parametrize("name", NASTY)
def test_each_file_is_json_with_an_entry_of_that_name(name: str, key: str) -> None:
    target = Target(name, ADDRESS, key)
    files = texts(target, "json")
    assert len(files) == 5
    for text in files:
        read = json.loads(text)
        servers = read.get("servers") or read["mcpServers"]
        assert list(servers) == [name]
        assert ADDRESS in json.dumps(servers)


def test_without_a_key_nothing_speaks_of_one() -> None:
    for each in snippets(Target("docs", ADDRESS)):
        told = json.dumps([[part.text for part in each.parts], each.install])
        assert "Authorization" not in told
        assert "Bearer" not in told


def test_the_link_of_vs_code_asks_for_the_key_and_holds_none() -> None:
    link = of("vs-code", Target("it's", ADDRESS, KEY)).install
    assert link.startswith("vscode:mcp/install?")
    assert KEY not in unquote(link)
    read: dict[str, Any] = json.loads(unquote(link.partition("?")[2]))
    assert (read["name"], read["type"], read["url"]) == ("it's", "http", ADDRESS)
    assert read["headers"] == {"Authorization": "Bearer ${input:millrace-key}"}
    assert read["inputs"][0]["id"] == "millrace-key"


def test_a_file_that_a_project_shares_holds_no_key() -> None:
    text = of("claude-code", Target("docs", ADDRESS, KEY)).parts[1].text
    assert json.loads(text)["mcpServers"]["docs"]["headers"] == {"Authorization": "Bearer ${MILLRACE_KEY}"}


def test_the_link_of_cursor_holds_the_same_as_its_file() -> None:
    snippet = of("cursor", Target("docs", ADDRESS, KEY))
    query = parse_qs(urlsplit(snippet.install).query)
    assert query["name"] == ["docs"]
    packed = json.loads(base64.b64decode(query["config"][0]))
    assert packed == json.loads(snippet.parts[0].text)["mcpServers"]["docs"]


@pytest.mark.parametrize(
    ("address", "told"), [("http://mcp.internal/x", True), ("http://127.0.0.1:8000/x", False), (ADDRESS, False)]
)
def test_claude_desktop_is_told_where_an_address_without_encryption_is_meant(address: str, told: bool) -> None:
    file = of("claude-desktop", Target("docs", address, KEY)).parts[0].text
    assert ("--allow-http" in file) == told


def test_the_header_of_claude_desktop_has_no_space_and_its_key_is_in_the_environment() -> None:
    entry = json.loads(of("claude-desktop", Target("docs", ADDRESS, KEY)).parts[0].text)["mcpServers"]["docs"]
    assert entry["args"][-2:] == ["--header", "Authorization:${AUTH_HEADER}"]
    assert entry["env"] == {"AUTH_HEADER": f"Bearer {KEY}"}

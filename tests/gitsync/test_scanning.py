"""What looks like a secret is found where a person put it, and ordinary text is not taken for one."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from catalog.exchange.masking import mask_credential, mask_headers, mask_variable
from catalog.exchange.model import (
    OAuth2Config,
    PromptConfig,
    PromptMessage,
    ProviderConfig,
    ResourceConfig,
    ServerConfig,
    ToolConfig,
    VariableConfig,
)
from gitsync.layout import render
from gitsync.scanning import Finding, KnownSecret, scan

KEY = b"k" * 32


def letters(length: int, alphabet: str = "aB3dE6gH1jK9mN2pQ5sT8vW4yZ7") -> str:
    """Made up, and as mixed as a real one."""
    return (alphabet * (length // len(alphabet) + 1))[:length]


def coded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


SECRETS = {
    "ghp_" + letters(36): "GitHub token",
    "github_pat_" + letters(22) + "_" + letters(59): "GitHub token",
    "glpat-" + letters(20): "GitLab token",
    "gloas-" + letters(64, "0123456789abcdef"): "GitLab token",
    "ATCTT3xFfGN0" + letters(170): "Atlassian token",
    "ATBB" + letters(32): "Atlassian token",
    "AKIA" + letters(16, "ABCD1234EFGH"): "AWS key",
    "AIza" + letters(35): "Google key",
    "GOCSPX-" + letters(28): "Google key",
    "xoxb-123456789012-1234567890123-" + letters(24): "Slack token",
    "https://hooks.slack.com/services/T0AB1CD2E/B0AB1CD2E/" + letters(24): "Slack token",
    "sk_live_" + letters(24): "Stripe key",
    "SG." + letters(22) + "." + letters(43): "SendGrid key",
    "npm_" + letters(36): "npm token",
    "pypi-AgEIcHlwaS5vcmc" + letters(80): "PyPI token",
    "sk-proj-" + letters(60): "OpenAI key",
    "hf_" + letters(34, "aBcDeFgHiJ"): "Hugging Face token",
    "123456789:AA" + letters(33): "Telegram bot token",
    "dop_v1_" + letters(64, "0123456789abcdef"): "DigitalOcean token",
    "shpat_" + letters(32, "0123456789abcdef"): "Shopify token",
    "hvs." + letters(90): "Vault token",
    f"{coded({'alg': 'HS256'})}.{coded({'sub': '1'})}.{letters(43)}": "JSON Web Token",
    "DefaultEndpointsProtocol=https;AccountKey=" + letters(86) + "==": "Azure storage key",
    "-----BEGIN RSA PRIVATE KEY-----\n" + letters(64) + "\n-----END RSA PRIVATE KEY-----": "private key",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + letters(64): "private key",
    "https://deploy:" + letters(16) + "@git.example.com/a.git": "password in a URL",
    "https://api.example.com/v1?units=metric&api_key=" + letters(24): "key in a URL",
    "Authorization: Bearer " + letters(40): "token of a header",
}


def server(**tool: Any) -> ServerConfig:
    values = {"name": "getWeather", "method": "GET", "path": "/cities", "description": "The weather."} | tool
    return ServerConfig(
        "Weather",
        "weather",
        3,
        providers=(ProviderConfig("Open Weather", base_url="https://a.example.com", tools=(ToolConfig(**values),)),),
    )


def with_provider(**changes: Any) -> ServerConfig:
    plain = server()
    return replace(plain, providers=(replace(plain.providers[0], **changes),))


def found(config: ServerConfig, *known: KnownSecret, **options: Any) -> list[Finding]:
    return scan(render(config), known, key=KEY, **options)


def places(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(finding.path, finding.field) for finding in findings if finding.path.endswith(".json")}


@pytest.mark.parametrize(("secret", "kind"), SECRETS.items(), ids=lambda text: text[:12])
def test_a_secret_of_each_kind_is_found_and_never_told(
    secret: str, kind: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    findings = found(server(description=f"Ask with `{secret}` for more."))
    assert kind in {finding.kind for finding in findings}
    assert places(findings) == {
        ("Open Weather/tools/get-weather.json", "description of tool getWeather"),
        ("export.json", "description of tool getWeather"),
    }
    assert "Open Weather/tools/get-weather.md" in {finding.path for finding in findings}
    told = repr(findings) + caplog.text + "".join(capsys.readouterr())
    assert letters(12) not in told
    assert secret[-16:] not in told


TOKEN = "ghp_" + letters(36)
TOOL = "Open Weather/tools/get-weather.json"


@pytest.mark.parametrize(
    ("config", "path", "field"),
    [
        (server(title=TOKEN), TOOL, "title of tool getWeather"),
        (server(headers={"Accept": TOKEN}), TOOL, "header Accept of tool getWeather"),
        (server(path=f"/cities?key={TOKEN}"), TOOL, "path of tool getWeather"),
        (server(scopes=("a", TOKEN)), TOOL, "scope 2 of tool getWeather"),
        (
            server(query_schema={"type": "object", "properties": {"tools": {"examples": ["a", TOKEN]}}}),
            TOOL,
            "queryArguments.properties.tools.examples.1 of tool getWeather",
        ),
        (server(body_schema={"type": "object", "default": {TOKEN: 1}}), TOOL, "body.default.… of tool getWeather"),
        (replace(server(), instructions=f"Use\n{TOKEN}"), "config.json", "instructions of the server"),
        (replace(server(), name=TOKEN), "export.json", "name of the server"),
        (
            replace(server(), variables=(VariableConfig("REGION", value=TOKEN),)),
            "export.json",
            "value of variable REGION",
        ),
        (
            with_provider(base_url=f"https://u:{TOKEN}@api.example.com"),
            "Open Weather/config.json",
            "baseUrl of provider Open Weather",
        ),
        (
            with_provider(oauth2=OAuth2Config("https://id.example.com", scopes=(TOKEN,))),
            "Open Weather/config.json",
            "oauth2.scopes.0 of provider Open Weather",
        ),
        (
            with_provider(resources=(ResourceConfig("guide", "weather://guide", text=f"a\nb {TOKEN}"),)),
            "Open Weather/resources/guide.json",
            "text of resource guide",
        ),
        (
            with_provider(prompts=(PromptConfig("ask", messages=(PromptMessage("user", f"Say {TOKEN}"),)),)),
            "Open Weather/prompts/ask.json",
            "message 1, text of prompt ask",
        ),
    ],
)
def test_the_file_and_the_field_are_named(config: ServerConfig, path: str, field: str) -> None:
    findings = found(config)
    assert {(path, field), ("export.json", field)} <= places(findings)
    assert {finding.kind for finding in findings} <= {"GitHub token", "password in a URL", "key in a URL"}
    assert TOKEN not in repr(findings)


def test_the_line_is_that_of_the_file() -> None:
    config = replace(
        server(description=f"a\n{TOKEN}", path_schema={"type": "object", "properties": {}}), description="x"
    )
    files = render(config)
    for finding in scan(files, (), key=KEY):
        assert TOKEN[:8] in files[finding.path].decode().replace("\\_", "_").split("\n")[finding.line - 1]


def test_a_path_that_holds_a_secret_is_found_and_told_without_it() -> None:
    findings = found(with_provider(name=TOKEN))
    assert ("…/config.json", 0, "the name of the file") in {(each.path, each.line, each.field) for each in findings}
    assert TOKEN not in repr(findings)


def test_what_else_leaves_is_scanned_too() -> None:
    (finding,) = scan({}, (), key=KEY, texts={"commit message": f"Update the weather\n\nwith {TOKEN}"})
    assert (finding.path, finding.line, finding.kind) == ("commit message", 3, "GitHub token")


def test_what_was_allowed_is_not_told_again() -> None:
    config = server(description=f"{TOKEN} and glpat-{letters(20)}")
    (digest,) = {finding.digest for finding in found(config) if finding.kind == "GitHub token"}
    assert {finding.kind for finding in found(config, allowed={digest})} == {"GitLab token"}


def test_a_digest_is_the_same_wherever_and_another_under_another_key() -> None:
    config = server(description=TOKEN, title=TOKEN)
    one = {finding.digest for finding in found(config)}
    other = {finding.digest for finding in scan(render(config), (), key=b"other")}
    assert len(one) == len(other) == 1
    assert one != other


def test_what_an_export_masks_is_not_found() -> None:
    config = ServerConfig(
        "Weather",
        "weather",
        1,
        variables=(VariableConfig("API_KEY", secret=True, value=mask_variable(TOKEN, secret=True)),),
        providers=(
            ProviderConfig(
                "Open Weather",
                oauth2=OAuth2Config("https://id.example.com", mask_credential(TOKEN), mask_credential(TOKEN)),
                tools=(ToolConfig("a", "GET", "/", headers=mask_headers({"X-Key": TOKEN})),),
            ),
        ),
    )
    assert found(config, KnownSecret("value of the variable API_KEY", TOKEN)) == []


ORDINARY = [
    "Gets the weather of a city, e.g. 3f2504e0-4f89-11d3-9a0c-0305e82c3301 or London.",
    "See https://api.example.com/v1/cities?lat=52.52&lon=13.41&units=metric#top and user@example.com.",
    "Send `Authorization: Bearer ${API_KEY}` or Bearer YOUR_API_KEY or Bearer <token>.",
    "https://user:password@example.com, https://user:${TOKEN}@example.com, https://x:<pw>@example.com",
    "AWS writes AKIAIOSFODNN7EXAMPLE in its documentation.",
    "The commit 5ffd955ab3e1c9d2f4a6b8c0d1e2f3a4b5c6d7e8 and sha256:" + "0123456789abcdef" * 4,
    "api_key: your key, password: at least 8 characters, token = a token, secret (required)",
    '{"token": "string", "password": "string", "apiKey": "abc"}',
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "2026-11-20T13:00:00+01:00, 192.0.2.1, 203.0.113.0/24, +49 30 1234567, DE89 3704 0044 0532 0130 00",
    "skill, sky, task-force, APARTMENTS, GLOSSARY, hub_spoke, SG.example, npm_config, hf_model, dapi",
    "basic authentication1 and token based authorization-code-flow-with-pkce-for-mobile-clients",
    "https://example.com/callback?key=weather&token=none&sort=created_at_descending_order",
    "Write AccountKey=<yours>, or Bearer of a picture: data:image/png;base64," + letters(170) + "==",
    "^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\\.[a-zA-Z0-9-.]+$",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_not_taken_for_a_secret(text: str) -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "apiKey": {"type": "string", "format": "password", "examples": [text], "pattern": "^[a-f0-9]+$"}
        },
        "required": ["apiKey"],
    }
    assert found(server(description=text, path_schema=schema, headers={"Accept": text})) == []


def test_nothing_is_read_from_disk_or_asked_of_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins
    import socket

    def refuse(*args: object, **kwargs: object) -> Iterator[None]:
        raise AssertionError("The scan went outside.")

    files = render(server(description="\n".join(SECRETS)))
    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len({finding.kind for finding in scan(files, (), key=KEY)}) >= len(set(SECRETS.values()))

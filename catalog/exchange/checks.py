"""Whether a document that is as the schema says can be saved: by the rules of each thing's own form.

Values are put in the form in which they are kept, in place: the document is ours by then. References to variables that
do not exist are allowed, as they are in the forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from catalog.checking import names
from catalog.checking.problems import Findings
from catalog.checking.prompts import clean_prompt
from catalog.checking.providers import clean_provider
from catalog.checking.resources import clean_resource
from catalog.checking.templates import references
from catalog.checking.tools import clean_tool
from catalog.checking.variables import clean_variable
from catalog.exchange.errors import Problem, pointer
from catalog.exchange.masking import is_masked

Path = tuple[str | int, ...]
CheckContent = Callable[[str], object]
Members = Mapping[str, str]
"""Names of fields, as forms have them, to those of the document."""
_PROVIDER: Members = {
    "name": "name",
    "description": "description",
    "base_url": "baseUrl",
    "documentation_url": "documentationUrl",
    "icon_url": "iconUrl",
}
_OAUTH2: Members = {
    "oauth2_token_url": "tokenUrl",
    "oauth2_client_id": "clientId",
    "oauth2_client_secret": "clientSecret",
    "oauth2_scopes": "scopes",
}
_TOOL: Members = {
    "name": "name",
    "title": "title",
    "description": "description",
    "method": "method",
    "path": "path",
    "path_schema": "pathArguments",
    "query_schema": "queryArguments",
    "body_schema": "body",
    "headers": "headers",
    "oauth2_scopes": "scopes",
}
_RESOURCE: Members = {
    "name": "name",
    "uri": "uri",
    "description": "description",
    "mime_type": "mimeType",
    "text": "text",
    "upstream_path": "upstreamPath",
}
_PROMPT: Members = {name: name for name in ("name", "title", "description", "arguments", "messages")}
_VARIABLE: Members = {
    "name": "name",
    "description": "description",
    "is_secret": "secret",
    "value": "value",
    "hosts": "hosts",
}
MOST_SUBSCHEMAS = 50_000
"""In all schemas of a document: objects and booleans, each of which takes time to check."""
_FOR_A_PATTERN = 3
"""Subschemas that one counts as: it is compiled."""
_SCHEMAS = ("pathArguments", "queryArguments", "body")
_STANDS_FOR_A_VALUE = "${MASKED}"


def check(document: dict[str, Any], check_content: CheckContent) -> list[Problem]:
    """All that keeps the document from being saved. `check_content` raises a ValueError for a text that cannot be
    kept."""
    if _has_too_many_subschemas(document):
        advice = "Split the file, and import the parts one after the other."
        return [Problem(f"Its tools have schemas of more than {MOST_SUBSCHEMAS:,} subschemas in all. {advice}")]
    problems: list[Problem] = []
    for path, thing, checked in _things(document, check_content):
        findings = Findings()
        members = checked(thing, findings)
        problems.extend(
            Problem(error.text, pointer((*path, members.get(error.field, error.field))) + error.pointer)
            if error.field
            else Problem(error.text, pointer(path))
            for error in findings.errors
        )
    return [*problems, *_clashes(document), *_misplaced(document)]


def _has_too_many_subschemas(document: dict[str, Any]) -> bool:
    tools = (tool for provider in document.get("providers", []) for tool in provider.get("tools", []))
    waiting: list[Any] = [tool[name] for tool in tools for name in _SCHEMAS if name in tool]
    found = 0
    while waiting and found <= MOST_SUBSCHEMAS:
        value = waiting.pop()
        found += isinstance(value, dict | bool)
        if isinstance(value, dict):
            waiting += value.values()
            named = value.get("patternProperties")
            patterns = isinstance(value.get("pattern"), str) + (len(named) if isinstance(named, dict) else 0)
            found += _FOR_A_PATTERN * patterns
        elif isinstance(value, list):
            waiting += value
    return found > MOST_SUBSCHEMAS


Checked = Callable[[dict[str, Any], Findings], Members]


def _things(document: dict[str, Any], check_content: CheckContent) -> Iterator[tuple[Path, dict[str, Any], Checked]]:
    resource = partial(_resource, check_content=check_content)
    prompt = partial(_prompt, check_content=check_content)
    yield ("server",), document["server"], _server
    for number, variable in enumerate(document.get("variables", [])):
        yield ("variables", number), variable, _variable
    for number, provider in enumerate(document.get("providers", [])):
        path: Path = ("providers", number)
        yield path, provider, _provider
        if "oauth2" in provider:
            yield (*path, "oauth2"), provider["oauth2"], _oauth2
        for kind, checked in (("tools", _tool), ("resources", resource), ("prompts", prompt)):
            for place, thing in enumerate(provider.get(kind, [])):
                yield (*path, kind, place), thing, checked


def _server(server: dict[str, Any], findings: Findings) -> Members:
    server["name"] = findings.tried("name", lambda: names.check_line(server["name"]), "?")
    if not server["name"]:
        findings.add("name", "A server needs a name.")
    for name in ("description", "instructions"):
        findings.tried(name, partial(names.check_characters, server.get(name, "")), None)
    return {}


def _variable(variable: dict[str, Any], findings: Findings) -> Members:
    without = {"description": "", "value": "", "hosts": []}
    _cleaned(variable, _VARIABLE, clean_variable, findings, without)
    return _VARIABLE


def _provider(provider: dict[str, Any], findings: Findings) -> Members:
    _cleaned(provider, _PROVIDER, clean_provider, findings)
    if not provider.get("baseUrl"):
        if provider.get("tools"):
            findings.add("tools", "Tools are called below a base URL, and this provider has none. Add its baseUrl.")
        if any(each.get("upstreamPath") for each in provider.get("resources", [])):
            findings.add("resources", "A resource with an upstreamPath needs the provider's baseUrl. Add it.")
    return _PROVIDER


def _oauth2(oauth2: dict[str, Any], findings: Findings) -> Members:
    """Without what is masked, and without a client id: it may be one that the last import left empty."""
    told = {name: member for name, member in _OAUTH2.items() if not _is_unknown(oauth2.get(member))}
    _cleaned(oauth2, told, clean_provider, findings)
    return _OAUTH2


def _is_unknown(value: Any) -> bool:
    return value in (None, "") or (isinstance(value, str) and is_masked(value))


def _tool(tool: dict[str, Any], findings: Findings) -> Members:
    kept = tool.get("headers", {})
    values = {
        "title": "",
        "description": "",
        "path_schema": {},
        "query_schema": {},
        "body_schema": None,
        "oauth2_scopes": [],
    } | {name: tool[member] for name, member in _TOOL.items() if member in tool}
    # What is not told is held to be right; one that the last import left empty is entered on the tool's page.
    values["headers"] = {name: _STANDS_FOR_A_VALUE if _is_unknown(value) else value for name, value in kept.items()}
    clean = clean_tool(values, findings)
    for name, member in _TOOL.items():
        if member in tool and member != "headers":
            tool[member] = clean[name]
    if clean["path_schema"] and "pathArguments" not in tool:
        tool["pathArguments"] = clean["path_schema"]
    return _TOOL


def _resource(resource: dict[str, Any], findings: Findings, *, check_content: CheckContent) -> Members:
    without = dict.fromkeys(_RESOURCE, "")
    _cleaned(resource, _RESOURCE, partial(clean_resource, check_content=check_content), findings, without)
    return _RESOURCE


def _prompt(prompt: dict[str, Any], findings: Findings, *, check_content: CheckContent) -> Members:
    without = {"title": "", "description": "", "arguments": []}
    _cleaned(prompt, _PROMPT, partial(clean_prompt, check_content=check_content), findings, without)
    return _PROMPT


def _cleaned(
    thing: dict[str, Any],
    members: Members,
    clean: Callable[[dict[str, Any], Findings], dict[str, Any]],
    findings: Findings,
    without: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Put the members in the form in which they are kept; `without` has the values of those that are not there."""
    told = {name: member for name, member in members.items() if member in thing}
    kept = clean({**without, **{name: thing[member] for name, member in told.items()}}, findings)
    for name, member in told.items():
        thing[member] = kept[name]


def _clashes(document: dict[str, Any]) -> Iterator[Problem]:
    """What stands twice in the document and may only once."""
    seen: dict[tuple[str, ...], str] = {}

    def first(key: tuple[str, ...], name: str, path: Path, words: str) -> Iterator[Problem]:
        if key in seen:
            yield Problem(f"{words} “{name[:60]}” is in the file twice. Rename one of the two.", pointer(path))
        seen[key] = name

    for number, variable in enumerate(document.get("variables", [])):
        path: Path = ("variables", number, "name")
        yield from first(("variable", variable["name"]), variable["name"], path, "The variable")
    for number, provider in enumerate(document.get("providers", [])):
        home: Path = ("providers", number)
        name = provider["name"]
        yield from first(("provider", name.lower()), name, (*home, "name"), "The provider (in whatever case)")
        for kind in ("tool", "prompt"):
            for place, thing in enumerate(provider.get(f"{kind}s", [])):
                path = (*home, f"{kind}s", place, "name")
                yield from first((kind, thing["name"]), thing["name"], path, f"The {kind}")
        for place, thing in enumerate(provider.get("resources", [])):
            path = (*home, "resources", place)
            key = ("resource", name.lower(), thing["name"])
            yield from first(key, thing["name"], (*path, "name"), "The resource")
            yield from first(("uri", thing["uri"]), thing["uri"], (*path, "uri"), "The URI")


def _misplaced(document: dict[str, Any]) -> Iterator[Problem]:
    """Secrets stay out of addresses, and a client secret is one."""
    secret = {each["name"]: each["secret"] for each in document.get("variables", [])}
    for number, provider in enumerate(document.get("providers", [])):
        oauth2 = provider.get("oauth2", {})
        for path, value in (
            (("baseUrl",), provider.get("baseUrl", "")),
            (("oauth2", "tokenUrl"), oauth2.get("tokenUrl")),
        ):
            for name in references(value or ""):
                if secret.get(name):
                    text = f"{name} is secret, and no secret goes into an address. Use a plain variable."
                    yield Problem(text, pointer(("providers", number, *path)))
        for name in references(oauth2.get("clientSecret", "")):
            if secret.get(name) is False:
                text = f"{name} is plain. A client secret is held by a secret variable: make it one."
                yield Problem(text, pointer(("providers", number, "oauth2", "clientSecret")))

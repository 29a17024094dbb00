"""The operations of a document, as tools that somebody can choose. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from catalog.checking.json_text import pointer_to
from catalog.checking.names import LONGEST_DESCRIPTION, LONGEST_NAME
from catalog.checking.problems import Findings
from catalog.checking.tools import METHODS, clean_tool
from catalog.checking.urls import check_link
from catalog.exchange.errors import DocumentError, Problem
from catalog.openapi.addresses import base_urls
from catalog.openapi.arguments import arguments
from catalog.openapi.names import free_name, tool_name
from catalog.openapi.reading import Document, Unresolved
from catalog.openapi.schemas import Schemas
from catalog.openapi.security import Access, Credential, OAuth2, Security

MOST_OPERATIONS = 2_000
MOST_CHECKED = 150
"""Operations up to which schemas are checked before they are chosen; it takes milliseconds for each."""
_ALL_METHODS = (*METHODS, "OPTIONS", "TRACE")
_HINTS: dict[str, dict[str, bool]] = {
    "GET": {"read_only": True},
    "HEAD": {"read_only": True},
    "PUT": {"idempotent": True},
    "DELETE": {"destructive": True},
}


@dataclass(frozen=True)
class Proposal:
    """A tool that an operation could be."""

    values: dict[str, Any]
    """Of `catalog.tools.FIELDS`."""
    notes: tuple[str, ...] = ()
    """What of the operation it cannot do, for people."""
    problems: tuple[str, ...] = ()
    """Why it can be no tool at all."""
    deprecated: bool = False
    credentials: tuple[Credential, ...] = ()
    oauth2: OAuth2 | None = None
    """How its provider gets tokens, if it needs them."""
    line: int = 0

    @property
    def key(self) -> str:
        """What an operation is known by: “GET /cities/{city}”."""
        return endpoint(self.values["method"], self.values["path"])


@dataclass(frozen=True)
class Described:
    """An API, as its document has it."""

    title: str
    description: str
    documentation_url: str
    base_urls: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    notes: tuple[str, ...]


def endpoint(method: str, path: str) -> str:
    return f"{method} {path}"


def describe(document: Document, *, found_at: str = "") -> Described:
    """All that the document offers. Raises DocumentError for more than MOST_OPERATIONS."""
    schemas, security = Schemas(document), Security(document)
    proposals: list[Proposal] = []
    notes: list[str] = []
    taken: set[str] = set()
    pointers: list[str] = []
    operations = list(_operations(document, notes))
    for path, method, item, operation in operations:
        pointers.append(pointer_to(["paths", path, method.lower()]))
        access = security.of(operation)
        check = len(operations) <= MOST_CHECKED
        proposal = _proposal(document, schemas, access, (method, path, item, operation), check_schemas=check)
        name = free_name(proposal.values["name"], taken)
        taken.add(name)
        proposals.append(replace(proposal, values={**proposal.values, "name": name}))
    if not proposals:
        raise DocumentError([Problem("No path of the document has an operation that can be a tool.", "/paths")])
    lines = document.lines(pointers)
    raw = document.tree.get("info")
    info: dict[str, Any] = raw if isinstance(raw, dict) else {}
    return Described(
        title=_line(info.get("title")) or "API",
        description=_text(info.get("description") or info.get("summary")),
        documentation_url=_link(document.tree.get("externalDocs")),
        base_urls=tuple(base_urls(document, found_at=found_at)),
        proposals=tuple(
            replace(proposal, line=lines[pointer]) for proposal, pointer in zip(proposals, pointers, strict=True)
        ),
        notes=tuple(dict.fromkeys(notes)),
    )


def _operations(document: Document, notes: list[str]) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """(path, method, the path's object, the operation's)"""
    count = 0
    for path, raw in (document.tree.get("paths") or {}).items():
        if path.startswith("x-"):
            continue
        try:
            item = document.resolved(raw)
        except Unresolved as error:
            notes.append(f"{_line(path)} is left out. {error}")
            continue
        for method in _ALL_METHODS:
            operation = item.get(method.lower())
            if operation is None:
                continue
            if method not in METHODS or not isinstance(operation, dict):
                reason = "is no operation" if method in METHODS else "cannot be called by tools"
                notes.append(f"{method} {_line(path)} is left out: {method} {reason}.")
                continue
            count += 1
            if count > MOST_OPERATIONS:
                words = f"The document has more than {MOST_OPERATIONS:,} operations, the most that is read."
                raise DocumentError([Problem(f"{words} Take out those that you do not need.", "/paths")])
            yield path, method, item, operation


def _proposal(
    document: Document,
    schemas: Schemas,
    access: Access,
    found: tuple[str, str, dict[str, Any], dict[str, Any]],
    *,
    check_schemas: bool,
) -> Proposal:
    method, path, item, operation = found
    takes = arguments(document, schemas, method, path, item, operation)
    notes = [*takes.notes, *access.notes]
    if "servers" in operation or "servers" in item:
        notes.append("The document has it at an address of its own; it is called at the base URL.")
    deprecated = operation.get("deprecated") is True
    if deprecated:
        notes.append("It is deprecated.")
    sent = {name.lower() for name, _ in access.headers}
    headers = {name: value for name, value in takes.headers.items() if name.lower() not in sent}
    values: dict[str, Any] = {
        "name": tool_name(str(operation.get("operationId") or ""), method, path),
        "title": _line(operation.get("summary") or item.get("summary")),
        "description": _text(operation.get("description") or operation.get("summary") or item.get("description")),
        "enabled": takes.complete,
        "method": method,
        "path": path,
        "path_schema": takes.path,
        "query_schema": takes.query,
        "body_schema": takes.body,
        "headers": {**headers, **dict(access.headers)},
        "oauth2_scopes": list(access.scopes),
        **dict.fromkeys(("read_only", "destructive", "idempotent", "open_world")),
        **_HINTS.get(method, {}),
    }
    if not takes.complete:
        notes.append("It begins disabled.")
    clean, problems = _checked(values, notes, check_schemas)
    return Proposal(
        values=clean,
        notes=tuple(dict.fromkeys(notes)),
        problems=problems,
        deprecated=deprecated,
        credentials=access.credentials,
        oauth2=access.oauth2,
    )


def settled(values: dict[str, Any]) -> tuple[dict[str, Any], list[str], tuple[str, ...]]:
    """The values by the rules of all tools, notes on schemas that break them and gave way to one that takes anything,
    and what is wrong beside that."""
    findings = Findings()
    clean = clean_tool(values, findings)
    broken = {error.field: error.text for error in findings.errors if error.field in _ANYTHING}
    if not broken:
        return clean, [], tuple(error.text for error in findings.errors)
    findings = Findings()
    clean = clean_tool({**values, **{name: _ANYTHING[name][1] for name in broken}}, findings)
    notes = [f"{_ANYTHING[name][0]} {text}" for name, text in broken.items()]
    return clean, notes, tuple(error.text for error in findings.errors)


def _checked(values: dict[str, Any], notes: list[str], schemas: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The same; where there are many operations without their schemas, which takes the longest."""
    if schemas:
        clean, more, problems = settled(values)
        notes += more
        return clean, problems
    findings = Findings()
    clean = clean_tool({**values, **{name: nothing for name, (_, _, nothing) in _ANYTHING.items()}}, findings)
    kept = {name: values[name] for name in _ANYTHING if values[name] or name != "path_schema"}
    return {**clean, **kept}, tuple(error.text for error in findings.errors)


_ANYTHING: dict[str, tuple[str, Any, Any]] = {
    "path_schema": ("The arguments of the path are taken for texts.", {}, {}),
    "query_schema": ("The query takes any value.", {"type": "object"}, {}),
    "body_schema": ("The body takes any value.", {}, None),
}
"""What is told of a schema that is broken, what it gives way to, and what none is."""


def _line(value: Any) -> str:
    """A text of the document on one line, cut where it is too long for a name."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    text = "".join(character for character in text if character.isprintable())
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def _text(value: Any) -> str:
    text = value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""
    text = "".join(character for character in text if character.isprintable() or character in "\n\t")
    return text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 1]}…"


def _link(external: Any) -> str:
    url = external.get("url") if isinstance(external, dict) else None
    try:
        return check_link(url) if isinstance(url, str) else ""
    except ValueError:
        return ""

"""Entities' files for tests: one of each kind by hand, and any document that there can be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from catalog.checking.slugs import check_slug
from catalog.portable import normal, paths, reading, writing
from catalog.portable.model import SKILL_FILE, BadFile, Definition, Kind, Problem, Unit
from catalog.portable.schemas import CLIENT_KINDS

SCHEMA = "https://millrace.example/schemas/v1/{}.json"
COMMAND: dict[str, Any] = {
    "name": "Release notes",
    "slug": "release-notes",
    "description": "What changed, for customers.",
    "arguments": [{"name": "since", "description": "A tag.", "required": True}, {"name": "tone"}],
    "prompt": "Write what changed since {{since}}. {{tone}}",
}
SERVER: dict[str, Any] = {
    "name": "Weather",
    "slug": "weather",
    "visibility": "private",
    "variables": [{"name": "REGION", "value": "eu"}],
    "providers": [
        {
            "name": "Forecasts",
            "baseUrl": "https://api.example.com/${REGION}",
            "visibility": "public",
            "tools": [
                {
                    "name": "getForecast",
                    "enabled": True,
                    "method": "GET",
                    "path": "/cities/{city}",
                    "pathArguments": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}},
                        "required": ["city"],
                        "additionalProperties": False,
                    },
                    "headers": {"Accept": "application/json"},
                    "hints": {"readOnly": True, "openWorld": False},
                }
            ],
            "resources": [{"name": "Units", "uri": "weather://units", "text": "Metric."}],
            "prompts": [{"name": "pack", "messages": [{"role": "user", "text": "What do I pack?"}]}],
        }
    ],
    "commands": ["release-notes"],
}
TOOLKIT: dict[str, Any] = {
    "name": "Travel",
    "slug": "travel",
    "servers": {"weather": {"tools": ["getForecast"], "prompts": ["pack"], "resources": ["weather://units"]}},
    "commands": ["release-notes"],
    "skills": ["pdf-forms"],
}
CLIENT: dict[str, Any] = {
    "name": "Desk",
    "slug": "desk",
    "kind": "assistant",
    "servers": ["weather"],
    "toolkits": ["travel"],
}
SKILL: dict[str, Any] = {
    "name": "pdf-forms",
    "slug": "pdf-forms",
    "description": "Fill in PDF forms.",
    "frontMatter": {"license": "MIT", "metadata": {"author": "acme"}},
    "instructions": "# Forms\n\nRun scripts/fill.py.",
    "files": {"assets/stamp.png": "0" * 40, "scripts/fill.py": "0" * 40},
}
DOCUMENTS: Mapping[Kind, dict[str, Any]] = {
    Kind.COMMAND: COMMAND,
    Kind.SERVER: SERVER,
    Kind.TOOLKIT: TOOLKIT,
    Kind.CLIENT: CLIENT,
    Kind.SKILL: SKILL,
}
JSON_KINDS = [kind for kind in Kind if kind is not Kind.SKILL]


def unit(kind: Kind, slug: str, *others: str) -> Unit:
    """Of one file, or of a skill with these files beside SKILL.md."""
    path = paths.path_of(kind, slug)
    files = [f"{path}/{name}" for name in (SKILL_FILE, *others)] if kind is Kind.SKILL else [path]
    return Unit(kind, slug, path, dict.fromkeys(files, "0" * 40))


def read(kind: Kind, content: Any, slug: str = "", files: Mapping[str, bytes] | None = None) -> Definition:
    """What is read of a file: of a text, bytes, or a value as JSON; `files` are a skill's, below its folder."""
    if not slug:
        slug = content["slug"] if isinstance(content, dict) else DOCUMENTS[kind]["slug"]
    it = unit(kind, slug, *(files or {}))
    text = content if isinstance(content, str | bytes) else json.dumps(content, indent=2)
    data = text.encode() if isinstance(text, str) else text
    path = f"{it.path}/{SKILL_FILE}" if kind is Kind.SKILL else it.path
    return reading.read(it, {path: data, **{f"{it.path}/{name}": each for name, each in (files or {}).items()}})


def problems(kind: Kind, content: Any, slug: str = "", files: Mapping[str, bytes] | None = None) -> list[Problem]:
    """What is wrong with it; none if it is taken."""
    try:
        read(kind, content, slug, files)
    except BadFile as error:
        return list(error.problems)
    return []


def write(kind: Kind, document: Mapping[str, Any], **more: Any) -> bytes:
    """The one file, or SKILL.md."""
    files = writing.write(
        kind,
        **{"id": "id-1", "document": document, "schema_url": SCHEMA.format(kind), **more},
    )
    return next(data for path, data in files.items() if path.endswith((".json", SKILL_FILE)))


# What people type, and what breaks parsers: line ends, quotes, things that YAML takes for values, all of Unicode.
AWKWARD = st.sampled_from(
    ["", "no", "null", "~", "1.10", "0x1f", "1e3", "-", "---", "- a", "a: b", "# c", "'", '"', "{", "[", "*a", "&a",
     "!b", "|", ">", "%", "@", "`", "<<", "=", "2024-01-01", "\t", " a ", "a\n\nb\n", "\n", "\r\n", "\x85", "\u2028",
     "\ufeff", "é", "🙂", "\x7f", "true", "..."]
)  # fmt: skip
TEXTS = st.one_of(AWKWARD, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12))
LINES = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)
SLUGS = st.from_regex(r"[a-z0-9]{1,4}(-[a-z0-9]{1,3}){0,2}", fullmatch=True).filter(lambda text: _is_slug(text))
NAMES = st.lists(SLUGS, max_size=4, unique=True).map(sorted)
IDENTIFIERS = st.from_regex(r"[a-z][a-zA-Z0-9]{0,4}", fullmatch=True)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.sampled_from([0.5, -1.25, 3.0]), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
MEMBERS = st.dictionaries(TEXTS, VALUES, max_size=3)


def _is_slug(text: str) -> bool:
    try:
        return bool(check_slug(text))
    except ValueError:
        return False


def _head() -> dict[str, Any]:
    return {"name": LINES, "slug": SLUGS, "description": TEXTS.map(str.strip)}


def _command(values: dict[str, Any]) -> dict[str, Any]:
    names = [each["name"] for each in values["arguments"]]
    return {**values, "prompt": "".join([values["prompt"], *(f"{{{{{name}}}}}" for name in names)])}


_ARGUMENT = st.fixed_dictionaries({"name": IDENTIFIERS}, optional={"description": LINES, "required": st.just(True)})
_COMMANDS = st.fixed_dictionaries(
    {
        **_head(),
        "arguments": st.lists(_ARGUMENT, max_size=4, unique_by=lambda each: each["name"]),
        "prompt": LINES,
    }
).map(_command)
_CHOICE = st.fixed_dictionaries({}, optional={"tools": NAMES, "prompts": NAMES, "resources": NAMES})
_TOOLKITS = st.fixed_dictionaries(
    {**_head(), "servers": st.dictionaries(SLUGS, _CHOICE, max_size=3), "commands": NAMES, "skills": NAMES}
)
_CLIENTS = st.fixed_dictionaries(
    {**_head(), "kind": st.sampled_from(CLIENT_KINDS), "servers": NAMES, "toolkits": NAMES}
)
_TOOL = st.fixed_dictionaries(
    {"name": IDENTIFIERS, "method": st.just("POST"), "path": st.just("/a"), "enabled": st.booleans()},
    optional={"title": LINES, "body": st.sampled_from([{}, {"type": "object"}]), "headers": st.just({"Accept": "a/b"})},
)
_RESOURCE = st.fixed_dictionaries({"name": LINES, "text": LINES})
_PROMPT = st.fixed_dictionaries(
    {
        "name": IDENTIFIERS,
        "messages": st.lists(st.fixed_dictionaries({"role": st.just("user"), "text": LINES}), min_size=1),
    }
)


def _server(values: dict[str, Any]) -> dict[str, Any]:
    """Tools, prompts and URIs are unique on a server, names of providers and resources whatever their case."""
    seen: set[tuple[str, str]] = set()
    providers = []
    for provider in values["providers"]:
        for number, resource in enumerate(provider["resources"]):
            resource["uri"] = f"x://{len(seen)}/{number}"
        for kind in ("tools", "resources", "prompts"):
            kept = [each for each in provider[kind] if (kind, each["name"]) not in seen]
            provider[kind] = list({each["name"]: each for each in kept}.values())
            seen |= {(kind, each["name"]) for each in provider[kind]}
        if ("provider", provider["name"].lower()) not in seen:
            providers.append(provider)
        seen.add(("provider", provider["name"].lower()))
    return {**values, "providers": providers}


_PROVIDER = st.fixed_dictionaries(
    {
        "name": LINES,
        "baseUrl": st.just("https://api.example.com"),
        "visibility": st.sampled_from(["public", "private"]),
        "tools": st.lists(_TOOL, max_size=3),
        "resources": st.lists(_RESOURCE, max_size=2),
        "prompts": st.lists(_PROMPT, max_size=2),
    }
)
_VARIABLE = st.fixed_dictionaries({"name": st.from_regex(r"[A-Z]{1,3}", fullmatch=True), "value": LINES})
_SERVERS = st.fixed_dictionaries(
    {
        **_head(),
        "description": LINES,
        "instructions": TEXTS,
        "visibility": st.sampled_from(["public", "private"]),
        "variables": st.lists(_VARIABLE, max_size=2, unique_by=lambda each: each["name"]),
        "providers": st.lists(_PROVIDER, max_size=2),
        "commands": NAMES,
        "skills": NAMES,
    }
).map(_server)
_FRONT = st.dictionaries(TEXTS.filter(lambda text: text not in ("name", "description", "metadata")), VALUES, max_size=3)
_SKILLS = st.fixed_dictionaries(
    {
        **_head(),
        "description": LINES,
        "frontMatter": _FRONT,
        "instructions": TEXTS,
        "files": st.dictionaries(st.sampled_from(["a.md", "scripts/b.py", "assets/c/d.png"]), st.just("0" * 40)),
    }
)
_ANY = {
    Kind.COMMAND: _COMMANDS,
    Kind.TOOLKIT: _TOOLKITS,
    Kind.CLIENT: _CLIENTS,
    Kind.SERVER: _SERVERS,
    Kind.SKILL: _SKILLS,
}


def documents(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """Any document of a kind, in its normal form."""
    return _ANY[kind].map(lambda values: normal.normal(kind, values))

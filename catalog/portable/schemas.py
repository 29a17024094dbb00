"""The JSON Schemas (2020-12) of entities' files: published, and what files are held against.

What a schema does not name may stand in a file, and is kept. In a file nothing authenticates: what an export has of
OAuth2, scopes, secrets and the hosts that they go to is refused here.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from catalog.checking import slugs
from catalog.checking.names import LONGEST_DESCRIPTION, LONGEST_NAME
from catalog.checking.prompts import ARGUMENT_NAME, MOST_ARGUMENTS
from catalog.checking.prompts import LONGEST_DESCRIPTION as LONGEST_OF_ARGUMENT
from catalog.exchange.schema import SCHEMA as EXPORT
from catalog.portable.model import Kind
from catalog.portable.paths import SERVER_SLUG, SLUG, slug_pattern

VERSION = 1
MEDIA_TYPE = "application/schema+json"
ID = r"^[A-Za-z0-9._-]{1,64}$"
ID_KEY = "millrace-id"
"""A skill's id in the `metadata` of its front matter: the Agent Skills specification has no other place for it."""
COMMAND_ARGUMENT = f"^{ARGUMENT_NAME.pattern}$"
CLIENT_KINDS = ("agent", "assistant", "editor", "command-line", "service", "other")
LONGEST_PROMPT = 1_000_000
"""Characters."""
MOST_NAMES = 5_000
"""In one list of names."""

_AUTHENTICATION = {
    "not": {},
    "description": "Never in a file: authentication is entered on the server's pages and stays in the database.",
}


def url(base_url: str, kind: Kind) -> str:
    """Where an installation serves a schema."""
    return f"{base_url}/schemas/v{VERSION}/{kind}.json"


def published(base_url: str, kind: Kind) -> dict[str, Any]:
    """The schema as it is served."""
    return {"$schema": SCHEMAS[kind]["$schema"], "$id": url(base_url, kind), **SCHEMAS[kind]}


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", **more, "description": description}


def _names(description: str, **of: Any) -> dict[str, Any]:
    return {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": 1_024, **of},
        "uniqueItems": True,
        "maxItems": MOST_NAMES,
        "description": description,
    }


def _slugs(description: str, pattern: str = SLUG) -> dict[str, Any]:
    return _names(description, pattern=pattern, maxLength=slugs.LONGEST)


_NAME = _text("For people.", minLength=1, maxLength=LONGEST_NAME)
_DESCRIPTION = _text("For people, and for agents that choose by it.", maxLength=LONGEST_DESCRIPTION)


def _file(kind: Kind, title: str, description: str, members: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": f"{description} Other members may stand here, and are kept.",
        "type": "object",
        "properties": {
            "$schema": _text("Where this schema is, for editors.", maxLength=1_024),
            "id": _text(
                "Stays as it is, so that a renamed file is the same entity. Leave it out in a new file: it is given "
                "one.",
                pattern=ID,
            ),
            "name": _NAME,
            "slug": _text("The file's name without .json.", pattern=slug_pattern(kind), maxLength=slugs.LONGEST),
            **members,
        },
        "required": ["name", "slug", *required],
    }


_TOOLKIT = _file(
    Kind.TOOLKIT,
    "Toolkit",
    "A named choice of tools, prompts and resources of MCP servers, and of commands and skills.",
    {
        "description": _DESCRIPTION,
        "servers": {
            "type": "object",
            "propertyNames": {"pattern": SERVER_SLUG, "maxLength": slugs.LONGEST},
            "additionalProperties": {
                "type": "object",
                "description": "What is chosen of this server.",
                "properties": {
                    "tools": _names("Names of its tools."),
                    "prompts": _names("Names of its prompts."),
                    "resources": _names("URIs of its resources."),
                },
            },
            "description": "By the slugs of servers.",
        },
        "commands": _slugs("Slugs of commands."),
        "skills": _slugs("Slugs of skills."),
    },
    [],
)
_COMMAND = _file(
    Kind.COMMAND,
    "Command",
    "A reusable prompt with arguments.",
    {
        "description": _DESCRIPTION,
        "arguments": {
            "type": "array",
            "items": {
                "type": "object",
                "description": "Filled into {{name}} of the prompt.",
                "properties": {
                    "name": _text("Of the argument.", pattern=COMMAND_ARGUMENT),
                    "description": _text("What to give.", maxLength=LONGEST_OF_ARGUMENT),
                    "required": {
                        "type": "boolean",
                        "default": False,
                        "description": "Whether it has to be given.",
                    },
                },
                "required": ["name"],
            },
            "maxItems": MOST_ARGUMENTS,
            "description": "What the person is asked for, in this order.",
        },
        "prompt": _text("What the agent is told.", minLength=1, maxLength=LONGEST_PROMPT),
    },
    ["prompt"],
)
_CLIENT = _file(
    Kind.CLIENT,
    "MCP client",
    "An application that speaks MCP, and what it may reach. It grants nothing by itself.",
    {
        "description": _DESCRIPTION,
        "kind": {"enum": list(CLIENT_KINDS), "default": "other", "description": "What sort of application it is."},
        "servers": _slugs("Slugs of the servers that it may reach.", SERVER_SLUG),
        "toolkits": _slugs("Slugs of the toolkits that it may reach."),
    },
    [],
)
_SKILL = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Front matter of a skill",
    "description": "The YAML between the first two lines --- of SKILL.md, as https://agentskills.io/specification has "
    "it. Other members may stand here, and are kept.",
    "type": "object",
    "properties": {
        "name": _text(
            "For people and agents; the specification wants the folder's name.", minLength=1, maxLength=LONGEST_NAME
        ),
        "description": _text(
            "What the skill does and when to use it: agents choose it by this alone. They read 1,024 characters.",
            minLength=1,
            maxLength=LONGEST_DESCRIPTION,
        ),
        "metadata": {
            "type": "object",
            "properties": {
                ID_KEY: _text(
                    "Stays as it is, so that a renamed folder is the same skill. Leave it out in a new one: it is "
                    "given one.",
                    pattern=ID,
                )
            },
            "description": "Anything else for programs.",
        },
    },
    "required": ["name", "description"],
}


def _server() -> dict[str, Any]:
    """What an export has of a server, without what authenticates."""
    parts = {name: _open(part) for name, part in copy.deepcopy(EXPORT["$defs"]).items() if name != "oauth2"}
    server, variable, provider, tool = (parts[name] for name in ("server", "variable", "provider", "tool"))
    for part, names in (
        (variable, ("hosts",)),
        (provider, ("oauth2",)),
        (tool, ("scopes",)),
    ):
        part["properties"].update(dict.fromkeys(names, _AUTHENTICATION))
    variable["properties"]["secret"] = {
        "const": False,
        "default": False,
        "description": "Only plain variables stand in a file: secret ones are entered on the server's pages.",
    }
    for name in ("if", "then", "else"):
        del variable[name]
    variable["required"] = ["name"]
    variable["description"] = "A plain variable: what ${NAME} stands for in base URLs and headers."
    variable["properties"]["value"]["description"] = "What it stands for."
    provider["required"] = ["name"]
    provider["properties"]["visibility"]["default"] = "public"
    tool["properties"]["headers"]["description"] = (
        "Only those that never carry credentials, such as Accept; others are entered on the tool's page."
    )
    members = {name: server["properties"][name] for name in ("description", "instructions", "visibility")}
    members["visibility"]["default"] = "private"
    kept = {name: parts[name] for name in ("variable", "provider", "tool", "resource", "prompt")}
    made = _file(
        Kind.SERVER,
        "MCP server",
        "The configuration of an MCP server without any authentication: that stays in the database as it is.",
        {
            **members,
            "variables": EXPORT["properties"]["variables"],
            "providers": EXPORT["properties"]["providers"],
            "commands": _slugs("Slugs of commands that are attached to it."),
            "skills": _slugs("Slugs of skills that are attached to it."),
        },
        [],
    )
    return {**made, "$defs": kept}


def _open(part: Any) -> Any:
    """A schema that takes other members too."""
    if isinstance(part, dict):
        return {name: _open(each) for name, each in part.items() if (name, each) != ("additionalProperties", False)}
    return [_open(each) for each in part] if isinstance(part, list) else part


SCHEMAS: Mapping[Kind, dict[str, Any]] = MappingProxyType(
    {
        Kind.COMMAND: _COMMAND,
        Kind.SKILL: _SKILL,
        Kind.SERVER: _server(),
        Kind.TOOLKIT: _TOOLKIT,
        Kind.CLIENT: _CLIENT,
    }
)

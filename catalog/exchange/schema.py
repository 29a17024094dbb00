"""The JSON Schema (2020-12) of the export document, and the check against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from catalog.exchange.errors import DocumentError, Problem, pointer
from catalog.exchange.model import MASK

FORMAT_VERSION = 1


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", **more, "description": description}


def _flag(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "boolean", **more, "description": description}


def _list(of: dict[str, Any], description: str, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": of, **more, "description": description}


def _object(description: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


_VISIBILITY = {"enum": ["public", "private"]}
_SCOPES = _list({"type": "string", "minLength": 1, "maxLength": 254}, "OAuth2 scopes asked for.", maxItems=200)
_DESCRIPTION = _text("For people, and for agents where it describes a tool, a resource or a prompt.", maxLength=100_000)
_SCHEMA_OF_ARGUMENTS = {"type": "object", "description": "A JSON Schema (2020-12)."}

_SERVER = _object(
    "The server itself.",
    {
        "name": _text("For people.", minLength=1, maxLength=120),
        "slug": _text("Its part of its address.", pattern="^[-a-zA-Z0-9_]+$", maxLength=63),
        "description": _text("For people: what is on this server.", maxLength=4_000),
        "instructions": _text("For agents: what they are told when they connect.", maxLength=50_000),
        "visibility": {**_VISIBILITY, "description": "Who may call it."},
        "version": {
            "type": "integer",
            "minimum": 1,
            "maximum": 2_147_483_647,
            "description": "Moves with each change of the configuration, and only then.",
        },
    },
    ["name", "slug", "visibility", "version"],
)
_VARIABLE = _object(
    "What ${NAME} stands for in base URLs, headers and OAuth2 settings.",
    {
        "name": _text("Written as ${NAME} where it is used.", pattern="^[A-Z][A-Z0-9_]{0,63}$"),
        "description": _DESCRIPTION,
        "secret": _flag("Whether the value is a secret: it is masked here, and never read from here."),
        "value": _text("Of a plain one; •••••• for a secret one.", maxLength=100_000),
        "hosts": _list(
            _text(
                "A host, or host:port, in small letters, asked over https; http:// before it for plain http.",
                minLength=1,
                maxLength=270,
            ),
            "The hosts that a secret one may be sent to.",
            maxItems=200,
        ),
    },
    ["name", "secret"],
) | {
    "if": {"properties": {"secret": {"const": True}}},
    "then": {"properties": {"value": {"const": MASK}}},
    "else": {"properties": {"value": {"not": {"const": MASK}}}},
}
_OAUTH2 = _object(
    "Client credentials (RFC 6749, 4.4) that its tools are called with.",
    {
        "tokenUrl": _text("Where tokens are asked for.", maxLength=1_024),
        "clientId": _text("${NAME}, or •••••• for one that is not told.", maxLength=512),
        "clientSecret": _text("${NAME} of a secret variable.", maxLength=80),
        "scopes": _SCOPES,
    },
    ["tokenUrl"],
)
_HINTS = _object(
    "What is known of a call's effects; a member that is not there is not known.",
    {
        "readOnly": _flag("It changes nothing upstream."),
        "destructive": _flag("What it changes may be lost."),
        "idempotent": _flag("Calling it again changes nothing more."),
        "openWorld": _flag("It reaches things outside the upstream."),
    },
    [],
)
_TOOL = _object(
    "An endpoint of the provider.",
    {
        "name": _text("Unique on the server.", pattern="^[a-z][a-zA-Z0-9]{0,63}$"),
        "title": _text("For people.", maxLength=120),
        "description": _DESCRIPTION,
        "enabled": _flag("Whether it is offered to agents.", default=True),
        "method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], "description": "Of the HTTP request."},
        "path": _text("Below the provider's base URL, such as /cities/{city}.", maxLength=1_024),
        "pathArguments": _SCHEMA_OF_ARGUMENTS,
        "queryArguments": _SCHEMA_OF_ARGUMENTS,
        "body": _SCHEMA_OF_ARGUMENTS,
        "headers": {
            "type": "object",
            "additionalProperties": {"type": "string", "maxLength": 8_192},
            "description": "Values may hold ${NAME}; •••••• stands for one that is not told.",
        },
        "scopes": _SCOPES,
        "hints": _HINTS,
    },
    ["name", "method", "path"],
)
_RESOURCE = {
    **_object(
        "Something that agents can read by its URI: a text, or what the provider answers at a path.",
        {
            "name": _text("Unique in the provider.", minLength=1, maxLength=120),
            "uri": _text("Unique on the server.", minLength=1, maxLength=1_024),
            "description": _DESCRIPTION,
            "mimeType": _text("Such as text/markdown.", maxLength=120),
            "text": _text("What is read; empty if neither this nor upstreamPath is there."),
            "upstreamPath": _text("Below the provider's base URL.", minLength=1, maxLength=1_024),
        },
        ["name", "uri"],
    ),
    "not": {"required": ["text", "upstreamPath"]},
}
_PROMPT = _object(
    "Messages that a person chooses in a client.",
    {
        "name": _text("Unique on the server.", pattern="^[a-z][a-zA-Z0-9]{0,63}$"),
        "title": _text("For people.", maxLength=120),
        "description": _DESCRIPTION,
        "arguments": _list(
            _object(
                "Filled into {{name}} of the messages.",
                {
                    "name": _text("Of the argument.", minLength=1, maxLength=64),
                    "description": _DESCRIPTION,
                    "required": _flag("Whether it has to be given.", default=False),
                },
                ["name"],
            ),
            "What the person is asked for.",
            maxItems=100,
        ),
        "messages": _list(
            _object(
                "One message.",
                {
                    "role": {"enum": ["user", "assistant"], "description": "Whose it is."},
                    "text": _text("What it says.", maxLength=1_000_000),
                },
                ["role", "text"],
            ),
            "In the order that they are sent.",
            maxItems=1_000,
        ),
    },
    ["name", "messages"],
)
_PROVIDER = _object(
    "An upstream HTTP API with its tools; without a base URL, a folder of texts and prompts.",
    {
        "name": _text("Unique on the server, whatever its case.", minLength=1, maxLength=120),
        "description": _DESCRIPTION,
        "baseUrl": _text("What the paths of its tools are below.", maxLength=1_024),
        "documentationUrl": _text("For people.", maxLength=1_024),
        "iconUrl": _text("For people.", maxLength=1_024),
        "visibility": {**_VISIBILITY, "description": "On a public server, who is offered it."},
        "oauth2": _ref("oauth2"),
        "tools": _list(_ref("tool"), "Sorted by name."),
        "resources": _list(_ref("resource"), "Sorted by name."),
        "prompts": _list(_ref("prompt"), "Sorted by name."),
    },
    ["name", "visibility"],
)

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Configuration of an MCP server",
    "description": "Everything that is configured on a server, as Millrace exports and imports it. "
    "•••••• stands for a value that stayed in the database; an import leaves what is stored there as it is.",
    "type": "object",
    "properties": {
        "$schema": _text("Where this schema is, for editors."),
        "formatVersion": {"const": FORMAT_VERSION, "description": "Of this format, not of the server."},
        "server": _ref("server"),
        "variables": _list(_ref("variable"), "Sorted by name."),
        "providers": _list(_ref("provider"), "Sorted by name."),
    },
    "required": ["formatVersion", "server"],
    "additionalProperties": False,
    "$defs": {
        "server": _SERVER,
        "variable": _VARIABLE,
        "provider": _PROVIDER,
        "oauth2": _OAUTH2,
        "tool": _TOOL,
        "resource": _RESOURCE,
        "prompt": _PROMPT,
    },
}

_VALIDATOR = Draft202012Validator(SCHEMA)
_MOST_PROBLEMS = 100
_TYPES = {
    "string": "a text",
    "boolean": "true or false",
    "object": "an object {…}",
    "array": "a list […]",
    "integer": "a whole number",
}
_PATTERNS = {
    "^[-a-zA-Z0-9_]+$": "letters, digits, - and _",
    "^[A-Z][A-Z0-9_]{0,63}$": "a capital letter, then up to 63 capitals, digits and _: API_KEY",
    "^[a-z][a-zA-Z0-9]{0,63}$": "a small letter, then up to 63 letters and digits: getWeather",
}


def validate(document: Any) -> None:
    """Raises DocumentError with everything (or the first hundred things) in it that is not as SCHEMA says."""
    if isinstance(document, dict):
        _check_version(document.get("formatVersion"))
    problems: list[Problem] = []
    for error in _VALIDATOR.iter_errors(document):
        problems.extend(_problems(error))
        if len(problems) >= _MOST_PROBLEMS:
            break
    if problems:
        raise DocumentError(problems[:_MOST_PROBLEMS])


def _check_version(version: Any) -> None:
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT_VERSION:
        text = (
            f"The file has format version {version}, this Millrace reads {FORMAT_VERSION}: it was made by a newer "
            "Millrace. Update this one, or export the server again from one of this version."
        )
        raise DocumentError([Problem(text, "/formatVersion")])


def _problems(error: ValidationError) -> Iterator[Problem]:
    """In sentences of ours: jsonschema's repeat the value."""
    path = list(error.absolute_path)
    wanted: Any = error.validator_value
    if error.validator == "additionalProperties":
        known: Any = error.schema
        there: Any = error.instance
        for name in there:
            if name not in known["properties"]:
                text = f"“{_short(name)}” is not a member that Millrace knows here. Correct its name, or remove it."
                yield Problem(text, pointer([*path, name]))
    elif error.validator == "required":
        missing = next(name for name in wanted if error.message.startswith(f"{name!r} is"))
        yield Problem(f"“{missing}” is missing here.", pointer(path))
    elif error.validator in ("const", "not") and path[-1] == "value":
        yield Problem(_MASKED_VALUE if error.validator == "const" else _PLAIN_MASK, pointer(path))
    else:
        yield Problem(sentence(str(error.validator), wanted), pointer(path))


_MASKED_VALUE = (
    f"The value of a secret is not taken from a file. Write {MASK} here, or leave it out, and enter the secret on the "
    "server's tab “Variables” after the import."
)
_PLAIN_MASK = f"{MASK} stands for a secret, but the variable is plain. Write its value here, or make it secret."


def sentence(rule: str, wanted: Any) -> str:
    """What a keyword of the schema asks for, and its value, for a person."""
    match rule:
        case "type":
            return f"This has to be {_TYPES.get(wanted, wanted)}."
        case "enum":
            return f"This has to be one of {', '.join(wanted)}."
        case "const":
            return f"This has to be {wanted}."
        case "pattern":
            return f"This has to be {_PATTERNS[wanted]}."
        case "minLength":
            return "This must not be empty."
        case "maxLength":
            return f"This is too long: {wanted:,} characters are allowed."
        case "maxItems":
            return f"These are too many: {wanted:,} are allowed."
        case "minimum" | "maximum":
            return f"This has to be a number {'from' if rule == 'minimum' else 'up to'} {wanted:,}."
        case "not":
            return "A resource has a text or an upstreamPath, not both. Remove one."
    return "This is not as the schema says."


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"

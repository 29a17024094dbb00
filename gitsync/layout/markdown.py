"""Pages for people who look at the repository: Markdown in which text of others is nothing but text.

What people typed cannot become a link, an image, HTML, a heading or another cell of a table, on any forge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from catalog.exchange.model import (
    PromptConfig,
    ProviderConfig,
    ResourceConfig,
    ServerConfig,
    ToolConfig,
    VariableConfig,
)

SUMMARY_CHARACTERS = 200
"""Of a description in a table."""

_MAX_ENUM = 10
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_LINE = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# https://spec.commonmark.org/0.31.2/#backslash-escapes. A pipe and a backslash are entities: within tables, parsers
# disagree about what a backslash does.
_SPECIAL = str.maketrans(
    {character: f"\\{character}" for character in "`*_[]~#$"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "\\": "&#92;"}
)
_LINKED = re.compile(r"(?<=[a-z]):(?=//)|(?<=www)\.", re.IGNORECASE)
"""What GitHub makes links of."""
_NUMBERED = re.compile(r"\A(\d{1,9})([.)])")
_UNQUOTABLE = re.compile(r"[`|\\\s\x00-\x1f\x7f-\x9f]")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$'()*+,;=%&]+", re.IGNORECASE)


def inline(text: str) -> str:
    """Text as one line of text."""
    return _opened(_LINKED.sub(lambda found: f"\\{found.group()}", _SPACE.sub(" ", text).strip().translate(_SPECIAL)))


def _opened(line: str) -> str:
    """A line that does not begin a list, a rule, or the underline of a heading."""
    if line[:1] in ("-", "+", "=", ":"):
        return f"\\{line}"
    return _NUMBERED.sub(r"\1\\\2", line)


def paragraphs(text: str) -> str:
    """Text with its line ends and empty lines; empty if there is none."""
    blocks: list[list[str]] = [[]]
    for line in _LINE.split(text):
        words = inline(line)
        if words:
            blocks[-1].append(words)
        elif blocks[-1]:
            blocks.append([])
    return "\n\n".join("\\\n".join(block) for block in blocks if block)


def summary(text: str) -> str:
    """The first line of a text, not too long."""
    first = next((line.strip() for line in _LINE.split(text) if line.strip()), "")
    return inline(first if len(first) <= SUMMARY_CHARACTERS else f"{first[: SUMMARY_CHARACTERS - 1].rstrip()}…")


def code(text: str) -> str:
    """A name or an address, set as code where that is safe within a table."""
    return f"`{text}`" if text and not _UNQUOTABLE.search(text) else inline(text)


def address(url: str) -> str:
    """A link to a web page, if it is one and nothing else."""
    return f"<{url}>" if _ADDRESS.fullmatch(url) else code(url)


def link(words: str, path: str) -> str:
    """To a file of ours; `words` are safe already."""
    return f"[{words}]({quote(path)})"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are safe already; empty if there are no rows."""
    lines = [_row(cells) for cells in rows]
    return "\n".join([_row(heads), _row(["---"] * len(heads)), *lines]) if lines else ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def page(parts: Iterable[str]) -> bytes:
    return ("\n\n".join(part for part in parts if part) + "\n").encode("utf-8", "backslashreplace")


def section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def server_page(config: ServerConfig, directories: Mapping[str, str]) -> bytes:
    """The README of a server. `directories` are those of its providers, by name."""
    providers = table(
        ["Provider", "Description", "Tools", "Resources", "Prompts"],
        (
            [
                link(inline(provider.name), f"{directories[provider.name]}/README.md"),
                summary(provider.description),
                *(str(len(items)) for items in (provider.tools, provider.resources, provider.prompts)),
            ]
            for provider in config.providers
        ),
    )
    return page(
        [
            f"# {inline(config.name)}",
            paragraphs(config.description),
            section("Instructions", paragraphs(config.instructions)),
            section("Providers", providers),
            section("Variables", table(["Name", "Kind", "Hosts", "Description"], map(_variable, config.variables))),
            section(
                "Files",
                f"{link('export.json', 'export.json')} is the whole server and can be imported again; "
                f"{link('schema.json', 'schema.json')} is the JSON Schema of it.",
            ),
        ]
    )


def _variable(variable: VariableConfig) -> list[str]:
    kind = "secret" if variable.secret else "plain"
    return [code(variable.name), kind, ", ".join(map(code, variable.hosts)), summary(variable.description)]


def provider_page(
    provider: ProviderConfig, tools: Mapping[str, str], resources: Mapping[str, str], prompts: Mapping[str, str]
) -> bytes:
    """The README of a provider. The mappings are from names to the relative paths of their files, without ending."""
    return page(
        [
            f"# {inline(provider.name)}",
            paragraphs(provider.description),
            _facts(_provider_facts(provider)),
            section(
                "Tools",
                table(
                    ["Tool", "Request", "Description"],
                    (_tool_row(tool, f"{tools[tool.name]}.md") for tool in provider.tools),
                ),
            ),
            section(
                "Resources",
                table(
                    ["Resource", "URI", "Type", "Description"],
                    (_resource_row(resource, f"{resources[resource.name]}.json") for resource in provider.resources),
                ),
            ),
            section(
                "Prompts",
                table(
                    ["Prompt", "Arguments", "Description"],
                    (_prompt_row(prompt, f"{prompts[prompt.name]}.json") for prompt in provider.prompts),
                ),
            ),
        ]
    )


def _provider_facts(provider: ProviderConfig) -> Iterator[tuple[str, str]]:
    yield "Base URL", code(provider.base_url)
    yield "Documentation", address(provider.documentation_url) if provider.documentation_url else ""
    yield "Visibility", inline(provider.visibility)
    if provider.oauth2 is not None:
        yield "OAuth2 token URL", code(provider.oauth2.token_url)
        yield "OAuth2 scopes", ", ".join(map(code, provider.oauth2.scopes))


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts if value)


def _tool_row(tool: ToolConfig, path: str) -> list[str]:
    words = summary(tool.description) or inline(tool.title)
    return [
        link(inline(tool.name), path),
        f"{code(tool.method)} {code(tool.path)}",
        words if tool.enabled else f"(disabled) {words}".strip(),
    ]


def _resource_row(resource: ResourceConfig, path: str) -> list[str]:
    return [
        link(inline(resource.name), path),
        code(resource.uri),
        code(resource.mime_type),
        summary(resource.description),
    ]


def _prompt_row(prompt: PromptConfig, path: str) -> list[str]:
    arguments = ", ".join(f"{code(argument.name)}{'' if argument.required else '?'}" for argument in prompt.arguments)
    return [link(inline(prompt.name), path), arguments, summary(prompt.description) or inline(prompt.title)]


def tool_page(tool: ToolConfig) -> bytes:
    return page(
        [
            f"# {inline(tool.name)}",
            f"**{inline(tool.title)}**" if inline(tool.title) else "",
            paragraphs(tool.description),
            f"{code(tool.method)} {code(tool.path)}",
            "" if tool.enabled else "It is disabled: agents do not see it.",
            section("Path arguments", _arguments(tool.path_schema)),
            section("Query arguments", _arguments(tool.query_schema)),
            section("Body", _body(tool.body_schema)),
            section("Headers", "\n".join(f"- {code(name)}" for name in tool.headers)),
            section("OAuth2 scopes", "\n".join(f"- {code(scope)}" for scope in tool.scopes)),
            section("Hints", _facts(_hints(tool))),
        ]
    )


def _hints(tool: ToolConfig) -> Iterator[tuple[str, str]]:
    for name, hint in (
        ("Read-only", tool.read_only),
        ("Destructive", tool.destructive),
        ("Idempotent", tool.idempotent),
        ("Open world", tool.open_world),
    ):
        yield name, "" if hint is None else "yes" if hint else "no"


def _body(schema: Any) -> str:
    if schema is None:
        return ""
    return _arguments(schema) or _type(schema)


def _arguments(schema: Any) -> str:
    return table(["Name", "Type", "Required", "Description"], _fields(schema, "", nested=True))


def _fields(schema: Any, prefix: str, *, nested: bool) -> Iterator[list[str]]:
    """A row for each property, and with `nested` for those of objects one level down."""
    if not isinstance(schema, Mapping) or not isinstance(schema.get("properties"), Mapping):
        return
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    for name, field in schema["properties"].items():
        told = field.get("description") if isinstance(field, Mapping) else None
        words = summary(told) if isinstance(told, str) else ""
        yield [code(f"{prefix}{name}"), _type(field), "yes" if name in names else "no", words]
        if nested:
            yield from _fields(field, f"{prefix}{name}.", nested=False)
            if isinstance(field, Mapping):
                yield from _fields(field.get("items"), f"{prefix}{name}[].", nested=False)


def _type(schema: Any) -> str:
    """What a value looks like, in a few words."""
    if not isinstance(schema, Mapping):
        return "nothing" if schema is False else "anything"
    values = schema.get("enum")
    if isinstance(values, list) and values:
        more = "…" if len(values) > _MAX_ENUM else ""
        return f"one of {', '.join(code(_scalar(value)) for value in values[:_MAX_ENUM])}{more}"
    if "const" in schema:
        return code(_scalar(schema["const"]))
    for member in ("anyOf", "oneOf"):
        if isinstance(schema.get(member), list):
            return " or ".join(dict.fromkeys(_plain_type(each) for each in schema[member])) or "anything"
    return _plain_type(schema)


def _plain_type(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return "anything"
    if isinstance(schema.get("$ref"), str):
        return inline(schema["$ref"].rsplit("/", 1)[-1])
    kinds = schema.get("type")
    names = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)]
    words = " or ".join(map(inline, names)) or ("object" if "properties" in schema else "anything")
    if names == ["array"] and isinstance(schema.get("items"), Mapping):
        words = f"array of {_item(schema['items'])}"
    return f"{words} ({inline(schema['format'])})" if isinstance(schema.get("format"), str) else words


def _item(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    return inline(kind) if isinstance(kind, str) else "anything"


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, str | int | float) else "…"

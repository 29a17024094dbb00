"""A server's configuration as its file among an organisation's entities, and back: without any authentication. Pure.

What counts as authentication, and so is neither written to such a file nor taken from one: OAuth2 settings and scopes,
secret variables, the hosts of variables, each header that is not HARMLESS, and a harmless one that holds a secret
variable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from catalog.checking.headers import MOST_HEADERS
from catalog.checking.templates import references
from catalog.exchange.checks import CheckContent
from catalog.exchange.document import from_document, to_document
from catalog.exchange.errors import DocumentError, Problem, pointer
from catalog.exchange.masking import HARMLESS, is_masked
from catalog.exchange.model import ProviderConfig, ServerConfig, ToolConfig, order
from catalog.exchange.planning import placed
from catalog.exchange.schema import FORMAT_VERSION
from catalog.portable import validating
from catalog.portable.model import Kind
from catalog.portable.normal import normal

_OF_THE_SERVER = ("name", "slug", "description", "instructions", "visibility")


def to_portable(config: ServerConfig) -> dict[str, Any]:
    """The members that `catalog.portable.model` lists, without `commands` and `skills`."""
    secret = secret_names(config)
    plain = tuple(replace(each, hosts=()) for each in config.variables if not each.secret)
    providers = tuple(
        replace(each, oauth2=None, tools=tuple(_without_credentials(tool, secret) for tool in each.tools))
        for each in config.providers
    )
    document = to_document(replace(config, variables=plain, providers=providers))
    variables = [_without(each, "secret") for each in document.get("variables", [])]
    found = {name: document["server"][name] for name in _OF_THE_SERVER if name in document["server"]}
    if variables:
        found["variables"] = variables
    if providers:
        found["providers"] = document["providers"]
    return found


def from_portable(document: Mapping[str, Any], check_content: CheckContent) -> ServerConfig:
    """What the document says, by itself: `complete` adds what stays. Raises DocumentError with all that is wrong, the
    pointers into `document`. `check_content` raises a ValueError for a text that cannot be kept."""
    if problems := validating.against_schema(Kind.SERVER, document):
        raise DocumentError(problems)
    kept, problems = validating.cleaned(Kind.SERVER, document)
    if problems := [*problems, *_contents(kept, check_content)]:
        raise DocumentError(problems)
    kept = normal(Kind.SERVER, kept)
    return from_document(
        {
            "formatVersion": FORMAT_VERSION,
            "server": {"version": 1} | {name: kept[name] for name in _OF_THE_SERVER if name in kept},
            "variables": [{**each, "secret": False} for each in kept.get("variables", [])],
            "providers": kept.get("providers", []),
        }
    )


def complete(here: ServerConfig, wanted: ServerConfig) -> ServerConfig:
    """`wanted`, as `from_portable` has it, with the authentication that is here; `here` is not masked. Providers are
    the same by their names, whatever their case, and tools by theirs, in whatever provider. Raises DocumentError where
    the file would change authentication."""
    hosts = {each.name: each.hosts for each in here.variables}
    secret = secret_names(here)
    plain = [replace(each, hosts=hosts.get(each.name, ())) for each in wanted.variables]
    kept = [each for each in here.variables if each.secret]
    there = {each.name.lower(): each for each in here.providers}
    tools = {name: each.thing for (name,), each in placed(here, "tool").items()}
    problems = list(_touched(wanted, secret, tools))
    if problems:
        raise DocumentError(problems)
    return replace(
        wanted,
        version=here.version,
        variables=tuple(sorted((*plain, *kept), key=order)),
        providers=tuple(_completed(each, there.get(each.name.lower()), tools, secret) for each in wanted.providers),
    )


def secret_names(config: ServerConfig) -> frozenset[str]:
    return frozenset(each.name for each in config.variables if each.secret)


def _contents(document: Mapping[str, Any], check_content: CheckContent) -> Iterator[Problem]:
    for number, provider in enumerate(document.get("providers", [])):
        for place, resource in enumerate(provider.get("resources", [])):
            yield from _tried(check_content, resource.get("text", ""), "providers", number, "resources", place, "text")
        for place, prompt in enumerate(provider.get("prompts", [])):
            text = "\n".join(each["text"] for each in prompt["messages"])
            yield from _tried(check_content, text, "providers", number, "prompts", place, "messages")


def _tried(check_content: CheckContent, text: str, *path: str | int) -> Iterator[Problem]:
    try:
        check_content(text)
    except ValueError as error:
        yield Problem(str(error), pointer(path))


def _touched(wanted: ServerConfig, secret: Collection[str], tools: Mapping[str, ToolConfig]) -> Iterator[Problem]:
    for number, variable in enumerate(wanted.variables):
        if variable.name in secret:
            text = f"{variable.name} is a secret variable here, and stays one. Take it out of the file, or rename it."
            yield Problem(text, pointer(("variables", number, "name")))
    for number, provider in enumerate(wanted.providers):
        for place, tool in enumerate(provider.tools):
            here = tools.get(tool.name)
            path = ("providers", number, "tools", place, "headers")
            kept = {name.lower() for name in _kept(here, secret)}
            for name, value in tool.headers.items():
                if found := [each for each in references(value) if each in secret]:
                    text = (
                        f"{found[0]} is secret: enter a header with it on the tool’s page, and take it out of the file."
                    )
                    yield Problem(text, pointer((*path, name)))
                elif is_masked(value) or not value:
                    yield Problem(f"{name} has no value. Write it, or take the header out.", pointer((*path, name)))
                elif name.lower() in kept:
                    text = f"The header {name} holds a secret here, and stays. Take it out of the file."
                    yield Problem(text, pointer((*path, name)))
            if len(kept) + len(tool.headers) > MOST_HEADERS:
                text = (
                    f"With those that are kept here it has more than {MOST_HEADERS} headers. Take some out of the file."
                )
                yield Problem(text, pointer(path))


def _completed(
    provider: ProviderConfig,
    here: ProviderConfig | None,
    tools: Mapping[str, ToolConfig],
    secret: Collection[str],
) -> ProviderConfig:
    return replace(
        provider,
        oauth2=here.oauth2 if here else None,
        tools=tuple(_with_credentials(tool, tools.get(tool.name), secret) for tool in provider.tools),
    )


def _with_credentials(tool: ToolConfig, here: ToolConfig | None, secret: Collection[str]) -> ToolConfig:
    if here is None:
        return tool
    same = list(_without_credentials(here, secret).headers.items()) == list(tool.headers.items())
    headers = here.headers if same else {**tool.headers, **_kept(here, secret)}
    return replace(tool, headers=headers, scopes=here.scopes)


def _without_credentials(tool: ToolConfig, secret: Collection[str]) -> ToolConfig:
    kept = _kept(tool, secret)
    return replace(tool, scopes=(), headers={name: value for name, value in tool.headers.items() if name not in kept})


def _kept(tool: ToolConfig | None, secret: Collection[str]) -> dict[str, str]:
    """The headers that are authentication, and those that still lack a value."""
    return {
        name: value
        for name, value in (tool.headers if tool else {}).items()
        if not value or name.lower() not in HARMLESS or any(each in secret for each in references(value))
    }


def _without(thing: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {member: value for member, value in thing.items() if member != name}

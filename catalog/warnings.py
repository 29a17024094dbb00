"""What is saved and will not work as it is: sentences for the pages of providers and tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalog.checking.hosts import allows, named
from catalog.checking.templates import UnknownVariable, fill, references
from catalog.checking.urls import is_readable_on_the_way
from catalog.models import Provider, Tool
from catalog.variables import VariableValue, values_for


def of_provider(provider: Provider) -> list[str]:
    """Of the provider itself and of the headers of its tools, in two queries."""
    variables = values_for(provider.server)
    headers: Iterable[Any] = Tool.objects.filter(provider=provider).values_list("headers", flat=True)
    found = [
        *_unknown(variables, provider.base_url, provider.oauth2_token_url),
        *_unknown(variables, provider.oauth2_client_id, provider.oauth2_client_secret),
        *_of_headers(provider, headers, variables),
    ]
    token_url = _address(provider.oauth2_token_url, variables)
    credentials = [*references(provider.oauth2_client_id), *references(provider.oauth2_client_secret)]
    found += _held_back(credentials, token_url, variables)
    for address in (_address(provider.base_url, variables), token_url):
        if is_readable_on_the_way(address):
            found.append(f"{address} is plain http: credentials and answers can be read on the way. Use https.")
    return list(dict.fromkeys(found))


def of_tool(tool: Tool) -> list[str]:
    """Of one tool, in one query; its provider is loaded."""
    return list(dict.fromkeys(_of_headers(tool.provider, [tool.headers], values_for(tool.server))))


def _of_headers(
    provider: Provider, headers: Iterable[Mapping[str, str]], variables: Mapping[str, VariableValue]
) -> list[str]:
    names = sorted({name for each in headers for value in each.values() for name in references(value)})
    known = [name for name in names if name in variables]
    unknown = [_missing(name) for name in names if name not in variables]
    return [*unknown, *_held_back(known, _address(provider.base_url, variables), variables)]


def _unknown(variables: Mapping[str, VariableValue], *texts: str) -> list[str]:
    return [_missing(name) for text in texts for name in references(text) if name not in variables]


def _missing(name: str) -> str:
    return f"There is no variable {name}, and calls that need it fail. Add it on the Variables tab."


def _held_back(names: Iterable[str], address: str, variables: Mapping[str, VariableValue]) -> list[str]:
    """Secrets that do not name the host of the address, or not over plain http; nothing is told of an address that is
    not known."""
    if not address:
        return []
    return [
        f"The secret variable {name} is not sent to {address}, for it does not name {named(address)}, and calls that "
        "need it fail. Add that to the variable if the API may have it."
        for name in names
        if name in variables and not allows(variables[name].hosts, address) and variables[name].is_secret
    ]


def _address(template: str, variables: Mapping[str, VariableValue]) -> str:
    """The address with plain variables filled in; "" where it cannot be known."""
    plain = {name: each.value for name, each in variables.items() if not each.is_secret}
    try:
        return fill(template, plain)
    except UnknownVariable:
        return ""

"""What an import leaves beside what stays on the server: whether the two fit together. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from catalog.checking.templates import references
from catalog.exchange.errors import DocumentError, Problem
from catalog.exchange.model import Named, ProviderConfig, ServerConfig, order

NAMED = TypeVar("NAMED", bound=Named)
_GO = "Remove what is not in the file as well, or change it in the file."


def check_merged(current: ServerConfig, wanted: ServerConfig, *, remove: bool) -> None:
    """Raises DocumentError where what the document says cannot stand beside what is here; with `remove` nothing but
    the document's own things stay."""
    then = wanted if remove else merged(current, wanted)
    if problems := [*_unknown_values(current, wanted), *_same_uris(then), *_without_address(then), *_misplaced(then)]:
        raise DocumentError(problems)


def merged(current: ServerConfig, wanted: ServerConfig) -> ServerConfig:
    """`wanted`, and what is in `current` and not in it."""
    coming = {(kind, each.name) for provider in wanted.providers for kind, each in _held(provider)}
    here = {each.name.lower(): each for each in current.providers}
    then = {each.name.lower(): each for each in wanted.providers}
    providers = []
    for name in {**here, **then}:
        home, old = then.get(name) or replace(here[name], tools=(), resources=(), prompts=()), here.get(name)
        if old is not None:
            own = {each.name for each in home.resources}
            home = replace(
                home,
                tools=home.tools + tuple(each for each in old.tools if ("tool", each.name) not in coming),
                prompts=home.prompts + tuple(each for each in old.prompts if ("prompt", each.name) not in coming),
                resources=home.resources + tuple(each for each in old.resources if each.name not in own),
            )
        providers.append(home)
    known = {each.name for each in wanted.variables}
    staying = tuple(each for each in current.variables if each.name not in known)
    return replace(
        wanted,
        variables=tuple(sorted((*wanted.variables, *staying), key=order)),
        providers=tuple(sorted(providers, key=order)),
    )


def _held(provider: ProviderConfig) -> Iterator[tuple[str, Named]]:
    yield from (("tool", each) for each in provider.tools)
    yield from (("prompt", each) for each in provider.prompts)


def _unknown_values(current: ServerConfig, wanted: ServerConfig) -> Iterator[Problem]:
    secret = {each.name for each in current.variables if each.secret}
    for each in wanted.variables:
        if each.name in secret and not each.secret and not each.value:
            yield Problem(
                f"The variable {each.name} is secret here and plain in the file, which has no value for it. "
                "A secret is never shown, so that it cannot become plain: write a value into the file."
            )


def _same_uris(then: ServerConfig) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for provider in then.providers:
        for each in provider.resources:
            words = f"“{each.name}” of {provider.name}"
            if each.uri in seen:
                yield Problem(f"The resources {seen[each.uri]} and {words} would have the same URI. {_GO}")
            seen[each.uri] = words


def _without_address(then: ServerConfig) -> Iterator[Problem]:
    for provider in then.providers:
        if not provider.base_url and (provider.tools or any(each.upstream_path for each in provider.resources)):
            yield Problem(
                f"The provider {provider.name} has no base URL in the file, but tools or resources that need one. {_GO}"
            )


def _misplaced(then: ServerConfig) -> Iterator[Problem]:
    secret = {each.name: each.secret for each in then.variables}
    for provider in then.providers:
        oauth2 = provider.oauth2
        addresses = (provider.base_url, oauth2.token_url if oauth2 else "")
        for name in dict.fromkeys(name for text in addresses for name in references(text)):
            if secret.get(name):
                yield Problem(f"The variable {name} is secret, and in an address of {provider.name}. {_GO}")
        for name in references(oauth2.client_secret) if oauth2 else ():
            if secret.get(name) is False:
                yield Problem(f"The variable {name} is plain, and the client secret of {provider.name}. {_GO}")

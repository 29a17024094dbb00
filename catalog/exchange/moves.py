"""Which credentials an import would send to another place than before. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from catalog.checking.hosts import added
from catalog.checking.templates import REFERENCE
from catalog.exchange.model import ProviderConfig, ServerConfig

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Move:
    """Something whose requests, or whose secret, would go to another host."""

    kind: str
    """provider, tool or variable"""
    name: str
    what: str
    """In words: “base URL”, “token URL”, “hosts”, “provider”."""
    before: str
    after: str


def moves(current: ServerConfig, then: ServerConfig, entered: Collection[str]) -> Iterator[Move]:
    """For what is on the server already; what is new holds no secret yet. `then` has what stays in it too: a variable
    can lead it elsewhere."""
    values_here, values_then = _values(current), _values(then)
    here = {each.name.lower(): each for each in current.providers}
    origins_then = {each.name.lower(): origin(each.base_url, values_then) for each in then.providers}
    origins_here = {name: origin(each.base_url, values_here) for name, each in here.items()}
    for provider in then.providers:
        key = provider.name.lower()
        if key in here:
            yield from _moved("provider", provider.name, "base URL", origins_here[key], origins_then[key])
            tokens_here, tokens_then = _token_url(here[key], values_here), _token_url(provider, values_then)
            yield from _moved("provider", provider.name, "token URL", tokens_here, tokens_then)
    homes = {tool.name: provider.name.lower() for provider in current.providers for tool in provider.tools}
    for provider in then.providers:
        for tool in provider.tools:
            home = homes.get(tool.name, provider.name.lower())
            if home != provider.name.lower():
                before, after = origins_here[home], origins_then[provider.name.lower()]
                yield from _moved("tool", tool.name, "provider", before, after)
    yield from _grown(current, then, entered)


def origin(url: str, values: Mapping[str, str]) -> str:
    """`https://api.example.com`, with the port where it is not the scheme's own; what cannot be told yet, because a
    variable is unknown, stays as it is written."""
    filled = REFERENCE.sub(lambda found: values.get(found[1], found[0]), url).strip()
    if not filled:
        return ""
    try:
        parts = urlsplit(filled)
        port = parts.port
    except ValueError:
        return filled
    if not parts.netloc:
        return filled
    scheme, host = parts.scheme.lower(), parts.hostname or parts.netloc
    return f"{scheme}://{host}" if port in (None, _PORTS.get(scheme)) else f"{scheme}://{host}:{port}"


def _moved(kind: str, name: str, what: str, before: str, after: str) -> Iterator[Move]:
    if before and after and before != after:  # what had no address could send nothing, and holds nothing to be sent
        yield Move(kind, name, what, before, after)


def _token_url(provider: ProviderConfig, values: Mapping[str, str]) -> str:
    return origin(provider.oauth2.token_url, values) if provider.oauth2 else ""


def _grown(current: ServerConfig, then: ServerConfig, entered: Collection[str]) -> Iterator[Move]:
    """Secrets that could go to more hosts. One that was plain could go anywhere before."""
    here = {each.name: each for each in current.variables}
    for variable in then.variables:
        before = here.get(variable.name)
        if before is None or not before.secret or not variable.secret or variable.name not in entered:
            continue
        if added(before.hosts, variable.hosts):
            yield Move("variable", variable.name, "hosts", ", ".join(before.hosts), ", ".join(variable.hosts))


def _values(config: ServerConfig) -> dict[str, str]:
    return {each.name: each.value for each in config.variables if not each.secret}

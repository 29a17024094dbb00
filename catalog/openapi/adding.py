"""Tools of a document written to the database: all that were chosen in one transaction, or nothing.

However many they are it is one change of the configuration, and so one commit where the server is pushed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from catalog import providers, variables
from catalog.checking.hosts import allows, named
from catalog.checking.problems import FieldError, Findings, Invalid
from catalog.exchange import rows
from catalog.models import Provider, Server, Tool, Variable
from catalog.openapi.matching import CHANGED, NEW, Existing, Match, match
from catalog.openapi.security import Credential
from catalog.openapi.tools import Described, settled
from catalog.saving import Change, locked, tell
from catalog.tools import FIELDS
from orgs import audit
from orgs.models import User


@dataclass(frozen=True)
class Need:
    """A variable that chosen tools refer to."""

    name: str
    is_secret: bool
    hosts: tuple[str, ...]
    """Where it has to go; empty where that is not known before plain variables are filled in."""
    advice: str = ""
    """What somebody has to do about it, "" for nothing."""
    can_be_made: bool = False


@dataclass(frozen=True)
class Added:
    provider: Provider
    created: int
    changed: int
    variables: tuple[str, ...]
    """Those that were made, without a value."""


def matches(server: Server, provider: Provider | None, described: Described) -> list[Match]:
    """What each proposal would do in the provider, None for a new one; in two queries."""
    names = Tool.objects.filter(server=server).values_list("name", flat=True)
    existing = Tool.objects.filter(provider=provider).order_by("name") if provider else []
    there = [Existing(row.pk, {name: getattr(row, name) for name in FIELDS}) for row in existing]
    return match(described.proposals, there, names)


def needs(server: Server, credentials: Collection[Credential], base_url: str) -> list[Need]:
    """The variables of these credentials, as the server has them; in one query."""
    here = {row.name: row for row in Variable.objects.filter(server=server)}
    wanted: dict[str, list[Credential]] = {}
    for each in credentials:
        wanted.setdefault(each.name, []).append(each)
    return [_need(name, each, here.get(name), base_url) for name, each in wanted.items()]


@transaction.atomic
def add_tools(
    *,
    server: Server,
    provider: Provider | None,
    described: Described,
    chosen: Collection[str],
    values: Mapping[str, Any],
    make_variables: bool,
    by: User | None,
    request: HttpRequest | None = None,
) -> Added:
    """Make or change the tools whose endpoints are `chosen` (`Proposal.key`), in a provider of the server; in a new one
    of `values` (name, base_url) where it is None. With `make_variables` those that are missing are made, secret ones
    without a value. Raises Invalid, and DoesNotExist when the provider was deleted."""
    if provider is not None:
        list(Tool.objects.select_for_update().filter(provider=provider).order_by("pk").values_list("pk"))
    found = [each for each in matches(server, provider, described) if each.key in chosen and each.can_be_chosen]
    if not found:
        raise Invalid([FieldError("chosen", "Choose an operation at least that is new or has changed.")])
    home = _home(server, provider, described, found, values)
    checked = [_checked(each) for each in found]
    made: list[str] = []
    try:
        with transaction.atomic():
            if home._state.adding:
                home.save(force_insert=True)
            if make_variables:
                made = _make_variables(server, found, home.base_url)
            rows.save(Tool, list(_rows(server, home, found, checked)))
    except IntegrityError as error:
        words = "Somebody saved something of the same name at this moment, and nothing was imported. Try again."
        raise Invalid([FieldError("", words)]) from error
    added = Added(home, _count(found, NEW), _count(found, CHANGED), tuple(made))
    audit.record(
        "provider.imported",
        organization=server.organization,
        actor=by,
        target=home,
        scope=server,
        after={"created": added.created, "changed": added.changed, "variables": made, "base_url": home.base_url},
        request=request,
    )
    tell(server, Change("import", "provider", home.name), by)
    return added


def _home(
    server: Server, provider: Provider | None, described: Described, found: list[Match], values: Mapping[str, Any]
) -> Provider:
    """The provider as it is now, or a new one that is not saved yet."""
    if provider is not None:
        home = locked(provider, seen_revision=None)
        home.server = server
        if home.server_id != server.pk or not home.base_url:
            raise Invalid([FieldError("provider", "Tools are added to a provider of this server with a base URL.")])
        return home
    wanted: dict[str, Any] = {
        "name": values["name"],
        "base_url": values["base_url"],
        "description": described.description,
        "documentation_url": described.documentation_url,
    }
    if oauth2 := next((each.proposal.oauth2 for each in found if each.proposal.oauth2), None):
        wanted |= {
            "oauth2_token_url": oauth2.token_url,
            "oauth2_client_id": oauth2.client_id,
            "oauth2_client_secret": oauth2.client_secret,
        }
    home = Provider(server=server)
    for name, value in providers.checked(home, wanted).items():
        setattr(home, name, value)
    findings = Findings()
    if not home.base_url:
        findings.add("base_url", "Tools need a base URL. Enter where the API is, such as https://api.example.com/v1.")
    if Provider.objects.filter(server=server, name__iexact=home.name).exists():
        findings.add("name", f"There is already a provider “{home.name}” on this server. Choose another name.")
    findings.refuse()
    return home


def _checked(found: Match) -> dict[str, Any]:
    clean, _, problems = settled(dict(found.values))
    if problems:
        raise Invalid(FieldError("", f"{found.key}: {text}") for text in problems)
    return clean


def _rows(server: Server, home: Provider, found: list[Match], checked: list[dict[str, Any]]) -> Iterator[Tool]:
    keys = [each.existing.pk for each in found if each.existing]
    here = {row.pk: row for row in Tool.objects.filter(provider=home)} if keys else {}
    for each, values in zip(found, checked, strict=True):
        row = here[each.existing.pk] if each.existing else Tool(server=server, provider=home)
        for name, value in values.items():
            setattr(row, name, value)
        yield row


def _make_variables(server: Server, found: list[Match], base_url: str) -> list[str]:
    wanted = list(dict.fromkeys(each for one in found for each in one.proposal.credentials))
    made = []
    for need in needs(server, wanted, base_url):
        if need.can_be_made:
            row = Variable(server=server)
            values = {"name": need.name, "is_secret": need.is_secret, "hosts": list(need.hosts), "value": ""}
            for name, value in variables.checked(row, values).items():
                setattr(row, name, value)
            row.save(force_insert=True)
            made.append(need.name)
    return made


def _need(name: str, wanted: list[Credential], row: Variable | None, base_url: str) -> Need:
    addresses = list(dict.fromkeys(each.token_url or base_url for each in wanted))
    hosts = tuple(dict.fromkeys(filter(None, map(_host, addresses))))
    is_secret = any(each.is_secret for each in wanted)
    if row is None:
        unknown = is_secret and len(hosts) < len(addresses)
        advice = "Add it on the Variables tab, with the host that it may be sent to." if unknown else ""
        return Need(name, is_secret, hosts, advice, can_be_made=not unknown)
    withheld = [_host(url) for url in addresses if _host(url) and row.is_secret and not allows(row.hosts, url)]
    advice = f"It is here already, and does not name {withheld[0]}: it is not sent there." if withheld else ""
    return Need(name, row.is_secret, hosts, advice)


def _host(url: str) -> str:
    """As a variable names it; "" where it holds `${NAME}`."""
    return "" if "$" in urlsplit(url).netloc else named(url)


def _count(found: list[Match], state: str) -> int:
    return sum(each.state == state for each in found)

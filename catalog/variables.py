"""Variables of a server: create, edit, delete, where they are used, and their values for a call.

The audit log holds no value at all: what is plain today may be made secret tomorrow, and the log keeps what it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from catalog import part_saving
from catalog.checking.hosts import added, allows
from catalog.checking.problems import FieldError, Findings
from catalog.checking.templates import references
from catalog.checking.variables import clean_variable
from catalog.models import Provider, Server, Tool, Variable
from catalog.saving import locked
from lib.crypto import CryptoError
from orgs import audit
from orgs.models import User

FIELDS = ("name", "description", "is_secret", "value", "hosts")
"""What people edit. The value None, or nothing for a secret one, leaves the value as it is."""


@dataclass(frozen=True)
class Use:
    """One place where `${NAME}` stands."""

    kind: str
    """provider or tool"""
    pk: UUID
    name: str
    place: str
    """Such as “the base URL” or “the header Authorization”."""
    takes: str = ""
    """plain or secret, where only variables of that sort may stand; "" for any."""

    def __str__(self) -> str:
        return f"{self.place} of the {self.kind} {self.name}"


@dataclass(frozen=True)
class VariableValue:
    """A variable as a call uses it. Secrets are decrypted when they are asked for, each time."""

    name: str
    is_secret: bool
    hosts: tuple[str, ...]
    _row: Variable = field(repr=False)

    @property
    def is_set(self) -> bool:
        """Whether it has been entered; a plain one may be empty on purpose."""
        return not self.is_secret or Variable.secret.is_set(self._row)

    @property
    def value(self) -> str:
        """Raises `lib.crypto.CryptoError` when a secret does not open."""
        return self._row.secret if self.is_secret else self._row.value

    def may_go_to(self, url: str) -> bool:
        """Whether a request to this URL may hold it."""
        return not self.is_secret or allows(self.hosts, url)


def values_for(server: Server) -> Mapping[str, VariableValue]:
    """All variables of a server by name, in one query."""
    rows = Variable.objects.filter(server=server)
    return {row.name: VariableValue(row.name, row.is_secret, tuple(row.hosts), row) for row in rows}


def uses_of(server: Server) -> dict[str, list[Use]]:
    """Where each variable of a server is used, those too that do not exist, in two queries."""
    found: dict[str, list[Use]] = defaultdict(list)
    for provider in Provider.objects.filter(server=server):
        for text, place, takes in (
            (provider.base_url, "the base URL", "plain"),
            (provider.oauth2_token_url, "the OAuth2 token URL", "plain"),
            (provider.oauth2_client_id, "the OAuth2 client id", ""),
            (provider.oauth2_client_secret, "the OAuth2 client secret", "secret"),
        ):
            for name in references(text):
                found[name].append(Use("provider", provider.pk, provider.name, place, takes))
    for tool in Tool.objects.filter(server=server).only("name", "headers"):
        for header, value in tool.headers.items():
            for name in references(value):
                found[name].append(Use("tool", tool.pk, tool.name, f"the header {header}"))
    return dict(found)


@transaction.atomic
def create_variable(
    *, server: Server, values: Mapping[str, Any], by: User | None, request: HttpRequest | None = None
) -> Variable:
    """Make a variable of FIELDS. Raises Invalid."""
    row = Variable(server=server)
    for name, value in checked(row, values).items():
        setattr(row, name, value)
    return part_saving.create(row, fields=FIELDS, taken=_taken, by=by, request=request, facts=_facts)


@transaction.atomic
def edit_variable(
    *,
    variable: Variable,
    values: Mapping[str, Any],
    seen_revision: int | None,
    by: User | None,
    request: HttpRequest | None = None,
) -> Variable:
    """Save FIELDS. One that becomes plain needs a value: the secret one is not told. One that becomes secret without
    another keeps the value that it had. A secret that may go to more hosts is entered again.
    Raises Invalid and Stale."""
    row = locked(variable, seen_revision=seen_revision)
    row.server = variable.server
    wanted = checked(row, values)
    if wanted.get("secret"):
        _forget_what_does_not_open(row)
    return part_saving.edit(row, values=wanted, taken=_taken, by=by, request=request, facts=_facts)


@transaction.atomic
def delete_variable(*, variable: Variable, by: User | None, request: HttpRequest | None = None) -> None:
    """Delete it, used or not: what refers to it fails when it is called."""
    row = locked(variable, seen_revision=None)
    row.server = variable.server
    part_saving.delete(row, before=_facts(row, FIELDS), by=by, request=request)


def checked(row: Variable, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the attributes of the row become. Raises Invalid with all that is wrong."""
    findings = Findings()
    given = {name: values.get(name, getattr(row, name)) for name in ("name", "description", "is_secret", "hosts")}
    wanted = clean_variable({**given, "value": values.get("value")}, findings)
    value = _value(row, wanted.pop("value"), wanted["is_secret"], findings)
    if wanted["is_secret"] and not value.get("secret"):
        _check_hosts(row, wanted["hosts"] or (), findings)
    if not findings.errors:
        _check_places(row.server, wanted["name"], wanted["is_secret"], findings)
    findings.refuse()
    return {**wanted, **value}


def _value(row: Variable, entered: str | None, is_secret: bool, findings: Findings) -> dict[str, str]:
    if is_secret:
        if not row.is_secret:
            return {"secret": entered or row.value, "value": ""}
        return {"secret": entered} if entered else {}
    if row.is_secret and not entered:
        findings.add(
            "value", "Enter a value. The one it has is secret and never shown, so that it cannot become plain."
        )
    return {"secret": "", "value": row.value if entered is None else entered}


def _check_hosts(row: Variable, hosts: Iterable[str], findings: Findings) -> None:
    """Only who knows a secret says where it may go: others would have it sent to a host of theirs, and read it."""
    if row.is_secret and Variable.secret.is_set(row) and (more := added(row.hosts, hosts)):
        findings.add("value", f"Enter the value again: with {listed(more)} it may go further than before.")


def _check_places(server: Server, name: str, is_secret: bool, findings: Findings) -> None:
    """Secrets stay out of URLs, and a client secret is one."""
    sort, other = ("secret", "plain") if is_secret else ("plain", "secret")
    if wrong := [use for use in uses_of(server).get(name, []) if use.takes == other]:
        advice = f"Only a {other} variable may stand there: change that first."
        findings.add("is_secret", f"{name} cannot be {sort}: it is used in {listed(wrong)}. {advice}")


def _forget_what_does_not_open(row: Variable) -> None:
    """A secret whose key is gone is replaced by entering it again, and need not be compared."""
    try:
        _ = row.secret
    except CryptoError:
        row.secret = ""


def listed(things: Iterable[object], most: int = 5) -> str:
    """“a, b and c”, or the first of them “and 7 more”."""
    words = [str(thing) for thing in things]
    if len(words) > most:
        words = [*words[:most], f"{len(words) - most:,} more"]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def _facts(row: Variable, fields: tuple[str, ...]) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(row, name) for name in ("name", "description", "hosts") if name in fields}
    if "is_secret" in fields:
        facts["kind"] = "secret" if row.is_secret else "plain"
    if "value" in fields or "secret" in fields:
        facts["value"] = audit.MASK if row.value or Variable.secret.is_set(row) else ""
    return facts


def _taken(row: Variable) -> list[FieldError]:
    others = Variable.objects.filter(server=row.server, name=row.name).exclude(pk=row.pk)
    words = f"There is already a variable {row.name} on this server. Choose another name, or edit that one."
    return [FieldError("name", words)] if others.exists() else []

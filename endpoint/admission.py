"""Who may: a request and what it carries, and whether it is answered.

What somebody may not know of looks like what does not exist: whoever carries nothing is told to bring a credential for
all that is not public; whoever carries a good one is told that there is nothing, in the same words. The database is
asked the same in both cases, as the rules are part of the query.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, SlugField, UUIDField

from catalog.models import Server, Toolkit, Version
from endpoint import keys, limits, setups
from endpoint.addresses import Address
from endpoint.admitted import Admitted, Caller, Parties, Refused
from endpoint.models import ApiKey, Setup
from endpoint.oauth import metadata, verification
from lib.prepared import Given, Prepared
from orgs.models import Membership, Organization, User

_BEARER = re.compile(r"\Abearer +([A-Za-z0-9._~+/-]{1,4096}=*)\Z", re.IGNORECASE)
"""RFC 6750, 2.1."""
_USER_ID = User._meta.pk
Model = type[Server] | type[Toolkit]
_NUMBER = re.compile(r"\A[1-9][0-9]{0,8}\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as far as it tells for what it is and who sends it."""

    address: Address
    version: str
    """Of `?version=`, "" for none."""
    authorization: str
    """The header, "" for none."""
    remote: str
    """The client's address."""
    base: str
    """`https://host`, as the client addressed us."""


REMEMBERED = 5_000
"""Who asked whom lately, in this process: to say so, at no cost, once they are over their limit."""
_lately: OrderedDict[tuple[str, Address], Parties] = OrderedDict()
_remembering = Lock()


def admit(asked: Asked, *, count: bool = True) -> Admitted:
    """What may be answered. Raises Refused; `count` is whether it counts for rates and quotas."""
    caller, target = _found(asked, count)
    if target is None:
        raise Refused(_nothing(asked.address), status=404)
    admitted = _admitted(asked, caller, target)
    if count:
        parties = Parties.of(admitted)
        _remember(caller.limited_as, asked.address, parties)
        with _between(parties):
            limits.check_quota(admitted.setup)
    return admitted


def admit_member(membership: Membership, target: Server | Toolkit, *, version: Version | None) -> Admitted:
    """The same for a member who asks from the pages: `version` is the one to answer from, None for the live content.

    Raises Refused for what is not theirs to see.
    """
    if target.organization_id != membership.organization_id or target.owner_id not in (None, membership.user_id):
        raise Refused("There is nothing at this address for you.", status=404)
    person = membership.user
    caller = Caller("person", person.email, f"person:{person.pk}", may_call=True, user_id=person.pk)
    setup = setups.setup_of(target)
    if isinstance(target, Toolkit):
        return Admitted(membership.organization, caller, setup, toolkit=target)
    return Admitted(membership.organization, caller, setup, server=target, version=version)


def _admitted(asked: Asked, caller: Caller, target: Server | Toolkit) -> Admitted:
    setup = _setup(target)
    if isinstance(target, Toolkit):
        if asked.version:
            raise Refused("A toolkit has no versions: leave ?version= away.", status=404)
        return Admitted(target.organization, caller, setup, toolkit=target)
    version = _pinned(target, asked.version) if asked.version else target.served_version
    return Admitted(target.organization, caller, setup, server=target, version=version, pinned=bool(asked.version))


def _remember(limited_as: str, address: Address, parties: Parties) -> None:
    with _remembering:
        _lately[limited_as, address] = parties
        _lately.move_to_end((limited_as, address))
        while len(_lately) > REMEMBERED:
            _lately.popitem(last=False)


@contextmanager
def _between(parties: Parties) -> Iterator[None]:
    """What is refused within is noted for them."""
    try:
        yield
    except Refused as refused:
        refused.parties = parties
        raise


def _found(asked: Asked, count: bool) -> tuple[Caller, Server | Toolkit | None]:
    """Who asks, and what they asked for if it is there for them."""

    def take(limited_as: str, most: int) -> None:
        if count:
            with _between(_lately.get((limited_as, asked.address), Parties())):
                limits.take(limited_as, most)

    stranger = f"address:{limits.network_of(asked.remote)}"
    if not asked.authorization:
        take(stranger, settings.MCP_RATE_ANONYMOUS)
        target = _public(asked.address)
        if target is None:
            raise _unauthorized(asked, "A key or a sign-in is needed here, if there is anything at this address.")
        return Caller("anonymous", "anonymous", stranger, may_call=True), target
    match = _BEARER.match(asked.authorization)
    token = match[1] if match else ""
    if key := keys.find_key(token):
        caller = Caller("key", key.name, f"key:{key.pk}", may_call=key.may_call, key_id=key.pk)
        take(caller.limited_as, key.rate_per_minute or settings.MCP_RATE_KEY)
        return caller, _reached(asked.address, key)
    organization = Organization.objects.filter(slug=asked.address.organization).first()
    person = None
    if token and organization is not None and not keys.is_key(token):
        resource = asked.base + asked.address.path
        person = verification.caller_of(token, resource=resource, organization=organization)
    if person is None or organization is None:
        # What somebody tries is counted by where they are, so that nobody can try for long.
        take(f"tried:{stranger}", settings.MCP_RATE_ANONYMOUS)
        raise _unauthorized(
            asked, "This key or token is not valid here: it is unknown, expired or revoked.", error="invalid_token"
        )
    take(person.limited_as, settings.MCP_RATE_KEY)
    return person, target_of_member(asked.address, organization, person.user_id)


# -- what is opened: a rule for each who asks, as a part of the query -------------------------------------------------


def _is_public(_: Model) -> Q:
    """For anybody. Only servers are: a toolkit is private always."""
    return Q(owner=None, visibility=Server.Visibility.PUBLIC)


def _is_of_the_organization(model: Model) -> Q:
    """For a key that reaches everything: all that is nobody's own, and what it names."""
    return (Q(organization=Given("of", UUIDField())) & Q(owner=None)) | _is_named(model)


def _is_named(model: Model) -> Q:
    """For a key: what it names; a personal thing only for the one who made it, while they are a member."""
    chosen: Any = ApiKey.servers.through if model is Server else ApiKey.toolkits.through
    thing = "server" if model is Server else "toolkit"
    named = Exists(chosen.objects.filter(**{"apikey": Given("key", UUIDField()), thing: OuterRef("pk")}))
    maker = Membership.objects.filter(
        organization=OuterRef("organization"), user=OuterRef("owner"), user__is_active=True
    )
    theirs = Q(owner=Given("maker", _USER_ID)) & Q(Exists(maker))
    return Q(organization=Given("of", UUIDField())) & Q(named) & (Q(owner=None) | theirs)


def _is_a_members(_: Model) -> Q:
    """For a member: the organisation's, and their own."""
    return Q(organization=Given("of", UUIDField())) & (Q(owner=None) | Q(owner=Given("member", _USER_ID)))


def _public(address: Address) -> Server | Toolkit | None:
    return None if address.toolkit else _first(address, _is_public)


def _reached(address: Address, key: ApiKey) -> Server | Toolkit | None:
    rule = _is_of_the_organization if key.everything else _is_named
    return _first(address, rule, of=key.organization_id, key=key.pk, maker=key.created_by_id)


def target_of_member(address: Address, organization: Organization, user_id: UUID | None) -> Server | Toolkit | None:
    """What a member of the organisation has at an address: also what is their own."""
    return _first(address, _is_a_members, of=organization.pk, member=user_id)


def _first(address: Address, rule: Callable[[Model], Q], **values: Any) -> Server | Toolkit | None:
    """What is at this address, if the rule, with these values, opens it."""
    query = _query(Server if address.server else Toolkit, rule)
    return query.first(organization=address.organization, slug=address.server or address.toolkit, **values)


@cache
def _query(model: Model, rule: Callable[[Model], Q]) -> Prepared[Any]:
    return Prepared(lambda: _targets(model).filter(rule(model)))


_UNASKED: Mapping[Model, Sequence[str]] = {
    Server: [
        *("content_changed_at", "git_integration", "created_at", "updated_at"),
        *("organization__time_zone", "organization__created_at"),
        *(
            f"{version}__{name}"
            for version in ("active_version", "default_version")
            for name in ("note", "content_revision", "size", "created_by", "created_at")
        ),
    ],
    Toolkit: ["created_at", "updated_at", "organization__time_zone", "organization__created_at"],
}
"""Columns that nothing served says: making them Python's took a sixth of asking."""


def _targets(model: Model) -> QuerySet[Any]:
    """What has an address; of toolkits that may be several, as members name their own as they like."""
    with_it = ["organization", "endpoint_setup", *(("active_version", "default_version") if model is Server else ())]
    rows: QuerySet[Any] = model._default_manager.select_related(*with_it).defer(*_UNASKED[model])
    rows = rows.filter(organization__slug=Given("organization", SlugField()), slug=Given("slug", SlugField()))
    # The organisation's comes first: an address does not change its meaning because a member names something.
    return rows.order_by(F("owner").asc(nulls_first=True))


# -- which version, and how it is served ------------------------------------------------------------------------------


def _pinned(server: Server, number: str) -> Version:
    version = server.versions.filter(number=int(number)).first() if _NUMBER.match(number) else None
    if version is None:
        raise Refused("This server has no version of this number.", status=404)
    version.server = server
    return version


def _setup(target: Server | Toolkit) -> Setup:
    """The one that came with it, or the defaults."""
    saved: Setup | None = getattr(target, "endpoint_setup", None)
    if saved is not None:
        return saved
    return Setup(server=target) if isinstance(target, Server) else Setup(toolkit=target)


def _nothing(address: Address) -> str:
    return f"There is no {'server' if address.server else 'toolkit'} at this address, or none that you may use."


def _unauthorized(asked: Asked, sentence: str, *, error: str = "") -> Refused:
    challenge = metadata.challenge(asked.base, asked.address, error=error)
    return Refused(sentence, status=401, headers={"WWW-Authenticate": challenge})

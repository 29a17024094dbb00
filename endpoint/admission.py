"""Who may: for now, anyone to a public server, and nobody else."""

# ruff: noqa: ARG001

from __future__ import annotations

from dataclasses import dataclass

from catalog.models import Server, Toolkit, Version
from endpoint.addresses import Address
from endpoint.admitted import Admitted, Caller, Refused
from endpoint.models import Setup
from orgs.models import Membership


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as far as it tells for what it is and who sends it."""

    address: Address
    version: str
    authorization: str
    remote: str
    base: str


def admit(asked: Asked, *, count: bool = True) -> Admitted:
    """What may be answered. Raises Refused."""
    server = (
        Server.objects.select_related("organization")
        .filter(
            organization__slug=asked.address.organization,
            slug=asked.address.server,
            visibility=Server.Visibility.PUBLIC,
            owner=None,
        )
        .first()
    )
    if server is None:
        raise Refused("A credential is needed here.", status=401, headers={"WWW-Authenticate": "Bearer"})
    caller = Caller(kind="anonymous", name="anonymous", limited_as=asked.remote, may_call=False)
    setup = Setup.objects.filter(server=server).first() or Setup(server=server)
    return Admitted(server.organization, caller, setup, server=server, version=server.served_version)


def admit_member(membership: Membership, target: Server | Toolkit, *, version: Version | None) -> Admitted:
    """The same for a member who asks from the pages."""
    caller = Caller("person", membership.user.email, "", may_call=True, user_id=membership.user.pk)
    if isinstance(target, Server):
        return Admitted(target.organization, caller, Setup(server=target), server=target, version=version)
    return Admitted(target.organization, caller, Setup(toolkit=target), toolkit=target)

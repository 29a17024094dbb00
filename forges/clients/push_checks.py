"""Whether a credential may push, without a push: git asks a server for its refs before it sends anything, and that is
answered to those alone who may write. https://git-scm.com/docs/http-protocol#_smart_service_git_receive_pack
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from forges.clients.base import Credential, CredentialSource, Limits, Usage
from forges.clients.clock import Clock
from forges.clients.git_remote import RemoteSource
from lib import egress


@dataclass(frozen=True, slots=True)
class _Named:
    """The same credential with the user name that the forge's git wants beside a token."""

    source: CredentialSource
    username: str

    def __bool__(self) -> bool:
        return bool(self.source)

    def current(self) -> Credential:
        return replace(self.source.current(), username=self.username)

    def renewed(self, refused: Credential) -> Credential | None:
        found = self.source.renewed(refused)
        return found and replace(found, username=self.username)


def check_push(
    url: str,
    *,
    username: str,
    credential: CredentialSource,
    policy: egress.Policy,
    limits: Limits,
    clock: Clock,
    usage: Usage,
) -> None:
    """One request to the repository's address for git, with the token as password. Forbidden, or any ForgeError."""

    def count() -> None:
        usage.requests += 1

    source = RemoteSource(
        url, credential=_Named(credential, username), policy=policy, limits=limits, clock=clock, on_request=count
    )
    try:
        source.check_push()
    finally:
        source.close()

"""Setting out to a forge's consent page: what the person is about to do is kept in their session until they come back.

The state that the forge sends back names that entry. It is good once, for ten minutes, in this browser's session alone:
nobody can be made to come back with somebody else's account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from allauth.socialaccount.providers.base.constants import AuthProcess
from django.http import HttpRequest

from forges.applications import APP_KEY
from forges.clients import github_app as apps
from forges.clients.permissions import OAUTH_SCOPES, READING_SCOPES
from forges.models import Connection
from forges.oauth.providers import ForgeProvider
from orgs.models import Membership, User


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to become of what the person comes back with. It holds no secrets, and sessions are not public."""

    membership: str
    """Who began it, and for which organisation: the primary key."""
    back: str
    """A path of ours, where they go afterwards, however it ends."""
    into: str = ""
    """The connection that is connected again; "" for another one."""
    shared: bool = False
    installation: str = ""
    """The installation of the GitHub App that was chosen here; "" where GitHub names it."""

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Self:
        return cls(**state["data"])

    def member(self, person: object) -> Membership | None:
        """The membership, if it is (still) this person's."""
        if not isinstance(person, User):
            return None
        mine = Membership.objects.select_related("organization", "user").filter(user=person)
        return mine.filter(pk=self.membership).first()

    def connection(self, membership: Membership) -> Connection | None:
        """What is connected again; Connection.DoesNotExist where it is gone."""
        if not self.into:
            return None
        found: Connection = Connection.objects.for_org(membership.organization).get(pk=self.into)
        return found


def scopes(forge: str, *, writing: bool) -> tuple[str, ...]:
    """Where a forge tells reading from more, reading alone unless more is wanted."""
    if forge == "gitlab":
        # `api` holds the other two, but is asked for beside them: GitLab shows people what each is for.
        return OAUTH_SCOPES[forge] if writing else READING_SCOPES[forge]
    return OAUTH_SCOPES[forge]


def consent_url(request: HttpRequest, provider: ForgeProvider, intent: Intent, *, scopes: tuple[str, ...] = ()) -> str:
    """The forge's page that asks for consent. Scopes, and what follows, come from here, never from the query string:
    so allauth's own login view, which takes them from there, is not used."""
    leaving = provider.redirect(request, AuthProcess.CONNECT, data=asdict(intent), scope=scopes, auth_params={})
    return str(leaving.url)


def install_url(request: HttpRequest, provider: ForgeProvider, intent: Intent, app: apps.GitHubApp) -> str:
    """GitHub's page that installs the App, and then asks for consent by itself."""
    if provider.key != APP_KEY:
        raise ValueError("only the GitHub App is installed")
    return apps.install_url(app, provider.stash_redirect_state(request, AuthProcess.CONNECT, data=asdict(intent)))

"""What the pages say of a connection: for a list of them in a constant number of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils import timezone

from forges import connections, standing
from forges.applications import github_app, oauth_application
from forges.clients import FORGES, oauth, permissions
from forges.models import Connection, ConnectionStatus, Method
from forges.usage import Use, uses_of
from orgs import access
from orgs.models import Membership

SOON = timedelta(days=14)
"""How long before its end an expiry is pointed out."""


def tone_of(connection: Connection) -> str:
    """Of its status, wherever that is shown."""
    if connection.status == ConnectionStatus.DISCONNECTED:
        return "idle" if connection.reason_code == standing.BY_HAND else "warn"
    return "ok" if connection.is_connected else "error"


def why_it_only_reads(connection: Connection) -> str:
    """What it lacks for pushes; "" where it lacks nothing, where nobody can know, and while it is not connected."""
    if not (connection.is_connected and connection.scopes):
        return ""
    found = permissions.findings(
        connection.forge, method=connection.method, scopes=connection.scopes.split(), oauth=False, purpose="write"
    )
    return f"Pushes need more. {' '.join(found.missing)}" if found.cannot_push else ""


@dataclass(frozen=True, slots=True)
class Row:
    it: Connection
    uses: list[Use]
    viewer: Membership
    maker_is_here: bool
    reconnectable: bool
    """Whether the operator has (still) what it takes to connect it again."""

    @property
    def where(self) -> str:
        return standing.where(self.it)

    @property
    def name(self) -> str:
        return f"{self.it} at {self.where}"

    @property
    def menu_id(self) -> str:
        return str(self.it.pk)

    @property
    def initial(self) -> str:
        return (self.it.account or FORGES[self.it.forge].label)[:1]

    @property
    def has_picture(self) -> bool:
        return bool(settings.FORGE_AVATARS and self.it.avatar_url)

    @property
    def is_mine(self) -> bool:
        return self.it.user_id == self.viewer.user_id

    @property
    def is_personal(self) -> bool:
        return self.it.method in connections.PERSONAL

    @property
    def may_manage(self) -> bool:
        """As `connections.may_manage` has it, of a connection that the viewer sees: what is neither theirs nor shared
        they only see because its maker left, and they manage connections."""
        return (self.is_mine and self.is_personal) or access.may(self.viewer, "connections.manage")

    @property
    def may_share(self) -> bool:
        return self.is_personal and self.is_mine and access.may(self.viewer, "connections.manage")

    @property
    def whose(self) -> str:
        if not self.is_personal:
            return "The organisation’s"
        return "Shared" if self.it.shared else "Personal"

    @property
    def tone(self) -> str:
        return tone_of(self.it)

    @property
    def why_it_only_reads(self) -> str:
        return why_it_only_reads(self.it)

    @property
    def can_be_tried(self) -> bool:
        """Whether its forge is asked: not where people decided against it."""
        return self.it.is_connected or self.it.reason_code in standing.MENDS

    @property
    def expires_soon(self) -> bool:
        ends = self.it.expires_at
        return not self.it.renews and ends is not None and ends - timezone.now() < SOON

    @property
    def uses_in_words(self) -> str:
        """“2 integrations, 1 mirror”; "" for nothing."""
        counts = Counter(use.kind for use in self.uses)
        return ", ".join(f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in counts.items())

    @property
    def notes(self) -> list[str]:
        return self.it.notes.splitlines()

    @property
    def reconnect_url(self) -> str:
        """ "" where it cannot be done; `why_not` says why."""
        if not (self.may_manage and self.reconnectable):
            return ""
        org, query = self.it.organization.slug, urlencode({"into": self.it.pk})
        match self.it.method:
            case Method.OAUTH:
                application = oauth_application(self.it.forge, self.it.base_url)
                url = reverse("forges:start", args=[org, application.key if application else ""])
            case Method.GITHUB_APP:
                url = reverse("forges:install", args=[org])
            case Method.CONSUMER:
                url = reverse("forges:connection_consumer", args=[org])
            case _:
                url = reverse("forges:connection_token", args=[org])
        return f"{url}?{query}"

    @property
    def why_not(self) -> str:
        if not self.may_manage:
            return access.why_not("connections.manage")
        what = "GitHub App" if self.it.method == Method.GITHUB_APP else "OAuth application"
        return f"This installation has no {what} for {self.where} any more. Ask the operator."

    @property
    def what_disconnecting_does(self) -> str:
        return f"Its token is used no more until it is connected again. {self._what_stops}"

    @property
    def what_deleting_does(self) -> str:
        return f"{self._what_is_left} {self._what_stops}"

    @property
    def _what_stops(self) -> str:
        return "What was imported stays. This stops:" if self.uses else "Nothing uses it."

    @property
    def _what_is_left(self) -> str:
        """What deleting it does at the forge."""
        match self.it.method:
            case Method.OAUTH if oauth.revoke_url(oauth.App(self.it.forge, "", "", "")):
                return f"The authorisation is taken back at {self.where}."
            case Method.OAUTH:
                return f"{self.where} has no call to take the authorisation back: remove it in your settings there."
            case Method.GITHUB_APP:
                return f"The GitHub App stays installed: uninstall it at {self.where} if nothing else uses it."
            case Method.CONSUMER:
                return f"The consumer stays: delete it at {self.where} if nothing else uses it."
        return f"The token itself stays good: delete it at {self.where} if nothing else uses it."

    @property
    def items(self) -> list[dict[str, Any]]:
        """What can be done with it, as `components/_menu.html` takes it."""
        if not self.may_manage:
            return []
        org = self.it.organization.slug

        def to(name: str) -> str:
            return reverse(f"forges:connection_{name}", args=[org, self.it.pk])

        again = {"label": "Reconnect", "icon": "link", "url": self.reconnect_url}
        if not self.reconnect_url:
            again["disabled"] = self.why_not
        found: list[dict[str, Any]] = [again]
        if self.is_personal and self.it.shared:
            unshare = {"label": "Stop sharing", "icon": "lock", "method": "post", "hidden": {"shared": ""}}
            found.append(unshare | {"url": to("share")})
        elif self.may_share:
            found.append(
                {"label": "Share", "icon": "user", "method": "post", "url": to("share"), "hidden": {"shared": "1"}}
            )
        if self.it.reason_code != standing.BY_HAND:
            found.append({"label": "Disconnect…", "icon": "close", "url": to("disconnect"), "modal": True})
        delete = {"label": "Delete…", "icon": "trash", "url": to("delete"), "modal": True}
        return [*found, delete | {"danger": True, "separator": True}]

    @property
    def further_items(self) -> list[dict[str, Any]]:
        """The same beside a button to reconnect it."""
        return self.items[1:]


def rows(found: Iterable[Connection], viewer: Membership) -> dict[object, Row]:
    """By primary key."""
    them = list(found)
    uses = uses_of(them)
    here = set(
        Membership.objects.filter(
            organization=viewer.organization_id, user__in={each.user_id for each in them}, user__is_active=True
        ).values_list("user_id", flat=True)
    )
    return {
        each.pk: Row(
            it=each,
            uses=uses[each.pk],
            viewer=viewer,
            maker_is_here=each.user_id in here,
            reconnectable=_is_reconnectable(each),
        )
        for each in them
    }


def _is_reconnectable(connection: Connection) -> bool:
    try:
        if connection.method == Method.OAUTH:
            return oauth_application(connection.forge, connection.base_url) is not None
        if connection.method == Method.GITHUB_APP:
            app = github_app()
            return app is not None and app.base_url == connection.base_url
    except ImproperlyConfigured:
        return False
    return True

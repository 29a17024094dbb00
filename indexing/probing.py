"""Trying an address before it becomes a source: what it is, whether it can be read, and how much of it there is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from forges.applications import github_app, oauth_applications
from forges.clients.transport import USER_AGENT
from forges.models import Connection
from forges.opening import local_roots, turn
from forges.picking import FieldError
from indexing.crawling.survey import Survey, survey
from indexing.crawling.urls import canonical
from indexing.greeting import greet
from indexing.models import Source
from indexing.probed import Hint, Probe
from indexing.reasons import Reason
from indexing.recognising import PUBLIC, InvalidAddress, Known, Recognised, as_plain_git, recognise
from indexing.repositories.probing import answers_as_git, label_of, probe_repository
from lib.database import release_connections
from lib.egress import AddressRefused, EgressError
from lib.policy import egress_policy
from orgs.models import Membership

__all__ = ["Hint", "Probe", "known_servers", "probe"]

SECONDS = 15.0
"""After which nothing more is begun."""
_OF_A_SITE, _OF_A_SERVER = 8.0, 4.0
_HINTS = 3


def probe(url: str, *, membership: Membership, connection: Connection | None = None, kind: str = "") -> Probe:
    """Ask the address what it is; a handful of requests within some fifteen seconds, and nothing is written.

    `kind` is what somebody says it is (`Source.Kind`), "" to find out. Raises FieldError ("url") for what is no
    address; everything that goes wrong with one is told by `reason`.
    """
    asking = _Asking(membership, connection, known_servers(membership), time.monotonic() + SECONDS)
    try:
        found = recognise(url, known=asking.known, local_roots=local_roots())
    except InvalidAddress as error:
        raise FieldError("url", str(error)) from error
    match kind or found.kind:
        case Source.Kind.REPOSITORY:
            return asking.repository(_as_repository(found))
        case Source.Kind.MCP if kind:
            return asking.mcp(_page_of(found, url))
        case Source.Kind.SITE if kind:
            return asking.site(_page_of(found, url))
        case _:
            return asking.find_out(found)


def _as_repository(found: Recognised) -> Recognised:
    if found.kind == Source.Kind.REPOSITORY:
        return found
    taken = as_plain_git(found.url)
    if taken is None:
        raise FieldError("url", "This is not the address of a repository. Copy it from the forge's “Clone” button.")
    return taken


def _page_of(found: Recognised, entered: str) -> str:
    """The address as it was entered, where it is taken for a page's."""
    if found.kind != Source.Kind.REPOSITORY:
        return found.url
    text = entered.strip()
    url = canonical(text if "://" in text else f"https://{text}")
    if not url:
        raise FieldError("url", "This is not the address of a page. It begins with https://.")
    return url


def known_servers(membership: Membership) -> tuple[Known, ...]:
    """Forges' servers that addresses are recognised by: the organisation's connections', the operator's, the public."""
    connected = Connection.objects.for_org(membership.organization).values_list("forge", "base_url").distinct()
    found = [Known(forge, base_url) for forge, base_url in connected.order_by("forge", "base_url")]
    try:
        found += [Known(each.app.forge, each.base_url) for each in oauth_applications()]
        if (app := github_app()) is not None:
            found.append(Known("github", app.base_url))
    except ImproperlyConfigured:
        pass  # the page with all ways to connect says so
    return tuple(dict.fromkeys((*found, *PUBLIC)))


@dataclass(frozen=True, slots=True)
class _Asking:
    membership: Membership
    connection: Connection | None
    known: Sequence[Known]
    end: float

    def left(self, most: float) -> float:
        """Seconds that the next question may take."""
        return max(0.5, min(most, self.end - time.monotonic()))

    # -- each kind -----------------------------------------------------------------------------------------------------

    def repository(self, found: Recognised) -> Probe:
        return probe_repository(found, membership=self.membership, connection=self.connection, end=self.end)

    def site(self, url: str) -> Probe:
        return self._of_survey(url, self._survey(url))

    def _survey(self, url: str) -> Survey:
        release_connections()
        with turn():
            return survey(url, policy=egress_policy(), user_agent=USER_AGENT, seconds=self.left(_OF_A_SITE))

    def _of_survey(self, url: str, seen: Survey) -> Probe:
        counted = seen.pages if seen.more else None
        return Probe(
            kind=Source.Kind.SITE,
            url=url,
            name=_name_of(url),
            final_url=seen.final_url if seen.final_url != url else "",
            private=seen.private,
            reason=seen.trouble,
            detail=seen.detail,
            until=timezone.now() + timedelta(seconds=seen.wait) if seen.wait else None,
            notes=(f"There may be more than {counted:,} pages.",) if counted else (),
            pages=seen.pages,
            by=seen.by,
            llms=seen.llms,
            repositories=self._hints(seen.repositories),
        )

    def _hints(self, addresses: Sequence[str]) -> tuple[Hint, ...]:
        found: dict[str, Hint] = {}
        for address in addresses:
            try:
                it = recognise(address, known=self.known)
            except InvalidAddress:
                continue
            if it.kind == Source.Kind.REPOSITORY:
                found.setdefault(it.url, Hint(it.forge, label_of(it), it.repository, it.url))
        return tuple(found.values())[:_HINTS]

    def mcp(self, url: str, *, by_its_looks: bool = True) -> Probe:
        """`reason` is set where no MCP server answers."""
        it = Probe(kind=Source.Kind.MCP, url=url, name=_name_of(url))
        try:
            release_connections()
            with turn():
                seconds = self.left(_OF_A_SERVER)
                found = greet(url, policy=egress_policy(), seconds=seconds, by_its_looks=by_its_looks)
        except AddressRefused as error:
            return replace(it, reason=Reason.BLOCKED_ADDRESS, detail=str(error))
        except (EgressError, requests.RequestException) as error:
            detail = str(error) if isinstance(error, EgressError) else "The server could not be reached."
            return replace(it, reason=Reason.NETWORK, detail=detail)
        if found is None:
            return replace(it, reason=Reason.NOT_FOUND, detail="No MCP server answers at this address.")
        if found.private:
            return replace(it, private=True, reason=Reason.AUTH_REQUIRED, detail="The MCP server wants a token.")
        return replace(it, name=found.name or it.name)

    # -- finding out ---------------------------------------------------------------------------------------------------

    def find_out(self, found: Recognised) -> Probe:
        """An MCP server where the address says so, else a repository of plain git or a site, and at last, where none
        of these answers, an MCP server after all."""
        looks = found.kind == Source.Kind.MCP
        if looks and (greeted := self.mcp(found.url)).reason in (None, Reason.AUTH_REQUIRED, Reason.BLOCKED_ADDRESS):
            return greeted
        seen = self._survey(found.url)
        site = self._of_survey(found.url, seen)
        if seen.status is None:
            return site
        # A site that wants a password wants it for whatever is asked.
        if seen.status != HTTPStatus.UNAUTHORIZED and (git := self._git_at(found.url)) is not None:
            return git
        if looks or seen.trouble in (None, Reason.ROBOTS_REFUSED, Reason.RATE_LIMITED):
            return site
        asked = self.mcp(found.url, by_its_looks=False)
        return asked if asked.reason in (None, Reason.AUTH_REQUIRED) else site

    def _git_at(self, url: str) -> Probe | None:
        """The repository that the page at an address is of, at a server of git that nobody has named."""
        segments = [segment for segment in urlsplit(url).path.split("/") if segment]
        if len(segments) < 2 or "." in segments[-1] or urlsplit(url).query:
            return None
        taken = as_plain_git(url)
        if taken is None or not answers_as_git(taken):
            return None
        return self.repository(taken)


def _name_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".rstrip("/").removesuffix("/llms.txt")[:200]

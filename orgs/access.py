"""Every “may they?” is answered here.

What a person may not see is a 404, so that its existence is not told; what they may see but not do is a 403 with a
sentence that names the entitlement and who can grant it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect

from lib.htmx import is_fragment
from orgs.models import Membership, Role, User

ENTITLEMENTS: dict[str, str] = {
    "integrations.import": "connect repositories and refresh them",
    "contents.edit": "write and upload content",
    "sources.edit": "add and refresh indexed sources",
    "contents.can_delete": "delete content or prune what vanished from a repository",
    "servers.edit": "create servers and edit their settings",
    "versions.publish": "cut versions and choose which one is served",
    "entities.edit": "edit toolkits, commands, skills and clients",
    "servers.delete": "delete servers",
    "gitsync.assign": "assign the repository that a server is pushed to",
    "connections.manage": "add and remove connections to forges",
    "keys.manage": "make and revoke API keys",
    "members.manage": "invite, change and remove members",
    "audit.view": "read the audit log",
    "organization.manage": "change the organisation's settings, delete it, and choose its owners",
}
"""Each entitlement and what it lets a member do, as in “you may …”."""

_OPERATOR = frozenset(
    {
        "integrations.import",
        "contents.edit",
        "sources.edit",
        "servers.edit",
        "versions.publish",
        "entities.edit",
    }
)
_OWNER = frozenset(ENTITLEMENTS)
DEFAULTS: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset(),
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: _OWNER - {"organization.manage"},
    Role.OWNER: _OWNER,
}


def entitlements(membership: Membership) -> frozenset[str]:
    """What this member may do: the role's defaults, plus what was granted, less what was denied.

    An owner cannot be denied anything, or an organisation could lock itself out.
    """
    defaults = DEFAULTS[membership.role]
    if membership.role == Role.OWNER:
        return defaults
    grantable = frozenset(membership.granted) & (_OWNER - {"organization.manage"})
    return (defaults | grantable) - frozenset(membership.denied)


def may(membership: Membership | None, entitlement: str) -> bool:
    """Whether a member holds an entitlement; KeyError for one that does not exist."""
    ENTITLEMENTS[entitlement]
    return membership is not None and entitlement in entitlements(membership)


def why_not(entitlement: str) -> str:
    """The sentence for somebody who lacks an entitlement."""
    if entitlement == "organization.manage":
        return "Only owners may change the organisation's settings, delete it or choose its owners."
    return (
        f"You may not {ENTITLEMENTS[entitlement]} here. "
        f"It needs the entitlement “{entitlement}”; an admin of the organisation can grant it."
    )


def require(membership: Membership, entitlement: str) -> None:
    """Raise PermissionDenied (a 403 with `why_not`) unless the member holds the entitlement."""
    if not may(membership, entitlement):
        raise PermissionDenied(why_not(entitlement))


def owner_of(thing: object) -> UUID | None:
    """Whose alone a thing is: its owner's, or that of the server which it is part of; None for the organisation's."""
    for each in (thing, getattr(thing, "server", None)):
        owner: UUID | None = getattr(each, "owner_id", None)
        if owner is not None:
            return owner
    return None


def membership_of(user: User, organization_id: Any) -> Membership | None:
    """The membership of an active person, None for outsiders."""
    return (
        Membership.objects.select_related("organization", "user")
        .filter(user=user, user__is_active=True, organization_id=organization_id)
        .first()
    )


def require_still(user: User, organization_id: Any, entitlement: str) -> None:
    """`require` of a person as they are now: since their request came a forge was asked, which takes a while."""
    if not may(membership_of(user, organization_id), entitlement):
        raise PermissionDenied(why_not(entitlement))


def member(request: HttpRequest, org: str) -> Membership:
    """The signed-in person's membership of the organisation with this slug, Http404 for everybody else."""
    found: Membership | None = None
    if request.user.is_authenticated:
        found = (
            Membership.objects.select_related("organization", "user")
            .filter(user=request.user, organization__slug=org)
            .first()
        )
    if found is None:
        raise Http404
    request.membership = found  # type: ignore[attr-defined]  # the layout shows it
    _remember(request, found)
    return found


LAST_USED = "organization"
"""The session's key for the slug of the organisation whose page was opened last; `/` leads back to it."""


def _remember(request: HttpRequest, membership: Membership) -> None:
    # Fragments do not count: those of two tabs would overwrite each other with every poll.
    slug = membership.organization.slug
    if request.method == "GET" and "HX-Request" not in request.headers and request.session.get(LAST_USED) != slug:
        request.session[LAST_USED] = slug


P = ParamSpec("P")
MemberView = Callable[Concatenate[HttpRequest, Membership, P], HttpResponseBase]


def for_members(
    *needs: str,
) -> Callable[[MemberView[P]], Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]]:
    """Make a view of `(request, membership, …)` from one whose URL begins with the organisation's slug.

    Nobody signed in is sent to sign in, an outsider gets 404, a member who lacks one of the entitlements `needs` 403.
    """

    def decorate(view: MemberView[P]) -> Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]:
        @wraps(view)
        def checked(request: HttpRequest, org: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            membership = member(request, org)
            for entitlement in needs:
                require(membership, entitlement)
            return view(request, membership, *args, **kwargs)

        return checked  # type: ignore[return-value]  # it names what Django passes by keyword

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back. Where htmx asks for a fragment, the page it belongs to is what to come back to."""
    if not is_fragment(request):
        return redirect_to_login(request.get_full_path())
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = page._replace(scheme="", netloc="").geturl() if page.netloc == request.get_host() else "/"
    return HttpResponseClientRedirect(redirect_to_login(back).url)

"""What a client asks a person for: the query of the page on which they allow it or not, read and checked.

All that is wrong is told to the person on a page, and nothing sends a browser on by itself: anybody may register a
client, so that sending people on with an error would be an open redirect (OAuth 2.1, 7.12.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from allauth.idp.oidc.internal.oauthlib.utils import get_uri
from allauth.idp.oidc.models import Client
from django.http import HttpRequest
from oauthlib.oauth2.rfc6749 import errors

from catalog.models import Server, Toolkit
from endpoint import addresses, admission, limits
from endpoint.addresses import base_of
from endpoint.admitted import Refused
from endpoint.oauth import redirects
from endpoint.oauth.metadata import CALL, issuer_of, resource_of
from endpoint.oauth.registration import Invalid
from endpoint.oauth.server import Validator, check_challenge, server
from orgs.models import Membership, User

MOST_DOCUMENTS = 20
"""Documents about clients that are read for one person within a minute."""


class Unfit(Exception):
    """It cannot be allowed. `str(error)` is a sentence, `back` the client's address with the error, or ""."""

    def __init__(self, sentence: str, back: str = "") -> None:
        super().__init__(sentence)
        self.back = back


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client would like to do, and may if the person lets it."""

    client: Client
    membership: Membership
    target: Server | Toolkit
    resource: str
    redirect_uri: str
    state: str
    challenge: str
    calls: bool
    """Whether it asks for tools as well."""
    issuer: str

    def back(self, **parameters: str) -> str:
        """The client's address with an answer. It names us (RFC 9207), so that clients cannot mix up who answered."""
        return redirects.with_parameters(self.redirect_uri, {**parameters, "state": self.state, "iss": self.issuer})


def read(request: HttpRequest, person: User) -> Wish:
    """What the query asks this person for. Raises Unfit."""
    issuer = issuer_of(base_of(request))
    back = ""
    try:
        validator = Validator(resources=request.GET.getlist("resource"), fetch=_may_fetch(request, person))
        scopes, found = server(validator).validate_authorization_request(get_uri(request), "GET", None, {})
        asked = found["request"]
        state, redirect_uri = asked.state or "", str(asked.redirect_uri)
        check_challenge(asked.code_challenge or "", asked)
    except Refused as error:
        raise Unfit(str(error)) from error
    except Invalid as error:
        raise Unfit(f"{error} Its developer has to mend that.") from error
    except ValueError as error:
        raise Unfit("The application asks with an address that cannot be read.") from error
    except errors.FatalClientError as error:
        raise Unfit(_fatal(error)) from error
    except errors.OAuth2Error as error:
        if error.redirect_uri:
            parameters = {"error": str(error.error), "error_description": str(error.description or "")}
            back = redirects.with_parameters(
                str(error.redirect_uri), {**parameters, "state": error.state or "", "iss": issuer}
            )
        raise Unfit(_sentence(error), back) from error
    failed = {"error": "invalid_target", "state": state, "iss": issuer}
    target, membership, resource = _resource(request, person, redirects.with_parameters(redirect_uri, failed))
    return Wish(
        asked.client, membership, target, resource, redirect_uri, state, asked.code_challenge, CALL in scopes, issuer
    )


def _resource(request: HttpRequest, person: User, back: str) -> tuple[Server | Toolkit, Membership, str]:
    named = request.GET.getlist("resource")
    if len(named) != 1:
        raise Unfit(
            "The application does not say for which server it asks (the parameter “resource” of RFC 8707), and without "
            "one nothing can be allowed. A newer version of it may, or use an API key in it.",
            back,
        )
    base = base_of(request).lower()
    address = addresses.parse(named[0].removeprefix(base)) if named[0].startswith(base + "/") else None
    # The same words for what is not there, what is not theirs, and what is somebody's own.
    nothing = Unfit(
        "There is no server or toolkit at the address that the application asks for, or none that you may use. Check "
        "the address in it, and that you are signed in as the right person.",
        back,
    )
    if address is None or named[0] != resource_of(base, address):
        raise nothing
    membership = (
        Membership.objects.select_related("organization", "user")
        .filter(user=person, organization__slug=address.organization)
        .first()
    )
    target = admission.target_of_member(address, membership.organization, person.pk) if membership else None
    if membership is None or target is None:
        raise nothing
    return target, membership, named[0]


def _may_fetch(request: HttpRequest, person: User) -> bool:
    """Whether documents may be read: for the page itself, and not too often. Raises Refused."""
    if request.method != "GET":
        return False
    if request.GET.get("client_id", "").startswith("https:"):
        limits.take(f"oauth-documents:{person.pk}", MOST_DOCUMENTS)
    return True


def _fatal(error: errors.FatalClientError) -> str:
    if isinstance(error, errors.MismatchingRedirectURIError | errors.InvalidRedirectURIError):
        return (
            "The application wants you to be sent to an address that it did not register. Nothing was allowed. If you "
            "did not start this in an application of yours, close this page."
        )
    if isinstance(error, errors.InvalidClientIdError | errors.MissingClientIdError):
        return (
            "The application is not known here (any more): those that nobody used for some days are forgotten. Sign "
            "out of Millrace in it, or remove the server from it and add it again, so that it registers anew."
        )
    return _sentence(error)


def _sentence(error: errors.OAuth2Error) -> str:
    return f"The application asks for access in a way that is not possible here: {error.description or error.error}"

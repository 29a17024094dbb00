"""Making connections, and making them anew: by OAuth, by token, as a consumer, and with the GitHub App.

What a person brought is tried at the forge first, outside any transaction. Connecting again keeps the row, and with it
all that points to it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from forges import connections, renewing
from forges.applications import OAuthApplication
from forges.clients import FORGES, github_app, oauth
from forges.clients.base import Account, Credential
from forges.clients.bitbucket_requests import token_problem
from forges.clients.errors import AuthFailed, ForgeError, InvalidName
from forges.clients.permissions import findings
from forges.credentials import configured_app
from forges.keeping import Connected, ConnectionRefused, Found, keep
from forges.models import Connection, ConnectionStatus, Method
from forges.opening import client_for
from forges.renewing import EXCHANGE_SECONDS
from lib.policy import egress_policy
from orgs.models import Membership

__all__ = [
    "Connected",
    "ConnectionRefused",
    "check_entered",
    "connect_consumer",
    "connect_installation",
    "connect_oauth",
    "connect_token",
    "notes_on",
]

WAITING_SECONDS = 10.0
"""How long one request to a forge may take while a person waits."""


def connect_oauth(
    membership: Membership,
    application: OAuthApplication,
    grant: oauth.Grant,
    *,
    shared: bool = False,
    into: Connection | None = None,
    request: HttpRequest | None = None,
) -> Connected:
    """Keep a grant that an OAuth flow has just brought. Raises PermissionDenied, ConnectionRefused.

    The same account again gets the new grant on the row that the person has.
    """
    connections.require_connect(membership, Method.OAUTH, shared=shared, into=into)
    forge = application.app.forge
    account = _try(forge, application.base_url, Credential(grant.access_token, oauth=True), "")
    found = Found(
        forge=forge,
        base_url=application.base_url,
        method=Method.OAUTH,
        account=account,
        shared=shared,
        secrets={"token": grant.access_token, "refresh_token": grant.refresh_token},
        facts=_judged(forge, Method.OAUTH, account.scopes if account.scopes is not None else grant.scopes),
        expires_at=grant.expires_at,
        renew_at=renewing.renew_at(grant.expires_at, timezone.now()) if grant.refresh_token else None,
    )
    same = {"user": membership.user_id, "account_id": found.account_id}
    return keep(membership, found, same=same, into=into, request=request)


def connect_token(
    membership: Membership,
    *,
    forge: str,
    base_url: str,
    token: str,
    username: str = "",
    name: str = "",
    shared: bool = False,
    into: Connection | None = None,
    request: HttpRequest | None = None,
) -> Connected:
    """Keep an access token that a person entered. Raises PermissionDenied, ConnectionRefused.

    `base_url` is the API's of any server that may be reached, "" for the forge's public one. A second token of one
    account is a second connection, as each can be for other repositories; but it takes the place of one that does not
    work any more. Without a `name`, a row that is there keeps its own.
    """
    connections.require_connect(membership, Method.TOKEN, shared=shared, into=into)
    named = _named(name)
    token, username = token.strip(), username.strip()
    base_url = _address(forge, base_url)
    check_entered(forge, token, username)
    account = _try(forge, base_url, Credential(token, username=username), "token")
    found = Found(
        forge=forge,
        base_url=base_url,
        method=Method.TOKEN,
        account=account,
        shared=shared,
        secrets={"token": token},
        facts={"username": username, **named, **_judged(forge, Method.TOKEN, account.scopes)},
        expires_at=account.expires_at,
    )
    same = {"user": membership.user_id, "account_id": found.account_id, "status__in": _ENDED}
    return keep(membership, found, same=same if found.account_id else None, into=into, request=request)


def _named(name: str) -> dict[str, str]:
    """Nothing for no name, so that connecting again keeps the one that is there."""
    try:
        cleaned = connections.clean_name(name)
    except ValidationError as error:
        raise ConnectionRefused("name", str(error.message)) from error
    return {"name": cleaned} if cleaned else {}


_PORTS = {"https": 443, "http": 80}
_ENDED = (ConnectionStatus.DISCONNECTED, ConnectionStatus.ERROR)
# https://support.atlassian.com/bitbucket-cloud/docs/using-access-tokens/
_PREFIX_OF_API_TOKENS = "ATATT"


def _address(forge: str, text: str) -> str:
    """The one spelling of a server's address, and nothing in it that is none of the server's: it is stored as it is."""
    if not text.strip():
        return FORGES[forge].base_url
    refused = ConnectionRefused(
        "base_url", "Enter the address of the server alone, such as https://git.example.com, without a name or token."
    )
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise refused from None
    if parts.scheme not in _PORTS or not host or parts.username is not None or parts.query or parts.fragment:
        raise refused
    netloc = f"[{host}]" if ":" in host else host
    address = f"{parts.scheme}://{netloc if port in (None, _PORTS[parts.scheme]) else f'{netloc}:{port}'}"
    address += parts.path.rstrip("/")
    if len(address) > 255:
        raise refused
    return address


def check_entered(forge: str, token: str, username: str) -> None:
    """What can be seen of a token without asking the forge. Raises ConnectionRefused."""
    if not token:
        raise ConnectionRefused("token", "Enter an access token.")
    if forge == "git":
        raise ConnectionRefused(
            "forge", "Plain git has no accounts to connect. Enter its token where you connect a repository."
        )
    if forge != "bitbucket":
        return
    if problem := token_problem(token):
        raise ConnectionRefused("token", problem)
    if token.startswith(_PREFIX_OF_API_TOKENS) and "@" not in username:
        raise ConnectionRefused(
            "username", "An API token goes with the e-mail address of its Atlassian account. Enter that, too."
        )


def connect_consumer(
    membership: Membership,
    *,
    base_url: str,
    key: str,
    secret: str,
    name: str = "",
    into: Connection | None = None,
    request: HttpRequest | None = None,
) -> Connected:
    """Keep key and secret of Bitbucket's OAuth consumer; it is the organisation's.

    Raises PermissionDenied, ConnectionRefused.
    """
    connections.require_connect(membership, Method.CONSUMER, shared=True, into=into)
    forge, key, secret = "bitbucket", key.strip(), secret.strip()
    named, base_url = _named(name), _address(forge, base_url)
    for field, value in (("key", key), ("secret", secret)):
        if not value:
            raise ConnectionRefused(field, f"Enter the consumer's {field}.")
    try:
        grant = oauth.client_credentials(
            web_url=FORGES[forge].web_url(base_url),
            key=key,
            secret=secret,
            policy=egress_policy(),
            timeout=EXCHANGE_SECONDS,
        )
    except ForgeError as error:
        raise _refused(error, "secret") from error
    account = _try(forge, base_url, Credential(grant.access_token, oauth=True), "secret")
    found = Found(
        forge=forge,
        base_url=base_url,
        method=Method.CONSUMER,
        account=account,
        shared=True,
        secrets={"consumer_secret": secret},
        facts={"consumer_key": key, **named, **_judged(forge, Method.CONSUMER, grant.scopes)},
    )
    return keep(membership, found, same={"consumer_key": key}, into=into, request=request)


def connect_installation(
    membership: Membership,
    *,
    installation_id: str,
    user_token: str,
    into: Connection | None = None,
    request: HttpRequest | None = None,
) -> Connected:
    """Keep the id of a GitHub App's installation, once the person's own token showed that they have access to it: the
    id alone, which anybody can put into an address, proves nothing. The token is made worthless and forgotten.

    It is the organisation's. Raises PermissionDenied, ConnectionRefused.
    """
    connections.require_connect(membership, Method.GITHUB_APP, shared=True, into=into)
    try:
        app = configured_app()
        try:
            installed = _proven(app, user_token, installation_id)
        finally:
            _forget(app, user_token)
    except ForgeError as error:
        raise _refused(error, "") from error
    found = Found(
        forge="github",
        base_url=app.base_url,
        method=Method.GITHUB_APP,
        account=Account(login=installed.account, id=installed.account_id, avatar_url=installed.avatar_url),
        shared=True,
        facts={"installation_id": installed.id, **_judged("github", Method.GITHUB_APP, installed.permissions)},
    )
    return keep(membership, found, same={"installation_id": installed.id}, into=into, request=request)


def _proven(app: github_app.GitHubApp, user_token: str, installation_id: str) -> github_app.Installation:
    """The installation, if the person sees all that it covers. ConnectionRefused with what stands against it.

    To see it takes access to a single repository; its connection would read the others, too.
    """
    how: dict[str, Any] = {"policy": egress_policy(), "timeout": EXCHANGE_SECONDS}
    if not github_app.user_can_see(app, user_token, installation_id, **how):
        raise ConnectionRefused(
            "",
            "Your GitHub account has no access to this installation of the GitHub App. Install it where you may, "
            "or ask who administers that account.",
        )
    installed = github_app.installation(app, installation_id, **how)
    if installed.suspended:
        raise ConnectionRefused(
            "", f"The installation of the GitHub App at {installed.account} is suspended. Unsuspend it at GitHub first."
        )
    if hidden := github_app.hidden_from_user(app, user_token, installation_id, **how):
        raise ConnectionRefused(
            "",
            f"The GitHub App is installed at {installed.account} for repositories that your GitHub account cannot see "
            f"({hidden:,} of them), and this connection could read them all. Ask who administers {installed.account} "
            "to connect it.",
        )
    return installed


def _forget(app: github_app.GitHubApp, user_token: str) -> None:
    with suppress(ForgeError):  # it ends by itself within hours, and nobody has it
        github_app.forget_user_token(app, user_token, policy=egress_policy(), timeout=EXCHANGE_SECONDS)


def _try(forge: str, base_url: str, credential: Credential, entered: str) -> Account:
    """Whose credential it is; ConnectionRefused on the field it was entered in if the forge does not accept it."""
    try:
        with client_for(forge=forge, base_url=base_url, credential=credential, seconds=WAITING_SECONDS) as client:
            return client.account()
    except ForgeError as error:
        raise _refused(error, entered) from error


def _refused(error: ForgeError, entered: str) -> ConnectionRefused:
    if isinstance(error, AuthFailed):
        return ConnectionRefused(entered, f"{error} Enter one that the forge accepts." if entered else str(error))
    if isinstance(error, InvalidName):
        return ConnectionRefused("base_url" if entered else "", str(error))
    return ConnectionRefused(entered and "base_url", f"{error} {error.advice}".strip())


def _judged(forge: str, method: str, scopes: frozenset[str] | None) -> dict[str, Any]:
    return {"scopes": renewing.scope_text(scopes), "notes": notes_on(forge, method, scopes)}


def notes_on(forge: str, method: str, scopes: frozenset[str] | None) -> str:
    """What its permissions lack for reading, webhooks and pushing, and what they have too much of; a line each."""
    oauth = method in (Method.OAUTH, Method.CONSUMER)
    lines: list[str] = []
    for purpose in ("read", "hooks", "write"):
        found = findings(forge, method=method, scopes=scopes, oauth=oauth, purpose=purpose)
        lines += [*found.missing, *found.notes]
    return "\n".join(dict.fromkeys(lines))

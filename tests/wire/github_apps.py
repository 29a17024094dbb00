"""What an App asks with its JWT, its installations with their tokens, and people about their installations."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from tests.wire import github_shapes as shapes
from tests.wire.github_routes import Call, Refused, routes
from tests.wire.installations import HostedApp, Installation
from tests.wire.messages import Reply, json_reply
from tests.wire.oauth import OAuthApp, OAuthRefused

PAGES = ("per_page", "page")


# https://docs.github.com/en/rest/users/emails#list-email-addresses-for-the-authenticated-user
@routes.get("/user/emails", *PAGES)
def emails(call: Call) -> Reply:
    token = call.signed_in()
    if token.scopes is not None and not token.scopes & {"user", "user:email"}:
        raise Refused(404, "Not Found")
    if token.scopes is None and not token.may("email_addresses"):
        by = "integration" if token.app_id else "personal access token"
        raise Refused(403, f"Resource not accessible by {by}")
    address = f"{token.account.login}@example.org"
    return call.paged([address], lambda email: {"email": email, "primary": True, "verified": True, "visibility": None})


# https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-authorization
@routes.on("DELETE", "/applications/{client_id}/grant")
def delete_grant(call: Call) -> Reply:
    return _revoke(call, whole=True)


# https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-token
@routes.on("DELETE", "/applications/{client_id}/token")
def delete_token(call: Call) -> Reply:
    return _revoke(call, whole=False)


def _revoke(call: Call, *, whole: bool) -> Reply:
    app = _client(call)
    if call.world.oauth.owner_of(call.body["access_token"]) is not app:
        raise Refused(404, "Not Found")
    call.world.oauth.revoke(call.body["access_token"], whole=whole)
    return Reply(204)


def _client(call: Call) -> OAuthApp:
    """The app that signs with its client id and secret, by Basic; hidden from all others."""
    scheme, _, value = call.request.headers.get("Authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        if scheme.lower() != "basic" or name != call.parameters["client_id"]:
            raise Refused(404, "Not Found")
        return call.world.oauth.client(name, secret)
    except (binascii.Error, UnicodeDecodeError, OAuthRefused):
        raise Refused(404, "Not Found") from None


# https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app
@routes.get("/app")
def app(call: Call) -> Reply:
    found = call.as_app()
    return json_reply(
        {
            "id": found.app_id,
            "slug": found.slug,
            "client_id": found.client_id,
            "node_id": shapes.node_id("App", found.app_id),
            "owner": shapes.simple_user(found.owner, call.base),
            "name": found.name,
            "description": "",
            "external_url": "https://millrace.example.org",
            "html_url": _page(found, call.base),
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
            "permissions": found.permissions,
            "events": list(found.events),
            "installations_count": sum(i.app is found for i in call.world.apps.installations.values()),
        }
    )


# https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app
@routes.get("/app/installations/{installation_id}")
def installation(call: Call) -> Reply:
    return json_reply(_shape(_mine(call), call.base))


# https://docs.github.com/en/rest/apps/apps#delete-an-installation-for-the-authenticated-app
@routes.on("DELETE", "/app/installations/{installation_id}")
def delete_installation(call: Call) -> Reply:
    call.world.apps.uninstall(_mine(call).id)
    return Reply(204)


# https://docs.github.com/en/rest/apps/apps#suspend-an-app-installation
@routes.on("PUT", "/app/installations/{installation_id}/suspended")
def suspend(call: Call) -> Reply:
    call.world.apps.suspend(_mine(call).id)
    return Reply(204)


# https://docs.github.com/en/rest/apps/apps#unsuspend-an-app-installation
@routes.on("DELETE", "/app/installations/{installation_id}/suspended")
def unsuspend(call: Call) -> Reply:
    call.world.apps.suspend(_mine(call).id, suspended=False)
    return Reply(204)


# https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
@routes.on("POST", "/app/installations/{installation_id}/access_tokens")
def access_token(call: Call) -> Reply:
    found, asked = _mine(call), call.body
    if found.suspended:
        raise Refused(403, "This installation has been suspended")
    levels = asked.get("permissions") or found.permissions
    if any(found.permissions.get(name) not in {level, "write"} for name, level in levels.items()):
        raise Refused(422, "The permissions requested are not granted to this installation.")
    covered = call.world.apps.covered(found)
    names = {name.lower() for name in asked.get("repositories", ())}
    numbers = set(asked.get("repository_ids", ()))
    chosen = [hosted for hosted in covered if hosted.name.lower() in names or hosted.id in numbers]
    if len(chosen) < len(names | numbers):
        raise Refused(
            422, "There is at least one repository that does not exist or is not accessible to the parent installation."
        )
    made = call.world.apps.token(found, frozenset(h.id for h in chosen) if chosen else None, levels)
    assert made.expires_at
    reply = {
        "token": made.value,
        "expires_at": made.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "permissions": levels,
        "repository_selection": "selected" if chosen or found.repositories is not None else "all",
    }
    if chosen:
        reply["repositories"] = [shapes.repository(hosted, call.base, made) for hosted in chosen]
    return json_reply(reply, 201)


# https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation
@routes.get("/installation/repositories", *PAGES)
def installation_repositories(call: Call) -> Reply:
    found = _own(call)
    mine = [hosted for hosted in call.world.apps.covered(found) if hosted.seen_by(call.token)]
    selection = "all" if found.repositories is None else "selected"
    return call.paged(
        mine,
        lambda hosted: shapes.repository(hosted, call.base, call.token),
        named="repositories",
        repository_selection=selection,
    )


# https://docs.github.com/en/rest/apps/installations#revoke-an-installation-access-token
@routes.on("DELETE", "/installation/token")
def revoke_token(call: Call) -> Reply:
    _own(call)
    assert call.token
    call.world.revoke(call.token.value)
    return Reply(204)


# https://docs.github.com/en/rest/apps/installations#list-app-installations-accessible-to-the-user-access-token
@routes.get("/user/installations", *PAGES)
def user_installations(call: Call) -> Reply:
    return call.paged(_theirs(call), lambda found: _shape(found, call.base), named="installations")


# https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-user-access-token
@routes.get("/user/installations/{installation_id}/repositories", *PAGES)
def user_installation_repositories(call: Call) -> Reply:
    token = call.signed_in()
    found = next((i for i in _theirs(call) if str(i.id) == call.parameters["installation_id"]), None)
    if found is None:
        raise Refused(404, "Not Found")
    seen = [hosted for hosted in call.world.apps.covered(found) if hosted.role(token.account.login)]
    selection = "all" if found.repositories is None else "selected"
    return call.paged(
        seen,
        lambda hosted: shapes.repository(hosted, call.base, token),
        named="repositories",
        repository_selection=selection,
    )


def _mine(call: Call) -> Installation:
    """The installation that the path names, where it is the asking App's."""
    app, number = call.as_app(), call.parameters["installation_id"]
    found = call.world.apps.installations.get(int(number)) if number.isdecimal() else None
    if found is None or found.app is not app:
        raise Refused(404, "Not Found")
    return found


def _own(call: Call) -> Installation:
    """The installation whose token it is."""
    if call.token is None or call.token.installation_id is None:
        raise Refused(
            403,
            "You must authenticate with an installation access token in order to list repositories "
            "for an installation.",
        )
    return call.world.apps.installations[call.token.installation_id]


def _theirs(call: Call) -> list[Installation]:
    token = call.signed_in()
    if token.app_id is None:
        raise Refused(
            403, "You must authenticate with an access token authorized to a GitHub App in order to list installations"
        )
    return call.world.apps.seen_by(token)


def _page(app: HostedApp, base: str) -> str:
    return f"{shapes.origin_of(base)}/apps/{app.slug}"


def _shape(found: Installation, base: str) -> dict[str, Any]:
    return {
        "id": found.id,
        "account": shapes.simple_user(found.account, base),
        "access_tokens_url": f"{base}/app/installations/{found.id}/access_tokens",
        "repositories_url": f"{base}/installation/repositories",
        "html_url": f"{shapes.origin_of(base)}/settings/installations/{found.id}",
        "app_id": found.app.app_id,
        "app_slug": found.app.slug,
        "client_id": found.app.client_id,
        "target_id": found.account.id,
        "target_type": found.account.kind,
        "permissions": found.permissions,
        "events": list(found.app.events),
        "created_at": shapes.moment(found.created_at),
        "updated_at": shapes.moment(found.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "repository_selection": "all" if found.repositories is None else "selected",
        "suspended_by": shapes.simple_user(found.account, base) if found.suspended else None,
        "suspended_at": shapes.moment(found.created_at) if found.suspended else None,
    }

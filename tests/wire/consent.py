"""The page on which a person lets an application in: the same for every forge, at each forge's own path.

Plain HTML: who is asked, by what, for which scopes, and two buttons. Its speaker hands over the request, and gets back
the page, an error page, or the redirect to the application.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tests.wire.messages import Headers, Reply, Request, text_reply
from tests.wire.oauth import OAuthApp, OAuthRefused
from tests.wire.world import World

ASKED = {"client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"}
"""Parameters of an authorisation request (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""


def consent(
    world: World,
    request: Request,
    *,
    forge: str,
    name: str,
    also: frozenset[str] = frozenset(),
    button: str = "Authorise",
) -> Reply:
    """Answer GET and POST of a forge's authorisation page.

    `also` are further parameters that the forge documents, `button` is its word for letting the application in.

    Errors about the client or the address to return to stay at the forge, as RFC 6749 section 4.1.2.1 has it.
    """
    asked = request.form() if request.method == "POST" else request.query
    decision = asked.get("decision", "") if request.method == "POST" else ""
    fields = {key: value for key, value in asked.items() if key != "decision"}
    try:
        if unknown := fields.keys() - ASKED - also:
            raise OAuthRefused("invalid_request", "parameters", f"unknown parameters: {', '.join(sorted(unknown))}")
        if fields.get("response_type", "code") != "code":
            raise OAuthRefused("unsupported_response_type", "parameters", "only response_type=code is offered")
        app, address, scopes = world.oauth.asked(
            forge, fields.get("client_id", ""), fields.get("redirect_uri", ""), fields.get("scope", "")
        )
    except OAuthRefused as refused:
        return page(f"{name}: {refused.error}", f"<p>{escape(refused.description)}</p>", status=400)
    state = {"state": fields["state"]} if "state" in fields else {}
    if decision == "cancel":
        denied = {"error": "access_denied", "error_description": "The resource owner denied the request."}
        return leave(address, {**denied, **state})
    challenge, method = fields.get("code_challenge", ""), fields.get("code_challenge_method", "")
    try:
        world.oauth.check_challenge(app, challenge, method)
    except OAuthRefused as refused:
        return leave(address, {"error": refused.error, "error_description": refused.description, **state})
    if decision != "authorise":
        return _ask(world, request, app, scopes, name, fields, button)
    code = world.oauth.authorise(
        app.client_id, fields.get("redirect_uri", ""), fields.get("scope", ""), challenge, method
    )
    return leave(address, {"code": code, **state})


def _ask(
    world: World,
    request: Request,
    app: OAuthApp,
    scopes: frozenset[str],
    name: str,
    fields: dict[str, str],
    button: str,
) -> Reply:
    wanted = "".join(f"<li>{escape(scope)}</li>" for scope in sorted(scopes)) or "<li>what the application has</li>"
    body = (
        f"<p>{escape(app.name)} asks for access to the account <strong>{escape(world.oauth.person)}</strong>.</p>"
        f"<ul>{wanted}</ul>{form(request.prefix + request.path, fields, authorise=button, cancel='Cancel')}"
    )
    return page(f"{name}: authorise {app.name}", body)


def form(action: str, fields: dict[str, str], **buttons: str) -> str:
    """A form that posts `fields` and, as `decision`, the name of the button that was pressed."""
    hidden = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in fields.items())
    pressed = "".join(
        f'<button name="decision" value="{key}">{escape(text)}</button> ' for key, text in buttons.items()
    )
    return f'<form method="post" action="{escape(action)}">{hidden}{pressed}</form>'


def page(title: str, body: str, *, status: int = 200) -> Reply:
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
    return text_reply(f"{head}<body><main><h1>{escape(title)}</h1>{body}</main></body></html>", status, "text/html")


def leave(address: str, parameters: dict[str, str]) -> Reply:
    """Back to the application, with parameters beside those that its address has already."""
    parts = urlsplit(address)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return Reply(302, b"", Headers([("Location", urlunsplit(parts._replace(query=query)))]))

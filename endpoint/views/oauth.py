"""What OAuth clients ask by themselves: metadata, registration, tokens. Without cookies, and from any page's script."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from endpoint import addresses, limits
from endpoint.addresses import base_of
from endpoint.admitted import Refused
from endpoint.oauth import clients, metadata, registration
from endpoint.oauth.server import answer
from orgs.audit import address_of

MOST_REGISTRATION_BYTES = 16 << 10
REGISTRATIONS = 10
"""That one address may make within a minute."""
TOKEN_REQUESTS = 60
"""Of one address within a minute: each may cost the hash of a secret."""

View = Callable[..., HttpResponse]


def _for_clients(*methods: str) -> Callable[[View], View]:
    """No cookie is looked at, so that there is nothing to forge, and scripts of all pages may ask (CORS)."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "OPTIONS":
                response = HttpResponse(status=204)
                response["Access-Control-Allow-Methods"] = ", ".join(methods)
                response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, MCP-Protocol-Version"
                response["Access-Control-Max-Age"] = "600"
            elif request.method not in methods and not (request.method == "HEAD" and "GET" in methods):
                response = HttpResponse(status=405)
            else:
                try:
                    response = view(request, *args, **kwargs)
                except Refused as error:
                    response = _error("temporarily_unavailable", str(error), error.status)
                    for name, value in error.headers.items():
                        response[name] = value
            response["Allow"] = ", ".join((*methods, "OPTIONS"))
            response["Access-Control-Allow-Origin"] = "*"
            return response

        return asked

    return decorate


@_for_clients("GET")
def of_resource(request: HttpRequest, path: str) -> HttpResponse:
    """Protected-resource metadata (RFC 9728) of any address that there could be: it does not tell whether there is."""
    address = addresses.parse(f"/{path}")
    if address is None:
        raise Http404
    return _public(metadata.of_resource(base_of(request), address))


@_for_clients("GET")
def of_server(request: HttpRequest) -> HttpResponse:
    """Authorization-server metadata (RFC 8414)."""
    return _public(metadata.of_server(base_of(request)))


@_for_clients("POST")
def register(request: HttpRequest) -> HttpResponse:
    """Dynamic registration (RFC 7591), open to all."""
    limits.take(f"oauth-register:{limits.network_of(address_of(request) or '')}", REGISTRATIONS)
    body = request.body
    if len(body) > MOST_REGISTRATION_BYTES:
        return _error("invalid_client_metadata", f"Send no more than {MOST_REGISTRATION_BYTES >> 10} KB.", 413)
    try:
        said = registration.read(json.loads(body))
    except registration.Invalid as error:
        return _error(error.code, str(error))
    except (ValueError, RecursionError):
        return _error("invalid_client_metadata", "The body is not JSON.")
    client, secret = clients.register(said)
    given = {
        "client_id": client.pk,
        "client_id_issued_at": int(client.created_at.timestamp()),
        "client_name": client.name,
        "redirect_uris": client.get_redirect_uris(),
        "grant_types": client.get_grant_types(),
        "response_types": client.get_response_types(),
        "token_endpoint_auth_method": said.auth_method,
        "scope": " ".join(metadata.SCOPES),
    }
    if secret:
        given |= {"client_secret": secret, "client_secret_expires_at": 0}
    response = JsonResponse(given, status=201)
    response["Cache-Control"] = "no-store"
    return response


@_for_clients("POST")
def token(request: HttpRequest) -> HttpResponse:
    """A code or refresh token for an access token and the next refresh token."""
    limits.take(f"oauth-token:{limits.network_of(address_of(request) or '')}", TOKEN_REQUESTS)
    return answer(request, to="create_token_response")


@_for_clients("POST")
def revoke(request: HttpRequest) -> HttpResponse:
    """A client gives its tokens back (RFC 7009)."""
    limits.take(f"oauth-token:{limits.network_of(address_of(request) or '')}", TOKEN_REQUESTS)
    return answer(request, to="create_revocation_response")


def _public(values: dict[str, Any]) -> HttpResponse:
    response = JsonResponse(values)
    response["Cache-Control"] = "public, max-age=300"
    response["Vary"] = "Host"
    return response


def _error(code: str, sentence: str, status: int = 400) -> HttpResponse:
    return JsonResponse({"error": code, "error_description": sentence}, status=status)

"""What clients are told before they know anything: where to sign in for an address, and how. Pure.

Protected-resource metadata is RFC 9728, authorization-server metadata RFC 8414; both as
https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization asks.
"""

from __future__ import annotations

from typing import Any

from endpoint.addresses import Address

READ, CALL = "mcp:read", "mcp:call"
SCOPES = (READ, CALL)
AUTHORIZE, TOKEN, REGISTER, REVOKE = "/oauth/authorize", "/oauth/token", "/oauth/register", "/oauth/revoke"
AUTH_METHODS = ("none", "client_secret_basic", "client_secret_post")


def issuer_of(base: str) -> str:
    """The issuer's name: `https://host`, as the client addressed us, without a slash at its end."""
    return base.lower()


def challenge(base: str, address: Address, *, error: str = "") -> str:
    """The value of WWW-Authenticate in a 401. `error` is a code of RFC 6750, such as `invalid_token`.

    It says the same of what does not exist.
    """
    fields = {"resource_metadata": base + address.metadata_path, "scope": " ".join(SCOPES)}
    if error:
        fields = {"error": error, **fields}
    return "Bearer " + ", ".join(f'{name}="{_quoted(value)}"' for name, value in fields.items())


def resource_of(base: str, address: Address) -> str:
    """What a token for this address names as its resource (RFC 8707), letter by letter."""
    return base.lower() + address.path


def of_resource(base: str, address: Address) -> dict[str, Any]:
    """The protected-resource metadata of an address. No name in it: it says the same of what does not exist."""
    return {
        "resource": resource_of(base, address),
        "authorization_servers": [issuer_of(base)],
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
    }


def of_server(base: str) -> dict[str, Any]:
    """The authorization server's metadata."""
    base = issuer_of(base)
    return {
        "issuer": base,
        "authorization_endpoint": base + AUTHORIZE,
        "token_endpoint": base + TOKEN,
        "registration_endpoint": base + REGISTER,
        "revocation_endpoint": base + REVOKE,
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
    }


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')

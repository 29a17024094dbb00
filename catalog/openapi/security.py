"""How a document says that requests carry credentials, as headers with `${NAME}` of variables that somebody fills."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openapi_pydantic.v3 import v3_1
from pydantic import ValidationError

from catalog.checking.urls import check_token_url
from catalog.openapi.names import variable_name
from catalog.openapi.reading import Document, Unresolved


@dataclass(frozen=True)
class Credential:
    """A variable that has to be there."""

    name: str
    is_secret: bool
    sent_as: str
    """Such as “Authorization: Bearer ${API_TOKEN}”."""
    token_url: str = ""
    """Where it goes; "" is the base URL."""


@dataclass(frozen=True)
class OAuth2:
    """Tokens for client credentials (RFC 6749, 4.4), as a provider asks for them."""

    token_url: str
    client_id: str = "${API_CLIENT_ID}"
    client_secret: str = "${API_CLIENT_SECRET}"  # noqa: S105  # a reference


@dataclass(frozen=True)
class Access:
    """What one operation sends."""

    headers: tuple[tuple[str, str], ...] = ()
    scopes: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()
    oauth2: OAuth2 | None = None
    notes: tuple[str, ...] = ()


class Security:
    """The schemes of a document, each read once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        components = document.tree.get("components")
        schemes = components.get("securitySchemes") if isinstance(components, dict) else None
        self.raw: dict[str, Any] = schemes if isinstance(schemes, dict) else {}
        self.schemes = {str(name): self._scheme(str(name), raw) for name, raw in self.raw.items()}

    def of(self, operation: dict[str, Any]) -> Access:
        """The first of the ways that it names which can be taken as a whole."""
        wanted = operation.get("security", self.document.tree.get("security"))
        ways = [each for each in wanted if isinstance(each, dict)] if isinstance(wanted, list) else []
        notes: list[str] = []
        for way in sorted(ways, key=lambda each: not each):  # with credentials, where they are optional
            parts = [(self.schemes.get(name), scopes) for name, scopes in way.items()]
            reasons = [_reason(name, self.schemes.get(name)) for name in way]
            if not any(reasons):
                return _joined(parts, len([part for part, _ in parts if part and part.oauth2]))
            notes += [reason for reason in reasons if reason]
        return Access(notes=tuple(dict.fromkeys(notes)))

    def _scheme(self, name: str, raw: Any) -> Access:
        """A way that is not supported has notes and nothing else."""
        try:
            scheme = v3_1.SecurityScheme.model_validate(self.document.resolved(raw))
        except (ValidationError, Unresolved):
            return Access(notes=(f"The security scheme “{name[:60]}” cannot be read.",))
        kind, way = scheme.type, (scheme.scheme or "").lower()
        if kind == "http" and way == "bearer":
            return _header("Authorization", "Bearer ", self._name(name, "API_TOKEN", "http", "bearer"))
        if kind == "http" and way == "basic":
            return _header("Authorization", "Basic ", self._name(name, "API_BASIC", "http", "basic"))
        if kind == "apiKey" and scheme.security_scheme_in == "header" and scheme.name:
            return _header(scheme.name, "", self._name(name, "API_KEY", "apiKey", "header"))
        if kind == "apiKey":
            where = scheme.security_scheme_in or "nowhere"
            return Access(notes=(f"The API wants a key in its {where[:20]}, where secrets are never put.",))
        if kind == "oauth2" and scheme.flows and (flow := scheme.flows.clientCredentials):
            return _tokens(flow.tokenUrl or "")
        return Access(notes=(f"The API wants “{(way or kind)[:40]}” (“{name[:60]}”), which tools cannot do.",))

    def _name(self, name: str, usual: str, kind: str, way: str) -> str:
        """The usual name, unless there are several of the same sort."""
        alike = 0
        for raw in self.raw.values():
            if isinstance(raw, dict) and raw.get("type") == kind:
                alike += str(raw.get("scheme", raw.get("in", ""))).lower() == way
        return usual if alike < 2 else variable_name(name, usual)


def _header(name: str, before: str, variable: str) -> Access:
    value = f"{before}${{{variable}}}"
    return Access(headers=((name, value),), credentials=(Credential(variable, True, f"{name}: {value}"),))


def _tokens(token_url: str) -> Access:
    try:
        if "${" in token_url or not check_token_url(token_url):
            raise ValueError
    except ValueError:
        return Access(notes=("The address where OAuth2 tokens are asked for is not complete. Set it on the provider.",))
    credentials = (
        Credential("API_CLIENT_ID", False, "OAuth2 client id", token_url),
        Credential("API_CLIENT_SECRET", True, "OAuth2 client secret", token_url),
    )
    return Access(credentials=credentials, oauth2=OAuth2(token_url))


def _reason(name: str, scheme: Access | None) -> str:
    if scheme is None:
        return f"The security scheme “{name[:60]}” is nowhere in the document."
    return "" if scheme.credentials else " ".join(scheme.notes)


def _joined(parts: list[tuple[Access | None, Any]], tokens: int) -> Access:
    found = list(_known(parts))
    headers = {name: value for scheme, _ in found for name, value in scheme.headers}
    scopes = [str(scope) for scheme, asked in found if scheme.oauth2 and isinstance(asked, list) for scope in asked]
    return Access(
        headers=tuple(headers.items()),
        scopes=tuple(dict.fromkeys(scopes)),
        credentials=tuple(dict.fromkeys(each for scheme, _ in found for each in scheme.credentials)),
        oauth2=next((scheme.oauth2 for scheme, _ in found if scheme.oauth2), None) if tokens else None,
    )


def _known(parts: list[tuple[Access | None, Any]]) -> Iterator[tuple[Access, Any]]:
    for scheme, scopes in parts:
        if scheme is not None:
            yield scheme, scopes

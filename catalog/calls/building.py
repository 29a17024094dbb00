"""The request that a tool and arguments make. Pure: nothing is asked, neither the database nor the network.

Only the tool's own texts are filled from variables. What agents give as arguments is never looked into for `${NAME}`,
and cannot leave the place it is put: not its segment of the path, not its value of the query.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlencode, urlsplit

import requests

from catalog.calls.results import MASK, BadArguments, Misconfigured, Secrets, SecretWithheld, Sent
from catalog.calls.schema import input_schema
from catalog.calls.tokens import TokenRequest
from catalog.calls.validating import BadSchema, TooSlow, problems
from catalog.checking.headers import BadHeader, carries_credentials, check_header
from catalog.checking.hosts import named
from catalog.checking.templates import UnknownVariable, fill, references
from catalog.checking.tool_paths import PLACE, places
from lib.crypto import CryptoError
from lib.egress import EgressError, check_url, origin

LONGEST_URL = 8_000
LONGEST_ARGUMENTS = 2_000_000
"""Characters, as JSON."""
DECODINGS = 3
"""Times that a path may be decoded between here and the program that answers."""
JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"

_SAFE_IN_PATH = "/:@!$&'()*+,;=-._~%"
_DEFAULTS = {"User-Agent": "Millrace", "Accept": "application/json, text/*;q=0.9, */*;q=0.5"}


class Value(Protocol):
    """A variable, as `catalog.variables.values_for` gives it."""

    @property
    def is_secret(self) -> bool: ...
    @property
    def is_set(self) -> bool: ...
    @property
    def value(self) -> str: ...
    def may_go_to(self, url: str) -> bool: ...


Values = Mapping[str, Value]


@dataclass(frozen=True)
class Endpoint:
    """What of a tool or resource and its provider makes a request."""

    provider: tuple[str, int]
    """The provider's id and revision."""
    base_url: str
    method: str
    path: str
    query: str = ""
    """That is always asked for, as it stands in an address; what agents give comes after it."""
    path_schema: Any = None
    query_schema: Any = None
    body_schema: Any = None
    headers: Mapping[str, str] | None = None
    idempotent: bool | None = None
    """What the tool says of itself; None leaves it to the method."""
    token_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    may_repeat: bool
    token: TokenRequest | None
    """What to get an access token with, for the header Authorization."""
    secrets: tuple[str, ...] = field(repr=False)
    shown: Sent


def build(endpoint: Endpoint, arguments: Any, values: Values) -> Request:
    """The request. Raises BadArguments, Misconfigured and SecretWithheld.

    An argument in the path is one segment of it. In the query, a list is its name again for each item, an object is
    JSON, and null is left out; true and false are these words. The body is JSON, or a form or a text where the tool's
    Content-Type says so.
    """
    given = _checked(endpoint, arguments)
    url = _url(endpoint, given, values)
    headers, shown, secrets = _headers(endpoint, values, url)
    body = None
    if "body" in given:
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        body = _body(given["body"], kind)
        if not kind:
            headers["Content-Type"] = shown["Content-Type"] = JSON_TYPE
    token = None
    if endpoint.token_url and not any(name.lower() == "authorization" for name in headers):
        token = _token(endpoint, values, url)
        shown["Authorization"] = f"Bearer {MASK}"
    repeatable = endpoint.method in ("GET", "HEAD", "PUT", "DELETE")  # RFC 9110, 9.2.2
    return Request(
        method=endpoint.method,
        url=url,
        headers=headers,
        body=body,
        may_repeat=repeatable if endpoint.idempotent is None else endpoint.idempotent,
        token=token,
        secrets=tuple(secrets),
        shown=Sent(endpoint.method, Secrets(secrets).masked(url), tuple(shown.items())),
    )


def _checked(endpoint: Endpoint, arguments: Any) -> dict[str, Any]:
    """The arguments, that fit the schema."""
    given = {} if arguments is None else arguments
    try:
        size = len(json.dumps(given, allow_nan=False))
        json.dumps(given, ensure_ascii=False).encode()
    except RecursionError:
        raise BadArguments("The arguments are nested too deeply.") from None
    except UnicodeEncodeError:
        raise BadArguments("The arguments hold half of a character (a lone surrogate), which cannot be sent.") from None
    except (TypeError, ValueError):
        raise BadArguments("The arguments are not JSON.") from None
    if size > LONGEST_ARGUMENTS:
        raise BadArguments(f"The arguments are longer than {LONGEST_ARGUMENTS:,} characters.")
    try:
        wrong = problems(input_schema(endpoint), given)
    except TooSlow:
        raise BadArguments(
            "It takes too long to tell whether the arguments fit the tool's schema. Give shorter ones, or simplify "
            "the schema's patterns."
        ) from None
    except BadSchema as error:
        raise Misconfigured(f"The tool's schema cannot be used. {error}") from None
    if wrong:
        raise BadArguments(" ".join(wrong))
    return dict(given)


# --------------------------------------------------------------------------------------------------------- the address


def _url(endpoint: Endpoint, given: Mapping[str, Any], values: Values) -> str:
    if not endpoint.base_url:
        raise Misconfigured("The provider has no base URL. Enter it, then call again.")
    base = _plain(endpoint.base_url, values, "the base URL").rstrip("/")
    if re.search(r"[\s?#\\]", base) or not base.isprintable():
        raise Misconfigured("The provider's base URL holds a space, ?, # or \\ once its variables are filled in.")
    path = _path(endpoint.path, given.get("path", {}))
    given_query = urlencode(_pairs(given.get("query", {})), quote_via=quote, safe="")
    query = "&".join(each for each in (endpoint.query, given_query) if each)
    ours, url = _prepared(f"{base}/"), _prepared(f"{base}{path}" + (f"?{query}" if query else ""))
    # What is asked is what comes out of the library, so that is what has to be below the base URL.
    if origin(url) != origin(ours) or not urlsplit(url).path.startswith(urlsplit(ours).path):
        raise BadArguments("The address that the arguments make lies outside the provider's base URL.")
    if len(url) > LONGEST_URL:
        raise BadArguments(f"The address that the arguments make is longer than {LONGEST_URL:,} characters.")
    return url


def _prepared(url: str) -> str:
    try:
        check_url(url)
        return str(requests.Request("GET", url).prepare().url)
    except EgressError as error:
        raise Misconfigured(f"The provider's base URL cannot be asked. {error}") from None
    except (requests.RequestException, ValueError):
        raise Misconfigured("The provider's base URL is not a valid address. Check its spelling.") from None


def _path(template: str, given: Mapping[str, Any]) -> str:
    """Begins with a slash: a base URL's host ends there, whatever follows."""
    needed = places(template)
    unknown = [name for name in given if name not in needed]
    if unknown:
        raise BadArguments(f"“path.{unknown[0][:60]}” is not known.")
    pieces, end = [], 0
    for place in PLACE.finditer(template):
        pieces += [quote(template[end : place.start()], safe=_SAFE_IN_PATH), _segment(place[1], given[place[1]])]
        end = place.end()
    pieces.append(quote(template[end:], safe=_SAFE_IN_PATH))
    path = "/" + "".join(pieces).removeprefix("/")
    if _climbs(path):
        raise BadArguments("The path that the arguments make has a segment “.” or “..”, which leads elsewhere.")
    return path


def _segment(name: str, value: Any) -> str:
    if isinstance(value, dict | list) or value is None:
        raise BadArguments(f"“path.{name}” has to be a text or a number: it is a part of the address.")
    text = _scalar(value)
    if not text:
        raise BadArguments(f"“path.{name}” is empty, and the address without it is another one.")
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
        raise BadArguments(f"“path.{name}” holds a control character.")
    return quote(text, safe="")


def _climbs(path: str) -> bool:
    """Whether some program on the way, that decodes it, could read `..` in it; `..;x` is `..` to some."""
    for _ in range(DECODINGS + 1):
        if any(part.split(";")[0].strip() in (".", "..") for part in re.split(r"[/\\]", path)):
            return True
        path = unquote(path)
    return False


def _pairs(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in given.items():
        items = value if isinstance(value, list) else [value]
        pairs += [(name, _scalar(item)) for item in items if item is not None]
    return pairs


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)  # 5.0 is an integer to JSON Schema, and not to most APIs
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ------------------------------------------------------------------------------------------------------------ the rest


def _headers(endpoint: Endpoint, values: Values, url: str) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """The headers, the same as they may be shown, and the secrets in them."""
    headers, shown, secrets = dict(_DEFAULTS), dict(_DEFAULTS), list[str]()
    for name, template in (endpoint.headers or {}).items():
        try:
            check_header(name, template)
        except BadHeader as error:
            raise Misconfigured(str(error)) from None
        used = {each: _variable(each, values) for each in references(template)}
        texts = {
            each: _secret(each, value, url) if value.is_secret else _opened(each, value) for each, value in used.items()
        }
        for each, text in texts.items():
            if any(character < " " or character > "~" for character in text):
                raise Misconfigured(
                    f"The variable {each} holds a line break or another character that headers cannot have. Enter its "
                    "value again."
                )
        for default in [each for each in headers if each.lower() == name.lower()]:
            del headers[default], shown[default]
        headers[name] = fill(template, texts).strip()
        hidden = {
            each: MASK if value.is_secret or carries_credentials(name) else texts[each] for each, value in used.items()
        }
        shown[name] = fill(template, hidden)
        secrets += [texts[each] for each, value in used.items() if value.is_secret]
    return headers, shown, secrets


def _body(value: Any, content_type: str) -> bytes:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM_TYPE and isinstance(value, dict):
        return urlencode(_pairs(value)).encode()
    if kind and "json" not in kind and isinstance(value, str):
        return value.encode()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _token(endpoint: Endpoint, values: Values, url: str) -> TokenRequest:
    """The access token is the client secret's in another form, so it goes only where that may go."""
    token_url = _plain(endpoint.token_url, values, "the OAuth2 token URL")
    try:
        check_url(token_url)
    except EgressError as error:
        raise Misconfigured(f"The provider's OAuth2 token URL cannot be asked. {error}") from None
    texts = []
    for text in (endpoint.client_id, endpoint.client_secret):
        used = {name: _variable(name, values) for name in references(text)}
        for name, value in used.items():
            if value.is_secret:
                _secret(name, value, token_url)
                _secret(name, value, url)
        texts.append(fill(text, {name: _opened(name, value) for name, value in used.items()}))
    client_id, client_secret = texts
    if not client_id or not client_secret:
        raise Misconfigured("The provider's OAuth2 settings lack the client id or the client secret.")
    fingerprint = hashlib.sha256("\0".join((token_url, client_id, client_secret)).encode()).hexdigest()
    return TokenRequest(
        key=(*endpoint.provider, endpoint.scopes, fingerprint),
        url=token_url,
        client_id=client_id,
        client_secret=client_secret,
        scopes=endpoint.scopes,
    )


def _plain(text: str, values: Values, place: str) -> str:
    """A text in which secrets have no place, filled."""
    used = {name: _variable(name, values) for name in references(text)}
    for name, value in used.items():
        if value.is_secret:
            raise Misconfigured(f"{name} is a secret variable, and those have no place in {place}.")
    return fill(text, {name: _opened(name, value) for name, value in used.items()})


def _variable(name: str, values: Values) -> Value:
    if name not in values:
        raise Misconfigured(str(UnknownVariable(name)))
    return values[name]


def _secret(name: str, value: Value, url: str) -> str:
    if not value.may_go_to(url):
        raise SecretWithheld(
            f"The secret variable {name} may not be sent to {named(url)}. If it should be, add that host to "
            "the variable."
        )
    return _opened(name, value)


def _opened(name: str, value: Value) -> str:
    if not value.is_set:
        raise Misconfigured(f"The variable {name} has no value yet. Enter it on the Variables tab.")
    try:
        return value.value
    except CryptoError:
        raise Misconfigured(f"The variable {name} could not be decrypted. Enter its value again.") from None

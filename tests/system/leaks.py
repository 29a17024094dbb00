"""Where a secret could turn up, and every secret that there was: for the test that looks for the one in the other."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
import traceback
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.db import connection as database
from django.views.debug import ExceptionReporter

from lib.crypto import secret_fields
from tests.wire.forge import Forge
from tests.wire.hooks import Delivered
from tests.wire.messages import Proceed, Reply, Request

SHOWN = 20
"""Characters of a long secret that give it away: whoever cuts a text off may keep its beginning or its end."""
_FIELDS = {"access_token", "client_secret", "code", "refresh_token", "secret", "signing_token", "token"}
_BASE64 = re.compile(r"[A-Za-z0-9_+/-]{24,}={0,2}")


@dataclass(frozen=True, slots=True)
class Leak:
    what: str
    """Which secret, without saying it."""
    where: str


# -- the secrets -------------------------------------------------------------------------------------------------------


class Secrets:
    """All that must not be seen: what went over the wire, what the operator configured, what the database keeps."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        """Spelling -> what it is."""

    def add(self, what: str, *values: str) -> None:
        for value in values:
            if len(value) < 12:
                continue
            # Of a signed token the beginning is the same for all, and no secret.
            tell_tale = [value[-SHOWN:]] if value.count(".") == 2 else [value[:SHOWN], value[-SHOWN:]]
            for each in tell_tale:
                self._known |= {each: what, quote(each, safe=""): what}

    def __len__(self) -> int:
        return len(self._known)

    def named(self) -> set[str]:
        return set(self._known.values())

    def find(self, places: Iterable[tuple[str, str]]) -> set[Leak]:
        """Every secret in every text of (where, text)."""
        pattern = re.compile("|".join(map(re.escape, sorted(self._known, key=len, reverse=True))))
        return {Leak(self._known[hit], where) for where, text in places for hit in pattern.findall(text)}

    # -- where they come from ------------------------------------------------------------------------------------------

    def listen(self, forge: Forge) -> None:
        """Learn the tokens that the forge hands out, from now on."""

        def learn(request: Request, proceed: Proceed) -> Reply:
            reply = proceed(request)
            if isinstance(reply.body, bytes) and reply.media_type == "application/json":
                self._take("a token that was handed out", _values(reply.json()))
            return reply

        for path in ("/login/oauth/access_token", "/oauth/token", "/site/oauth2/access_token"):
            forge.arm(learn, on=f"POST {path}")
        forge.arm(learn, on="POST /app/installations/*/access_tokens")

    def take_requests(self, forge: Forge) -> None:
        for request in forge.requests:
            scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
            self.add(f"{scheme} of {request.line}", credential)
            if scheme == "Basic":
                self.add("a password", base64.b64decode(credential).decode().partition(":")[2])
            self.add("a private token", request.headers.get("PRIVATE-TOKEN", ""))
            kind = request.headers.get("Content-Type", "")
            if "form" in kind:
                self._take(f"the form of {request.line}", request.form())
            elif "json" in kind and request.body:
                self._take(f"the body of {request.line}", _values(request.json()))

    def take_deliveries(self, delivered: Iterable[Delivered]) -> None:
        for each in delivered:
            self.add("the token of a webhook", each.headers.get("X-Gitlab-Token", ""))
            self.add("the secret of a webhook", each.hook.secret, each.hook.signing_token)

    def take_settings(self) -> None:
        for item in settings.FORGE_OAUTH_APPS:
            self.add("a client secret", item.rpartition("|")[2])
        self.add("the App's client secret", settings.GITHUB_APP_CLIENT_SECRET)
        self.add("the App's webhook secret", settings.GITHUB_APP_WEBHOOK_SECRET)
        self.add("the App's key", *settings.GITHUB_APP_PRIVATE_KEY.splitlines()[2:-2])
        self.add("SECRET_KEY", settings.SECRET_KEY)
        self.add("an encryption key", *(key.partition(":")[2] for key in settings.ENCRYPTION_KEYS))

    def take_database(self) -> None:
        for model, name in secret_fields():
            for row in model._base_manager.all():
                self.add(f"{model._meta.label}.{name}", getattr(row, name))

    def _take(self, what: str, values: Mapping[str, Any]) -> None:
        for name in _FIELDS & values.keys():
            if isinstance(values[name], str):
                self.add(f"{name} in {what}", values[name])


def _values(data: Any) -> dict[str, Any]:
    """The fields of an object, and of those within it."""
    if not isinstance(data, dict):
        return {}
    found = dict(data)
    for value in data.values():
        found |= _values(value)
    return found


# -- the places --------------------------------------------------------------------------------------------------------


def spellings(value: object) -> str:
    """A value as text, with what is packed in it: sessions, messages and the queue sign and compress what they keep."""
    raw = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else str(value).encode()
    text = raw.decode("latin-1")
    return "\n".join([text, _inflated(raw), *(_unpacked(piece) for piece in _BASE64.findall(text))])


def _unpacked(piece: str) -> str:
    try:
        raw = base64.b64decode(piece.rstrip("=") + "=" * (-len(piece.rstrip("=")) % 4), altchars=b"-_")
    except binascii.Error:
        return ""
    return f"{raw.decode('latin-1')}\n{_inflated(raw)}"


def _inflated(raw: bytes) -> str:
    try:
        return zlib.decompress(raw).decode("latin-1")
    except zlib.error:
        return ""


def in_database() -> Iterator[tuple[str, str]]:
    """Every column of every row of every table, ours or not."""
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")  # noqa: S608  the database's own name
            columns = [column[0] for column in cursor.description] if cursor.description else []
            for row in cursor.fetchall():
                yield from ((f"{table}.{column}", spellings(value)) for column, value in zip(columns, row, strict=True))


def in_cache() -> Iterator[tuple[str, str]]:
    for key, value in getattr(cache, "_cache", {}).items():
        yield f"cache, {key}", spellings(value)


def in_logs(records: Iterable[logging.LogRecord]) -> Iterator[tuple[str, str]]:
    """The message, what it was made of, whatever else hangs on the record, and the traceback."""
    for record in records:
        where = f"log of {record.name}"
        yield where, record.getMessage()
        yield f"{where}, record", repr({name: value for name, value in vars(record).items() if name != "exc_info"})
        if record.exc_info and record.exc_info[1] is not None:
            yield f"{where}, traceback", "".join(traceback.format_exception(record.exc_info[1]))


def in_reports(records: Iterable[logging.LogRecord]) -> Iterator[tuple[str, str]]:
    """What Django would send to the administrators, or show, of each exception that was logged."""
    for record in records:
        if record.exc_info and record.exc_info[1] is not None:
            reporter = ExceptionReporter(getattr(record, "request", None), *record.exc_info)
            yield f"report of {record.name}, text", reporter.get_traceback_text()
            yield f"report of {record.name}, page", reporter.get_traceback_html()


def in_mail() -> Iterator[tuple[str, str]]:
    for letter in mail.outbox:
        yield "e-mail", f"{letter.subject}\n{letter.body}\n{letter.to}"


def in_files(*folders: Path) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                if path.is_file():
                    yield str(path.relative_to(folder)), spellings(path.read_bytes())
            except OSError:
                continue  # it was there for a moment


async def _streamed(response: Any) -> bytes:
    return b"".join([piece async for piece in response])


def in_response(where: str, response: Any) -> tuple[str, str]:
    """Body, headers and cookies of an answer."""
    body = async_to_sync(_streamed)(response) if response.streaming else response.content
    cookies = " ".join(morsel.OutputString() for morsel in response.cookies.values())
    return where, "\n".join([body.decode("latin-1"), json.dumps(dict(response.headers)), spellings(cookies)])

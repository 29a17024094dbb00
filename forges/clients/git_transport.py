"""dulwich's smart HTTP on guarded connections, with our errors. https://git-scm.com/docs/http-protocol"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import IO, Any
from urllib.parse import urlsplit

from dulwich.client import HttpGitClient

from forges.clients.errors import AuthFailed, Forbidden, InvalidName, NotFound, TooLarge
from forges.clients.transport import refused
from lib import egress

UPLOAD_PACK, RECEIVE_PACK = "git-upload-pack", "git-receive-pack"
_MAX_RECEIVED = 32 << 20
"""Of what a server says to a push: its branches and tags, which are kept in memory, and what came of it."""


class Transport(HttpGitClient):
    """dulwich's client; what speaks no smart HTTP is no git server to us."""

    what = ""
    service = UPLOAD_PACK
    anonymous = True
    max_sent = 0
    """Bytes of a request's body that are sent at most, where it is not one of a few lines."""
    beginning = b""
    """Of the last answer: where a sentence in place of a pack would be, which dulwich reads past."""

    def _http_request(
        self, url: str, headers: dict[str, str] | None = None, data: Any = None, raise_for_status: bool = False
    ) -> Any:
        del raise_for_status  # what a status means is said below
        host = urlsplit(url).hostname or ""
        if self._pushes and egress.origin(url) != egress.origin(self._base_url):
            raise InvalidName(f"{host} refers to another server for {self.what}, which is not followed with a push.")
        with ExitStack() as stack:
            if isinstance(data, Iterator):
                # With its length: not every server takes a body that comes in chunks.
                file = stack.enter_context(tempfile.TemporaryFile(prefix="millrace-git-"))
                headers = {**(headers or {}), "Content-Length": str(self._spool(data, file))}
                data = file
            response, read = super()._http_request(url, headers, data, raise_for_status=False)
        content_type = response.headers.get("Content-Type") or ""
        if response.status == 200 and content_type.startswith(f"application/x-{self.service}"):
            return response, self._read(host, read)
        response.close()
        if response.status == 401 and self.anonymous:
            raise AuthFailed(f"{host} asks for a token for {self.what}: it is private, or it does not exist.")
        if response.status != 200:
            error = refused(host, response.status, response.headers, self.what)
            raise self._may_not_push(host) if self._pushes and type(error) is Forbidden else error
        # Also the “dumb” protocol, which would be read into memory whole: https://git-scm.com/docs/http-protocol
        raise NotFound(f"{host} does not answer as a git server for {self.what}.")

    @property
    def _pushes(self) -> bool:
        return self.service == RECEIVE_PACK

    def _read(self, host: str, read: Callable[..., bytes]) -> Callable[..., bytes]:
        self.beginning = b""
        received = 0

        def keep(*size: int) -> bytes:
            nonlocal received
            data = read(*size)
            received += len(data)
            if self._pushes and received > _MAX_RECEIVED:
                raise TooLarge(f"{host} says more about {self.what} than is read at once.")
            if len(self.beginning) < 200:
                self.beginning += data[:200]
            return data

        return keep

    def _spool(self, data: Iterator[bytes], file: IO[bytes]) -> int:
        length = 0
        for piece in data:
            length += len(piece)
            if length > self.max_sent:
                raise TooLarge(f"What is to be pushed is more than {self.max_sent:,} bytes.")
            file.write(piece)
        file.seek(0)
        return length

    def _may_not_push(self, host: str) -> Forbidden:
        return Forbidden(
            f"{host} does not let this credential push to {self.what}.",
            advice="Give the token the permission to write the repository, or take the token of an account that may.",
        )

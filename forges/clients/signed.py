"""A guarded session that carries a credential: fresh for each request, renewed once when the forge refuses it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import requests

from forges.clients.base import Credential, CredentialSource
from forges.clients.transport import check_transport
from lib import egress


class SignedSession(egress.GuardedSession):
    """Adds the credential's headers to requests for the origin of `base_url`, and to no others.

    `also` are further addresses whose origins get them, where a forge has its API and its archives apart.
    `sign` makes the headers of a credential (called for one that holds a token only). A 401 asks `source` for another
    credential and, where there is one, sends the request once more: a token can expire in the middle of a run.
    """

    def __init__(
        self,
        policy: egress.Policy,
        *,
        base_url: str,
        source: CredentialSource,
        sign: Callable[[Credential], Mapping[str, str]],
        also: Iterable[str] = (),
        **options: Any,
    ) -> None:
        super().__init__(policy, **options)
        self._policy = policy
        self._origins = {egress.origin(url) for url in (base_url, *also)}
        self._source = source
        self._sign = sign

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if not self._source or egress.origin(request.url or "") not in self._origins:
            return super().send(request, **kwargs)
        credential = self._source.current()
        response = super().send(self._signed(request, credential), **kwargs)
        if response.status_code == 401:
            renewed = self._source.renewed(credential)
            if renewed is not None:
                response.close()
                response = super().send(self._signed(request, renewed), **kwargs)
        return response

    def _signed(self, request: requests.PreparedRequest, credential: Credential) -> requests.PreparedRequest:
        check_transport(request.url or "", credential, self._policy)
        signed = request.copy()
        signed.headers.update(self._sign(credential))
        return signed

"""PyGithub on our guarded session: it makes the requests that it knows, and we send them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import requests
from github.Requester import Requester, RequestsResponse

from forges.clients.errors import Unavailable
from forges.clients.transport import USER_AGENT


def make_requester(base_url: str, send: Callable[[str, str, str], requests.Response], *, per_page: int) -> Requester:
    """A requester that hands (verb, URL, Accept header) to `send`, and knows no token, no pause and no retry.

    `send` raises for anything but 200 and follows redirects itself, so that PyGithub never comes to sleep or to judge.
    The classes are made anew for each client: PyGithub keeps them on the class, where one would be everybody's.
    """
    base = urlsplit(base_url)

    class Connection:
        """What PyGithub takes for a connection to a host; `url` is a path and its query."""

        def __init__(self, host: str, port: int | None = None, **_options: object) -> None:
            self.host, self.port = host, port
            self._asked = ("", "", "")

        def request(
            self, verb: str, url: str, _input: object, headers: Mapping[str, str], _stream: bool = False
        ) -> None:
            self._asked = verb, url, headers.get("Accept", "")

        def getresponse(self) -> RequestsResponse:
            verb, url, accept = self._asked
            # The link to a next page can name any host, and PyGithub would ask its subdomains too.
            if (self.host, self.port) != (base.hostname, base.port):
                raise Unavailable(f"{base.hostname} refers to another server, which is not followed.")
            return RequestsResponse(send(verb, f"{base.scheme}://{base.netloc}{url}", accept))

        def close(self) -> None:
            """The session is the client's."""

    class GuardedRequester(Requester):
        pass

    GuardedRequester.injectConnectionClasses(Connection, Connection)  # type: ignore[arg-type]
    return GuardedRequester(
        auth=None,
        base_url=base_url,
        timeout=0,
        user_agent=USER_AGENT,
        per_page=per_page,
        verify=True,
        retry=None,
        pool_size=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,  # else each object asks for itself before it can be asked for anything
    )

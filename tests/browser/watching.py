"""What goes wrong in a browser without anybody seeing it: console errors, refused content, foreign hosts."""

from __future__ import annotations

from http import HTTPStatus

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

FORM_WITH_ERRORS = HTTPStatus.UNPROCESSABLE_ENTITY

SEEN_OTHERWISE = ("Failed to load resource", "Response Status Error Code", "htmx:sendAbort", "htmx:afterRequest")
"""What the console says of requests: errors are seen by their responses, and a request that htmx gives up because a
newer one takes its place is none."""


class Watch:
    """Listens to every page of a browser context and remembers what should not happen on any."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.home = home
        self.problems: list[str] = []
        self.expected_statuses: set[int] = {FORM_WITH_ERRORS}
        """HTTP errors that belong to the test; any other is a problem."""
        self.abroad: set[str] = set()
        """Other sites, such as `http://127.0.0.1:8900`, that the test's pages lead people to."""
        self.requests: list[Request] = []
        context.on("console", self._hear)
        context.on("request", self._see_request)
        context.on("response", self._see_response)
        context.on("weberror", self._see_error)

    def documents(self) -> list[str]:
        """The addresses of the whole pages that were loaded, in order."""
        return [request.url for request in self.requests if request.is_navigation_request()]

    def _hear(self, message: ConsoleMessage) -> None:
        # A refusal by the Content-Security-Policy is told here.
        if message.type in ("error", "warning") and not message.text.startswith(SEEN_OTHERWISE):
            self.problems.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _see_request(self, request: Request) -> None:
        self.requests.append(request)
        led_there = request.is_navigation_request() and request.url.startswith(
            tuple(f"{site}/" for site in self.abroad)
        )
        if not (led_there or request.url.startswith((f"{self.home}/", "data:"))):
            self.problems.append(f"a request to another host: {request.url}")

    def _see_response(self, response: Response) -> None:
        if response.status >= HTTPStatus.BAD_REQUEST and response.status not in self.expected_statuses:
            self.problems.append(f"HTTP {response.status} for {response.request.method} {response.url}")

    def _see_error(self, error: WebError) -> None:
        self.problems.append(f"script error: {error.error}")

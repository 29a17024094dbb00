"""Archives as GitHub gives them: the API redirects to another service with a short-lived token of its own.

https://docs.github.com/en/rest/repos/contents#download-a-repository-archive-tar
"""

from __future__ import annotations

import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from tests.wire.github_routes import Call, Refused, routes
from tests.wire.messages import Headers, Reply, Request, text_reply
from tests.wire.objects import git_environment
from tests.wire.smart_http import end
from tests.wire.world import HostedRepository, World

PREFIX = "/_codeload"
ADDRESS = re.compile(rf"{PREFIX}/(?P<owner>[^/]+)/(?P<name>[^/]+)/legacy\.(?P<kind>tar\.gz|zip)/(?P<ref>.+)", re.DOTALL)
LIFETIME = 300
"""Seconds that the token of a private archive's address is good for."""
PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Ticket:
    repository: int
    until: float


class Codeload:
    """The service that archives come from. It takes no API token: its addresses carry their own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.host = ""
        """`http://host:port` that redirects lead to; empty: where the API was called."""
        self._tickets: dict[str, Ticket] = {}

    def knows(self, request: Request) -> bool:
        return request.path.startswith(PREFIX + "/")

    def check(self, _request: Request) -> Reply | None:
        return None

    def address(self, call: Call, hosted: HostedRepository, kind: str, ref: str) -> str:
        """Where the archive is to be fetched; with a ticket where the repository is private."""
        plain = f"{self.host or call.request.origin}{PREFIX}/{hosted.full_name}/legacy.{kind}/{quote(ref)}"
        if not hosted.private:
            return plain
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = Ticket(hosted.id, time.time() + LIFETIME)
        return f"{plain}?token={ticket}"

    def answer(self, request: Request) -> Reply:
        found = ADDRESS.fullmatch(request.path)
        hosted = self.world.find(f"{found['owner']}/{found['name']}") if found else None
        if found is None or hosted is None or (hosted.private and not self._admits(request, hosted)):
            return text_reply("404: Not Found", 404)
        commit = hosted.git.resolve(found["ref"])
        if commit is None:
            return text_reply("404: Not Found", 404)
        return archive(hosted, commit, found["kind"])

    def _admits(self, request: Request, hosted: HostedRepository) -> bool:
        ticket = self._tickets.get(request.query.get("token", ""))
        return ticket is not None and ticket.repository == hosted.id and ticket.until > time.time()


def archive(hosted: HostedRepository, commit: str, kind: str) -> Reply:
    """`git archive`, streamed: export-ignore and export-subst are obeyed, symlinks stay links."""
    folder = f"{hosted.owner.login}-{hosted.name}-{commit[:7]}"
    # The quickest compression: the forge's processor time is not what anybody measures here.
    command = ["git", "-C", str(hosted.git.path), "archive", f"--format={kind}", "-1", f"--prefix={folder}/", commit]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=git_environment())

    def pieces() -> Iterator[bytes]:
        assert process.stdout
        while piece := process.stdout.read(PIECE):
            yield piece

    headers = Headers(
        [
            ("Content-Type", "application/zip" if kind == "zip" else "application/x-gzip"),
            ("Content-Disposition", f"attachment; filename={folder}.{kind}"),
            ("ETag", f'W/"{commit}{kind}"'),
        ]
    )
    return Reply(200, pieces(), headers, close=lambda: end(process))


def _redirect(call: Call, kind: str) -> Reply:
    hosted, ref = call.readable, call.parameters["ref"]
    commit = hosted.git.resolve(ref)
    if commit is None:
        raise Refused(404, "Not Found")
    # A branch stays a branch in the address: what it points to is settled when the archive is fetched.
    named = commit if ref == commit else next(iter(_full_name(hosted, ref)), commit)
    return Reply(302, b"", Headers([("Location", call.codeload.address(call, hosted, kind, named))]))


def _full_name(hosted: HostedRepository, ref: str) -> list[str]:
    short = re.sub(r"^(refs/)?(heads|tags)/", "", hosted.git.default_branch if ref == "HEAD" else ref)
    return [name for name in (f"refs/heads/{short}", f"refs/tags/{short}") if hosted.git.objects.header(name)]


@routes.get("/repos/{owner}/{repo}/tarball/{ref}")
def tarball(call: Call) -> Reply:
    return _redirect(call, "tar.gz")


@routes.get("/repos/{owner}/{repo}/zipball/{ref}")
def zipball(call: Call) -> Reply:
    return _redirect(call, "zip")

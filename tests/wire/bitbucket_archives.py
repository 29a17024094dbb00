"""Archives as Bitbucket gives them: a page of the web site, which takes the API's credentials.

https://support.atlassian.com/bitbucket-cloud/kb/how-to-download-repositories-using-the-api/
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from tests.wire import bitbucket_shapes as shapes
from tests.wire.bitbucket_auth import authenticate, require
from tests.wire.bitbucket_routes import Bench, Call, Refused, by_name
from tests.wire.messages import Headers, Reply, Request, text_reply
from tests.wire.objects import git_environment
from tests.wire.smart_http import end
from tests.wire.world import HostedRepository

ADDRESS = re.compile(r"/(?P<workspace>[^/]+)/(?P<repo_slug>[^/]+)/get/(?P<name>.+)\.(?P<kind>tar\.gz|zip)", re.DOTALL)
PIECE = 1 << 16


class Downloads:
    """`/{workspace}/{slug}/get/{commit}.tar.gz`, on the same host as people's pages."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def knows(self, request: Request) -> bool:
        return ADDRESS.fullmatch(request.path) is not None

    def check(self, request: Request) -> Reply | None:
        return None if request.method in {"GET", "HEAD"} else text_reply("Method not allowed", 405)

    def answer(self, request: Request) -> Reply:
        found = ADDRESS.fullmatch(by_name(self.bench.world, request.path))
        assert found
        try:
            token = authenticate(self.bench.world, request)
            if token is not None:
                wanted = "read:repository:bitbucket" if token.kind == "personal" else "repository"
                require(token, frozenset({wanted}))
            if not self.bench.world.spend(self.bench.world.budget(token)):
                raise Refused(429, "Rate limit for this resource has been exceeded")
            call = Call(request, self.bench, token, found.groupdict())
            if moved := call.moved:
                kept = f"/get/{found['name']}.{found['kind']}"
                return Reply(301, b"", Headers([("Location", f"{request.origin}/{shapes.full_name(moved)}{kept}")]))
            hosted = call.hosted
            return _archive(hosted, call.commit(found["name"]).oid, found["kind"])
        except Refused as refused:
            return text_reply(f"<h1>{refused}</h1>", refused.status, "text/html")


def _archive(hosted: HostedRepository, commit: str, kind: str) -> Reply:
    """`git archive`, streamed: export-ignore and export-subst are obeyed, symlinks stay links."""
    folder = f"{hosted.owner.login.lower()}-{shapes.slug_of(hosted)}-{commit[:12]}"
    command = ["git", "-C", str(hosted.git.path), "archive", f"--format={kind}", "-1", f"--prefix={folder}/", commit]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=git_environment())

    def pieces() -> Iterator[bytes]:
        assert process.stdout
        while piece := process.stdout.read(PIECE):
            yield piece

    fields = {
        "Content-Type": "application/zip" if kind == "zip" else "application/x-tar-gz",
        "Content-Disposition": f'attachment; filename="{folder}.{kind}"',
    }
    return Reply(200, pieces(), Headers(fields.items()), close=lambda: end(process))

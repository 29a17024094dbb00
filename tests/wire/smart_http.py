"""git over HTTP as forges serve it: reading with upload-pack, protocols v0 to v2, shallow and by commit id; pushing.

The work is done by git's own `git http-backend`; what is ours is who may read what (and push, see
`receive_pack`;
https://git-scm.com/docs/http-protocol, https://git-scm.com/docs/git-http-backend).
"""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
from collections.abc import Iterator, Mapping

from tests.wire import receive_pack
from tests.wire.messages import Headers, Reply, Request, text_reply
from tests.wire.objects import git_environment
from tests.wire.world import HostedRepository, Token, World

ADDRESS = re.compile(
    r"/(?P<owner>[^/]+(?:/[^/]+)*)/(?P<name>[^/]+?)(?:\.git)?/(?P<service>info/refs|git-(?:upload|receive)-pack)"
)
PIECE = 1 << 16
SETTINGS = {
    # Forges serve any commit they still have by its id, also after a force-push, and partial clones.
    "uploadpack.allowAnySHA1InWant": "true",
    "uploadpack.allowFilter": "true",
}


class SmartHttp:
    """Serves `/<owner>/<name>.git` (the suffix is optional, as at GitHub); GitLab's groups nest."""

    def __init__(self, world: World) -> None:
        self.world = world

    def knows(self, request: Request) -> bool:
        return not request.path.startswith("/repos/") and ADDRESS.fullmatch(request.path) is not None

    def check(self, request: Request) -> Reply | None:
        if _service(request) not in ("git-upload-pack", "git-receive-pack"):
            # What is left is the dumb protocol, which no large forge speaks.
            return text_reply("Please upgrade your git client.", 403)
        return None

    def answer(self, request: Request) -> Reply:
        found = ADDRESS.fullmatch(request.path)
        assert found
        given = _password(request)
        token = self.world.find_token(given) if given else None
        hosted = self.world.find(f"{found['owner']}/{found['name']}")
        if given and token is None:
            return _who_are_you("Invalid username or token. Password authentication is not supported.")
        if hosted is None or not hosted.seen_by(token):
            # Without credentials a missing repository looks like a private one.
            return text_reply("Repository not found.", 404) if token else _who_are_you("Repository not found.")
        if not hosted.readable_by(token):
            return text_reply("Write access to repository not granted.", 403)
        if _service(request) == "git-upload-pack":
            return _backend(request, hosted, found["service"], token, SETTINGS)
        if refused := receive_pack.refusal(request, hosted, token):
            return _who_are_you("Authentication required.") if refused.status == 401 else refused
        assert token
        settings = receive_pack.settings(self.world, hosted)
        environment = receive_pack.environment(self.world, hosted)
        reply = _backend(request, hosted, found["service"], token, settings, environment)
        if request.method == "POST":
            # Whole before the first byte of it: what a fault does to the reply finds the branch moved.
            reply.body = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
            receive_pack.tell(self.world, hosted, token, request)
        return reply


def _service(request: Request) -> str:
    path = request.path.rpartition("/")[2]
    return request.query.get("service", "") if path == "refs" else path


def _password(request: Request) -> str:
    """The token of a Basic header: the password, or the user name where the password says nothing."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "malformed"
    return user if password in {"", "x-oauth-basic"} else password


def _who_are_you(message: str) -> Reply:
    reply = text_reply(message, 401)
    reply.headers["WWW-Authenticate"] = 'Basic realm="GitHub"'
    return reply


def _backend(
    request: Request,
    hosted: HostedRepository,
    service: str,
    token: Token | None,
    settings: Mapping[str, str],
    more: Mapping[str, str] | None = None,
) -> Reply:
    environment = {
        **git_environment(),
        **(more or {}),
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(settings)},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(settings.values())},
        "GIT_PROJECT_ROOT": str(hosted.git.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{service}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.target.partition("?")[2],
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": token.account.login if token else "",
        "REMOTE_ADDR": "127.0.0.1",
    }
    process = subprocess.Popen(
        ["git", "http-backend"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(request.body)
        process.stdin.close()
    except BrokenPipeError:
        pass  # it refused the request without reading it, and its reply says why
    code, fields = 200, []
    while line := process.stdout.readline().strip():
        name, _, value = line.decode("latin-1").partition(": ")
        if name == "Status":
            code = int(value.split()[0])
        else:
            fields.append((name, value))
    return Reply(code, _pieces(process), Headers(fields), close=lambda: end(process))


def _pieces(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    assert process.stdout
    while piece := process.stdout.read1(PIECE):  # type: ignore[attr-defined]
        yield piece


def end(process: subprocess.Popen[bytes]) -> None:
    """Let a git process go whose output nobody reads any more."""
    if process.stdout:
        process.stdout.close()
    process.kill()
    process.wait(timeout=10)

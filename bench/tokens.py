"""Whether tokens that live for five seconds are survived for a minute of syncing, at GitLab and at Bitbucket.

    python -m bench.tokens [--seconds 60] [--life 5] [--database postgres://…] [--write docs/performance.md]

Two workers, each a process of its own, refresh one repository each through one connection, as fast as they can, while
somebody commits to both. So they find the same token due at the same moment, again and again; at GitLab each refresh
token is good once, and using it twice ends the grant. The command fails where a Run failed, where the forge was asked
for more tokens than one for each half of a life, or where the content is not what the forge has in the end.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.databases import databases
from bench.machine import describe
from bench.measuring import ROOT, environment
from bench.tables import replace_section

if TYPE_CHECKING:
    from integrations.models import Integration
    from tests.wire.forge import Forge
    from tests.wire.oauth import OAuthApp

FORGES = {"gitlab": "GitLab, refresh tokens rotate", "bitbucket": "Bitbucket"}
WORKERS = 2
CALLBACK = "https://millrace.example/callback/"
SCOPES = {
    "gitlab": "read_user read_repository api",
    "bitbucket": "account repository repository:write pullrequest:write webhook",
}
TOKENS = {"gitlab": "POST /oauth/token", "bitbucket": "POST /site/oauth2/access_token"}
COMMIT_EVERY = 0.4
"""Seconds between two commits to each repository."""


def refresh_once(integration_id: str) -> str:
    """What a push or the clock asks for, and a worker does: the status that the Run ends with."""
    from integrations.models import Integration
    from integrations.refreshing import request_automatic
    from jobs.execution import execute
    from jobs.models import Trigger

    integration = Integration.objects.select_related("server__organization").get(pk=integration_id)
    return execute(str(request_automatic(integration, trigger=Trigger.WEBHOOK).pk))


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one forge's minute."""

    seconds: float
    commits: int
    runs: dict[str, int]
    """Status -> how many."""
    requests: int
    tokens: int
    """Refreshes of the token that the forge was asked for."""
    refused: int
    """Requests that it answered with 401: the token ended on the way."""
    connected: bool
    whole: bool
    """Whether the content is what the forge has."""

    @property
    def failed(self) -> int:
        return sum(number for status, number in self.runs.items() if status != "succeeded")


def main() -> int:
    options = _options()
    if options.worker:
        return _work(options.worker)
    if options.scene:
        return _play(options.scene, seconds=options.seconds, life=options.life)
    with tempfile.TemporaryDirectory(prefix="bench_") as folder, databases(options.database, Path(folder, "db")) as db:
        seen = {key: _measured(key, db.fresh, options.seconds, options.life) for key in FORGES}
        machine = describe(db.version)
    most = int(options.seconds / (options.life / 2)) + 1
    checks = {
        "No Run failed": all(each.failed == 0 for each in seen.values()),
        f"The forge was asked for at most {most} tokens": all(each.tokens <= most for each in seen.values()),
        "The connection is connected, and the content is the forge's": all(
            each.connected and each.whole for each in seen.values()
        ),
    }
    held = [f"- {sentence}: {'held' if is_held else '**failed**'}." for sentence, is_held in checks.items()]
    life = f"Tokens live for {options.life:g} s; {WORKERS} workers, {options.seconds:g} s."
    text = "\n".join([f"{machine}. {life}", "", *_table(seen), "", *held])
    print(text)
    if options.write:
        replace_section(options.write, f"bench.tokens {db.kind}", text)
    return 0 if all(checks.values()) else 1


def _table(seen: dict[str, Seen]) -> list[str]:
    lines = [
        "| | commits | Runs | failed | requests | refreshes of the token | answered with 401 |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for key, each in seen.items():
        numbers = (each.commits, sum(each.runs.values()), each.failed, each.requests, each.tokens, each.refused)
        lines.append(f"| {FORGES[key]} | {' | '.join(f'{number:,}' for number in numbers)} |")
    return lines


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.tokens", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they sync")
    parser.add_argument("--life", type=float, default=5.0, help="seconds that a token lives")
    parser.add_argument("--database", default="", help="a PostgreSQL server's URL; without it SQLite in a new file")
    parser.add_argument("--write", type=Path, help="a Markdown file whose table of this database is replaced")
    parser.add_argument("--scene", choices=FORGES, help=argparse.SUPPRESS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measured(key: str, fresh: Callable[[], AbstractContextManager[str]], seconds: float, life: float) -> Seen:
    """Play one forge's scene in a process of its own, which has the database to itself."""
    command = [sys.executable, "-m", "bench.tokens", "--scene", key, f"--seconds={seconds}", f"--life={life}"]
    with fresh() as database:
        done = subprocess.run(
            command, cwd=ROOT, env=environment(database), stdout=subprocess.PIPE, text=True, check=True
        )
    return Seen(**json.loads(done.stdout.splitlines()[-1]))


# -- the scene ---------------------------------------------------------------------------------------------------------


def _play(key: str, *, seconds: float, life: float) -> int:
    """The forge, who commits there, and the two workers."""
    _django()
    from forges.models import Connection
    from jobs.models import Run
    from tests.wire.forge import Forge

    with tempfile.TemporaryDirectory(prefix="bench_") as folder, Forge(Path(folder)) as forge:
        application = forge.world.oauth.app(key, redirect_uri=CALLBACK, ttl=life)
        configured = f"{key}|{forge.url}|{application.client_id}|{application.client_secret}"
        integrations = _connected(forge, application, configured)
        forge.requests.clear()
        started, commits = time.monotonic(), 0
        with _workers([str(each.pk) for each in integrations], FORGE_OAUTH_APPS=configured) as statuses:
            while time.monotonic() - started < seconds:
                for each in integrations:
                    hosted = forge.world.find(each.repository)
                    assert hosted
                    hosted.git.commit({f"notes/{commits % 50}.md": f"# Note {commits}\n"})
                    commits += 1
                time.sleep(COMMIT_EVERY)
        took = time.monotonic() - started
        refused = [request for request in forge.requests if request.status == 401]
        counted = Counter(Run.objects.values_list("status", flat=True))
        assert sum(statuses.values()) <= sum(counted.values()), "the workers saw Runs that are not there"
        seen = Seen(
            seconds=took,
            commits=commits,
            runs=dict(counted),
            requests=len(forge.requests),
            tokens=forge.requests.count(TOKENS[key]),
            refused=len(refused),
            connected=Connection.objects.get().is_connected,
            whole=all(refresh_once(str(each.pk)) == "succeeded" and _is_whole(forge, each) for each in integrations),
        )
    print(json.dumps(asdict(seen)))
    return 0


def _connected(forge: Forge, application: OAuthApp, configured: str) -> list[Integration]:
    """A repository for each worker, all of them through one connection."""
    from datetime import UTC, datetime, timedelta

    from django.conf import settings

    from forges.applications import oauth_applications
    from forges.clients.oauth import Grant
    from forges.connecting import connect_oauth
    from integrations import connecting, probing
    from orgs.models import Role
    from tests import factories

    settings.FORGE_OAUTH_APPS = [configured]
    key, oauth = application.forge, forge.world.oauth
    person, acme = factories.user("admin@example.com"), factories.organization("Acme")
    membership = factories.membership(person, acme, Role.ADMIN)
    code = oauth.authorise(application.client_id, CALLBACK, SCOPES[key], account="octo")
    issued = oauth.exchange(application.client_id, application.client_secret, code, CALLBACK, "")
    ends = datetime.now(UTC) + timedelta(seconds=application.ttl or 0)
    grant = Grant(issued.access_token, issued.refresh_token, ends, issued.scopes)
    connection = connect_oauth(membership, oauth_applications()[0], grant).connection
    made = []
    for number in range(WORKERS):
        hosted = forge.repository(f"octo/notes-{number}", private=True)
        hosted.git.commit({"README.md": "# Notes\n"})
        entered = probing.Entered(
            forge=key, base_url=connection.base_url, repository=hosted.full_name, connection=connection
        )
        server = factories.server(acme)
        made.append(connecting.connect(server, entered, probing.probe(entered), by=person).integration)
    return made


def _is_whole(forge: Forge, integration: Integration) -> bool:
    from catalog.models import Content
    from tests.wire.repos import blob_id

    hosted = forge.world.find(integration.repository)
    assert hosted
    here = Content.objects.filter(server=integration.server_id).values_list("path", "blob__text")
    return {path: blob_id(text.encode()) for path, text in here} == hosted.git.files()


# -- the workers -------------------------------------------------------------------------------------------------------


@contextmanager
def _workers(integrations: list[str], **settings: str) -> Iterator[Counter[str]]:
    """A process for each, which refreshes until the block ends; then how its Runs ended is in what is yielded."""
    environ = environment(os.environ["DATABASE_URL"], **settings)
    command = [sys.executable, "-m", "bench.tokens", "--worker"]
    started = [
        subprocess.Popen(
            [*command, each], cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for each in integrations
    ]
    statuses: Counter[str] = Counter()
    try:
        for process in started:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        yield statuses
    finally:
        # A worker ends once nobody holds the other end of its standard input.
        said = [process.communicate(timeout=60)[0] for process in started]
    for each in said:
        statuses.update(json.loads(each.splitlines()[-1]))


def _work(integration_id: str) -> int:
    _django()
    over = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=listen, daemon=True).start()
    print("ready", flush=True)
    statuses: Counter[str] = Counter()
    while not over.wait(0.05):
        statuses[refresh_once(integration_id)] += 1
    print(json.dumps(statuses))
    return 0


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main())

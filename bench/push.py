"""What a push costs: requests and seconds against the number of tools, and what a save costs more for being pushed.

    python -m bench.push [--sizes 10,100,2000] [--latency 50] [--database postgres://…] [--write docs/performance.md]

For each forge and size, on a local forge in the same process that makes every request wait: the first push, the push of
one tool that was saved, one after somebody else's commit, and one that finds nothing to do. It is the code that a
worker runs, without the seconds in which it waits for more to be saved.

Then tools are saved through their page, on a server that is pushed and on one that is not, in turns: the request as the
web process has it, from its first byte to the commit and the answer. Exit code 1 if an expectation fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.databases import databases
from bench.machine import describe
from bench.measuring import ROOT, environment
from bench.tables import replace_section

if TYPE_CHECKING:
    from catalog.models import Server, Tool
    from orgs.models import Membership
    from tests.wire.forge import Forge

FORGES = {"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket", "git": "plain git"}
CONSTANT = ("github", "git")
"""The others list their tree page by page, and one page holds no more than a hundred entries."""
MOST_REQUESTS = 6
"""The head, the tree; the commit before, a tree, a commit, the ref."""
MOST_DEARER = 1.10
"""A save on a server that is pushed may take so many times as long as on another one."""
SAVES = 400
"""Of each of the two servers."""
FIRST, SAVED, MOVED, NOTHING = "first push", "one tool saved", "after another's commit", "nothing to do"


@dataclass(frozen=True, slots=True)
class Push:
    forge: str
    tools: int
    what: str
    requests: int
    seconds: float
    commits: int


@dataclass(frozen=True, slots=True)
class Saves:
    plain: float
    pushed: float
    """Seconds of the median save."""

    @property
    def ratio(self) -> float:
        return self.pushed / self.plain


def main() -> int:
    options = _options()
    if options.scene:
        print(json.dumps(_play(options.scene, options.sizes, options.latency)))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench_") as folder, databases(options.database, Path(folder, "db")) as db:
        pushes = [Push(**each) for key in FORGES for each in _said(key, db.fresh, options)]
        saves = Saves(**_said("saves", db.fresh, options)[0])
        machine = describe(db.version)
    checks = _expectations(pushes, saves)
    held = [f"- {sentence}: {'held' if is_held else '**failed**'}." for sentence, is_held in checks.items()]
    save = f"A save through its page: {1000 * saves.plain:.1f} ms, and {1000 * saves.pushed:.1f} ms where it is pushed"
    text = "\n".join(
        [
            f"{machine}. {options.latency:g} ms added to every request.",
            "",
            *_table(pushes),
            "",
            f"{save}: {saves.ratio:.2f}× (median of {SAVES} each, in turns).",
            "",
            *held,
        ]
    )
    print(text)
    if options.write:
        replace_section(options.write, f"bench.push {db.kind}", text)
    return 0 if all(checks.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.push", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", default="10,100,2000", help="numbers of tools, with commas")
    parser.add_argument("--latency", type=float, default=50.0, help="milliseconds added to every request")
    parser.add_argument("--database", default="", help="a PostgreSQL server's URL; without it SQLite in a new file")
    parser.add_argument("--write", type=Path, help="a Markdown file whose table of this database is replaced")
    parser.add_argument("--scene", choices=[*FORGES, "saves"], help=argparse.SUPPRESS)
    return parser.parse_args()


def _said(
    scene: str, fresh: Callable[[], AbstractContextManager[str]], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """What one scene saw, in a process of its own that has the database to itself."""
    command = [sys.executable, "-m", "bench.push", "--scene", scene, "--sizes", options.sizes]
    with fresh() as database:
        done = subprocess.run(
            [*command, f"--latency={options.latency}"],
            cwd=ROOT,
            env=environment(database, GITSYNC_QUIET_SECONDS="0", MILLRACE_ROLE="worker"),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    said: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return said


def _table(pushes: list[Push]) -> list[str]:
    lines = [
        "| forge | tools | | requests | seconds | commits |",
        "| --- | --: | --- | --: | --: | --: |",
    ]
    for each in pushes:
        cells = (FORGES[each.forge], f"{each.tools:,}", each.what, each.requests, f"{each.seconds:.2f}", each.commits)
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return lines


def _expectations(pushes: list[Push], saves: Saves) -> dict[str, bool]:
    def requests(key: str, what: str) -> set[int]:
        return {each.requests for each in pushes if (each.forge, each.what) == (key, what)}

    saved = [each for each in pushes if each.what == SAVED]
    return {
        f"At {' and '.join(FORGES[key] for key in CONSTANT)} many tools take as many requests as few": all(
            len(requests(key, what)) == 1 for key in CONSTANT for what in (FIRST, SAVED, MOVED, NOTHING)
        ),
        "Where the head is still ours, it is so at every forge": all(len(requests(key, SAVED)) == 1 for key in FORGES),
        f"No push at GitHub takes more than {MOST_REQUESTS} requests": all(
            each.requests <= MOST_REQUESTS for each in pushes if each.forge == "github"
        ),
        "A save is one commit": all(each.commits == 1 for each in saved),
        "Nothing to do is no commit": all(each.commits == 0 for each in pushes if each.what == NOTHING),
        f"A save is at most {MOST_DEARER - 1:.0%} dearer where it is pushed": saves.ratio <= MOST_DEARER,
    }


# -- the scenes --------------------------------------------------------------------------------------------------------


def _play(scene: str, sizes: str, latency: float) -> list[dict[str, Any]]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from tests.wire.forge import Forge

    with tempfile.TemporaryDirectory(prefix="bench_") as folder, Forge(Path(folder), latency=latency / 1000) as forge:
        if scene == "saves":
            return [asdict(_saves(forge))]
        found = [each for size in sizes.split(",") for each in _pushes(forge, scene, int(size))]
        return [asdict(each) for each in found]


def _pushes(forge: Forge, key: str, size: int) -> list[Push]:
    from gitsync import targets
    from gitsync.models import PushTarget

    server, membership = _server(f"{key} {size}", size)
    hosted = forge.repository(f"octo/config-{size}", private=True)
    hosted.git.commit({"README.md": "# Configuration\n"}, "Begin")
    _assign(forge, key, server, membership, hosted.full_name)
    found = []

    def pushed(what: str) -> None:
        before, asked, started = _commits(hosted.git.path), len(forge.requests), time.perf_counter()
        _work()
        took = time.perf_counter() - started
        found.append(Push(key, size, what, len(forge.requests) - asked, took, _commits(hosted.git.path) - before))

    pushed(FIRST)
    _save(server, "Saved")
    pushed(SAVED)
    hosted.git.commit({"elsewhere.md": "# Elsewhere\n"}, "Somebody else's")
    _save(server, "Saved again")
    pushed(MOVED)
    targets.push_now(PushTarget.objects.get(server=server), membership)
    pushed(NOTHING)
    return found


def _saves(forge: Forge) -> Saves:
    """Both servers are alike but for the repository."""
    from django.conf import settings
    from django.test import Client
    from django.urls import reverse

    from gitsync.models import PendingChange

    settings.ALLOWED_HOSTS = ["testserver"]
    plain, membership = _server("plain", 10)
    pushed, _ = _server("pushed", 10, membership)
    hosted = forge.repository("octo/config", private=True)
    hosted.git.commit({"README.md": "# Configuration\n"}, "Begin")
    _assign(forge, "github", pushed, membership, hosted.full_name)
    _work()
    browser = Client()
    browser.force_login(membership.user)
    times: dict[str, list[float]] = {"plain": [], "pushed": []}
    for number in range(SAVES + 10):
        for name, server in (("plain", plain), ("pushed", pushed)):
            tool = server.tools.get(name="tool0")
            address = reverse("catalog:tool_edit", args=[membership.organization.slug, server.slug, tool.pk])
            entered = _entered(tool, f"Text {number}")
            started = time.perf_counter()
            answer = browser.post(address, entered)
            took = time.perf_counter() - started
            assert answer.status_code == 302, answer.content.decode()[:2000]
            if number >= 10:  # warm by then
                times[name].append(took)
    assert PendingChange.objects.count() == SAVES + 10
    return Saves(plain=median(times["plain"]), pushed=median(times["pushed"]))


def _entered(tool: Tool, description: str) -> dict[str, object]:
    """The form as it is filled in when the page is opened, with another description."""
    from catalog.forms.tools import ToolForm
    from catalog.tools import FIELDS

    form = ToolForm(initial={name: getattr(tool, name) for name in FIELDS})
    values = {bound.html_name: bound.value() for bound in form}
    kept = {name: value for name, value in values.items() if value not in (None, False)}
    return kept | {"description": description, "seen_revision": tool.revision}


def _server(name: str, size: int, membership: Membership | None = None) -> tuple[Server, Membership]:
    from orgs.models import Role
    from tests import factories

    if membership is None:
        acme = factories.organization(f"Acme {name}")
        membership = factories.membership(factories.user(), acme, Role.ADMIN)
    server = factories.server(membership.organization, name.title())
    provider = factories.provider(server, "Weather", base_url="https://api.example.com/v1")
    for number in range(size):
        factories.tool(
            provider,
            f"tool{number}",
            path=f"/cities/{{city}}/{number}",
            description=f"What the sky does, number {number}.",
            path_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            query_schema={"type": "object", "properties": {"days": {"type": "integer", "maximum": 14}}},
        )
    return server, membership


def _assign(forge: Forge, key: str, server: Server, membership: Membership, repository: str) -> None:
    from gitsync import targets
    from gitsync.probing import Assignment
    from tests import factories
    from tests.forges.conftest import SIDES

    side = SIDES[key]
    credential = side.credential(forge, "octo")
    if key == "git":
        values = Assignment(repository=forge.clone_url(repository), token=credential.token)
    else:
        connection = factories.connection(
            membership.organization,
            membership.user,
            forge=key,
            base_url=side.base_url(forge),
            token=credential.token,
            username=credential.username,
        )
        values = Assignment(connection_id=connection.pk, repository=repository)
    targets.assign(server=server, values=values, membership=membership)


def _save(server: Server, description: str) -> None:
    from catalog import tools

    tool = server.tools.select_related("server", "provider").get(name="tool3")
    tools.edit_tool(tool=tool, values={"description": description}, seen_revision=None, by=None)


def _work() -> None:
    """Do what was saved or asked for, as a worker and its supervisor do."""
    from gitsync.saves import ask_for_pushes
    from jobs.execution import execute
    from jobs.models import Run, Status

    ask_for_pushes()
    (run,) = Run.objects.filter(status=Status.QUEUED)
    status = execute(str(run.pk))
    run.refresh_from_db()
    assert status == Status.SUCCEEDED, run.error_text


def _commits(path: Path) -> int:
    counted = subprocess.run(["git", "rev-list", "--count", "main"], cwd=path, capture_output=True, check=True)
    return int(counted.stdout)


if __name__ == "__main__":
    sys.exit(main())

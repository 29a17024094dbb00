"""What keeping an organisation and a repository the same costs: requests and seconds, in each direction.

    python -m bench.mirror [--entities 1000] [--many 500] [--latency 50] [--database postgres://…] [--write …]

For each forge, on a local forge in the same process that makes every request wait: all entities come in from git in one
push, then one of them is changed here, one in git, nothing at all, and many in git in one push. It is the code that a
worker runs, without the seconds in which it waits for more to be saved. Exit code 1 if an expectation fails.
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
from typing import TYPE_CHECKING, Any

from bench.databases import databases
from bench.machine import describe
from bench.measuring import ROOT, environment
from bench.tables import replace_section

if TYPE_CHECKING:
    from tests.gitsync.mirror_world import Mirrored
    from tests.wire.forge import Forge

FORGES = {"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket", "git": "plain git"}
FIRST, HERE, THERE, NOTHING, MANY = (
    "all come in from git",
    "one changed here",
    "one changed in git",
    "nothing changed",
    "many changed in git",
)
MOST_REQUESTS = 7
"""Of one changed, where a tree is one request: the head, the tree; the head again, its commit, a tree, a commit, the
ref."""
MOST_SECONDS = {FIRST: 60.0, MANY: 30.0, HERE: 5.0, THERE: 5.0, NOTHING: 1.0}
"""For 1,000 entities, of which 500 are many, with 50 ms to each request, on a machine that does other work besides."""


@dataclass(frozen=True, slots=True)
class Sync:
    forge: str
    what: str
    written: int
    read: int
    requests: int
    seconds: float
    commits: int


def main() -> int:
    options = _options()
    if options.scene:
        print(json.dumps(_play(options)))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench_") as folder, databases(options.database, Path(folder, "db")) as db:
        syncs = [Sync(**each) for key in options.forges.split(",") for each in _said(key, db.fresh, options)]
        machine = describe(db.version)
    checks = _expectations(syncs)
    held = [f"- {sentence}: {'held' if is_held else '**failed**'}." for sentence, is_held in checks.items()]
    heading = f"{machine}. {options.entities:,} entities, {options.latency:g} ms added to every request."
    text = "\n".join([heading, "", *_table(syncs), "", *held])
    print(text)
    if options.write:
        replace_section(options.write, f"bench.mirror {db.kind}", text)
    return 0 if all(checks.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.mirror", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entities", type=int, default=1000, help="of all kinds but servers")
    parser.add_argument("--many", type=int, default=500, help="how many of them one push changes")
    parser.add_argument("--latency", type=float, default=50.0, help="milliseconds added to every request")
    parser.add_argument("--forges", default=",".join(FORGES), help="which, with commas")
    parser.add_argument("--database", default="", help="a PostgreSQL server's URL; without it SQLite in a new file")
    parser.add_argument("--write", type=Path, help="a Markdown file whose table of this database is replaced")
    parser.add_argument("--scene", choices=FORGES, help=argparse.SUPPRESS)
    return parser.parse_args()


def _said(
    scene: str, fresh: Callable[[], AbstractContextManager[str]], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """What one scene saw, in a process of its own that has the database to itself."""
    command = [sys.executable, "-m", "bench.mirror", "--scene", scene]
    command += [f"--{name}={getattr(options, name)}" for name in ("entities", "many", "latency")]
    with fresh() as database:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(database, GITSYNC_QUIET_SECONDS="0", MILLRACE_ROLE="worker"),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    said: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return said


def _table(syncs: list[Sync]) -> list[str]:
    lines = [
        "| forge | | read | written | requests | seconds | commits |",
        "| --- | --- | --: | --: | --: | --: | --: |",
    ]
    for each in syncs:
        cells = (FORGES[each.forge], each.what, f"{each.read:,}", f"{each.written:,}", each.requests)
        lines.append(f"| {' | '.join(map(str, cells))} | {each.seconds:.2f} | {each.commits} |")
    return lines


def _expectations(syncs: list[Sync]) -> dict[str, bool]:
    one = [each for each in syncs if each.what in (HERE, THERE)]
    few = [each for each in one if each.forge in ("github", "git")]
    return {
        "Nothing changed is one request at every forge": {s.requests for s in syncs if s.what == NOTHING} == {1},
        f"One changed is at most {MOST_REQUESTS} requests at GitHub and plain git, in each direction": all(
            each.requests <= MOST_REQUESTS for each in few
        ),
        "One changed here is one commit, one changed in git is none": all(
            each.commits == (each.what == HERE) for each in one
        ),
        "One changed is one entity": all(
            (each.read, each.written) == (each.what == THERE, each.what == HERE) for each in one
        ),
        "; ".join(f"{what} within {most:g} s" for what, most in MOST_SECONDS.items()): all(
            each.seconds <= MOST_SECONDS[each.what] for each in syncs
        ),
    }


# -- the scene ---------------------------------------------------------------------------------------------------------


def _play(options: argparse.Namespace) -> list[dict[str, Any]]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from tests.wire.forge import Forge

    latency = options.latency / 1000
    with tempfile.TemporaryDirectory(prefix="bench_") as folder, Forge(Path(folder), latency=latency) as forge:
        return [asdict(each) for each in _syncs(forge, options.scene, options.entities, options.many)]


def _syncs(forge: Forge, key: str, entities: int, many: int) -> list[Sync]:
    from orgs.models import Role
    from tests import factories
    from tests.gitsync.mirror_world import connect

    organization, person = factories.organization("Acme"), factories.user()
    factories.membership(person, organization, Role.ADMIN)
    hosted = forge.repository("octo/entities", private=True)
    hosted.git.commit({"README.md": "# Ours\n"}, "Begin")
    made = connect(forge, key, hosted, organization, person)
    made.commit(_files(entities))
    found = [_synced(made, FIRST)]
    made.save("command", "command-3", description="Changed here.")
    found.append(_synced(made, HERE))
    made.edit("commands/command-4.json", description="Changed in git.")
    found.append(_synced(made, THERE))
    found.append(_synced(made, NOTHING))
    commands = [path for path in made.tree() if path.startswith("commands/")][:many]
    made.commit({path: {**made.json(path), "description": "Changed with others."} for path in commands})
    found.append(_synced(made, MANY))
    made.assert_in_step()
    return found


def _synced(made: Mirrored, what: str) -> Sync:
    """By webhook, as it is when nobody looks."""
    commits, asked, started = _commits(made), len(made.forge.requests), time.perf_counter()
    counts = made.sync(trigger="webhook").counts
    took = time.perf_counter() - started
    requests = len(made.forge.requests) - asked
    assert made.states() == {}, made.states()
    return Sync(
        made.key, what, counts.get("written", 0), counts.get("read", 0), requests, took, _commits(made) - commits
    )


def _files(entities: int) -> dict[str, Any]:
    """Seven of ten are commands, two are skills of two files, and a tenth are toolkits of some of them."""
    files: dict[str, Any] = {}
    for number in range(entities * 7 // 10):
        slug = f"command-{number}"
        text = f"Look at {{{{place}}}}, and say in three sentences what you see there. Number {number}.\n" * 5
        files[f"commands/{slug}.json"] = {
            "id": slug,
            "name": f"Command {number}",
            "slug": slug,
            "description": "Looks at a place.",
            "arguments": [{"name": "place", "required": True}],
            "prompt": text,
        }
    for number in range(entities * 2 // 10):
        slug = f"skill-{number}"
        head = f"name: {slug}\ndescription: Does it.\nmetadata:\n  millrace-id: {slug}\n"
        files[f"skills/{slug}/SKILL.md"] = f"---\n{head}---\n\n# How\n\nRun it, {number} times.\n"
        files[f"skills/{slug}/scripts/run.py"] = f"print({number})\n" * 20
    for number in range(entities - entities * 7 // 10 - entities * 2 // 10):
        slug = f"toolkit-{number}"
        files[f"toolkits/{slug}.json"] = {
            "id": slug,
            "name": f"Toolkit {number}",
            "slug": slug,
            "commands": [f"command-{number}"],
            "skills": [f"skill-{number}"],
        }
    return files


def _commits(made: Mirrored) -> int:
    path = made.hosted.git.path
    counted = subprocess.run(["git", "rev-list", "--count", "main"], cwd=path, capture_output=True, check=True)
    return int(counted.stdout)


if __name__ == "__main__":
    sys.exit(main())

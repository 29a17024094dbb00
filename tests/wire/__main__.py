"""Serve repositories by hand: `python -m tests.wire --repo PATH --port N --latency MILLISECONDS`."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from tests.wire import samples
from tests.wire.contract import load_contract
from tests.wire.forge import Forge
from tests.wire.objects import git
from tests.wire.repos import GitRepo


def main() -> int:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="wire-"))
    contracts = os.environ.get("CONTRACTS_DIR", "")
    contract = load_contract(Path(contracts) / "github.json") if contracts and options.check else None
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with Forge(folder, contract=contract, port=options.port, latency=options.latency / 1000) as forge:
            for path in options.repo:
                name = f"{options.owner}/{path.resolve().name.removesuffix('.git')}"
                forge.repository(name, git=_open(path), private=options.private)
            if options.files is not None:
                hosted = forge.repository(f"{options.owner}/files", private=options.private)
                hosted.git.commit(samples.many(options.files))
            token = forge.token(options.owner)
            _say(forge, token)
            stop.wait()
            for violation in forge.violations:
                print(violation, file=sys.stderr)  # noqa: T201 - a command speaks
            return 1 if forge.violations or forge.errors else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.wire", description=__doc__)
    parser.add_argument("--repo", type=Path, action="append", default=[], help="a git repository to serve; repeatable")
    parser.add_argument("--files", type=int, help="also serve OWNER/files, a repository made of so many pages")
    parser.add_argument("--owner", default="acme", help="the account that owns them (default: acme)")
    parser.add_argument("--private", action="store_true", help="only the printed token sees them")
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds added to every request")
    parser.add_argument("--check", action="store_true", help="check against CONTRACTS_DIR and tell at the end")
    return parser.parse_args()


def _open(path: Path) -> GitRepo:
    """The repository itself, bare or not: what is committed to it is served at once."""
    folder = Path(git(path, "rev-parse", "--absolute-git-dir").decode().strip())
    return GitRepo(folder, default_branch=git(folder, "symbolic-ref", "--short", "HEAD").decode().strip())


def _say(forge: Forge, token: str) -> None:
    lines = [f"url {forge.url}", f"token {token}"]
    lines += [f"repository {hosted.full_name}" for hosted in forge.world.repositories.values()]
    print("\n".join(lines), flush=True)  # noqa: T201 - a command speaks


if __name__ == "__main__":
    sys.exit(main())

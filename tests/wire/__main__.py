"""Serve repositories by hand: `python -m tests.wire --repo PATH --port N --latency MILLISECONDS --oauth CALLBACK`."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from tests.wire import samples
from tests.wire.bitbucket_contract import load_bitbucket_contract
from tests.wire.contract import load_contract
from tests.wire.forge import Forge
from tests.wire.objects import git
from tests.wire.repos import GitRepo

CONTRACTS = {"github": load_contract, "bitbucket": load_bitbucket_contract}
SCOPES = {
    "github": (),
    "gitlab": (),
    "bitbucket": ("account", "repository", "repository:write", "pullrequest", "pullrequest:write", "webhook"),
}
"""What applications may ask for; none named: anything. Bitbucket's are chosen where the application is made."""


def main() -> int:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="wire-"))
    contracts = os.environ.get("CONTRACTS_DIR", "")
    known = CONTRACTS if contracts and options.check else {}
    check = {name: load(Path(contracts) / f"{name}.json") for name, load in known.items()}
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with Forge(
            folder, contract=check.get("github"), contracts=check, port=options.port, latency=options.latency / 1000
        ) as forge:
            for path in options.repo:
                name = f"{options.owner}/{path.resolve().name.removesuffix('.git')}"
                forge.repository(name, git=_open(path), private=options.private)
            if options.files is not None:
                hosted = forge.repository(f"{options.owner}/files", private=options.private)
                hosted.git.commit(samples.many(options.files))
            token = forge.token(options.owner)
            _say(forge, token)
            forge.world.oauth.person = options.person or options.owner
            if options.oauth:
                _say_applications(forge, options.oauth)
            if options.app:
                _say_app(forge, options.app, options.webhook, folder)
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
    parser.add_argument("--person", help="who sits at the forge's pages (default: OWNER)")
    parser.add_argument("--oauth", action="append", default=[], metavar="REDIRECT_URI", help="repeatable")
    parser.add_argument("--app", metavar="CALLBACK", help="a GitHub App that leads back there")
    parser.add_argument("--webhook", default="", metavar="URL", help="where that App delivers to")
    return parser.parse_args()


def _open(path: Path) -> GitRepo:
    """The repository itself, bare or not: what is committed to it is served at once."""
    folder = Path(git(path, "rev-parse", "--absolute-git-dir").decode().strip())
    return GitRepo(folder, default_branch=git(folder, "symbolic-ref", "--short", "HEAD").decode().strip())


def _say(forge: Forge, token: str) -> None:
    lines = [f"url {forge.url}", f"token {token}"]
    lines += [f"repository {hosted.full_name}" for hosted in forge.world.repositories.values()]
    print("\n".join(lines), flush=True)  # noqa: T201 - a command speaks


def _say_applications(forge: Forge, redirect_uris: list[str]) -> None:
    """One application at each forge, as `forge|address|client id|client secret`."""
    for name, scopes in SCOPES.items():
        app = forge.world.oauth.app(name, redirect_uri=redirect_uris[0], scopes=scopes, owner=forge.world.oauth.person)
        app.redirect_uris |= set(redirect_uris)
        print(f"oauth {name}|{forge.url}|{app.client_id}|{app.client_secret}", flush=True)  # noqa: T201


def _say_app(forge: Forge, callback: str, webhook: str, folder: Path) -> None:
    secret = secrets.token_hex(16)
    app = forge.world.github_app(callback_url=callback, webhook_url=webhook, webhook_secret=secret)
    key = folder / "app.pem"
    key.write_text(app.private_key_pem)
    facts = {
        "id": app.app_id,
        "slug": app.slug,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "private_key": key,
        "webhook_secret": secret,
    }
    for name, value in facts.items():
        print(f"app_{name} {value}", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())

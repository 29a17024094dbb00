"""`manage.py demo`: a small real world, its web server and its worker in one terminal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from config.demo import connect, library, repository, sources, world
from config.demo import site as school
from orgs.models import Organization, User

STOP_SECONDS = 20


class Command(BaseCommand):
    help = "Migrates, seeds a small real world, and starts the web server and a worker. Ctrl-C stops both."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--seed-only", action="store_true", help="Make the world and start nothing.")

    def handle(self, *_: Any, port: int, seed_only: bool, **__: Any) -> None:
        folder = self._folder()
        self._refuse_others_database()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        repository.create(folder)
        made = world.seed(folder)
        for run in made.imported:
            self.stdout.write(f"{run.subject_label}: {run.get_status_display().lower()}, {_counts(run.counts)}")
        if seed_only:
            return
        if _is_taken(port):
            raise CommandError(f"Port {port} is in use. Stop what uses it, or run `make demo PORT={port + 1}`.")
        sys.exit(self._serve(port, folder, world.open_site(made.organization, folder), made.organization))

    def _folder(self) -> Path:
        if not settings.FORGE_LOCAL_ROOTS:
            raise CommandError(
                "FORGE_LOCAL_ROOTS is empty, so the demo's repository cannot be read. Set it in .env to the full path "
                f"of {Path('var') / 'demo' / 'repositories'}, or move .env away and run `make demo` again."
            )
        return Path(settings.FORGE_LOCAL_ROOTS[0]) / "acme-weather"

    def _refuse_others_database(self) -> None:
        """The demo's people have a password that everybody knows, and one of them may use the Django admin."""
        if User._meta.db_table not in connection.introspection.table_names():
            return
        if User.objects.exists() and not User.objects.filter(email=world.PEOPLE[0][0]).exists():
            raise CommandError(
                "The database has accounts that are not the demo's, and the demo would add people whose password "
                "everybody knows. Give it a database of its own in DATABASE_URL, or run `make demo` in another folder."
            )

    def _serve(self, port: int, folder: Path, site: sources.Opened, organization: Organization) -> int:
        # Children of their own groups: Ctrl-C reaches this process alone, which then ends them in order.
        address = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "BASE_URL": address}
        if site.server is not None:
            environment["EGRESS_ALLOW_HOSTS"] = ",".join([*settings.EGRESS_ALLOW_HOSTS, site.address])
        web = [
            "uvicorn",
            "config.asgi:application",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--log-level",
            "warning",
            "--timeout-keep-alive",
            "75",
        ]
        children = [
            subprocess.Popen([sys.executable, "-m", *web], env=environment, start_new_session=True),
            subprocess.Popen([sys.executable, "manage.py", "worker"], env=environment, start_new_session=True),
        ]
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            _wait_for(port, children)
            self._explain(address, folder, site, connect.lines(world.open_to_agents(organization), address))
            while all(child.poll() is None for child in children):
                time.sleep(0.5)
            return 1  # one of them ended by itself; its own words say why
        except KeyboardInterrupt:
            return 0
        finally:
            self.stdout.write("\nStopping …")
            _stop(children)

    def _explain(self, address: str, folder: Path, site: sources.Opened, agents: list[str]) -> None:
        page = "docs/guides/quickstart.md"
        shown = os.path.relpath(folder)
        pushed = os.path.relpath(world.pushed_to(folder))
        pages = os.path.relpath(world.served_from(folder))
        people = "\n".join(f"    {email:22} {role}" for email, _, role in world.PEOPLE)
        self.stdout.write(
            f"\n  Millrace answers at {self.style.SUCCESS(address)}\n\n"
            f"  Sign in with the password “{world.PASSWORD}” as\n{people}\n"
            f"  ({world.PEOPLE[0][0]} may also use {address}/admin/)\n\n"
            "  Try it: change the repository, then click Refresh in the table of integrations\n"
            f"    echo 'Bring an umbrella.' >> {shown}/{page} && git -C {shown} commit -qam 'Mention umbrellas'\n"
            f"    {address}/o/acme/servers/handbook/integrations/\n\n"
            f"  Then let an agent find it: ask it for the umbrella\n{_indented(agents)}\n"
            "  Or edit a tool, and a few seconds later look at the commit that it became\n"
            f"    {address}/o/acme/servers/handbook/tools/\n"
            f"    git -C {pushed} log -p main\n\n"
            "  Or change a command where the whole Library is files, then click Sync now\n"
            f"    {library.to_try(os.path.relpath(world.mirrored_in(folder)))}\n"
            f"    {address}/o/acme/settings/sync/\n\n"
            "  Or search what is indexed: content, a web site, a repository\n"
            f"    {address}/o/acme/servers/{world.FURNISHED}/search/?q=why+does+wind+feel+cold\n"
            f"{_about(site, address, pages)}\n"
            "  Ctrl-C stops it; `make demo` goes on where it was.\n"
        )
        self.stdout.flush()


def _about(site: sources.Opened, address: str, folder: str) -> str:
    """What can be tried with the demo's site."""
    if site.server is not None:
        return (
            f"  and change a page of the site at http://{site.address}/, then click Refresh beside it\n"
            f"    {school.to_try(folder)}\n"
            f"    {address}/o/acme/servers/{world.FURNISHED}/sources/\n"
        )
    if site.address:
        return f"  (its site is not served: something else answers at {site.address})\n"
    return ""


def _indented(lines: list[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "nothing to import"


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_for(port: int, children: list[subprocess.Popen[bytes]]) -> None:
    for _ in range(300):
        if _is_taken(port) or any(child.poll() is not None for child in children):
            return
        time.sleep(0.1)


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

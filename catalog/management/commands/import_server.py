"""`manage.py import_server`: a server's configuration from a file that was exported or pushed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.exchange import applying, wording
from catalog.exchange.errors import DocumentError
from catalog.exchange.merging import check_merged
from catalog.exchange.model import ServerConfig
from catalog.exchange.planning import ImportPlan, plan
from catalog.exchange.reading import MOST_BYTES, read
from catalog.exchange.snapshot import snapshot
from catalog.management.named import named_organization, named_server
from catalog.models import Server
from catalog.servers import RESERVED_SLUGS, SlugTaken


class Command(BaseCommand):
    help = (
        "Import a server's configuration. With ORGANISATION/SERVER and no --as-new it goes into the server that is "
        "there; else a new one is made. Prints what changes. Ends with 1 where nothing was imported."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", metavar="ORGANISATION[/SERVER]", help="The slugs, as in the address.")
        parser.add_argument("file", type=Path, metavar="FILE", help="An export.json, or - for the standard input.")
        parser.add_argument("--as-new", action="store_true", help="Make a new server, with SERVER as its slug.")
        parser.add_argument("--remove", action="store_true", help="Remove what is not in the file.")
        parser.add_argument("--dry-run", action="store_true", help="Only print what would change.")
        parser.add_argument(
            "--confirm-hosts",
            action="store_true",
            help="Agree to requests and secrets going to other hosts than before.",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        target: str = options["target"]
        try:
            wanted = read(_text_of(options["file"])).config
            if "/" in target and not options["as_new"]:
                self._into(named_server(target), wanted, options)
            else:
                self._as_new(target, wanted, options)
        except DocumentError as error:
            raise CommandError(f"Nothing was imported. What is wrong with the file:\n{error}") from error

    def _into(self, server: Server, wanted: ServerConfig, options: dict[str, Any]) -> None:
        remove = options["remove"]
        if options["dry_run"]:
            found = applying.plan_import(server, wanted)
            check_merged(snapshot(server, masked=False), found.resolved, remove=remove)
            self._print(found, remove=remove)
            self.stdout.write("Nothing was imported (--dry-run).")
            return
        try:
            imported = applying.apply_import(
                server=server, wanted=wanted, by=None, remove=remove, confirmed_hosts=options["confirm_hosts"]
            )
        except applying.HostsNotConfirmed as error:
            self._print(error.plan, remove=remove)
            raise CommandError(f"{error} Then run this with --confirm-hosts.") from error
        except applying.ServerMoved as error:
            raise CommandError("Somebody else changed the server at the same moment. Run this again.") from error
        self._print(imported.plan, remove=remove)
        self.stdout.write(f"Imported into {server}." if imported.changes else "Nothing changed.")

    def _as_new(self, target: str, wanted: ServerConfig, options: dict[str, Any]) -> None:
        name, _, slug = target.partition("/")
        organization = named_organization(name)
        if slug in RESERVED_SLUGS:
            raise CommandError(f"The slug “{slug}” is used by Millrace itself. Choose another.")
        self._print(plan(None, wanted), remove=False)
        if options["dry_run"]:
            slug = slug or applying.new_slug(organization, wanted)
            self.stdout.write(f"Nothing was imported (--dry-run). It would be {organization.slug}/{slug}.")
            return
        try:
            imported = applying.import_as_new(organization=organization, wanted=wanted, by=None, slug=slug)
        except SlugTaken as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Imported as the new server {organization.slug}/{imported.server.slug}.")

    def _print(self, found: ImportPlan, *, remove: bool) -> None:
        sections = [("create", found.created), ("change", found.changed)]
        sections.append(("remove", found.removed) if remove else ("not in the file, stays", found.removed))
        for word, items in sections:
            for item in items:
                self.stdout.write(f"{word}: {item.kind} {wording.line(item)}")
        for name in found.forgotten:
            self.stdout.write(f"forgotten, because it could go to more hosts: the value of {name}")
        for place in found.missing:
            self.stdout.write(f"to be entered: {wording.masked_line(place)}")
        for move in found.moves:
            self.stdout.write(f"goes to another host: {wording.move_line(move)}")


def _text_of(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error

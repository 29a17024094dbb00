"""`manage.py export_server`: a server's configuration as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.exchange.document import render
from catalog.exchange.errors import DocumentError
from catalog.exchange.snapshot import snapshot
from catalog.management.named import named_server


class Command(BaseCommand):
    help = "Write the configuration of a server as export.json. Secrets are masked; `import_server` reads it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("server", metavar="ORGANISATION/SERVER", help="The slugs, as in the server's address.")
        parser.add_argument(
            "--output",
            type=Path,
            metavar="FILE|DIRECTORY",
            help="In a directory it is export.json. Else it is printed.",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        server = named_server(options["server"])
        try:
            text = render(snapshot(server))
        except DocumentError as error:
            raise CommandError(f"{server} cannot be exported. Correct on its pages:\n{error}") from error
        output: Path | None = options["output"]
        if output is None:
            self.stdout.write(text.decode(), ending="")
            return
        path = output / "export.json" if output.is_dir() else output
        try:
            path.write_bytes(text)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"{server} is in {path}.")

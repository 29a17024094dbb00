"""`manage.py collect_blobs`: delete the texts that nothing refers to any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from catalog.blobs import collect_unused
from catalog.collecting import GRACE


class Command(BaseCommand):
    help = "Delete the texts that no content, version or history refers to any more. A schedule runs it once a day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=float,
            default=GRACE.total_seconds() / 3600,
            metavar="HOURS",
            help="Spare those stored within so many hours (default: %(default)s). An import that runs may need them.",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        collected = collect_unused(timedelta(hours=options["older_than"]))
        self.stdout.write(f"{collected} unused text{'' if collected == 1 else 's'} deleted.")

"""`manage.py rotate_keys`: re-encrypt stored secrets under the newest key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lib.crypto import InvalidKeyRing, Rotation, key_ring, rotate
from orgs import second_factors


class Command(BaseCommand):
    help = "Re-encrypts stored secrets that are not under the newest of ENCRYPTION_KEYS. Can be stopped and run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch-size", type=int, default=500, help="rows to a transaction (500)")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            newest = key_ring().newest
        except InvalidKeyRing as error:
            raise CommandError(str(error)) from None
        results = (
            *rotate(batch_size=max(1, options["batch_size"]), on_batch=self._report),
            second_factors.rotate(on_batch=self._report),
        )
        failures = [failure for result in results for failure in result.failures]
        for failure in failures:
            self.stderr.write(failure)
        if failures:
            raise CommandError(
                f"{len(failures)} secrets could not be opened and stay as they are. Keep the old keys until they can."
            )
        if any(result.changed for result in results):
            self.stdout.write("Some secrets were saved by others meanwhile. Run this again to be sure of them.")
            return
        rotated = sum(result.rotated for result in results)
        self.stdout.write(f"Re-encrypted: {rotated}. Every secret is now under the key “{newest}”.")

    def _report(self, result: Rotation) -> None:
        self.stdout.write(
            f"{result.field}: {result.rotated} re-encrypted, {result.changed} changed meanwhile, "
            f"{len(result.failures)} failed"
        )

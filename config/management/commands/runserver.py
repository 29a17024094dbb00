"""`manage.py runserver`: refused, with what to run instead."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Not for Millrace: start it with `uvicorn config.asgi:application`."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(argv[:2])  # whatever it was to be told

    def handle(self, *_: Any, **__: Any) -> None:
        raise CommandError(
            "Django's own server speaks no ASGI, so that no MCP client would be answered. Run "
            "`uvicorn config.asgi:application --reload`, or `make demo` for a web process and a worker."
        )

"""`manage.py worker`: does the Runs, and keeps itself alive."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from jobs.supervision import Supervisor


class Command(BaseCommand):
    help = "Does queued runs until it is stopped (Ctrl-C or SIGTERM; twice to insist). Start as many as you need."
    requires_migrations_checks = True

    def handle(self, *_: Any, **__: Any) -> None:
        sys.exit(Supervisor(stale=settings.JOB_STALE, patience=settings.JOB_STOP_SECONDS).run())

"""`manage.py doctor`: what is configured, what is missing and how to get it."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.diagnosis import State, diagnose


class Command(BaseCommand):
    help = "Says what is configured, what is missing and how to get it. Exit code 0, or 1 when something is missing."
    requires_system_checks = []

    def handle(self, *_: Any, **__: Any) -> None:
        findings = diagnose()
        style = {State.OK: self.style.SUCCESS, State.NOTE: self.style.WARNING, State.MISSING: self.style.ERROR}
        for finding in findings:
            self.stdout.write(f"{style[finding.state](f'{finding.state:8}')}{finding.topic}: {finding.text}")
            if finding.advice:
                self.stdout.write(f"        → {finding.advice}")
        missing = sum(finding.state is State.MISSING for finding in findings)
        if missing:
            self.stdout.write(self.style.ERROR(f"{missing} to mend."))
            sys.exit(1)
        self.stdout.write("Everything that is needed is there.")

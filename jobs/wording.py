"""How pages speak of Runs."""

from __future__ import annotations

from django.utils import timezone
from django.utils.formats import date_format

from jobs.models import Run


def waiting_words(run: Run) -> str:
    """“until 14:05”, in the reader's time zone, with the day when it is not today; or for what."""
    if run.wait_until is None:
        return f"for {run.waiting_for}" if run.waiting_for else ""
    until = timezone.localtime(run.wait_until)
    same_day = until.date() == timezone.localdate()
    return f"until {date_format(until, 'H:i' if same_day else 'j M, H:i')}"

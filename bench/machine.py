"""The machine that a table was made on, in a line: numbers mean nothing without it."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path


def describe(database: str) -> str:
    """`database` is the database's own name and version."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    cores = os.cpu_count() or 1
    return (
        f"{datetime.now(UTC):%d %B %Y}, {_processor()}, {cores} cores, {platform.system()}, "
        f"Python {platform.python_version()}, {database}, {git}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())

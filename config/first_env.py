"""Write a first `.env`, with keys of its own: `python -m config.first_env`. An existing one is never touched."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from lib.crypto import generate_key

ROOT = Path(__file__).resolve().parent.parent

TEMPLATE = """\
# Written by `make demo`. .env.example explains each line and names the others.
# Keep these two: without them sessions end, and stored tokens cannot be read any more.
SECRET_KEY={secret}
ENCRYPTION_KEYS={key}
# The demo's own repositories. Remove this line before others than you may sign in.
FORGE_LOCAL_ROOTS={local}
"""


def write(path: Path) -> bool:
    """Create the file, readable by its owner alone; False if there is one."""
    text = TEMPLATE.format(
        secret=secrets.token_urlsafe(50), key=generate_key(), local=path.parent / "var" / "demo" / "repositories"
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return True


if __name__ == "__main__":
    made = write(ROOT / ".env")
    sys.stdout.write("Wrote .env with new keys.\n" if made else ".env is there already.\n")

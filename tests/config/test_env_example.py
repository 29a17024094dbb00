"""`.env.example` documents each setting that comes from the environment, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

NOT_FOR_OPERATORS = {"MILLRACE_ENV_FILE", "MILLRACE_ROLE"}
"""Set by the processes themselves, or by tests."""


def test_each_setting_is_documented_and_nothing_else() -> None:
    root = Path(settings.BASE_DIR)
    source = (root / "config" / "settings.py").read_text()
    asked = set(re.findall(r'(?:env(?:\.\w+)?|_required)\(\s*"([A-Z_]+)"', source)) - NOT_FOR_OPERATORS
    documented = set(re.findall(r"^#?([A-Z_]+)=", (root / ".env.example").read_text(), flags=re.MULTILINE))
    assert asked == documented

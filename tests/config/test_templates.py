"""Every template compiles: a slip in one that is seldom shown is found here and not by a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = Path(settings.BASE_DIR) / "templates"


@pytest.mark.parametrize("path", sorted(str(file.relative_to(ROOT)) for file in ROOT.rglob("*.*") if file.is_file()))
def test_each_template_compiles(path: str) -> None:
    get_template(path)

"""What the guides tell operators to type."""

from __future__ import annotations

import re

import pytest
from django.conf import settings


@pytest.mark.parametrize("name", ["README.md", "docs/operator-guide.md"])
def test_the_web_process_is_started_without_an_access_log_which_would_keep_the_links_of_invitations(name: str) -> None:
    text = (settings.BASE_DIR / name).read_text()
    starts = re.findall(r"uvicorn config\.asgi:application[^\n`|]*", text)
    assert starts
    assert all("--no-access-log" in start for start in starts)

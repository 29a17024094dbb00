"""What axe finds on a page, in every size and theme."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe

from tests.browser.window import Window, expect_no_sideways_scroll

AXE = Axe()
ALL_RULES = {"resultTypes": ["violations"]}
COLOURS = {**ALL_RULES, "runOnly": ["color-contrast"]}
"""What the dark theme can change about a page."""


def expect_no_barrier(window: Window) -> None:
    """The page as it is now has none, and is no wider than its window."""
    found = []
    for look in window.looks():
        expect_no_sideways_scroll(window.page)
        results = AXE.run(window.page, options=COLOURS if "dark" in look else ALL_RULES)
        if results.violations_count:
            found.append(f"{look}:\n{results.generate_report()}")
    assert not found, "\n".join(found)

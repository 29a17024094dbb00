"""One person's browser window on an installation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from orgs.models import User
from tests.browser.installation import Installation
from tests.browser.watching import Watch

DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

SETTLE = """async () => {
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    await Promise.allSettled(document.getAnimations()
        .filter((animation) => animation.timeline === document.timeline) // not what follows scrolling
        .map((animation) => animation.finished));
}"""
"""Wait until colours and places are final."""


class Window:
    """A window with cookies of its own; `page` is Playwright's."""

    def __init__(
        self, browser: Browser, installation: Installation, *, person: User | None = None, javascript: bool = True
    ) -> None:
        self.installation = installation
        self.javascript = javascript
        self.context = browser.new_context(
            base_url=installation.url,
            viewport=DESK,
            java_script_enabled=javascript,
            reduced_motion="reduce",
            locale="en-GB",
        )
        self.watch = Watch(self.context, installation.url)
        if person is not None:
            self.sign_in(person)
        self.page = self.context.new_page()

    def close(self) -> None:
        self.context.close()

    def sign_in(self, person: User) -> None:
        """As if they had signed in before: the sign-in page has tests of its own."""
        client = Client()
        client.force_login(person)
        name = settings.SESSION_COOKIE_NAME
        self.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": self.installation.url}])

    def open(self, path: str) -> Page:
        self.page.goto(path)
        return self.page

    @contextmanager
    def without_loading_a_page(self) -> Iterator[None]:
        """What happens inside is htmx's doing: no whole page is loaded."""
        before = self.watch.documents()
        yield
        assert self.watch.documents() == before, "a whole page was loaded"

    def looks(self) -> Iterator[str]:
        """The page in every size and theme, one after the other; the name of each. The desk in light at the end."""
        for width, size in (("phone", PHONE), ("desk", DESK)):
            for theme in reversed(THEMES):
                self.page.set_viewport_size(size)
                self.page.emulate_media(color_scheme=theme)
                if self.javascript:
                    self.page.evaluate(SETTLE)
                yield f"{width} {theme}"

    def picture(self, name: str) -> None:
        """Keep what the page looks like, in the folder that SCREENSHOTS names; nothing without one."""
        if folder := os.environ.get("SCREENSHOTS"):
            for look in self.looks():
                file = Path(folder) / f"{name} {look}.png".replace(",", "").replace(" ", "-")
                floats = "dialog" in name or "menu" in name
                # caret: hiding it leaves empty style attributes behind, which the Content-Security-Policy then refuses.
                self.page.screenshot(path=file, full_page=not floats, caret="initial")


def expect_no_sideways_scroll(page: Page) -> None:
    """A page is no wider than its window; what is wide scrolls inside a box of its own."""
    wide = page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            return [...document.querySelectorAll("body *")]
                .filter((element) => element.getBoundingClientRect().right > width + 1)
                .map((element) => element.outerHTML.slice(0, 120));
        }"""
    )
    assert not wide, "the page scrolls sideways because of:\n" + "\n".join(wide[:10])


def expect_visible_focus(element: Locator) -> None:
    """The element has the focus, and one can see it."""
    expect(element).to_be_focused()
    shown = element.evaluate(
        """(element) => {
            const style = getComputedStyle(element);
            return element.matches(":focus-visible")
                && (parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none");
        }"""
    )
    assert shown, f"the focus on {element} cannot be seen"

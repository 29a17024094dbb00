"""Chromium, an installation for it to speak to, and windows of the people who use it.

Package fixtures, not session ones: while Playwright runs, this thread counts as one with an event loop, which the
tests of other packages must not find.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import DjangoDbBlocker

from tests.browser.installation import Installation
from tests.browser.team import Team
from tests.browser.window import Window
from tests.databases import Databases

NO_CHROMIUM = (
    "no Chromium was found: install one (Debian: apt-get install chromium), "
    "or let CHROMIUM name the program of a Chromium or Chrome that is there"
)
FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PATIENCE_MS = 20_000
"""Of each expectation: other tests may use the same processors."""

OpenWindow = Callable[..., Window]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        pytest.skip(NO_CHROMIUM)
    expect.set_options(timeout=PATIENCE_MS)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Django refuses its ORM to a thread with an event loop; Playwright's is not running while a test is.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def static_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("static") / "files"


@pytest.fixture(scope="package")
def installation(
    chromium: Browser,
    static_files: Path,
    tmp_path_factory: pytest.TempPathFactory,
    databases: Databases,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Installation]:
    """One for all tests of the package; each makes an organisation of its own in it."""
    folder = tmp_path_factory.mktemp("installation")
    with Installation(folder, static_files, databases, django_db_blocker, name="shared", worker=True) as running:
        yield running


@pytest.fixture
def new_installation(
    chromium: Browser, static_files: Path, tmp_path: Path, databases: Databases, django_db_blocker: DjangoDbBlocker
) -> Iterator[Installation]:
    """One where nobody has an account yet and nothing is done in the background, for one test."""
    with Installation(tmp_path, static_files, databases, django_db_blocker, name="new", worker=False) as running:
        yield running


@pytest.fixture
def team(installation: Installation) -> Team:
    return Team.new()


@pytest.fixture
def open_window(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[OpenWindow]:
    """`open_window(alice)`: her window, signed in. At the end nothing may have gone wrong in any window."""
    opened: list[Window] = []

    def open_one(person: Any = None, *, at: Installation | None = None, javascript: bool = True) -> Window:
        where = at or request.getfixturevalue("installation")
        window = Window(chromium, where, person=person, javascript=javascript)
        window.page.set_default_timeout(PATIENCE_MS)
        opened.append(window)
        return window

    yield open_one
    problems = [problem for window in opened for problem in window.watch.problems]
    logs = {window.installation.log[-5000:] for window in opened} if problems else set()
    for window in opened:
        window.close()
    assert not problems, "\n".join([*problems, *logs])

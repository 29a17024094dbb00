"""An installation, and a forge that its people go to and come back from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from pytest_django import DjangoDbBlocker

from tests.browser.conftest import OpenWindow
from tests.browser.installation import Installation
from tests.browser.window import Window
from tests.databases import Databases
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp
from tests.wire.oauth import OAuthApp

LABELS = {"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket"}


@dataclass(frozen=True)
class Abroad:
    """An installation whose operator registered an application at every forge, all of them the local one."""

    installation: Installation
    forge: Forge
    apps: dict[str, OAuthApp]
    app: HostedApp

    @property
    def host(self) -> str:
        return self.forge.url.removeprefix("http://")

    def label(self, forge: str) -> str:
        return f"{LABELS[forge]} ({self.host})"

    def window(self, open_window: OpenWindow, person: Any, **options: Any) -> Window:
        window = open_window(person, at=self.installation, **options)
        window.watch.abroad.add(self.forge.url)
        return window

    @classmethod
    @contextmanager
    def running(
        cls, folder: Path, static: Path, databases: Databases, blocker: DjangoDbBlocker, *, name: str, worker: bool
    ) -> Iterator[Self]:
        with Forge(folder / "forge") as forge, pytest.MonkeyPatch.context() as patch:
            installation = Installation(folder, static, databases, blocker, name=name, worker=worker)
            back = f"{installation.url}/connections/callback"
            suffix = f"127-0-0-1-{forge.url.rpartition(':')[2]}"
            oauth = forge.world.oauth
            apps = {kind: oauth.app(kind, redirect_uri=f"{back}/{kind}-{suffix}/") for kind in LABELS}
            app = forge.world.apps.register(callback_url=f"{back}/app/")
            patch.setenv(
                "FORGE_OAUTH_APPS",
                ",".join(f"{kind}|{forge.url}|{it.client_id}|{it.client_secret}" for kind, it in apps.items()),
            )
            for key, value in {
                "URL": forge.url,
                "ID": str(app.app_id),
                "SLUG": app.slug,
                "CLIENT_ID": app.client_id,
                "CLIENT_SECRET": app.client_secret,
                "PRIVATE_KEY": app.private_key_pem.replace("\n", "\\n"),
                "WEBHOOK_SECRET": "a webhook's secret",
            }.items():
                patch.setenv(f"GITHUB_APP_{key}", value)
            with installation:
                yield cls(installation, forge, apps, app)
        assert not forge.errors, forge.errors
        assert not forge.violations, "\n".join(map(str, forge.violations))


@pytest.fixture(scope="module")
def at_work(
    chromium: object,
    static_files: Path,
    tmp_path_factory: pytest.TempPathFactory,
    databases: Databases,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Abroad]:
    """One with a worker, for the tests of a module that imports this."""
    folder = tmp_path_factory.mktemp("at-work")
    with Abroad.running(folder, static_files, databases, django_db_blocker, name="at_work", worker=True) as running:
        yield running

"""Everything is done with every kind of credential; then every place is searched for every secret that there was."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.cache import cache
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from forges.signals import connection_changed, repository_pushed
from integrations.models import Integration
from orgs.models import Organization, User
from tests import factories
from tests.forges_app.conftest import Register
from tests.system.conftest import FORGES
from tests.system.crawling import Watched, crawl
from tests.system.leaks import (
    Secrets,
    in_cache,
    in_database,
    in_files,
    in_logs,
    in_mail,
    in_reports,
)
from tests.system.story import (
    Story,
    end,
    live_through_a_night,
    live_with_app,
    live_with_consumer,
    live_with_oauth,
    live_with_tokens,
    overdue,
)
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp
from tests.wire.messages import Proceed, Reply, Request
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db(transaction=True)

ADMIN = ("/admin/forges/", "/admin/integrations/", "/admin/jobs/", "/admin/orgs/auditevent/")
OURS = ("/", "/o/acme/connections/", "/o/acme/integrations/", "/o/acme/runs/", "/o/acme/audit/")


EXPECTED = {
    *("forges:connection", "forges:connection_delete", "forges:hook", "forges:app_deliveries", "forges:start"),
    *("integrations:integration", "integrations:edit", "integrations:history", "jobs:run", "orgs:audit_export"),
    *(f"admin:forges_{model}_change" for model in ("connection", "hook", "delivery")),
    *("admin:integrations_integration_change", "admin:jobs_run_change", "admin:orgs_auditevent_change"),
}
"""Among the pages that are found: those that show what belongs to a secret."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything goes that this process writes for a moment."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def story(forge: Forge, alice: User, acme: Organization, book: HostedRepository) -> Story:
    cache.clear()
    return Story(forge, alice, acme, book)


def test_no_secret_is_anywhere_after_all_of_it(
    story: Story,
    register: Register,
    app: HostedApp,
    temporary: Path,
    live: LiveServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    caplog.set_level(logging.DEBUG)
    forge, known = story.forge, Secrets()
    files: set[tuple[str, str]] = set()
    known.listen(forge)

    def look_at_files(request: Request, proceed: Proceed) -> Reply:
        files.update(in_files(temporary))
        return proceed(request)

    forge.arm(look_at_files)

    for key in FORGES:
        live_with_oauth(story, register(key, ttl=7200.0))
    live_with_app(story, app, f"{live.url}/hooks/github/app", settings.GITHUB_APP_WEBHOOK_SECRET)
    live_with_consumer(story)
    live_with_tokens(story)
    live_through_a_night(story)
    fail_unexpectedly(story, monkeypatch)
    known.take_database()
    end(story)

    known.take_requests(forge)
    known.take_deliveries(forge.world.hooks.deliveries)
    known.take_settings()
    support = Watched(User.objects.create_superuser("root@millrace.example", factories.PASSWORD))
    pages = crawl(story.client, *OURS) | crawl(support, *ADMIN, below=ADMIN)
    assert pages.keys() >= EXPECTED
    assert len(known) > 150
    assert len(caplog.records) > 30
    places = [
        *in_database(),
        *in_cache(),
        *in_logs(caplog.records),
        *in_reports(caplog.records),
        *in_mail(),
        *files,
        *in_files(temporary),
        *story.client.seen,
        *support.seen,
    ]
    assert known.find(places) == set()


def fail_unexpectedly(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bugs, where tokens are at hand: in what hears of a connection or a push, and deep in an exchange of tokens."""

    def bug(*_: object, **__: object) -> Any:
        raise RuntimeError("a bug")

    integration = Integration.objects.filter(connection__method="oauth").latest("created_at")
    row = integration.connection
    assert row
    token = story.forge.token("octo")
    for signal in (connection_changed, repository_pushed):
        signal.connect(bug)
    try:
        assert story.by_form("token", forge="github", base_url=story.forge.url, token=token) == 500
        story.push()
    finally:
        for signal in (connection_changed, repository_pushed):
            signal.disconnect(bug)
    for broken in ("json", "iter_content"):
        overdue(story, row)
        with monkeypatch.context() as patch:
            patch.setattr(requests.Response, broken, bug)
            assert story.refresh(integration).error_code == "unexpected"
            story.by_form("token", forge="github", base_url=story.forge.url, token=token)

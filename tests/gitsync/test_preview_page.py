"""Preview: the page that shows what a push would change."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from catalog.models import Server
from gitsync.models import PushTarget
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.gitsync.pages import HTMX, account, address, choice, save, shown
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture
def config(forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/config", private=True)
    hosted.git.commit({"README.md": "# Ours\n"})
    return hosted


@pytest.fixture
def window(
    forge: Forge, acme: Organization, alice: User, docs: Server, config: HostedRepository, browse: Browse
) -> Client:
    """Alice's, who has assigned the repository; nothing was pushed yet."""
    cache.clear()
    factories.tool(factories.provider(docs, "Weather"), "getWeather", description="The weather of a city.")
    window = browse(alice)
    save(window, choice=choice(account(forge, acme, alice), config))
    assert PushTarget.objects.exists()
    return window


def test_the_page_comes_at_once_and_asks_the_forge_then(window: Client, forge: Forge) -> None:
    before = len(forge.requests)
    page = shown(window, "preview/")
    assert len(forge.requests) == before
    assert f'hx-get="{address("preview/")}"' in page
    assert f'href="{address("preview/")}?now=1"' in page


@pytest.mark.parametrize(("part", "headers"), [("preview/", HTMX), ("preview/?now=1", {})], ids=["script", "no script"])
def test_it_shows_the_message_and_every_file_with_its_difference(
    window: Client, config: HostedRepository, part: str, headers: dict[str, str]
) -> None:
    head = config.git.tip("main")
    page = shown(window, part, **headers)
    assert "Add server Docs (Alice)" in page
    assert "docs/export.json" in page
    assert "The weather of a city." in page
    assert config.git.tip("main") == head, "nothing is written"


def test_files_in_the_way_are_told_of(window: Client, config: HostedRepository) -> None:
    config.git.commit({"docs/export.json": "{}"})
    page = shown(window, "preview/", **HTMX)
    assert "files of others are in the way" in page
    assert "In the way" in page


def test_what_looks_like_a_secret_is_told_by_its_place_alone(window: Client, docs: Server) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"
    Server.objects.filter(pk=docs.pk).update(instructions=f"Use {secret} to sign in.")
    page = shown(window, "preview/", **HTMX)
    assert "it holds what looks like a secret" in page
    assert "config.json" in page.partition("What was found")[2].partition("</ul>")[0]
    assert "not shown, because of what was found in it" in page
    assert secret not in page
    assert "The weather of a city." in page, "other files are shown"


def test_a_forge_that_does_not_answer_is_a_sentence(window: Client, forge: Forge) -> None:
    with forge.fault(faults.status(503), on="GET *", times=50):
        page = shown(window, "preview/", **HTMX)
    assert "The preview did not work" in page


def test_without_an_assignment_there_is_no_preview(window: Client) -> None:
    PushTarget.objects.all().delete()
    assert window.get(address("preview/")).status_code == 404

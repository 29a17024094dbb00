"""Pictures of accounts: none by default, and then only images, through this server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.core.cache import cache
from pytest_django import Settings

from forges import opening
from forges.models import Connection
from forges.views import avatars
from orgs.models import Organization, User
from tests.conftest import Browse
from tests.forges_app.pages import LIST, made, page
from tests.lib.sites import Reply, Site
from tests.wire import samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    running.replies["/octo.png"] = Reply(samples.PNG, headers={"Content-Type": "image/png"})
    yield running
    running.close()


@pytest.fixture(autouse=True)
def _fresh(settings: Settings) -> None:
    settings.FORGE_AVATARS = True
    cache.clear()


@pytest.fixture
def connection(acme: Organization, bob: User, site: Site) -> Connection:
    return made(bob, acme, avatar_url=site.url("/octo.png"))


def test_by_default_there_is_the_initial_alone(
    browse: Browse, bob: User, connection: Connection, site: Site, settings: Settings
) -> None:
    settings.FORGE_AVATARS = False
    assert "<img" not in browse(bob).get(LIST).content.decode()
    assert browse(bob).get(page(connection, "avatar/")).status_code == 404
    assert not site.seen


def test_a_picture_comes_from_this_server_and_is_fetched_once(
    browse: Browse, bob: User, connection: Connection, site: Site
) -> None:
    shown = browse(bob).get(LIST).content.decode()
    assert page(connection, "avatar/") in shown
    assert site.url() not in shown
    for _ in range(2):
        answer = browse(bob).get(page(connection, "avatar/"))
        assert answer["Content-Type"] == "image/png"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer.content == samples.PNG
    assert len(site.seen) == 1
    assert not site.seen[0].headers.keys() & {"authorization", "private-token", "cookie", "referer"}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b'<svg xmlns="http://www.w3.org/2000/svg"/>', headers={"Content-Type": "image/svg+xml"}),
        Reply(b"<script>alert(1)</script>", headers={"Content-Type": "image/png"}),
        Reply(samples.PNG + bytes(avatars.MAX_BYTES), headers={"Content-Type": "image/png"}),
        Reply(samples.PNG, status=500),
        Reply(),
    ],
    ids=["svg", "html", "too large", "error", "empty"],
)
def test_what_is_no_picture_is_not_shown_and_not_asked_for_again(
    browse: Browse, bob: User, connection: Connection, site: Site, reply: Reply
) -> None:
    site.replies["/octo.png"] = reply
    for _ in range(2):
        assert browse(bob).get(page(connection, "avatar/")).content == avatars.NOTHING
    assert len(site.seen) == 1


def test_addresses_inside_are_not_reached(
    browse: Browse, bob: User, acme: Organization, site: Site, settings: Settings
) -> None:
    connection = made(bob, acme, avatar_url=site.redirect("/away.png", "http://127.0.0.2:1/octo.png"))
    assert browse(bob).get(page(connection, "avatar/")).content == avatars.NOTHING
    settings.EGRESS_ALLOW_NETWORKS = []
    connection = made(bob, acme, avatar_url=site.url("/octo.png?2"))
    assert browse(bob).get(page(connection, "avatar/")).content == avatars.NOTHING
    assert [seen.path for seen in site.seen] == ["/away.png"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "data:image/png;base64,AAAA", "nonsense"])
def test_other_addresses_are_none(browse: Browse, bob: User, acme: Organization, url: str) -> None:
    assert browse(bob).get(page(made(bob, acme, avatar_url=url), "avatar/")).content == avatars.NOTHING


def test_pictures_wait_for_their_turn_at_the_forges_and_are_no_reason_to_give_up(
    browse: Browse, bob: User, connection: Connection, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of slow ones would else keep everybody from seeing any page."""
    monkeypatch.setattr(opening, "TURN_SECONDS", 0.01)
    with ExitStack() as busy:
        for _ in range(opening.AT_ONCE):
            busy.enter_context(opening.turn())
        assert browse(bob).get(page(connection, "avatar/")).content == avatars.NOTHING
        assert not site.seen
    assert browse(bob).get(page(connection, "avatar/")).content == samples.PNG

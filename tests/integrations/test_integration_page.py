"""An integration's own page: what it is, how it stands, and what follows by itself."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from forges.models import Connection as ForgeConnection
from forges.models import ConnectionStatus, HookStatus, Method
from forges.standing import MAKER_LEFT
from integrations import automation
from integrations.automation import Automation
from integrations.models import Integration, Track
from jobs.models import Status, Trigger
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.integrations.conftest import Connect, Connection
from tests.integrations.pages import HTMX, run_of
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connect: Connect, book: HostedRepository) -> Connection:
    """The book, imported once."""
    made = connect(book, mount_path="book")
    made.refresh()
    return made


def page_of(it: Integration) -> str:
    return f"/o/acme/integrations/{it.pk}/"


def page(client: Client, it: Integration) -> str:
    response = client.get(page_of(it))
    assert response.status_code == 200
    return response.content.decode()


def through(it: Integration, **fields: Any) -> ForgeConnection:
    """Let it work through a connection of Acme's."""
    made = factories.connection(it.server.organization, **fields)
    Integration.objects.filter(pk=it.pk).update(connection=made)
    return made


def test_it_tells_what_it_is_and_what_the_last_refresh_did(connection: Connection, bob: User, browse: Browse) -> None:
    it = connection.integration
    shown = page(browse(bob), it)

    assert f'href="{it.web_url}"' in shown
    assert "book/chapters/01.md" in shown, "what the last refresh changed"
    assert "See all that changed" in shown, "twelve files are not all named"
    assert f"{page_of(it)}branches/{connection.track.pk}/edit/" in shown
    assert f"{page_of(it)}branches/add/" in shown
    assert "Remove…" not in shown, "its only branch cannot be removed"


def test_the_table_leads_there(connection: Connection, bob: User, browse: Browse) -> None:
    shown = browse(bob).get("/o/acme/servers/docs/integrations/").content.decode()
    assert f'<a class="cell-title" href="{page_of(connection.integration)}"' in shown


def test_a_viewer_sees_how_it_stands_and_nothing_to_change_or_hide(
    connection: Connection, carol: User, browse: Browse
) -> None:
    it = connection.integration
    shown = page(browse(carol), it)
    assert "book/chapters/01.md" in shown
    assert connection.integration.token[-4:] not in shown
    for action in ("edit/", "branches/add/", "automation/", "delete/"):
        assert f"{page_of(it)}{action}" not in shown


def test_it_is_left_alone_while_nothing_changed_and_shows_what_did(
    connection: Connection, book: HostedRepository, bob: User, browse: Browse
) -> None:
    it = connection.integration
    automation.configure(Integration.objects.get(pk=it.pk), Automation(on_push=True), by=bob)
    client = browse(bob)
    asks = re.search(r'hx-get="([^"]+seen=\w+)" hx-trigger="every 3s"', page(client, it))
    assert asks is not None, "who waits for a push sees it by itself"

    assert client.get(asks[1], headers=HTMX).status_code == 204
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert client.get(asks[1], headers=HTMX).status_code == 204, "that time passes is no news"

    book.git.commit({"chapters/13.md": "# Chapter 13\n"})
    connection.refresh()
    answer = client.get(asks[1], headers=HTMX)
    assert answer.status_code == 200
    assert "book/chapters/13.md" in answer.content.decode()
    assert answer.content.decode().lstrip().startswith('<div class="stack" id="state"')


def test_who_looks_at_one_that_is_deleted_is_led_away_and_asks_no_more(
    connection: Connection, bob: User, charlie: User, browse: Browse
) -> None:
    it = connection.integration
    where = page_of(it)
    Integration.objects.all().delete()
    assert browse(bob).get(f"{where}?seen=x", headers=HTMX)["HX-Redirect"] == "/o/acme/integrations/"
    assert browse(bob).get(where).status_code == 404
    assert browse(charlie).get(f"{where}?seen=x", headers=HTMX).status_code == 404


def test_without_anything_automatic_it_asks_for_itself_only_while_a_run_lives(
    connection: Connection, bob: User, browse: Browse
) -> None:
    assert "every 3s" not in page(browse(bob), connection.integration)
    run_of(connection.integration, Status.RUNNING)
    assert "every 1500ms" in page(browse(bob), connection.integration)


def test_refresh_comes_back_to_the_page(connection: Connection, bob: User, browse: Browse) -> None:
    it = connection.integration
    response = browse(bob).post(f"{page_of(it)}refresh/", {"deleted": "keep", "next": page_of(it)})
    assert response["Location"] == page_of(it)


# -- the credential ----------------------------------------------------------------------------------------------------


def test_a_connection_is_named_with_whose_it_is(connection: Connection, alice: User, bob: User, browse: Browse) -> None:
    made = through(connection.integration, maker=alice, shared=True, account="octo")
    shown = page(browse(bob), connection.integration)
    assert "The connection of octo at GitHub (Access token, shared with the organisation)." in shown
    assert f"/o/acme/connections/{made.pk}/" in shown


def test_a_colleagues_own_connection_is_named_and_not_led_to(
    connection: Connection, alice: User, bob: User, browse: Browse
) -> None:
    made = through(connection.integration, maker=alice, account="octo")
    shown = page(browse(bob), connection.integration)
    assert "A connection of Alice at GitHub (Access token)." in shown
    assert "octo" not in shown, "her own account is nobody else's business"
    assert str(made.pk) not in shown


LOST = {"status": ConnectionStatus.DISCONNECTED, "reason_code": "expired", "reason": "The token expired."}


@pytest.mark.parametrize(
    ("facts", "who", "words"),
    [
        ({"shared": False}, "alice", "Reconnect"),
        ({"shared": False}, "bob", "Ask Alice to connect it again."),
        ({"shared": False}, "adam", "Ask Alice to connect it again."),
        ({"shared": True}, "adam", "Reconnect"),
        ({"shared": True}, "bob", "Ask who manages connections to connect it again."),
        ({"shared": False, "reason_code": MAKER_LEFT}, "adam", "Reconnect"),
        ({"shared": False, "reason_code": MAKER_LEFT}, "bob", "Ask who manages connections to connect it again."),
    ],
)
def test_who_can_connect_again_is_led_there_and_others_are_told_who_can(
    connection: Connection,
    facts: dict[str, Any],
    who: str,
    words: str,
    alice: User,
    adam: User,
    bob: User,
    browse: Browse,
) -> None:
    made = through(connection.integration, maker=alice, account="octo", **{**LOST, **facts})
    client = browse({"alice": alice, "adam": adam, "bob": bob}[who])

    for address in (page_of(connection.integration), "/o/acme/servers/docs/integrations/"):
        shown = client.get(address).content.decode()
        whose = "The connection of octo" if made.shared or who == "alice" else "A connection of Alice"
        assert f"{whose} does not work: the token expired. Refreshes wait for it." in shown
        assert words in shown
        assert ("Reconnect" in shown) == (words == "Reconnect")
    assert words != "Reconnect" or f"/o/acme/connections/{made.pk}/" in shown


def test_a_deleted_connection_says_so_and_leads_to_another_choice(
    connection: Connection, bob: User, carol: User, browse: Browse
) -> None:
    it = connection.integration
    Integration.objects.filter(pk=it.pk).update(credential_lost="The connection of octo that it used was deleted.")
    run_of(it, Status.FAILED, error_code="credential_missing", error_text="It has lost its credential.")
    table = "/o/acme/servers/docs/integrations/"
    choose = f'<a href="{page_of(it)}edit/">Choose another credential</a>'
    shown = browse(bob).get(table).content.decode()
    assert "The connection of octo that it used was deleted." in shown
    assert choose in shown
    assert "It is private" not in shown, "one thing is said once"
    assert choose not in browse(carol).get(table).content.decode()


# -- what the forge told -----------------------------------------------------------------------------------------------


def test_what_became_of_repository_and_branch_at_the_forge_is_told(
    connection: Connection, bob: User, browse: Browse
) -> None:
    Integration.objects.update(notice="The repository was deleted at the forge.")
    Track.objects.update(notice="This branch was deleted at the forge.")
    table = browse(bob).get("/o/acme/servers/docs/integrations/").content.decode()
    for shown in (table, page(browse(bob), connection.integration)):
        assert "The repository was deleted at the forge." in shown
        assert "This branch was deleted at the forge." in shown


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": HookStatus.ACTIVE}, ""),
        ({"status": HookStatus.ACTIVE, "silent_since": timezone.now()}, "Its webhook seems not to deliver."),
        ({"status": HookStatus.FAILED}, "Its webhook does not work."),
        ({"status": HookStatus.MANUAL}, "Its webhook has to be added by hand."),
        ({"status": HookStatus.MANUAL, "delivered_at": timezone.now()}, ""),
    ],
)
def test_a_webhook_that_seems_not_to_deliver_is_told_where_pushes_are_wanted(
    connection: Connection, fields: dict[str, Any], words: str, bob: User, browse: Browse
) -> None:
    it = connection.integration
    same = {"forge": it.forge, "base_url": it.base_url, "repository_id": it.repository_id}
    hook = factories.hook(it.server.organization, **same, **fields)
    table = "/o/acme/servers/docs/integrations/"
    assert "webhook" not in browse(bob).get(table).content.decode(), "nobody asked for pushes"

    Integration.objects.filter(pk=it.pk).update(on_push=True)

    shown = browse(bob).get(table).content.decode()
    assert (f"/o/acme/hooks/{hook.pk}/" in shown) == bool(words)
    assert words in shown
    assert f"/o/acme/hooks/{hook.pk}/panel/" in page(browse(bob), it)


def test_another_organisations_webhook_of_the_same_repository_is_not_ours(
    connection: Connection, bob: User, charlie: User, browse: Browse
) -> None:
    it = connection.integration
    Integration.objects.filter(pk=it.pk).update(on_push=True)
    same = {"forge": it.forge, "base_url": it.base_url, "repository_id": it.repository_id}
    theirs = factories.hook(Organization.objects.get(slug="other"), status=HookStatus.FAILED, **same)
    assert "does not work" not in browse(bob).get("/o/acme/servers/docs/integrations/").content.decode()
    assert str(theirs.pk) not in page(browse(bob), it)


def test_the_github_app_needs_no_webhook_of_the_repository(
    connection: Connection, alice: User, adam: User, browse: Browse
) -> None:
    it = connection.integration
    app = through(it, method=Method.GITHUB_APP, shared=True, installation_id="7")
    Integration.objects.filter(pk=it.pk).update(on_push=True)
    shown = page(browse(adam), it)
    assert "The GitHub App tells of pushes by itself" in shown
    assert f"/o/acme/connections/{app.pk}/deliveries/" in shown


def test_what_asked_for_a_refresh_and_when_the_next_one_comes_is_shown(
    connection: Connection, bob: User, browse: Browse
) -> None:
    run_of(connection.integration, trigger=Trigger.WEBHOOK)
    Integration.objects.update(next_refresh_at=timezone.now() + timedelta(hours=3))
    table = browse(bob).get("/o/acme/servers/docs/integrations/").content.decode()
    assert "webhook, <time" in table
    assert re.search(r'Next <time[^>]+title="[^"]+">[^<]+ from now', table)

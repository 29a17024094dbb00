"""The panel of automatic refresh: what can be chosen, by whom, and what comes of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from forges.models import Hook
from integrations import automation
from integrations.automation import Automation, automation_of
from integrations.models import Integration, Schedule
from orgs.models import AuditEvent, Membership, User
from tests import factories
from tests.conftest import Browse
from tests.integrations.conftest import Connect, Connection
from tests.integrations.pages import HTMX, said
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connect: Connect, book: HostedRepository) -> Connection:
    return connect(book)


def address(connection: Connection, part: str = "automation/") -> str:
    return f"/o/acme/integrations/{connection.integration.pk}/{part}"


def save(client: Client, connection: Connection, **chosen: str) -> Any:
    """The form as a browser sends it when nothing else is touched."""
    form = {"schedule": "nothing", "cron": "", "time_zone": "UTC", "prune": "keep", "after_refresh": "nothing"}
    return client.post(address(connection), {**form, **chosen})


def chosen(connection: Connection) -> Automation:
    return automation_of(Integration.objects.get(pk=connection.integration.pk))


def stored(connection: Connection) -> Integration:
    return Integration.objects.get(pk=connection.integration.pk)


def test_refresh_on_push_asks_for_a_webhook(connection: Connection, bob: User, browse: Browse) -> None:
    response = save(browse(bob), connection, on_push="on")
    assert (response.status_code, response["Location"]) == (302, address(connection, ""))
    assert said(response) == ["How acme/book refreshes is saved."]
    assert chosen(connection).on_push
    assert Hook.objects.get().repository == "acme/book"
    assert AuditEvent.objects.filter(action="integration.automated", actor=bob).exists()


@pytest.mark.parametrize("schedule", [value for value, _ in Schedule.choices if value and value != "cron"])
def test_a_schedule_is_kept_and_its_next_times_are_shown(
    connection: Connection, schedule: str, bob: User, browse: Browse
) -> None:
    save(browse(bob), connection, schedule=schedule)
    it = stored(connection)
    assert (it.schedule, it.cron) == (schedule, "")
    assert it.next_refresh_at is not None
    panel = browse(bob).get(address(connection, "")).content.decode()
    assert it.next_refresh_at.isoformat(timespec="minutes")[:16] in panel.partition("next-times")[2]


def test_a_cron_expression_is_kept_with_its_time_zone(connection: Connection, bob: User, browse: Browse) -> None:
    save(browse(bob), connection, schedule="cron", cron="0 6 * * 1-5", time_zone="Europe/Berlin")
    it = stored(connection)
    assert (it.schedule, it.cron, it.time_zone) == ("cron", "0 6 * * 1-5", "Europe/Berlin")


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("", "has five fields"),
        ("* * * * *", "more often than every 15 minutes"),
        ("0 6 * *", "has five fields"),
        ("61 6 * * *", "This is no cron expression"),
        ("0 0 30 2 *", "bad day-of-month"),
    ],
)
def test_a_cron_expression_that_is_none_is_an_error_beside_its_field(
    connection: Connection, cron: str, words: str, bob: User, browse: Browse
) -> None:
    before = chosen(connection)
    response = save(browse(bob), connection, schedule="cron", cron=cron, on_push="on")
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["cron"]
    assert words in response.context["form"].errors["cron"][0]
    assert "<html" in response.content.decode(), "a page of its own, without a script"
    assert chosen(connection) == before


def test_htmx_gets_the_panel_with_the_error(connection: Connection, bob: User, browse: Browse) -> None:
    form = {"schedule": "cron", "cron": "nonsense", "time_zone": "UTC", "prune": "keep", "after_refresh": "nothing"}
    shown = browse(bob).post(address(connection), form, headers=HTMX).content.decode()
    assert '<section class="panel" id="automation"' in shown
    assert "<html" not in shown


def test_a_time_zone_that_is_none_is_refused(connection: Connection, bob: User, browse: Browse) -> None:
    response = save(browse(bob), connection, schedule="cron", cron="0 6 * * *", time_zone="../../etc/passwd")
    assert list(response.context["form"].errors) == ["time_zone"]


def test_the_time_zone_is_at_first_the_organisations(connection: Connection, bob: User, browse: Browse) -> None:
    organization = connection.integration.server.organization
    organization.time_zone = "Asia/Tokyo"
    organization.save()
    assert browse(bob).get(address(connection, "")).context["form"]["time_zone"].value() == "Asia/Tokyo"


# -- the next three times ----------------------------------------------------------------------------------------------


def times(client: Client, connection: Connection, **form: str) -> str:
    values = {"schedule": "cron", "cron": "", "time_zone": "UTC", **form}
    response = client.post(address(connection, "automation/times/"), values, headers=HTMX)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


@time_machine.travel("2026-11-20T12:00:00Z", tick=False)
def test_the_next_three_times_are_in_the_persons_own_zone(connection: Connection, bob: User, browse: Browse) -> None:
    User.objects.filter(pk=bob.pk).update(time_zone="America/New_York")
    shown = times(browse(bob), connection, cron="0 6 * * 1-5", time_zone="Europe/Berlin")
    # Six in Berlin is midnight in New York; the twentieth is a Friday.
    assert re.findall(r">(\w{3} \d+ \w{3}), 00:0\d<", shown) == ["Mon 23 Nov", "Tue 24 Nov", "Wed 25 Nov"]
    assert "(EST)" in shown


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"cron": "* * * * *"}, "more often than every 15 minutes"),
        ({"cron": "nonsense"}, "has five fields"),
        ({"cron": ""}, ""),
        ({"schedule": "nothing"}, ""),
        ({"schedule": "7"}, ""),
        ({"cron": "0 6 * * *", "time_zone": "Nowhere/Land"}, ""),
    ],
)
def test_what_has_no_times_says_why_at_most(
    connection: Connection, form: dict[str, str], words: str, bob: User, browse: Browse
) -> None:
    shown = times(browse(bob), connection, **form)
    assert words in shown
    assert "Next:" not in shown


def test_the_first_of_the_times_is_when_it_will_be(connection: Connection, bob: User, browse: Browse) -> None:
    save(browse(bob), connection, schedule="1440")
    it = stored(connection)
    shown = times(browse(bob), connection, schedule="1440")
    assert it.next_refresh_at is not None
    assert re.findall(r'datetime="([^"]+)"', shown)[0][:19] == it.next_refresh_at.isoformat()[:19]


# -- who may choose what -----------------------------------------------------------------------------------------------


def test_pruning_by_itself_is_for_who_may_delete(connection: Connection, adam: User, bob: User, browse: Browse) -> None:
    shown = browse(bob).get(address(connection, "")).content.decode()
    assert re.search(r'name="prune"\s+value="prune"[^>]*disabled', shown)
    assert "“contents.can_delete”" in shown

    assert save(browse(bob), connection, prune="prune").status_code == 403, "a form that was forged"
    assert not chosen(connection).prune

    assert save(browse(adam), connection, prune="prune").status_code == 302
    assert chosen(connection).prune


@pytest.mark.parametrize("after", ["cut", "activate"])
def test_cutting_versions_by_itself_is_for_who_may_publish(
    connection: Connection, after: str, bob: User, browse: Browse
) -> None:
    Membership.objects.filter(user=bob).update(denied=["versions.publish"])
    shown = browse(bob).get(address(connection, "")).content.decode()
    assert re.search(rf'name="after_refresh"\s+value="{after}"[^>]*disabled', shown)
    assert "“versions.publish”" in shown
    assert save(browse(bob), connection, after_refresh=after).status_code == 403, "a form that was forged"
    assert not chosen(connection).after_refresh

    Membership.objects.filter(user=bob).update(denied=[])
    assert save(browse(bob), connection, after_refresh=after).status_code == 302
    assert chosen(connection).after_refresh == after


def test_what_somebody_may_not_choose_stays_as_who_may_has_chosen_it(
    connection: Connection, adam: User, bob: User, browse: Browse
) -> None:
    Membership.objects.filter(user=bob).update(denied=["versions.publish"])
    save(browse(adam), connection, prune="prune", after_refresh="activate")
    # A browser sends nothing for what is chosen and disabled.
    untouched = {"schedule": "60", "cron": "", "time_zone": "UTC", "on_push": "on"}
    assert browse(bob).post(address(connection), untouched).status_code == 302
    now = chosen(connection)
    assert (now.schedule, now.on_push, now.prune, now.after_refresh) == ("60", True, True, "activate")

    assert save(browse(bob), connection, prune="prune", after_refresh="cut").status_code == 403
    assert save(browse(bob), connection).status_code == 302
    assert (chosen(connection).prune, chosen(connection).after_refresh) == (False, ""), "less is anybody's to choose"


def test_a_viewer_is_told_how_it_refreshes_and_changes_nothing(
    connection: Connection, carol: User, browse: Browse
) -> None:
    automation.configure(stored(connection), Automation(on_push=True, schedule="60"), by=connection.by)
    assert "On push. Every hour." in browse(carol).get(address(connection, "")).content.decode()
    assert save(browse(carol), connection).status_code == 403
    assert chosen(connection).on_push


def test_plain_git_has_no_pushes_to_wait_for(docs: Any, bob: User, browse: Browse) -> None:
    made = factories.integration(docs, forge="git", base_url="", repository="https://git.example.com/a")
    client = browse(bob)
    here = f"/o/acme/integrations/{made.pk}/"
    assert "Plain git has no webhooks" in client.get(here).content.decode()
    client.post(f"{here}automation/", {"on_push": "on", "schedule": "60", "time_zone": "UTC"})
    made.refresh_from_db()
    assert (made.on_push, made.schedule) == (False, "60")
    assert not Hook.objects.exists()

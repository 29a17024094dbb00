"""How an organisation words its commits, and what is left of deleted servers."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.models import Server
from gitsync.models import PushSettings, PushTarget
from jobs.models import Run, Status
from orgs.models import AuditEvent, User
from tests.conftest import Browse
from tests.gitsync.pages import HTMX, said, target_for

pytestmark = pytest.mark.django_db

ADDRESS = "/o/acme/settings/git-push/"


@pytest.fixture
def window(adam: User, browse: Browse) -> Client:
    return browse(adam)


def test_a_template_is_kept_and_shown_by_an_example(window: Client) -> None:
    response = window.post(ADDRESS, {"message_template": "config: {summary}"})
    assert (response.status_code, said(response)) == (302, ["The template is saved. The next push uses it."])
    assert PushSettings.objects.get().message_template == "config: {summary}"
    page = window.get(ADDRESS).content.decode()
    assert "config: Update" in page
    assert "Co-authored-by: Robin Doe" in page
    event = AuditEvent.objects.get(action="push_settings.changed")
    assert event.after == {"message_template": "config: {summary}"}


def test_saving_the_same_again_is_no_change(window: Client) -> None:
    window.post(ADDRESS, {"message_template": ""})
    assert not AuditEvent.objects.filter(action="push_settings.changed").exists()


def test_an_unknown_placeholder_is_told_beside_the_field_and_nothing_is_kept(window: Client) -> None:
    response = window.post(ADDRESS, {"message_template": "{token}"})
    assert response.status_code == 422
    assert "There is no placeholder {token}" in response.content.decode()
    assert not PushSettings.objects.exists()


def test_the_example_follows_what_is_typed(window: Client) -> None:
    typed = window.post(f"{ADDRESS}example/", {"message_template": "{server}: {people}"}, headers=HTMX).content.decode()
    assert "Weather: Robin Doe, Adam" in typed
    wrong = window.post(f"{ADDRESS}example/", {"message_template": "{nonsense}"}, headers=HTMX).content.decode()
    assert "There is no placeholder {nonsense}" in wrong


def test_the_menu_leads_there_who_may_assign(window: Client, bob: User, browse: Browse) -> None:
    assert f'href="{ADDRESS}"' in window.get("/o/acme/servers/").content.decode()
    assert f'href="{ADDRESS}"' not in browse(bob).get("/o/acme/servers/").content.decode()


def test_the_organizations_settings_lead_there(alice: User, browse: Browse) -> None:
    assert f'<a class="button" href="{ADDRESS}"' in browse(alice).get("/o/acme/settings/").content.decode()


def test_the_files_of_a_deleted_server_can_be_left_where_they_are(window: Client, docs: Server) -> None:
    target = target_for(docs)
    PushTarget.objects.filter(pk=target.pk).update(server=None, problem="failed", problem_text="The forge is down.")
    page = window.get(ADDRESS).content.decode()
    assert "The forge is down." in page
    response = window.post(f"{ADDRESS}{target.pk}/abandon/")
    assert said(response) == ["The files of Docs stay in acme/config."]
    assert not PushTarget.objects.exists()


def test_a_server_that_is_there_is_not_abandoned(window: Client, docs: Server) -> None:
    target = target_for(docs)
    assert window.post(f"{ADDRESS}{target.pk}/abandon/").status_code == 404
    assert PushTarget.objects.exists()


def test_removing_the_files_of_a_deleted_server_is_tried_again(window: Client, docs: Server) -> None:
    target = target_for(docs)
    assert window.post(f"{ADDRESS}{target.pk}/again/").status_code == 404
    PushTarget.objects.filter(pk=target.pk).update(server=None, problem="protected", problem_text="It is protected.")
    assert f'action="{ADDRESS}{target.pk}/again/"' in window.get(ADDRESS).content.decode()
    response = window.post(f"{ADDRESS}{target.pk}/again/")
    assert said(response) == ["The files of Docs are removed from acme/config if that works now."]
    run = Run.objects.get()
    assert (run.kind, run.status, run.subject) == ("gitsync.push", Status.QUEUED, target)

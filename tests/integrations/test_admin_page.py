"""Integrations in the Django admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from catalog.models import Server
from integrations.models import FileChange, Integration, SkippedFile, Track
from jobs.models import Run
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.integrations.pages import run_of

pytestmark = pytest.mark.django_db

TOKEN = "ghp_" + "secretsecretsecret" * 2


@pytest.fixture
def integration(docs: Server) -> Integration:
    made = factories.integration(docs, "acme/handbook", token=TOKEN, token_account="acme-bot")
    track = Track.objects.get(integration=made)
    SkippedFile.objects.create(track=track, path="logo.png", reason="binary")
    FileChange.objects.create(run=run_of(made), action="added", path="README.md")
    return made


@pytest.fixture
def support(integration: Integration) -> Client:
    client = Client()
    client.force_login(factories.user("support@millrace.example", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("model", ["integration", "track", "importedfile", "skippedfile", "filechange"])
def test_every_model_is_listed_and_searched_and_none_can_be_changed(support: Client, model: str) -> None:
    for query in ("", "?q=acme"):
        assert support.get(f"/admin/integrations/{model}/{query}").status_code == 200
    assert support.get(f"/admin/integrations/{model}/add/").status_code == 403


def test_of_the_token_only_its_owner_and_key_are_shown(support: Client, integration: Integration) -> None:
    for address in ("/admin/integrations/integration/", f"/admin/integrations/integration/{integration.pk}/change/"):
        shown = support.get(address).content.decode()
        assert "token of acme-bot, key test" in shown
        assert TOKEN not in shown
        assert TOKEN[4:20] not in shown


def test_of_a_connection_its_account_and_status_are_shown(
    support: Client, integration: Integration, acme: Organization, alice: User
) -> None:
    connection = factories.connection(acme, alice, account="octo", status="disconnected", token="a secret")
    Integration.objects.filter(pk=integration.pk).update(connection=connection, token_key="", private=True)
    shown = support.get("/admin/integrations/integration/").content.decode()
    assert "connection of octo, disconnected" in shown
    assert "missing" not in shown


def test_support_can_refresh_and_keep_and_the_log_says_so(support: Client, integration: Integration) -> None:
    Run.objects.all().delete()
    support.post(
        "/admin/integrations/integration/",
        {"action": "refresh_and_keep", "_selected_action": [str(integration.pk)]},
    )
    run = Run.objects.get()
    assert (run.options, run.requested_by, run.unattended) == ({"prune": False}, None, True)
    assert AuditEvent.objects.filter(action__endswith="_by_support", target_id=str(integration.pk)).exists()


def test_who_may_only_look_at_integrations_refreshes_none(integration: Integration) -> None:
    Run.objects.all().delete()
    person = factories.user("looks@millrace.example", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_integration"))
    client = Client()
    client.force_login(person)
    assert client.get("/admin/integrations/integration/", {"token_key__isempty": "0"}).status_code == 200
    client.post(
        "/admin/integrations/integration/",
        {"action": "refresh_and_keep", "_selected_action": [str(integration.pk)]},
    )
    assert not Run.objects.exists()

"""Support staff see pushes in the Django admin, and no secret of theirs."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse

from gitsync.mirror.requesting import SYNC
from gitsync.models import AllowedFinding, Mirror, MirrorChange, MirroredEntity, PushSettings, PushTarget
from jobs.models import Run, Status
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.gitsync.conftest import Assign, work, worked
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db
FILES_TEXT = "what a file in git says"


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff@millrace.example", factories.PASSWORD))
    return client


def test_each_model_has_a_list_that_can_be_searched_and_a_page(
    staff: Client, assign: Assign, acme: Organization
) -> None:
    made = assign("git")
    worked()
    made.save("Changed.")
    PushSettings.objects.create(organization=acme, message_template="{summary}")
    AllowedFinding.objects.create(organization=acme, digest="d" * 64, where="weather/README.md")
    mirror = a_mirror(acme, made.target.token)
    for model in (model for model in site._registry if model._meta.app_label == "gitsync"):
        name = model._meta.model_name
        listed = staff.get(reverse(f"admin:gitsync_{name}_changelist"), {"q": "e"})
        row = model._default_manager.first()
        assert row is not None
        page = staff.get(reverse(f"admin:gitsync_{name}_change", args=[row.pk]))
        assert (listed.status_code, page.status_code) == (200, 200), name
        for shown in (listed, page):
            assert made.target.token not in shown.content.decode()
            assert "d" * 64 not in shown.content.decode()
            assert FILES_TEXT not in shown.content.decode()
    assert "VALIDATION_FAILED" in staff.get(reverse("admin:gitsync_mirroredentity_changelist")).content.decode()
    staff.post(reverse("admin:gitsync_mirror_changelist"), {"action": "sync_now", "_selected_action": [mirror.pk]})
    assert AuditEvent.objects.get(action="mirror.sync_now_by_support").target_id == str(mirror.pk)
    assert Run.objects.get(kind=SYNC).requested_by is None


def a_mirror(acme: Organization, token: str) -> Mirror:
    """With an entity that failed and a save to tell of."""
    mirror = Mirror.objects.create(
        organization=acme, forge="git", repository_id="git", repository="https://git.example/conf.git", branch="main"
    )
    mirror.token = token
    mirror.save()
    document: Any = {"description": FILES_TEXT}
    error = {"code": "VALIDATION_FAILED", "message": "It has no name.", "fields": [FILES_TEXT]}
    MirroredEntity.objects.create(
        mirror=mirror, kind="toolkit", path="toolkits/kit.json", document=document, theirs=document, error=error
    )
    MirrorChange.objects.create(mirror=mirror, verb="update", kind="toolkit", name="Kit")
    return mirror


def test_staff_push_in_millraces_name_and_it_is_audited(
    staff: Client, assign: Assign, hosted: HostedRepository
) -> None:
    made = assign()
    worked()
    hosted.git.commit({"weather/README.md": None}, "Lose it")
    staff.post(
        reverse("admin:gitsync_pushtarget_changelist"), {"action": "push_now", "_selected_action": [made.target.pk]}
    )
    assert AuditEvent.objects.get(action="pushtarget.push_now_by_support").target_id == str(made.target.pk)
    assert worked().requested_by is None
    assert "weather/README.md" in hosted.git.files("main")


def test_an_allowed_finding_can_be_taken_back_and_nothing_else_changed(
    staff: Client, assign: Assign, acme: Organization
) -> None:
    made = assign()
    found = AllowedFinding.objects.create(organization=acme, digest="d" * 64, where="weather/README.md")
    staff.post(reverse("admin:gitsync_allowedfinding_delete", args=[found.pk]), {"post": "yes"})
    assert not AllowedFinding.objects.exists()
    assert AuditEvent.objects.filter(action="allowedfinding.deleted_by_support", organization=acme).exists()
    gone = staff.post(reverse("admin:gitsync_pushtarget_delete", args=[made.target.pk]), {"post": "yes"})
    assert gone.status_code == 403
    assert PushTarget.objects.exists()
    assert [run.status for run in work()] == [Status.SUCCEEDED]
    assert Run.objects.count() == 1

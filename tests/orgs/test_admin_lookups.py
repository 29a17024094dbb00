"""The Django admin's lists can be filtered by their address, but not by what they do not show."""

from __future__ import annotations

from django.contrib.auth.models import Permission

from orgs.models import User
from tests import factories
from tests.conftest import Browse


def test_a_password_cannot_be_guessed_by_filtering_for_how_it_begins(alice: User, browse: Browse) -> None:
    sam = factories.user("sam@support.example", is_staff=True)
    sam.user_permissions.add(Permission.objects.get(codename="view_user"))
    client = browse(sam)
    assert client.get("/admin/orgs/user/", {"email__startswith": "alice"}).context["cl"].result_count == 1
    assert client.get("/admin/orgs/user/", {"password__startswith": alice.password[:9]}).status_code == 400

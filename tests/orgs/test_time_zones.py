"""The zone that times are shown in: a name of the tz database, and no page breaks where it is another."""

from __future__ import annotations

import pytest

from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse

NO_ZONES = ["../x", "/etc/passwd", "Europe", "Mars/Olympus", "zone.tab"]


@pytest.mark.parametrize("name", NO_ZONES)
def test_a_name_that_is_no_zone_leaves_the_person_in_the_installations(alice: User, browse: Browse, name: str) -> None:
    User.objects.filter(pk=alice.pk).update(time_zone=name)
    assert browse(alice).get("/o/acme/").status_code == 200


@pytest.mark.parametrize("name", NO_ZONES)
def test_the_admin_takes_no_such_name(acme: Organization, alice: User, browse: Browse, name: str) -> None:
    root = User.objects.create_superuser("root@millrace.example", factories.PASSWORD)
    pages = {
        f"/admin/orgs/user/{alice.pk}/change/": {"email": alice.email, "is_active": "on"},
        f"/admin/orgs/organization/{acme.pk}/change/": {"name": "Acme", "slug": "acme"},
    }
    for url, values in pages.items():
        response = browse(root).post(url, {**values, "time_zone": name})
        assert "time_zone" in response.context["adminform"].form.errors
        assert browse(root).post(url, {**values, "time_zone": "Europe/Berlin"}).status_code == 302

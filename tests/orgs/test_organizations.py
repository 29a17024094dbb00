"""An organisation's dashboard, settings and end."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from pytest_django import Settings

from catalog.models import Server
from orgs import organizations
from orgs.models import AuditEvent, Membership, Organization, Role, User
from tests import factories
from tests.conftest import Browse


def of(person: User) -> Membership:
    return Membership.objects.select_related("organization", "user").get(user=person, organization__slug="acme")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme Tools", "acme-tools"),
        ("  Spaces  ", "spaces"),
        ("日本", "organisation"),
        ("../../etc", "etc"),
        ("x" * 120, "x" * 57),
        ("Ünï", "uni"),
    ],
)
def test_the_slug_follows_from_the_name(db: None, name: str, slug: str) -> None:
    membership = organizations.create_organization(name=name, owner=factories.user())
    assert membership.organization.slug == slug


def test_two_organisations_of_one_name_get_two_slugs(db: None) -> None:
    slugs = [organizations.create_organization(name="Acme", owner=factories.user()).organization.slug for _ in range(3)]
    assert slugs == ["acme", "acme-2", "acme-3"]


def test_making_one_is_closed_unless_sign_up_is_open(alice: User, browse: Browse, settings: Settings) -> None:
    client = browse(alice)
    response = client.post("/organisations/new/", {"name": "Second", "time_zone": "UTC"})
    assert response.status_code == 403
    assert "OPEN_SIGNUP" in response.content.decode()
    settings.OPEN_SIGNUP = True
    response = client.post("/organisations/new/", {"name": "Second", "time_zone": "Europe/Berlin"})
    assert response.headers["Location"] == "/o/second/"
    assert Organization.objects.get(slug="second").time_zone == "Europe/Berlin"


def test_the_settings_change_the_name_and_zone_but_not_the_address(alice: User, browse: Browse) -> None:
    browse(alice).post("/o/acme/settings/", {"name": "Acme Ltd", "time_zone": "Asia/Tokyo", "slug": "stolen"})
    organization = Organization.objects.get(slug="acme")
    assert (organization.name, organization.time_zone) == ("Acme Ltd", "Asia/Tokyo")
    event = AuditEvent.objects.get(action="organization.changed")
    assert event.before == {"name": "Acme", "time_zone": "UTC"}
    assert event.after == {"name": "Acme Ltd", "time_zone": "Asia/Tokyo"}


def test_saving_without_a_change_leaves_no_event(alice: User, browse: Browse) -> None:
    browse(alice).post("/o/acme/settings/", {"name": "Acme", "time_zone": "UTC"})
    assert not AuditEvent.objects.filter(action="organization.changed").exists()


def test_a_zone_that_does_not_exist_is_refused(alice: User, browse: Browse) -> None:
    response = browse(alice).post("/o/acme/settings/", {"name": "Acme", "time_zone": "Mars/Olympus"})
    assert response.context["form"].errors["time_zone"]


def test_an_admin_is_told_that_the_settings_are_the_owners(alice: User, adam: User, browse: Browse) -> None:
    response = browse(adam).post("/o/acme/settings/", {"name": "Mine", "time_zone": "UTC"})
    assert response.status_code == 403
    assert "Only owners may change" in response.content.decode()
    with pytest.raises(PermissionDenied):
        organizations.change_organization(by=of(adam), name="Mine", time_zone="UTC")


def test_deleting_says_what_goes_and_asks_for_the_name(alice: User, docs: Server, browse: Browse) -> None:
    client = browse(alice)
    page = client.get("/o/acme/settings/delete/").content.decode()
    assert "1 server" in page
    assert "1 membership" in page
    response = client.post("/o/acme/settings/delete/", {"name": "acme"})
    assert "This is not the organisation" in response.content.decode()
    assert Organization.objects.filter(slug="acme").exists()


def test_deleting_leaves_one_event_and_the_people(alice: User, charlie: User, docs: Server, browse: Browse) -> None:
    response = browse(alice).post("/o/acme/settings/delete/", {"name": "Acme"})
    assert response.headers["Location"] == "/"
    assert not Organization.objects.filter(slug="acme").exists()
    assert not Server.objects.exists()
    assert User.objects.filter(pk=alice.pk).exists()
    assert Organization.objects.filter(slug="other").exists()
    event = AuditEvent.objects.get(action="organization.deleted")
    assert (event.organization, event.actor, event.before["name"]) == (None, alice, "Acme")


def test_an_admin_cannot_delete_by_a_forged_form(alice: User, adam: User, browse: Browse) -> None:
    assert browse(adam).post("/o/acme/settings/delete/", {"name": "Acme"}).status_code == 403
    assert Organization.objects.filter(slug="acme").exists()


def test_the_dashboard_shows_what_there_is(alice: User, bob: User, browse: Browse) -> None:
    text = browse(alice).get("/o/acme/").content.decode()
    assert "Acme" in text
    assert "Open invitations" in text
    assert "Open invitations" not in browse(bob).get("/o/acme/").content.decode()


def test_the_switcher_offers_ones_own_organisations_alone(alice: User, charlie: User, browse: Browse) -> None:
    factories.membership(alice, factories.organization("Zebra", slug="zebra"))
    text = browse(alice).get("/o/acme/").content.decode()
    assert 'href="/o/zebra/"' in text
    assert "Other" not in text


@pytest.mark.parametrize("page", ["/profile/", "/accounts/email/", "/accounts/2fa/"])
def test_ones_own_pages_lead_back_into_the_organisation_used_last(alice: User, browse: Browse, page: str) -> None:
    factories.membership(alice, factories.organization("Aardvark", slug="aardvark"), Role.VIEWER)
    client = browse(alice)
    assert 'aria-label="Main"' not in client.get(page).content.decode()
    client.get("/o/acme/")
    text = client.get(page).content.decode()
    assert 'href="/o/acme/servers/"' in text
    assert 'href="/o/acme/audit/"' in text
    client.get("/o/aardvark/")
    text = client.get(page).content.decode()
    assert 'href="/o/aardvark/servers/"' in text
    assert "/audit/" not in text  # a viewer does not see it there


def test_an_organisation_that_one_has_left_is_not_led_back_to(alice: User, browse: Browse) -> None:
    client = browse(alice)
    client.get("/o/acme/")
    Membership.objects.all().delete()
    assert "acme/" not in client.get("/profile/").content.decode()


def test_a_profile_keeps_name_and_zone_and_says_so_in_the_log(alice: User, browse: Browse) -> None:
    browse(alice).post(
        "/profile/", {"name": "Alice A", "time_zone": "Europe/Berlin", "is_staff": "on", "email": "x@y.z"}
    )
    alice.refresh_from_db()
    assert (alice.name, alice.time_zone, alice.is_staff, alice.email) == (
        "Alice A",
        "Europe/Berlin",
        False,
        "alice@acme.example",
    )
    event = AuditEvent.objects.get(action="profile.changed")
    assert event.after == {"name": "Alice A", "time_zone": "Europe/Berlin"}
    assert event.before == {"name": "Alice", "time_zone": ""}


@pytest.mark.parametrize("data", [{"name": "", "time_zone": ""}, {"name": "A", "time_zone": "../../etc/passwd"}])
def test_a_wrong_profile_is_refused(alice: User, browse: Browse, data: dict[str, str]) -> None:
    assert browse(alice).post("/profile/", data).status_code == 200
    alice.refresh_from_db()
    assert (alice.name, alice.time_zone) == ("Alice", "")

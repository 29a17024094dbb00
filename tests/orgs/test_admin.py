"""The Django admin: support staff see what their permissions give, no secrets, and all they do is logged."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client

from orgs.admin_base import AuditedAdmin, is_secret, snapshot
from orgs.models import AuditEvent, Invitation, Lock, Membership, Organization, Role, User
from tests import factories
from tests.conftest import Browse

OURS = {"orgs", "jobs", "catalog", "forges", "integrations"}


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@millrace.example", factories.PASSWORD)


@pytest.fixture
def staff(db: None) -> User:
    return factories.user("sam@support.example", name="Sam", is_staff=True)


def allow(person: User, *names: str) -> None:
    person.user_permissions.add(*Permission.objects.filter(codename__in=names))


def admin_of(model: str) -> Any:
    return admin.site._registry[apps.get_model(model)]


def person_form(person: User, **changes: Any) -> dict[str, Any]:
    values = {"email": person.email, "name": person.name, "time_zone": person.time_zone, "is_active": "on"}
    return {**values, **changes}


def test_every_model_of_ours_is_there_with_a_search_and_filters() -> None:
    for model in (model for app in sorted(OURS) for model in apps.get_app_config(app).get_models()):
        if model is Lock:
            continue  # rows to be locked, with nothing in them to look at
        assert model in admin.site._registry, model
        assert admin.site._registry[model].search_fields, model
        assert admin.site._registry[model].list_filter, model


def test_every_admin_of_ours_is_audited_and_shows_no_secret() -> None:
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label not in OURS:
            continue
        assert isinstance(model_admin, AuditedAdmin), model
        shown = {*model_admin.list_display, *model_admin.readonly_fields, *(model_admin.fields or ())}
        hidden = {field.name for field in model._meta.concrete_fields if is_secret(field)}
        assert not hidden & {name for name in shown if isinstance(name, str)}, model


def test_what_allauth_keeps_is_audited_too() -> None:
    for label in ("account.EmailAddress", "mfa.Authenticator", "auth.Group"):
        assert isinstance(admin_of(label), AuditedAdmin)


def test_a_superuser_is_made_by_email(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long enough phrase")
    call_command("createsuperuser", "--no-input", "--email", "boss@millrace.example", verbosity=0)
    person = User.objects.get(email="boss@millrace.example")
    assert person.is_superuser
    assert person.check_password("a long enough phrase")


@pytest.mark.parametrize(
    "path", ["", "orgs/user/", "orgs/organization/", "orgs/membership/", "orgs/invitation/", "orgs/auditevent/"]
)
def test_the_lists_open_and_search(root: User, alice: User, browse: Browse, path: str) -> None:
    assert browse(root).get(f"/admin/{path}", {"q": "acme"}).status_code == 200


@pytest.mark.parametrize("path", ["account/emailaddress/", "mfa/authenticator/", "auth/group/"])
def test_the_lists_of_allauth_open_too(root: User, browse: Browse, path: str) -> None:
    assert browse(root).get(f"/admin/{path}", {"q": "acme"}).status_code == 200


def test_the_page_of_a_person_shows_no_password(root: User, alice: User, browse: Browse) -> None:
    text = browse(root).get(f"/admin/orgs/user/{alice.pk}/change/").content.decode()
    assert alice.password not in text
    assert "md5$" not in text


def test_the_page_of_an_invitation_shows_no_digest(root: User, alice: User, acme: Organization, browse: Browse) -> None:
    invitation = Invitation.objects.create(organization=acme, digest="d" * 64, created_by=alice)
    response = browse(root).get(f"/admin/orgs/invitation/{invitation.pk}/change/")
    assert response.status_code == 200
    assert "dddd" not in response.content.decode()


def test_the_page_of_a_second_factor_shows_nothing_of_it(root: User, alice: User, browse: Browse) -> None:
    kept = Authenticator.objects.create(user=alice, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    client = browse(root)
    assert "JBSWY3" not in client.get(f"/admin/mfa/authenticator/{kept.pk}/change/").content.decode()
    client.post(f"/admin/mfa/authenticator/{kept.pk}/delete/", {"post": "yes"})
    event = AuditEvent.objects.get(action="authenticator.deleted_by_support")
    assert "JBSWY3" not in str(event.before)
    assert event.actor == root


def test_a_change_is_logged_with_before_and_after(root: User, acme: Organization, browse: Browse) -> None:
    data = {"name": "Acme Ltd", "slug": "acme", "time_zone": "UTC"}
    browse(root).post(f"/admin/orgs/organization/{acme.pk}/change/", data)
    event = AuditEvent.objects.get(action="organization.changed_by_support")
    assert (event.organization, event.actor, event.before, event.after) == (
        acme,
        root,
        {"name": "Acme"},
        {"name": "Acme Ltd"},
    )


def test_an_addition_is_logged(root: User, acme: Organization, browse: Browse) -> None:
    newcomer = factories.user("new@acme.example")
    data = {"organization": acme.pk, "user": newcomer.pk, "role": "viewer", "granted": ["keys.manage"]}
    browse(root).post("/admin/orgs/membership/add/", data)
    assert Membership.objects.get(user=newcomer).granted == ["keys.manage"]
    event = AuditEvent.objects.get(action="membership.created_by_support")
    assert (event.organization, event.after["role"]) == (acme, "viewer")


def test_a_deletion_is_logged_one_by_one_and_by_the_action(root: User, adam: User, bob: User, browse: Browse) -> None:
    client = browse(root)
    one, two = Membership.objects.get(user=adam), Membership.objects.get(user=bob)
    client.post(f"/admin/orgs/membership/{one.pk}/delete/", {"post": "yes"})
    client.post("/admin/orgs/membership/", {"action": "delete_selected", "_selected_action": [two.pk], "post": "yes"})
    assert not Membership.objects.exists()
    events = AuditEvent.objects.filter(action="membership.deleted_by_support")
    assert {event.before["role"] for event in events} == {"admin", "operator"}


def test_a_deleted_organisation_leaves_the_event_of_its_deletion(
    root: User, acme: Organization, alice: User, browse: Browse
) -> None:
    browse(root).post(f"/admin/orgs/organization/{acme.pk}/delete/", {"post": "yes"})
    assert not Organization.objects.filter(pk=acme.pk).exists()
    assert AuditEvent.objects.get(action="organization.deleted_by_support").before["name"] == "Acme"


def test_changed_groups_are_in_the_event(root: User, alice: User, browse: Browse) -> None:
    permission = Permission.objects.get(codename="view_organization")
    client = browse(root)
    client.post(
        f"/admin/orgs/user/{alice.pk}/change/", person_form(alice, is_staff="on", user_permissions=[permission.pk])
    )
    event = AuditEvent.objects.get(action="user.changed_by_support")
    assert event.after["is_staff"] is True
    assert "Can view organisation" in str(event.after["user_permissions"])


def test_an_action_is_logged_for_each_row(root: User, alice: User, browse: Browse) -> None:
    from allauth.account.models import EmailAddress

    address = EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    browse(root).post("/admin/account/emailaddress/", {"action": "mark_verified", "_selected_action": [address.pk]})
    address.refresh_from_db()
    assert address.verified
    assert AuditEvent.objects.get(action="emailaddress.mark_verified_by_support").target_id == str(address.pk)


def test_history_is_not_changed_by_anybody(root: User, acme: Organization, alice: User, browse: Browse) -> None:
    event = AuditEvent.objects.create(organization=acme, actor_label="x", action="thing.done")
    client = browse(root)
    assert client.post(f"/admin/orgs/auditevent/{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/orgs/auditevent/{event.pk}/change/", {"action": "other"}).status_code == 403
    assert client.get("/admin/orgs/auditevent/add/").status_code == 403


def test_staff_without_permissions_sees_nothing(staff: User, alice: User, browse: Browse) -> None:
    client = browse(staff)
    assert "acme" not in client.get("/admin/").content.decode().lower()
    assert client.get("/admin/orgs/organization/").status_code == 403


def test_staff_sees_what_the_permission_gives_and_no_more(staff: User, alice: User, browse: Browse) -> None:
    allow(staff, "view_organization")
    client = browse(staff)
    assert "Acme" in client.get("/admin/orgs/organization/").content.decode()
    organization = Organization.objects.get(slug="acme")
    url = f"/admin/orgs/organization/{organization.pk}/change/"
    assert client.post(url, {"name": "Mine", "slug": "acme", "time_zone": "UTC"}).status_code == 403


def test_support_cannot_make_itself_a_superuser(staff: User, browse: Browse) -> None:
    allow(staff, "view_user", "change_user")
    response = browse(staff).post(f"/admin/orgs/user/{staff.pk}/change/", person_form(staff, is_superuser="on"))
    assert response.status_code == 403
    staff.refresh_from_db()
    assert not staff.is_superuser


def test_support_cannot_make_others_staff_or_take_over_their_address(staff: User, alice: User, browse: Browse) -> None:
    allow(staff, "view_user", "change_user")
    forged = person_form(alice, name="Alice B", email="sam@support.evil", is_staff="on", is_superuser="on")
    browse(staff).post(f"/admin/orgs/user/{alice.pk}/change/", forged)
    alice.refresh_from_db()
    assert (alice.name, alice.email, alice.is_staff, alice.is_superuser) == (
        "Alice B",
        "alice@acme.example",
        False,
        False,
    )


def test_support_cannot_change_or_delete_a_superuser(staff: User, root: User, browse: Browse) -> None:
    allow(staff, "view_user", "change_user", "delete_user", "delete_emailaddress")
    client = browse(staff)
    assert client.post(f"/admin/orgs/user/{root.pk}/change/", person_form(root, is_active="")).status_code == 403
    client.post("/admin/orgs/user/", {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"})
    root.refresh_from_db()
    assert root.is_active


def test_support_cannot_take_the_second_factor_off_a_superuser(staff: User, root: User, browse: Browse) -> None:
    allow(staff, "view_authenticator", "delete_authenticator")
    kept = Authenticator.objects.create(user=root, type="totp", data={"secret": "x"})
    assert browse(staff).post(f"/admin/mfa/authenticator/{kept.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Authenticator.objects.filter(pk=kept.pk).exists()


def test_support_cannot_change_what_a_group_may(staff: User, browse: Browse) -> None:
    allow(staff, "add_group", "change_group", "view_group")
    assert browse(staff).post("/admin/auth/group/add/", {"name": "all"}).status_code == 403


def test_an_owner_who_is_not_staff_does_not_get_in(alice: User, browse: Browse) -> None:
    assert browse(alice).get("/admin/", follow=True).status_code == 403


def test_the_admin_is_signed_in_to_on_our_page(client: Client, root: User) -> None:
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=")


def test_a_new_person_has_no_password_until_they_set_one(root: User, browse: Browse) -> None:
    browse(root).post("/admin/orgs/user/add/", {"email": "new@acme.example", "name": "", "is_active": "on"})
    assert not User.objects.get(email="new@acme.example").has_usable_password()


def test_a_snapshot_masks_secrets_and_cuts_long_texts(acme: Organization) -> None:
    invitation = Invitation(organization=acme, digest="d" * 64, email="e" * 600, role=Role.VIEWER)
    values = snapshot(invitation)
    assert values["digest"] == "••••••"
    assert values["email"].endswith("… (600 characters)")

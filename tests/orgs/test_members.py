"""Who may change whom, with everybody who tries to get around it."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orgs import access, members
from orgs.models import AuditEvent, Membership, Organization, Role, User
from tests import factories
from tests.conftest import Browse


def of(person: User) -> Membership:
    return Membership.objects.select_related("organization", "user").get(user=person, organization__slug="acme")


# ---------------------------------------------------------------------------------------- roles


def test_an_owner_makes_an_admin_and_the_log_says_so(alice: User, bob: User) -> None:
    members.change_role(by=of(alice), member=of(bob), role=Role.ADMIN)
    assert of(bob).role == Role.ADMIN
    event = AuditEvent.objects.get(action="membership.role_changed")
    assert (event.before, event.after) == ({"role": "operator"}, {"role": "admin"})


def test_an_admin_makes_an_admin(alice: User, adam: User, bob: User) -> None:
    members.change_role(by=of(adam), member=of(bob), role=Role.ADMIN)
    assert of(bob).role == Role.ADMIN


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
def test_an_admin_cannot_touch_an_owner(alice: User, adam: User, role: str) -> None:
    with pytest.raises(PermissionDenied, match="Only owners can change an owner"):
        members.change_role(by=of(adam), member=of(alice), role=role)
    with pytest.raises(PermissionDenied, match="Only owners"):
        members.remove_member(by=of(adam), member=of(alice))
    assert of(alice).role == Role.OWNER


def test_an_admin_cannot_make_an_owner(alice: User, adam: User, bob: User) -> None:
    with pytest.raises(PermissionDenied, match="Only owners can make somebody an owner"):
        members.change_role(by=of(adam), member=of(bob), role=Role.OWNER)


def test_an_admin_cannot_make_themselves_an_owner(alice: User, adam: User) -> None:
    with pytest.raises(PermissionDenied):
        members.change_role(by=of(adam), member=of(adam), role=Role.OWNER)


def test_an_admin_who_lacks_an_entitlement_cannot_make_somebody_who_has_it(alice: User, adam: User, bob: User) -> None:
    Membership.objects.filter(user=adam).update(denied=["keys.manage"])
    with pytest.raises(PermissionDenied, match=r"“keys\.manage”, because you do not hold it"):
        members.change_role(by=of(adam), member=of(bob), role=Role.ADMIN)


def test_an_operator_who_manages_members_cannot_touch_an_admin(alice: User, adam: User, bob: User) -> None:
    Membership.objects.filter(user=bob).update(granted=["members.manage"])
    with pytest.raises(PermissionDenied, match="Only admins can change an admin"):
        members.remove_member(by=of(bob), member=of(adam))
    with pytest.raises(PermissionDenied, match="Only admins can make somebody an admin"):
        members.change_role(by=of(bob), member=of(bob), role=Role.ADMIN)


def test_an_admin_may_lower_themselves(alice: User, adam: User) -> None:
    members.change_role(by=of(adam), member=of(adam), role=Role.VIEWER)
    assert of(adam).role == Role.VIEWER


def test_the_last_owner_cannot_be_lowered_removed_or_leave(alice: User, adam: User) -> None:
    with pytest.raises(members.LastOwner, match="Acme would have no owner left"):
        members.change_role(by=of(alice), member=of(alice), role=Role.ADMIN)
    with pytest.raises(members.LastOwner):
        members.remove_member(by=of(alice), member=of(alice))
    with pytest.raises(members.LastOwner):
        members.leave(of(alice))
    assert of(alice).role == Role.OWNER


def test_an_owner_whose_account_is_switched_off_does_not_count(alice: User, adam: User) -> None:
    members.change_role(by=of(alice), member=of(adam), role=Role.OWNER)
    User.objects.filter(pk=adam.pk).update(is_active=False)
    with pytest.raises(members.LastOwner):
        members.leave(of(alice))


def test_with_a_second_owner_the_first_may_leave(alice: User, adam: User) -> None:
    members.change_role(by=of(alice), member=of(adam), role=Role.OWNER)
    members.leave(of(alice))
    assert not Membership.objects.filter(user=alice).exists()


def test_rights_are_those_of_this_moment_not_of_when_the_page_was_shown(alice: User, adam: User, bob: User) -> None:
    stale = of(adam)
    members.change_role(by=of(alice), member=of(adam), role=Role.VIEWER)
    with pytest.raises(PermissionDenied):
        members.change_role(by=stale, member=of(bob), role=Role.VIEWER)


def test_whoever_was_removed_meanwhile_changes_nothing(alice: User, adam: User, bob: User) -> None:
    stale = of(adam)
    members.remove_member(by=of(alice), member=of(adam))
    with pytest.raises(PermissionDenied, match="no longer a member"):
        members.remove_member(by=stale, member=of(bob))


def test_a_member_of_another_organisation_cannot_be_named(alice: User, charlie: User) -> None:
    theirs = Membership.objects.select_related("user").get(user=charlie)
    with pytest.raises(PermissionDenied):
        members.remove_member(by=of(alice), member=theirs)
    assert Membership.objects.filter(user=charlie).exists()


# ---------------------------------------------------------------------------------------- entitlements


def test_single_entitlements_are_granted_and_denied(alice: User, bob: User) -> None:
    members.choose_entitlements(
        by=of(alice), member=of(bob), choices={"contents.can_delete": "granted", "sources.edit": "denied"}
    )
    held = access.entitlements(of(bob))
    assert "contents.can_delete" in held
    assert "sources.edit" not in held
    event = AuditEvent.objects.get(action="membership.entitlements_changed")
    assert event.after == {"granted": ["contents.can_delete"], "denied": ["sources.edit"]}


def test_what_is_not_named_goes_back_to_the_role(alice: User, bob: User) -> None:
    Membership.objects.filter(user=bob).update(granted=["keys.manage"], denied=["sources.edit"])
    members.choose_entitlements(by=of(alice), member=of(bob), choices={})
    assert access.entitlements(of(bob)) == access.DEFAULTS[Role.OPERATOR]


def test_nobody_grants_what_they_do_not_hold(alice: User, adam: User, bob: User) -> None:
    Membership.objects.filter(user=adam).update(denied=["keys.manage"])
    with pytest.raises(PermissionDenied, match=r"keys\.manage"):
        members.choose_entitlements(by=of(adam), member=of(bob), choices={"keys.manage": "granted"})


def test_nobody_lifts_a_denial_of_what_they_do_not_hold(alice: User, adam: User) -> None:
    eve = factories.user("eve@acme.example")
    factories.membership(eve, of(alice).organization, Role.ADMIN, denied=["keys.manage"])
    Membership.objects.filter(user=adam).update(denied=["keys.manage"])
    with pytest.raises(PermissionDenied, match=r"keys\.manage"):
        members.choose_entitlements(by=of(adam), member=of(eve), choices={})


def test_a_grant_that_adds_nothing_today_has_to_be_the_givers_own_too(alice: User, adam: User) -> None:
    eve = factories.user("eve@acme.example")
    factories.membership(eve, of(alice).organization, Role.ADMIN)
    Membership.objects.filter(user=adam).update(denied=["keys.manage"])
    with pytest.raises(PermissionDenied):
        members.choose_entitlements(by=of(adam), member=of(eve), choices={"keys.manage": "granted"})


def test_nobody_raises_themselves(alice: User, adam: User) -> None:
    Membership.objects.filter(user=adam).update(denied=["keys.manage"])
    with pytest.raises(PermissionDenied, match="cannot give yourself more"):
        members.choose_entitlements(by=of(adam), member=of(adam), choices={})


def test_one_may_give_something_up(alice: User, adam: User) -> None:
    members.choose_entitlements(by=of(adam), member=of(adam), choices={"keys.manage": "denied"})
    assert not access.may(of(adam), "keys.manage")


@pytest.mark.parametrize("name", ["organization.manage", "everything", ""])
def test_what_cannot_be_granted_is_refused(alice: User, bob: User, name: str) -> None:
    with pytest.raises(PermissionDenied):
        members.choose_entitlements(by=of(alice), member=of(bob), choices={name: "granted"})


def test_an_owner_is_denied_nothing(alice: User, adam: User) -> None:
    members.change_role(by=of(alice), member=of(adam), role=Role.OWNER)
    with pytest.raises(PermissionDenied, match="An owner holds every entitlement"):
        members.choose_entitlements(by=of(alice), member=of(adam), choices={"keys.manage": "denied"})


def test_owning_the_organisation_does_not_come_from_a_forged_row(alice: User, bob: User) -> None:
    Membership.objects.filter(user=bob).update(granted=["organization.manage"])
    assert not access.may(of(bob), "organization.manage")


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.VIEWER, [], ["contents.edit", "integrations.import", "audit.view"]),
        (
            Role.OPERATOR,
            ["integrations.import", "contents.edit", "servers.edit"],
            ["contents.can_delete", "keys.manage"],
        ),
        (Role.ADMIN, ["contents.can_delete", "members.manage", "audit.view"], ["organization.manage"]),
        (Role.OWNER, ["organization.manage", "members.manage"], []),
    ],
)
def test_what_each_role_may(acme: Organization, role: str, may: list[str], may_not: list[str]) -> None:
    membership = factories.membership(factories.user(), acme, role)
    assert all(access.may(membership, name) for name in may)
    assert not any(access.may(membership, name) for name in may_not)


def test_an_entitlement_that_does_not_exist_is_a_programming_error(alice: User) -> None:
    with pytest.raises(KeyError):
        access.may(of(alice), "contents.delet")


# ---------------------------------------------------------------------------------------- pages


def test_a_viewer_sees_the_list_but_cannot_manage(carol: User, alice: User, browse: Browse) -> None:
    text = browse(carol).get("/o/acme/members/").content.decode()
    assert "alice@acme.example" in text
    assert "Manage" not in text
    assert "Invite" not in text


def test_a_forged_role_change_by_a_viewer_is_refused(carol: User, bob: User, browse: Browse) -> None:
    url = f"/o/acme/members/{of(carol).pk}/role/"
    response = browse(carol).post(url, {"role": "owner"})
    assert response.status_code == 403
    assert "members.manage" in response.content.decode()
    assert of(carol).role == Role.VIEWER


def test_an_admins_forged_owner_role_is_not_among_the_choices(
    alice: User, adam: User, bob: User, browse: Browse
) -> None:
    response = browse(adam).post(f"/o/acme/members/{of(bob).pk}/role/", {"role": "owner"})
    assert response.status_code == 422
    assert of(bob).role == Role.OPERATOR


def test_an_admins_forged_form_against_an_owner_is_a_403(alice: User, adam: User, browse: Browse) -> None:
    client = browse(adam)
    for path, data in (("role/", {"role": "viewer"}), ("remove/", {}), ("", {"keys.manage": "denied"})):
        response = client.post(f"/o/acme/members/{of(alice).pk}/{path}", _complete(data) if path == "" else data)
        assert response.status_code == 403, path
    assert of(alice).role == Role.OWNER


def test_the_last_owner_is_told_on_the_page(alice: User, browse: Browse) -> None:
    client = browse(alice)
    response = client.post(f"/o/acme/members/{of(alice).pk}/role/", {"role": "admin"})
    assert response.status_code == 422
    assert "would have no owner left" in response.content.decode()
    assert "would have no owner left" in client.post("/o/acme/members/leave/", follow=True).content.decode()


def test_the_grid_saves_what_was_chosen(alice: User, bob: User, browse: Browse) -> None:
    client = browse(alice)
    url = f"/o/acme/members/{of(bob).pk}/"
    response = client.post(url, _complete({"contents.can_delete": "granted"}), follow=True)
    assert "The entitlements of Bob are saved" in response.content.decode()
    assert of(bob).granted == ["contents.can_delete"]


def test_a_member_leaves_by_the_page(bob: User, alice: User, browse: Browse) -> None:
    client = browse(bob)
    assert "Leave Acme?" in client.get("/o/acme/members/leave/").content.decode()
    client.post("/o/acme/members/leave/")
    assert not Membership.objects.filter(user=bob).exists()
    assert AuditEvent.objects.filter(action="membership.left").exists()


def test_removing_asks_first_and_fits_the_dialog(alice: User, bob: User, browse: Browse) -> None:
    url = f"/o/acme/members/{of(bob).pk}/remove/"
    fragment = browse(alice).get(url, headers={"HX-Request": "true"}).content.decode()
    assert "Remove Bob?" in fragment
    assert "<html" not in fragment
    assert Membership.objects.filter(user=bob).exists()


def test_the_list_asks_as_many_queries_for_thirty_as_for_three(alice: User, acme: Organization, browse: Browse) -> None:
    client = browse(alice)
    client.get("/o/acme/members/")

    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            client.get("/o/acme/members/")
        return len(context)

    few = queries()
    for _ in range(30):
        factories.membership(factories.user(), acme, granted=["keys.manage"])
    assert queries() == few


@pytest.mark.parametrize("sort", ["person", "-role", "joined_at", "nonsense", "user__password"])
def test_the_list_sorts_by_what_it_shows_and_by_nothing_else(alice: User, browse: Browse, sort: str) -> None:
    assert browse(alice).get("/o/acme/members/", {"sort": sort}).status_code == 200


def _complete(choices: dict[str, str]) -> dict[str, str]:
    return {**dict.fromkeys(members.SINGLE_ENTITLEMENTS, "default"), **choices}

"""The forms of people and organisations."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import TYPE_CHECKING, Any

from allauth.core import context
from django import forms
from django.conf import settings

from orgs import sign_up
from orgs.access import DEFAULTS, ENTITLEMENTS
from orgs.members import SINGLE_ENTITLEMENTS, Choice, may_assign
from orgs.models import Membership, Organization, Role, User

if TYPE_CHECKING:
    OrganizationModelForm = forms.ModelForm[Organization]
    UserModelForm = forms.ModelForm[User]
else:
    OrganizationModelForm = UserModelForm = forms.ModelForm


_AREAS = {
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
}  # the rest of the database are aliases and fixed offsets


@cache
def time_zones() -> tuple[str, ...]:
    """The zones of the tz database that are places, and UTC."""
    places = sorted(name for name in zoneinfo.available_timezones() if name.partition("/")[0] in _AREAS and "/" in name)
    return ("UTC", *places)


def time_zone_choices(empty: str = "", current: str = "") -> list[tuple[str, Any]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in time_zones():
        area, _, place = name.partition("/")
        if place:
            groups.setdefault(area, []).append((name, place.replace("_", " ").replace("/", ", ")))
    choices: list[tuple[str, Any]] = [("", empty)] if empty else []
    if current and current not in time_zones():
        choices.append((current, current))
    return [*choices, ("UTC", "UTC"), *groups.items()]


class SignupForm(forms.Form):
    """What signing up asks beside e-mail and password; allauth puts its own form on top of this one."""

    field_order = ["name", "organization_name", "email", "password1", "password2"]

    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    organization_name = forms.CharField(
        label="Organisation",
        max_length=120,
        help_text="The company or team whose servers you keep here. You can rename it later.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.way = sign_up.way_in(context.request)
        if not self.way.makes_organization:
            del self.fields["organization_name"]
        invitation = self.way.invitation
        if invitation and invitation.email and "email" in self.fields:
            self.initial["email"] = invitation.email  # goes before an address in the query string
            self.fields["email"].disabled = True  # what is posted instead is not looked at
            self.fields["email"].help_text = "The invitation is for this address."

    def signup(self, request: Any, user: User) -> None:
        """allauth wants it; the adapter has done everything in one transaction."""


class OrganizationForm(OrganizationModelForm):
    time_zone = forms.ChoiceField(help_text="Schedules run in it. Each person sees times in the zone of their profile.")

    class Meta:
        model = Organization
        fields = ["name", "time_zone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone: Any = self.fields["time_zone"]
        zone.choices = time_zone_choices(current=self.instance.time_zone)


class DeleteOrganizationForm(forms.Form):
    name = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.fields["name"].label = f"Type “{organization.name}” to confirm"

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.organization.name:
            raise forms.ValidationError(f"This is not the organisation's name. It is “{self.organization.name}”.")
        return name


class ProfileForm(UserModelForm):
    time_zone = forms.ChoiceField(required=False, help_text="Times are shown in this zone.")

    class Meta:
        model = User
        fields = ["name", "time_zone"]
        labels = {"name": "Your name"}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        zone: Any = self.fields["time_zone"]
        zone.choices = time_zone_choices(f"As this installation: {settings.TIME_ZONE}", self.instance.time_zone)


ROLE_WORDS = {
    Role.VIEWER: "sees servers, content, runs and search",
    Role.OPERATOR: "also connects and refreshes repositories, and edits content and servers",
    Role.ADMIN: "also deletes, and manages members, connections and keys",
    Role.OWNER: "also the organisation itself and its owners",
}


def role_choices(by: Membership) -> list[tuple[str, str]]:
    """The roles that this member may give, each with what it is for."""
    return [(role.value, f"{role.label}: {ROLE_WORDS[role]}") for role in reversed(Role) if may_assign(by, role)]


class RoleForm(forms.Form):
    role = forms.ChoiceField(widget=forms.RadioSelect)

    def __init__(self, *args: Any, by: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["role"]
        field.choices = role_choices(by)


class InvitationForm(forms.Form):
    role = forms.ChoiceField(widget=forms.RadioSelect, initial=Role.VIEWER)
    email = forms.EmailField(
        label="Email address",
        required=False,
        help_text="If given, only this address can accept, and the link is mailed to it as well.",
    )
    days = forms.TypedChoiceField(
        label="Good for",
        coerce=int,
        choices=[(1, "1 day"), (3, "3 days"), (7, "7 days"), (14, "14 days"), (30, "30 days")],
        initial=7,
    )

    def __init__(self, *args: Any, by: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        field: Any = self.fields["role"]
        field.choices = role_choices(by)

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        members = Membership.objects.filter(organization_id=self.by.organization_id)
        if email and members.filter(user__email__iexact=email).exists():
            raise forms.ValidationError("This person is a member already.")
        return email


class EntitlementsForm(forms.Form):
    """A row for each entitlement: the role's default, granted or denied."""

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SINGLE_ENTITLEMENTS:
            default = "yes" if name in DEFAULTS[member.role] else "no"
            self.fields[name] = forms.ChoiceField(
                label=name,
                help_text=ENTITLEMENTS[name],
                choices=[("default", f"As the role: {default}"), ("granted", "Granted"), ("denied", "Denied")],
                initial="granted" if name in member.granted else "denied" if name in member.denied else "default",
            )

    def choices(self) -> dict[str, Choice]:
        """The valid form as `members.choose_entitlements` takes it."""
        return {name: value for name, value in self.cleaned_data.items() if value != "default"}

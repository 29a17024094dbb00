"""People and organisations for support staff, and allauth's and Django's own models on our audited base.

Support can help a person, but not become one: addresses, passwords and second factors are never set here, and whoever
may use the admin is changed by superusers alone. Nor can they help themselves to an organisation: see `orgs.members`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401  # these three register what is registered anew below
import django.contrib.auth.admin  # noqa: F401
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from orgs.access import ENTITLEMENTS
from orgs.admin_base import AuditedAdmin, ReadOnlyAdmin
from orgs.members import SINGLE_ENTITLEMENTS, LastOwner, require_other_owners, why_not_by_support
from orgs.models import AuditEvent, Invitation, Membership, Organization, Role, User

# The same sign-in as everywhere, with its second factor and its limit of attempts.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Millrace administration"
for model in (EmailAddress, Authenticator, Group):
    admin.site.unregister(model)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def _touches_staff(request: HttpRequest, person: User | None) -> bool:
    """Whether somebody of the staff would change one of the staff without being a superuser."""
    return person is not None and (person.is_staff or person.is_superuser) and not _is_superuser(request)


class OwnersAdmin(AuditedAdmin):
    """Deletes nobody whose organisation would be left without an owner, and says so."""

    def leaving(self, objs: Iterable[Any]) -> QuerySet[Membership]:
        """The memberships that go when these rows do."""
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            require_other_owners(self.leaving([obj]))
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            require_other_owners(self.leaving(queryset))
            super().delete_queryset(request, queryset)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return self._or_refused(request, super().delete_view, object_id, extra_context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return self._or_refused(request, super().changelist_view, extra_context)  # its action deletes many at once

    def _or_refused(self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any) -> HttpResponse:
        try:
            return view(request, *args)
        except LastOwner as error:
            self.message_user(request, str(error), level="error")
            return redirect(request.get_full_path())


@admin.register(User)
class UserAdmin(OwnersAdmin):
    organization_path = ""
    list_display = ["email", "name", "is_active", "is_staff", "last_login", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "name"]
    fields = [
        "email",
        "name",
        "time_zone",
        "is_active",
        "is_staff",
        "is_superuser",
        "groups",
        "user_permissions",
        "last_login",
        "date_joined",
    ]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = ["groups", "user_permissions"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only superusers make staff, and only they change an address: who has it can have the password reset."""
        names = super().get_readonly_fields(request, obj)
        if _is_superuser(request):
            return names
        return [*names, "is_staff", "is_superuser", "groups", "user_permissions", *(["email"] if obj else [])]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _touches_staff(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _touches_staff(request, obj)

    def leaving(self, objs: Iterable[User]) -> QuerySet[Membership]:
        return Membership.objects.filter(user__in=objs)

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool) -> None:
        if not change:
            obj.set_unusable_password()  # the person sets one by “Forgot your password?”
        super().save_model(request, obj, form, change)


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's is not generic at run time
    by: User
    granted = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    denied = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"granted", "denied"} & set(self.fields):
            field: Any = self.fields[name]
            field.choices = [(entitlement, ENTITLEMENTS[entitlement]) for entitlement in SINGLE_ENTITLEMENTS]

    def clean(self) -> dict[str, Any]:
        """The rules of `orgs.members`; the admin saves in a transaction, so that what is locked here stays so."""
        values = self.cleaned_data
        role, is_new = values.get("role"), self.instance._state.adding
        person = values.get("user") if is_new else self.instance.user
        if role is None or person is None:
            return values  # its own error says so
        if reason := why_not_by_support(by=self.by, person=person, role=role):
            raise ValidationError(reason)
        if role == Role.OWNER:
            values["granted"], values["denied"] = [], []  # an owner needs none
        elif not is_new:
            try:
                require_other_owners([self.instance])
            except LastOwner as error:
                raise ValidationError({"role": str(error)}) from error
        return values


@admin.register(Membership)
class MembershipAdmin(OwnersAdmin):
    form = MembershipForm
    list_display = ["user", "organization", "role", "joined_at"]
    list_filter = ["role"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "user__name", "organization__name", "organization__slug"]
    autocomplete_fields = ["user", "organization"]

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        """Whose it is and where does not change: it would be another membership."""
        return [*super().get_readonly_fields(request, obj), *(["user", "organization"] if obj else [])]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # a class of this request alone
        form.by = request.user  # type: ignore[attr-defined]
        return form

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Also asked for each membership that would go with a person or an organisation."""
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def leaving(self, objs: Iterable[Membership]) -> QuerySet[Membership]:
        return Membership.objects.filter(pk__in=[member.pk for member in objs])


def _may_touch(request: HttpRequest, member: Membership | None) -> bool:
    by = request.user
    return isinstance(by, User) and (
        member is None or not why_not_by_support(by=by, person=member.user, role=member.role)
    )


@admin.register(Organization)
class OrganizationAdmin(AuditedAdmin):
    list_display = ["name", "slug", "time_zone", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["name", "slug"]
    readonly_fields = ["created_at"]


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ["organization", "role", "email", "status", "created_by", "created_at", "expires_at"]
    list_filter = ["role"]
    list_select_related = ["organization", "created_by"]
    search_fields = ["email", "organization__name", "created_by__email"]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "organization", "actor_label", "action", "target_type", "target_label", "address"]
    list_filter = ["at", "target_type"]
    list_select_related = ["organization"]
    search_fields = ["actor_label", "action", "target_label", "=target_id"]


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    organization_path = ""
    list_display = ["email", "user", "primary", "verified"]
    list_filter = ["primary", "verified"]
    list_select_related = ["user"]
    search_fields = ["email", "user__name"]
    actions = ["mark_verified"]

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and request.user.has_perm("account.change_emailaddress")

    @admin.action(description="Mark as verified", permissions=["verify"])
    def mark_verified(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        for address in queryset:
            if not address.set_verified():  # type: ignore[attr-defined]
                self.message_user(request, f"{address} is another person's verified address already.", level="error")


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """A lost second factor can be taken off; what it holds is not shown."""

    organization_path = ""
    secret_fields = ["data"]
    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__name"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = isinstance(request.user, User) and request.user.has_perm("mfa.delete_authenticator")
        return allowed and not _touches_staff(request, obj.user if obj else None)


@admin.register(Group)
class GroupAdmin(AuditedAdmin):
    """What a group may do, its members may: superusers' business."""

    organization_path = ""
    search_fields = ["name"]
    filter_horizontal = ["permissions"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return _is_superuser(request)

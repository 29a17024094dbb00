"""API keys: looked at and revoked here, made and changed on the organisation's page. What clients carry nobody sees."""

from __future__ import annotations

from typing import cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from endpoint.models import ApiKey
from orgs.admin_base import ReadOnlyAdmin
from orgs.models import User


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "hint",
        "organization",
        "everything",
        "may_call",
        "created_by",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("everything", "may_call", "created_at", "expires_at", "revoked_at")
    list_select_related = ("organization", "created_by")
    search_fields = ("=id", "name", "hint", "organization__name", "created_by__email")
    date_hierarchy = "created_at"
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """It is more than looking, though nothing is edited."""
        return cast("User", request.user).has_perm("endpoint.change_apikey")

    @admin.action(description="Revoke the selected keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        number = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"Revoked: {number}. Whoever carries them is refused from now on.", messages.SUCCESS)

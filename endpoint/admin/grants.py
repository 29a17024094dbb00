"""What people let OAuth clients do: looked at here, ended on their pages and the organisation's."""

from __future__ import annotations

from django.contrib import admin

from endpoint.models import Grant
from orgs.admin_base import ReadOnlyAdmin


@admin.register(Grant)
class GrantAdmin(ReadOnlyAdmin):
    list_display = ("client", "user", "organization", "server", "toolkit", "may_call", "allowed_at", "last_used_at")
    list_filter = ("may_call", "allowed_at")
    list_select_related = ("client", "user", "organization", "server", "toolkit")
    search_fields = ("=id", "client__name", "user__email", "organization__name", "resource")
    date_hierarchy = "allowed_at"

"""Integrations in the Django admin, for support staff: to be looked at. The pages and the forge change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.models import FileChange, ImportedFile, Integration, SkippedFile, Track
from integrations.refreshing import REFRESH
from jobs import runs
from jobs.models import Trigger
from orgs.admin_base import ReadOnlyAdmin
from orgs.models import User

if TYPE_CHECKING:
    TrackRows = admin.TabularInline[Track, Integration]
else:
    TrackRows = admin.TabularInline


class TrackInline(TrackRows):
    model = Track
    fields = ("branch", "include", "exclude", "mount_path", "last_commit", "files", "stale_files", "refreshed_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any) -> bool:
        return False


@admin.register(Integration)
class IntegrationAdmin(ReadOnlyAdmin):
    organization_path = "server__organization"
    list_display = ("repository", "forge", "server", "organization", "private", "credential", "updated_at")
    list_filter = ("forge", "private", ("token_key", admin.EmptyFieldListFilter))
    list_select_related = ("server__organization", "connection")
    search_fields = ("id", "repository", "repository_id", "server__name", "server__organization__name")
    date_hierarchy = "created_at"
    inlines = (TrackInline,)
    actions = ("refresh_and_keep",)
    fields = (
        "id",
        "server",
        "organization",
        "forge",
        "base_url",
        "repository",
        "repository_id",
        "web_url",
        "private",
        "username",
        "credential",
        "expires",
        "created_by",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields

    @admin.display(ordering="server__organization__name")
    def organization(self, integration: Integration) -> str:
        return str(integration.server.organization)

    @admin.display(description="Credential")
    def credential(self, integration: Integration) -> str:
        """Its connection and how that is; or its own token, whose it is, and the id of the key that encrypts it."""
        if integration.connection is not None:
            return f"connection of {integration.connection}, {integration.connection.get_status_display().lower()}"
        if not Integration.token.is_set(integration):
            return "missing" if integration.private else "none"
        account = f" of {integration.token_account}" if integration.token_account else ""
        return f"token{account}, key {getattr(integration, Integration.token.columns[2])}"

    @admin.display(description="Token expires")
    def expires(self, integration: Integration) -> str:
        return str(integration.token_expires_at or "—")

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        """Refreshing changes content, so that looking at integrations is not enough, though nothing edits them."""
        return cast("User", request.user).has_perm("integrations.change_integration")

    @admin.action(description="Refresh, keeping what vanished in git", permissions=["refresh"])
    def refresh_and_keep(self, request: HttpRequest, queryset: QuerySet[Integration]) -> None:
        """In Millrace's own name: support staff need not be members, and so are not who asks."""
        asked = 0
        for integration in queryset.select_related("server__organization"):
            if integration.credential_missing:
                messages.warning(request, f"{integration} is left out: its access token is missing.")
                continue
            runs.request_run(
                kind=REFRESH,
                subject=integration,
                organization=integration.server.organization,
                scope=str(integration.server_id),
                options={"prune": False},
                trigger=Trigger.MANUAL,
            )
            asked += 1
        messages.success(request, f"{asked} refreshes are queued.")


@admin.register(Track)
class TrackAdmin(ReadOnlyAdmin):
    organization_path = "integration__server__organization"
    list_display = ("integration", "branch", "mount_path", "last_commit", "files", "stale_files", "refreshed_at")
    list_filter = ("last_complete", "refreshed_at")
    list_select_related = ("integration",)
    search_fields = ("id", "integration__repository", "branch", "mount_path", "last_commit")


@admin.register(ImportedFile)
class ImportedFileAdmin(ReadOnlyAdmin):
    organization_path = "server__organization"
    list_display = ("path", "server", "track", "commit", "size", "stale_since", "detached_at")
    list_filter = (
        ("stale_since", admin.EmptyFieldListFilter),
        ("detached_at", admin.EmptyFieldListFilter),
        ("track", admin.EmptyFieldListFilter),
    )
    list_select_related = ("server", "track__integration")
    search_fields = ("path", "oid", "commit", "server__name")
    ordering = ("-pk",)


@admin.register(SkippedFile)
class SkippedFileAdmin(ReadOnlyAdmin):
    organization_path = "track__integration__server__organization"
    list_display = ("path", "reason", "detail", "track")
    list_filter = ("reason", "blocked")
    list_select_related = ("track__integration",)
    search_fields = ("path", "oid", "track__integration__repository")
    ordering = ("-pk",)


@admin.register(FileChange)
class FileChangeAdmin(ReadOnlyAdmin):
    organization_path = "run__organization"
    list_display = ("path", "action", "old_path", "run", "at")
    list_filter = ("action", "at")
    list_select_related = ("run",)
    search_fields = ("path", "old_path", "run__id")
    ordering = ("-pk",)
    fields = ("run", "action", "path", "old_path", "at")

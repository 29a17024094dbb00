"""Pushes and mirrors in the Django admin, for support staff: to be looked at. Pages and repositories change them."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from gitsync.mirror.requesting import request_sync
from gitsync.models import (
    AllowedFinding,
    Mirror,
    MirrorChange,
    MirroredEntity,
    PendingChange,
    PushedFile,
    PushSettings,
    PushTarget,
)
from gitsync.requesting import COMPARE, PUSH, scope_of
from gitsync.states import state_of
from jobs import runs
from jobs.models import Trigger
from orgs.admin_base import AuditedAdmin, ReadOnlyAdmin
from orgs.models import User


@admin.register(PushTarget)
class PushTargetAdmin(ReadOnlyAdmin):
    list_display = ("server_name", "repository", "branch", "directory", "forge", "organization", "mode", "problem")
    list_filter = ("forge", "mode", "problem", ("server", admin.EmptyFieldListFilter), "last_pushed_at")
    list_select_related = ("organization",)
    search_fields = (
        "id",
        "server_name",
        "repository",
        "repository_id",
        "directory",
        "last_commit",
        "organization__name",
    )
    date_hierarchy = "created_at"
    actions = ("push_now",)
    fields = (
        "id",
        "server",
        "server_name",
        "organization",
        "state",
        "forge",
        "base_url",
        "repository",
        "repository_id",
        "web_url",
        "branch",
        "directory",
        "directory_follows",
        "mode",
        "credential",
        "credential_lost",
        "username",
        "pushed_revision",
        "last_commit",
        "last_commit_url",
        "last_pushed_at",
        "side_branch",
        "pull_request",
        "pull_request_url",
        "problem",
        "problem_text",
        "problem_details",
        "foreign",
        "foreign_count",
        "assigned_by",
        "revision",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields

    @admin.display(description="Status")
    def state(self, target: PushTarget) -> str:
        """As the server's page says it."""
        state = state_of(target)
        return f"{state.word}: {state.text}" if state.text else state.word

    @admin.display(description="Credential")
    def credential(self, target: PushTarget) -> str:
        """Its connection and how that is; or its own, and the id of the key that encrypts it."""
        if target.connection is not None:
            return f"connection of {target.connection}, {target.connection.get_status_display().lower()}"
        if not PushTarget.token.is_set(target):
            return "lost" if target.credential_lost else "none"
        return f"its own, key {getattr(target, PushTarget.token.columns[2])}"

    def has_push_permission(self, request: HttpRequest) -> bool:
        """Pushing changes a repository, so that looking is not enough, though nothing edits them here."""
        return cast("User", request.user).has_perm("gitsync.change_pushtarget")

    @admin.action(description="Push now", permissions=["push"])
    def push_now(self, request: HttpRequest, queryset: QuerySet[PushTarget]) -> None:
        """In Millrace's own name: support staff need not be members, and so are not who asks."""
        asked = 0
        for target in queryset.select_related("organization"):
            if target.credential_lost:
                messages.warning(request, f"{target} is left out: its connection is gone.")
                continue
            runs.request_run(
                kind=PUSH,
                subject=target,
                organization=target.organization,
                scope=scope_of(target),
                options=COMPARE,
                trigger=Trigger.MANUAL,
            )
            asked += 1
        messages.success(request, f"{asked} pushes are queued.")


@admin.register(PushedFile)
class PushedFileAdmin(ReadOnlyAdmin):
    organization_path = "target__organization"
    list_display = ("path", "target", "oid", "intended")
    list_filter = ("target__forge", ("intended", admin.EmptyFieldListFilter))
    list_select_related = ("target",)
    search_fields = ("path", "oid", "target__repository", "target__server_name")


@admin.register(PendingChange)
class PendingChangeAdmin(ReadOnlyAdmin):
    organization_path = "target__organization"
    list_display = ("at", "target", "verb", "kind", "name", "former", "person")
    list_filter = ("verb", "kind", "at")
    list_select_related = ("target", "person")
    search_fields = ("name", "former", "target__server_name", "target__repository", "person__email")


@admin.register(AllowedFinding)
class AllowedFindingAdmin(AuditedAdmin):
    """To be taken back: deleted, so that the next push finds it again."""

    list_display = ("where", "organization", "allowed_by", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("organization", "allowed_by")
    search_fields = ("where", "organization__name", "allowed_by__email")

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        return False


@admin.register(PushSettings)
class PushSettingsAdmin(ReadOnlyAdmin):
    list_display = ("organization", "message_template")
    list_select_related = ("organization",)
    search_fields = ("organization__name", "message_template")


@admin.register(Mirror)
class MirrorAdmin(ReadOnlyAdmin):
    list_display = ("repository", "branch", "directory", "forge", "organization", "mode", "problem", "synced_at")
    list_filter = ("forge", "mode", "problem", "apply_deletions", "synced_at")
    list_select_related = ("organization",)
    search_fields = ("id", "repository", "repository_id", "directory", "last_commit", "organization__name")
    raw_id_fields = ("connection",)
    actions = ("sync_now",)

    def has_sync_permission(self, request: HttpRequest) -> bool:
        """Syncing changes a repository and the organisation's rows, so that looking is not enough."""
        return cast("User", request.user).has_perm("gitsync.change_mirror")

    @admin.action(description="Sync now", permissions=["sync"])
    def sync_now(self, request: HttpRequest, queryset: QuerySet[Mirror]) -> None:
        """In Millrace's own name: support staff need not be members, and so are not who asks."""
        asked = 0
        for mirror in queryset.select_related("organization"):
            if mirror.credential_lost:
                messages.warning(request, f"{mirror} is left out: its connection is gone.")
                continue
            request_sync(mirror, trigger=Trigger.MANUAL, by=None)
            asked += 1
        messages.success(request, f"{asked} syncs are queued.")


@admin.register(MirroredEntity)
class MirroredEntityAdmin(ReadOnlyAdmin):
    """How each stands, without what its file says."""

    organization_path = "mirror__organization"
    secret_fields = ("document", "theirs", "settle", "error")
    list_display = ("path", "kind", "name", "mirror", "state", "code", "agreed_at")
    list_filter = ("kind", "state", "agreed_at")
    list_select_related = ("mirror__organization",)
    search_fields = ("path", "name", "=entity", "=file_id", "mirror__repository", "mirror__organization__name")
    readonly_fields = ("code", "message")

    @admin.display(description="Code")
    def code(self, row: MirroredEntity) -> str:
        return str(row.error.get("code", ""))

    @admin.display(description="Message")
    def message(self, row: MirroredEntity) -> str:
        """What people are told; it holds nothing of the file."""
        return str(row.error.get("message", ""))


@admin.register(MirrorChange)
class MirrorChangeAdmin(ReadOnlyAdmin):
    organization_path = "mirror__organization"
    list_display = ("at", "mirror", "verb", "kind", "name", "former", "person", "asked")
    list_filter = ("verb", "kind", "asked", "at")
    list_select_related = ("mirror__organization", "person")
    search_fields = ("name", "former", "mirror__repository", "mirror__organization__name", "person__email")

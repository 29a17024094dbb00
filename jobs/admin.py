"""Runs for support staff: to be looked at, retried and cancelled, never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django_q import admin as queue_admin  # registers its models, which are taken off again below
from django_q.models import Failure, OrmQ, Schedule, Success

from jobs import registry, runs
from jobs.models import Heartbeat, LogLine, Run
from orgs.admin_base import ReadOnlyAdmin
from orgs.models import User

if TYPE_CHECKING:
    LogLines = admin.TabularInline[LogLine, Run]
else:
    LogLines = admin.TabularInline

# The queue carries ids of Runs and nothing else: what there is to see and do is on the Run itself.
for model in (Failure, Success, OrmQ, Schedule):
    if queue_admin.admin.site.is_registered(model):
        queue_admin.admin.site.unregister(model)


class LogLineInline(LogLines):
    model = LogLine
    fields = ("at", "level", "text")
    readonly_fields = fields
    extra = 0
    max_num = 0
    can_delete = False


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.name, kind.label) for kind in registry.kinds()]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = [
        "kind",
        "subject_label",
        "organization",
        "status",
        "trigger",
        "requested_by",
        "created_at",
        "attempts",
    ]
    list_filter = ["status", KindFilter, "trigger", "organization"]
    list_select_related = ["organization", "requested_by"]
    search_fields = ["=id", "subject_label", "=subject_id", "=scope", "organization__name", "error_code", "error_text"]
    date_hierarchy = "created_at"
    inlines = [LogLineInline]
    actions = ["retry", "cancel"]

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Acting on a Run is more than looking at it, though neither edits it."""
        return cast("User", request.user).has_perm("jobs.change_run")

    @admin.action(description="Retry the selected runs", permissions=["act"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """On behalf of who asked first, unless the person is a member."""
        for run in queryset:
            try:
                requested = runs.retry_run(run, by=cast("User", request.user), request=request)
                self.message_user(request, f"{run}: queued as {requested.run.pk}.", messages.SUCCESS)
            except runs.Refused as refusal:
                self.message_user(request, f"{run}: {refusal}", messages.WARNING)

    @admin.action(description="Cancel the selected runs", permissions=["act"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        for run in queryset:
            run = runs.cancel_run(run, by=cast("User", request.user), request=request)
            self.message_user(request, f"{run}: {run.get_status_display().lower()}.", messages.SUCCESS)


@admin.register(LogLine)
class LogLineAdmin(ReadOnlyAdmin):
    organization_path = "run__organization"
    list_display = ["at", "level", "text", "run"]
    list_filter = ["level", "at"]
    list_select_related = ["run"]
    search_fields = ["text", "=run__id", "run__subject_label"]
    ordering = ["-pk"]


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    organization_path = ""
    list_display = ["name", "at", "detail"]
    list_filter = ["at"]
    search_fields = ["name", "detail"]
    ordering = ["-at"]

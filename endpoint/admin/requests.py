"""The request log across organisations: what support looks at when somebody says that a client is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.utils.functional import cached_property

from endpoint.models import RequestLog
from orgs.admin_base import ReadOnlyAdmin

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator

FOUND_AT_MOST = 10_000
"""Rows that the list pages through: the log may have millions, which no database counts quickly."""


class ShortCount(AnyPaginator):
    """Pages through the newest rows alone."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[:FOUND_AT_MOST].count())


@admin.register(RequestLog)
class RequestLogAdmin(ReadOnlyAdmin):
    # Not their arguments: support needs what happened, and not what people tell their agents.
    exclude = ("arguments",)
    list_display = (
        "at",
        "organization",
        "server",
        "toolkit",
        "caller",
        "client",
        "method",
        "subject",
        "outcome",
        "code",
        "took",
    )
    list_filter = ("outcome",)
    list_select_related = ("organization", "server", "toolkit")
    search_fields = ("=organization__slug", "=server__slug", "=key__hint")
    search_help_text = "The address of an organisation or server, or how a key begins."
    ordering = ("-at", "-id")
    paginator = ShortCount
    show_full_result_count = False

    @admin.display(description="took", ordering="milliseconds")
    def took(self, row: RequestLog) -> str:
        return f"{row.milliseconds:.1f} ms"

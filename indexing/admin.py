"""Sources in the Django admin, for support staff: looked at here, changed on the pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from indexing.models import Page, Source, Text
from indexing.states import Standing, listed
from orgs.admin_base import ReadOnlyAdmin


class StandingFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "standing"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [(standing.value, standing.label) for standing in Standing]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(standing=self.value()) if self.value() else queryset


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    organization_path = "server__organization"
    list_display = (
        "name",
        "kind",
        "server",
        "organization",
        "status",
        "error_code",
        "error_reference",
        "pages",
        "chunks",
        "indexed_at",
        "next_refresh_at",
    )
    list_filter = (StandingFilter, "kind", "error_code", ("paused_at", admin.EmptyFieldListFilter), "forge")
    search_fields = (
        "=id",
        "=error_reference",
        "name",
        "url",
        "=repository_id",
        "server__name",
        "server__organization__name",
    )
    date_hierarchy = "created_at"
    fields = (
        "id",
        "server",
        "organization",
        "kind",
        "name",
        "url",
        "status",
        "error_code",
        "error_text",
        "error_reference",
        "notice",
        "paused_at",
        "indexed_at",
        "checked_at",
        "auto_refresh",
        "next_refresh_at",
        "pages",
        "chunks",
        "skipped",
        "include",
        "exclude",
        "max_pages",
        "max_depth",
        "forge",
        "base_url",
        "repository",
        "repository_id",
        "branch",
        "private",
        "last_commit",
        "credential",
        "credential_lost",
        "search_tool",
        "created_by",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return listed(super().get_queryset(request))

    @admin.display(ordering="server__organization__name")
    def organization(self, source: Source) -> str:
        return str(source.server.organization)

    @admin.display(ordering="standing")
    def status(self, source: Source) -> str:
        word = Standing(vars(source)["standing"]).label
        return f"{word}, paused" if source.paused_at else word

    @admin.display(description="Credential")
    def credential(self, source: Source) -> str:
        """Its connection and how that is; or its own token by the id of the key that encrypts it."""
        if source.connection is not None:
            return f"connection of {source.connection}, {source.connection.get_status_display().lower()}"
        if Source.token.is_set(source):
            return f"token, key {getattr(source, Source.token.columns[2])}"
        return "missing" if source.private else "none"


@admin.register(Page)
class PageAdmin(ReadOnlyAdmin):
    """What a source came upon: the text of a page is read on the pages, by its members."""

    organization_path = "source__server__organization"
    list_display = ("url", "source", "status", "skip_reason", "fetched_at", "changed_at")
    list_filter = ("skip_reason", "status")
    list_select_related = ("source",)
    search_fields = ("=source__id", "url", "path", "title")
    fields = (
        "source",
        "url",
        "path",
        "title",
        "indexed",
        "skip_reason",
        "skip_detail",
        "status",
        "etag",
        "last_modified",
        "depth",
        "reached",
        "fetched",
        "missed",
        "oid",
        "size",
        "fetched_at",
        "changed_at",
    )
    readonly_fields = fields

    @admin.display(boolean=True)
    def indexed(self, page: Page) -> bool:
        return page.text_id is not None


@admin.register(Text)
class TextAdmin(ReadOnlyAdmin):
    """What a server's index is made of."""

    organization_path = "index__server__organization"
    list_display = ("title", "server", "format", "chunks", "chunker", "stored_at")
    list_filter = ("format", "chunker")
    list_select_related = ("index__server",)
    search_fields = ("=id", "title", "name", "=blob__sha256", "index__server__name")
    fields = ("id", "server", "title", "name", "format", "chunks", "chunker", "stored_at", "beginning")
    readonly_fields = fields

    def server(self, text: Text) -> str:
        return str(text.index.server)

    def beginning(self, text: Text) -> str:
        return text.blob.text[:2000]

"""Servers, content, blobs and versions for support staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.models import Blob, Content, Server, Version, VersionFile
from orgs.admin_base import AuditedAdmin, ReadOnlyAdmin


@admin.register(Server)
class ServerAdmin(AuditedAdmin):
    list_display = ["name", "slug", "organization", "visibility", "active_version", "content_changed_at"]
    list_filter = ["visibility", "created_at"]
    list_select_related = ["organization", "active_version"]
    search_fields = ["name", "slug", "organization__name", "=id"]
    autocomplete_fields = ["organization", "owner"]
    readonly_fields = [
        "active_version",
        "default_version",
        "config_revision",
        "content_revision",
        "content_changed_at",
        "last_version_number",
        "created_at",
        "updated_at",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Server | None = None) -> Any:
        """A server stays where it was made: its content, tokens and runs are its organisation's."""
        return [*super().get_readonly_fields(request, obj), *(["organization"] if obj else [])]

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        """Not here: the server's own page says first what goes with it."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            obj.config_revision += 1  # whoever has the server's form open is told
        super().save_model(request, obj, form, change)


@admin.register(Content)
class ContentAdmin(ReadOnlyAdmin):
    """Looked at, never changed here: each change of content is counted, and some of it belongs to integrations."""

    organization_path = "server__organization"
    list_display = ["path", "server", "origin", "updated_at"]
    list_filter = ["origin", "updated_at"]
    list_select_related = ["server"]
    search_fields = ["path", "server__name", "server__slug"]
    raw_id_fields = ["blob"]


@admin.register(Blob)
class BlobAdmin(ReadOnlyAdmin):
    """By digest and size alone: a text can belong to any organisation, and is read where its server is."""

    organization_path = ""
    secret_fields = ["text"]
    list_display = ["sha256", "size", "created_at", "stored_at"]
    list_filter = ["created_at"]
    search_fields = ["=sha256"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("text")


@admin.register(Version)
class VersionAdmin(ReadOnlyAdmin):
    organization_path = "server__organization"
    list_display = ["number", "server", "note", "files", "created_by", "created_at"]
    list_filter = ["created_at"]
    list_select_related = ["server", "created_by"]
    search_fields = ["server__name", "server__slug", "note"]


@admin.register(VersionFile)
class VersionFileAdmin(ReadOnlyAdmin):
    organization_path = "version__server__organization"
    list_display = ["path", "version", "origin"]
    list_filter = ["origin"]
    list_select_related = ["version"]
    search_fields = ["path", "version__server__slug"]
    raw_id_fields = ["blob"]

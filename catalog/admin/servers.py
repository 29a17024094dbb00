"""Servers, what they hold and what they offer, for support staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from catalog.activity import entrust
from catalog.models import Blob, Content, Prompt, Provider, Resource, Server, Tool, Variable, Version, VersionFile
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
        if change and "owner" in form.changed_data:
            entrust(obj)


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


class OfferedAdmin(ReadOnlyAdmin):
    """Looked at, never changed here: each change of the configuration is judged, counted and pushed by the pages."""

    organization_path = "server__organization"
    list_filter = ["updated_at"]
    list_select_related = ["server__organization"]
    readonly_fields = ["id", "organization", "revision", "created_at", "updated_at"]

    @admin.display(ordering="server__organization__name")
    def organization(self, row: Any) -> str:
        return str(row.server.organization)


@admin.register(Provider)
class ProviderAdmin(OfferedAdmin):
    """Without what it asks for tokens with: a client id may be written out."""

    secret_fields = ["oauth2_client_id"]
    list_display = ["name", "base_url", "server", "organization", "visibility", "updated_at"]
    list_filter = ["visibility", "updated_at"]
    search_fields = ["=id", "name", "base_url", "server__name", "server__slug"]


@admin.register(Tool)
class ToolAdmin(OfferedAdmin):
    """Without its headers: a value may be a credential that somebody wrote out under a name of their own."""

    secret_fields = ["headers"]
    list_display = ["name", "method", "path", "enabled", "provider", "server", "organization", "updated_at"]
    list_filter = ["enabled", "method", "updated_at"]
    list_select_related = ["server__organization", "provider"]
    search_fields = ["=id", "name", "path", "provider__name", "server__name", "server__slug"]


@admin.register(Resource)
class ResourceAdmin(OfferedAdmin):
    """Without their texts, which are read where the server is."""

    secret_fields = ["text"]
    list_display = ["name", "uri", "provider", "server", "organization", "mime_type", "updated_at"]
    list_select_related = ["server__organization", "provider"]
    search_fields = ["=id", "name", "uri", "provider__name", "server__name", "server__slug"]


@admin.register(Prompt)
class PromptAdmin(OfferedAdmin):
    list_display = ["name", "title", "provider", "server", "organization", "updated_at"]
    list_select_related = ["server__organization", "provider"]
    search_fields = ["=id", "name", "title", "provider__name", "server__name", "server__slug"]


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        return [("plain", "Plain"), ("secret", "Secret, set"), ("missing", "Secret, not set")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen == "plain":
            return queryset.filter(is_secret=False)
        if chosen in ("secret", "missing"):
            column = Variable.secret.columns[2]
            return queryset.filter(Q(**{column: ""}) if chosen == "missing" else ~Q(**{column: ""}), is_secret=True)
        return queryset


@admin.register(Variable)
class VariableAdmin(OfferedAdmin):
    """Without any value: a plain one may turn out to be a secret."""

    secret_fields = ["value"]
    list_display = ["name", "kind", "server", "organization", "updated_at"]
    list_filter = [KindFilter, "updated_at"]
    search_fields = ["=id", "name", "server__name", "server__slug"]
    readonly_fields = ["id", "organization", "kind", "revision", "created_at", "updated_at"]

    @admin.display(description="Kind")
    def kind(self, row: Variable) -> str:
        """Of a secret one, whether it is set and the id of the key that encrypts it."""
        if not row.is_secret:
            return "plain"
        key = getattr(row, Variable.secret.columns[2])
        return f"secret, key {key}" if key else "secret, not set"

"""Connections, webhooks and deliveries in the Django admin, for support staff: looked at here, changed on the pages."""

from __future__ import annotations

import allauth.socialaccount.admin  # noqa: F401  # registers what is taken out below
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

from forges.models import Connection, Delivery, Hook, Turn
from orgs.admin_base import ReadOnlyAdmin

# Nothing is ever in their tables (forges/oauth), and that of applications would hold secrets as plain text.
for model in (SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(model)


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    list_display = ("account", "name", "forge", "method", "organization", "user", "shared", "status", "expires_at")
    list_filter = ("status", "forge", "method", "shared", "reason_code")
    list_select_related = ("organization", "user")
    search_fields = ("=id", "name", "account", "account_id", "base_url", "organization__name", "user__email")
    date_hierarchy = "created_at"
    fields = (
        "id",
        "organization",
        "user",
        "shared",
        "forge",
        "base_url",
        "method",
        "name",
        "account",
        "account_id",
        "username",
        "installation_id",
        "consumer_key",
        "credential",
        "scopes",
        "notes",
        "status",
        "reason_code",
        "reason",
        "expires_at",
        "renew_at",
        "generation",
        "rate_limit",
        "rate_remaining",
        "rate_reset_at",
        "connected_at",
        "checked_at",
        "warned_at",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields

    @admin.display(description="Stored secrets")
    def credential(self, connection: Connection) -> str:
        """Which secrets there are, and the ids of the keys that they are encrypted with."""
        secrets = (Connection.token, Connection.refresh_token, Connection.consumer_secret)
        there = [
            f"{secret.name.replace('_', ' ')} (key {getattr(connection, secret.columns[2])})"
            for secret in secrets
            if secret.is_set(connection)
        ]
        return ", ".join(there) or "none"


@admin.register(Hook)
class HookAdmin(ReadOnlyAdmin):
    list_display = ("repository", "forge", "organization", "status", "delivered_at", "refused", "silent_since")
    list_filter = ("status", "forge", ("silent_since", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("=id", "repository", "repository_id", "organization__name")
    date_hierarchy = "created_at"


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "event", "outcome", "hook", "connection", "organization", "size")
    list_filter = ("outcome", "received_at")
    list_select_related = ("organization", "hook", "connection")
    search_fields = ("=id", "event", "digest", "hook__repository", "connection__name", "connection__account")
    ordering = ("-received_at",)


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    organization_path = "run__organization"
    list_display = ("key", "slot", "run")
    list_filter = ("slot",)
    list_select_related = ("run",)
    search_fields = ("key", "=run__id")

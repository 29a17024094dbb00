"""Addresses outside any organisation's pages: metadata for OAuth clients, llms.txt, metrics."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from endpoint.views import authorizing, granted, llms, monitors, oauth

urlpatterns: list[URLPattern | URLResolver] = [
    path("readyz", monitors.readyz, name="readyz"),
    path("metrics", monitors.metrics, name="metrics"),
    path("mcp/<slug:org>/<slug:server>/llms.txt", llms.index, name="llms_txt"),
    path("mcp/<slug:org>/<slug:server>/llms-full.txt", llms.full, name="llms_full_txt"),
    path("files/<slug:org>/<slug:server>/<path:path>", llms.file, name="mcp_file"),
    path(".well-known/oauth-protected-resource/<path:path>", oauth.of_resource, name="oauth_resource"),
    path(".well-known/oauth-authorization-server", oauth.of_server, name="oauth_server"),
    path("oauth/authorize", authorizing.authorize, name="oauth_authorize"),
    path("oauth/token", oauth.token, name="oauth_token"),
    path("oauth/register", oauth.register, name="oauth_register"),
    path("oauth/revoke", oauth.revoke, name="oauth_revoke"),
    path("profile/clients/", granted.mine, name="endpoint_clients"),
    path("profile/clients/<uuid:pk>/disconnect/", granted.revoke_mine, name="endpoint_clients_revoke"),
]

"""Pages of an organisation about its endpoint."""

from __future__ import annotations

from django.urls import URLPattern, path

from endpoint.views import connecting, granted, keys, playground, request_log, setting_up, usage

app_name = "endpoint"

urlpatterns: list[URLPattern] = [
    path("servers/<slug:server>/connect/", connecting.connect, name="connect"),
    path("toolkits/<uuid:pk>/connect/", connecting.toolkit_connect, name="toolkit_connect"),
    path("servers/<slug:server>/connect/playground/", playground.playground, name="playground"),
    path("toolkits/<uuid:pk>/connect/playground/", playground.toolkit_playground, name="toolkit_playground"),
    path("servers/<slug:server>/connect/settings/", setting_up.setup, name="setup"),
    path("toolkits/<uuid:pk>/connect/settings/", setting_up.toolkit_setup, name="toolkit_setup"),
    path("usage/", usage.organization_usage, name="organization_usage"),
    path("servers/<slug:server>/requests/", usage.usage, name="usage"),
    path("servers/<slug:server>/requests/log/", request_log.requests, name="requests"),
    path("servers/<slug:server>/requests/log/<int:number>/", request_log.request_of_server, name="request"),
    path("toolkits/<uuid:pk>/requests/", usage.toolkit_usage, name="toolkit_usage"),
    path("toolkits/<uuid:pk>/requests/log/", request_log.toolkit_requests, name="toolkit_requests"),
    path("toolkits/<uuid:pk>/requests/log/<int:number>/", request_log.request_of_toolkit, name="toolkit_request"),
    path("api-keys/", keys.keys, name="keys"),
    path("api-keys/new/", keys.make, name="key_make"),
    path("api-keys/<uuid:pk>/", keys.edit, name="key_edit"),
    path("api-keys/<uuid:pk>/revoke/", keys.revoke, name="key_revoke"),
    path("connected-clients/", granted.granted, name="granted"),
    path("connected-clients/<uuid:pk>/disconnect/", granted.revoke_granted, name="granted_revoke"),
]

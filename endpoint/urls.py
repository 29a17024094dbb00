"""Pages of an organisation about its endpoint."""

from __future__ import annotations

from django.urls import URLPattern, path

from endpoint.views import connecting, playground, setting_up

app_name = "endpoint"

urlpatterns: list[URLPattern] = [
    path("servers/<slug:server>/connect/", connecting.connect, name="connect"),
    path("toolkits/<uuid:pk>/connect/", connecting.toolkit_connect, name="toolkit_connect"),
    path("servers/<slug:server>/connect/playground/", playground.playground, name="playground"),
    path("toolkits/<uuid:pk>/connect/playground/", playground.toolkit_playground, name="toolkit_playground"),
    path("servers/<slug:server>/connect/settings/", setting_up.setup, name="setup"),
    path("toolkits/<uuid:pk>/connect/settings/", setting_up.toolkit_setup, name="toolkit_setup"),
]

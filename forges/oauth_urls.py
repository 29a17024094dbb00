"""Where forges send people back to. The addresses are registered there."""

from __future__ import annotations

from django.urls import path

from forges.views import oauth

app_name = "oauth"
urlpatterns = [path("connections/callback/<slug:key>/", oauth.callback, name="callback")]

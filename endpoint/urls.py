"""Pages of an organisation about its endpoint."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "endpoint"

urlpatterns: list[URLPattern] = []

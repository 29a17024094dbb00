"""Addresses outside any organisation's pages: metadata for OAuth clients, llms.txt, metrics."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from endpoint.views import llms, monitors

urlpatterns: list[URLPattern | URLResolver] = [
    path("readyz", monitors.readyz, name="readyz"),
    path("metrics", monitors.metrics, name="metrics"),
    path("mcp/<slug:org>/<slug:server>/llms.txt", llms.index, name="llms_txt"),
    path("mcp/<slug:org>/<slug:server>/llms-full.txt", llms.full, name="llms_full_txt"),
    path("files/<slug:org>/<slug:server>/<path:path>", llms.file, name="mcp_file"),
]

"""Addresses outside any organisation's pages: metadata for OAuth clients, llms.txt, metrics."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []

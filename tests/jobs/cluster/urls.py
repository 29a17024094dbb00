"""No pages: only work is done here, and each process starts the sooner."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

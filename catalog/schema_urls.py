"""Where the JSON Schemas of entities' files are. The addresses stand in those files, so they never change."""

from __future__ import annotations

from django.urls import path

from catalog.portable.schemas import VERSION
from catalog.views import schemas

app_name = "schemas"
urlpatterns = [path(f"schemas/v{VERSION}/<slug:kind>.json", schemas.schema, name="schema")]

"""Template tags of the integrations' pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from integrations import wording
from integrations.models import Integration, Track

register = template.Library()

register.filter("forge_label", wording.forge_label)


@register.filter
def web_url(integration: Integration) -> str:
    return wording.web_url(integration)


@register.filter
def filter_label(track: Track) -> str:
    return wording.filter_label(track)


@register.simple_tag
def row_actions(integration: Integration, may_import: object) -> list[dict[str, Any]]:
    """What a row offers beside Refresh, as `components/_menu.html` takes it."""
    where = [integration.server.organization.slug, integration.pk]

    def to(name: str) -> str:
        return reverse(f"integrations:{name}", args=where)

    history = {"label": "History", "icon": "history", "url": to("history")}
    if not may_import:
        return [history]
    return [
        {"label": "Preview", "icon": "search", "url": to("preview"), "method": "post"},
        history,
        {"label": "Branches and schedule", "icon": "edit", "url": to("integration")},
        {"label": "Change credential", "icon": "key", "url": to("edit")},
        {"label": "Delete…", "icon": "trash", "url": to("delete"), "modal": True, "danger": True, "separator": True},
    ]

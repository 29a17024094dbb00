"""Template tags of the pages of providers and tools."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.urls import reverse

from catalog.models import Server, Tool

register = template.Library()

_HINTS = (
    ("read_only", "read-only", "changes things"),
    ("destructive", "destructive", "not destructive"),
    ("idempotent", "idempotent", "not idempotent"),
    ("open_world", "open world", "closed world"),
)


@register.filter
def hints(tool: Tool) -> list[str]:
    """What is said of a tool's effects, in words."""
    said = {True: 1, False: 2}
    return [str(words[said[value]]) for words in _HINTS if (value := getattr(tool, words[0])) is not None]


@register.filter
def as_json(value: Any) -> str:
    """A value as people read it."""
    return json.dumps(value, ensure_ascii=False, indent=2)


@register.simple_tag
def tool_actions(tool: Tool, server: Server, may: dict[str, Any]) -> list[dict[str, Any]]:
    """What can be done with a tool, as `components/_menu.html` takes it."""
    where = [server.organization.slug, server.slug, tool.pk]
    reason = "" if may["edit_server"] else "Needs the entitlement “servers.edit”."
    return [
        {"label": "Edit", "url": reverse("catalog:tool_edit", args=where), "icon": "edit", "disabled": reason},
        {
            "label": "Disable" if tool.enabled else "Enable",
            "url": reverse("catalog:tool_enable", args=where),
            "method": "post",
            "hidden": {"enabled": "0" if tool.enabled else "1"},
            "disabled": reason,
        },
        {
            "label": "Delete",
            "url": reverse("catalog:tool_delete", args=where),
            "modal": True,
            "icon": "trash",
            "danger": True,
            "separator": True,
            "disabled": reason,
        },
    ]

"""Template tags of the pages of variables."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from catalog.models import Server, Variable

register = template.Library()


@register.simple_tag
def variable_actions(variable: Variable, server: Server) -> list[dict[str, Any]]:
    """What can be done with a variable, as `components/_menu.html` takes it."""
    where = [server.organization.slug, server.slug, variable.pk]
    return [
        {"label": "Edit", "url": reverse("catalog:variable_edit", args=where), "icon": "edit"},
        {
            "label": "Delete",
            "url": reverse("catalog:variable_delete", args=where),
            "modal": True,
            "icon": "trash",
            "danger": True,
            "separator": True,
        },
    ]

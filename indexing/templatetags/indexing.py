"""Template tags of the pages of sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from indexing import wording
from indexing.models import Page, Source
from indexing.requesting import INDEX
from indexing.states import Row

register = template.Library()

register.filter("source_address", wording.address)


@register.filter
def web_url(thing: Source | Page) -> str:
    return wording.web_url(thing.url)


@register.filter
def kind_icon(source: Source) -> str:
    return wording.KIND_WORDS[Source.Kind(source.kind)][1]


@register.filter
def score(value: float) -> str:
    """Three digits that count, however small it is."""
    return f"{value:.3g}"


@register.filter
def heaviest(weights: Mapping[str, float]) -> list[tuple[str, float]]:
    """Terms and their weights, the heaviest first."""
    return sorted(weights.items(), key=lambda each: -each[1])


@register.simple_tag
def row_actions(row: Row, may_edit: object) -> list[dict[str, Any]]:
    """What a row offers beside its buttons, as `components/_menu.html` takes it."""
    source = row.source
    org = source.server.organization.slug

    def to(name: str) -> str:
        return reverse(f"indexing:{name}", args=[org, source.pk])

    runs = f"{reverse('jobs:runs', args=[org])}?{urlencode({'subject': source.name, 'kind': INDEX})}"
    items: list[dict[str, Any]] = [
        {"label": "Pages", "icon": "file", "url": to("source")},
        {"label": "Skipped pages", "icon": "info", "url": to("skipped")},
        {"label": "Runs", "icon": "history", "url": runs},
    ]
    if may_edit and row.may_edit:
        items += [
            {"label": "Edit…", "icon": "edit", "url": to("edit"), "modal": True, "separator": True},
            {"label": "Delete…", "icon": "trash", "url": to("delete"), "modal": True, "danger": True},
        ]
    return items

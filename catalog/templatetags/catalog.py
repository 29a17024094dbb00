"""Template tags of a server's pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode

from catalog import tabs
from catalog.compare import Side
from catalog.models import Server, Version
from jobs.registry import label_of

register = template.Library()


@register.simple_tag
def server_tabs(server: Server, current: str) -> list[dict[str, Any]]:
    """The tabs as `components/_tabs.html` takes them."""
    where = [server.organization.slug, server.slug]
    return [
        {
            "label": tab.label,
            "url": reverse(tab.url_name, args=where),
            "current": tab.name == current,
            "count": tab.count(server) if tab.count else None,
        }
        for tab in tabs.registered()
    ]


@register.simple_tag
def panel_url(panel: tabs.Panel, server: Server) -> str:
    """The address of a panel of the General tab."""
    return reverse(panel.url_name, args=[server.organization.slug, server.slug])


@register.filter
def is_folder(row: object) -> bool:
    """Whether an entry of a listing is a folder rather than a file."""
    return not hasattr(row, "blob_id")


@register.filter
def file_name(path: str) -> str:
    """The last segment of a path."""
    return path.rpartition("/")[2]


@register.filter
def is_web(address: object) -> bool:
    """Whether an address that others wrote may be linked: http or https, nothing that runs."""
    return isinstance(address, str) and address.startswith(("https://", "http://"))


@register.filter
def as_time(written: object) -> datetime | None:
    """The time of an ISO 8601 text, None for anything else."""
    return parse_datetime(written) if isinstance(written, str) else None


@register.filter
def kind_label(kind: str) -> str:
    """What people read for a Run's kind."""
    return label_of(kind)


@register.simple_tag
def compare_file_url(server: Server, before: Side, after: Side, path: str) -> str:
    """The address of one file's difference."""
    query = urlencode({"before": before.key, "after": after.key, "path": path})
    return f"{reverse('catalog:compare_file', args=[server.organization.slug, server.slug])}?{query}"


@register.simple_tag
def version_actions(version: Version, server: Server, may: dict[str, Any]) -> list[dict[str, Any]]:
    """What can be done with a version, as `components/_menu.html` takes it."""
    where = [server.organization.slug, server.slug]
    reason = "" if may["publish"] else "Needs the entitlement “versions.publish”."
    live = reverse("catalog:compare", args=where) + f"?before={version.number}&after=live"
    place: list[Any]
    items: list[dict[str, Any]] = [{"label": "Compare with the live content", "url": live}]
    for pointer, words in (("active", "Active"), ("default", "Default")):
        if getattr(server, f"{pointer}_version_id") == version.pk:
            label, view, place = f"Stop being the {words} version", "catalog:version_clear", where
        else:
            label, view, place = f"Make it the {words} version", "catalog:version_point", [*where, version.number]
        hidden = {"pointer": pointer}
        items.append(
            {"label": label, "url": reverse(view, args=place), "method": "post", "hidden": hidden, "disabled": reason}
        )
    delete = reverse("catalog:version_delete", args=[*where, version.number])
    items.append(
        {
            "label": "Delete",
            "url": delete,
            "modal": True,
            "icon": "trash",
            "danger": True,
            "separator": True,
            "disabled": reason,
        }
    )
    return items


@register.filter
def menu_id(version: Version) -> str:
    """The id of a version's menu in the page."""
    return f"version-{version.number}"

"""The tabs of a server's pages and the panels of its General tab: registries that apps fill in their `ready()`.

A page of a tab extends `catalog/server_base.html`, gets `server` (from `catalog.access.server_of`) and `tab` (the tab's
name) in its context, and fills the blocks `tab_content` and, for buttons in the header, `server_actions`.

A panel is a fragment with a URL of its own (`<slug:org>`, `<slug:server>`), loaded into the General tab by `hx-get` and
linked for who has no script; the same URL must therefore answer as a page when the request is not from htmx.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.models import Server


@dataclass(frozen=True)
class Tab:
    name: str
    label: str
    url_name: str
    """Reversed with `org` and `server`, the slugs."""
    order: int
    count: Callable[[Server], int] | None = None
    """A number beside the label; one cheap query, asked on each page of the server."""


@dataclass(frozen=True)
class Panel:
    url_name: str
    label: str
    order: int = 100


_tabs: dict[str, Tab] = {}
_panels: dict[str, Panel] = {}


def register(tab: Tab) -> None:
    """Add a tab, or replace the one with its name."""
    _tabs[tab.name] = tab


def registered() -> list[Tab]:
    """All tabs from left to right."""
    return sorted(_tabs.values(), key=lambda tab: tab.order)


def register_panel(url_name: str, *, label: str, order: int = 100) -> None:
    """Add a panel to the General tab; `label` is the text of its link."""
    _panels[url_name] = Panel(url_name, label, order)


def panels() -> list[Panel]:
    """The panels from top to bottom."""
    return sorted(_panels.values(), key=lambda panel: panel.order)

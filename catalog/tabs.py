"""The tabs of a server's pages and of the Library's, and the panels of a server's General tab: registries that apps
fill in their `ready()`.

A page of a tab extends `catalog/server_base.html`, gets `server` (from `catalog.access.server_of`) and `tab` (the tab's
name) in its context, and fills the blocks `tab_content` and, for buttons in the header, `server_actions`.

A panel is a fragment with a URL of its own (`<slug:org>`, `<slug:server>`), loaded into the General tab by `hx-get` and
linked for who has no script; the same URL must therefore answer as a page when the request is not from htmx.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.models import EntityKind, Server


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


@dataclass(frozen=True)
class EntityTab:
    """A page about each row of a kind of the Library; it extends `catalog/entities/one.html`."""

    kind: EntityKind
    name: str
    label: str
    url_name: str
    """Reversed with the organisation's slug and the row's primary key."""


_tabs: dict[str, Tab] = {}
_entity_tabs: dict[tuple[EntityKind, str], EntityTab] = {}
_panels: dict[str, Panel] = {}


def register(tab: Tab) -> None:
    """Add a tab, or replace the one with its name."""
    _tabs[tab.name] = tab


def registered() -> list[Tab]:
    """All tabs from left to right."""
    return sorted(_tabs.values(), key=lambda tab: tab.order)


def register_entity_tab(tab: EntityTab) -> None:
    """Add a tab to the pages about one kind of the Library, after its own."""
    _entity_tabs[tab.kind, tab.name] = tab


def entity_tabs(kind: EntityKind) -> list[EntityTab]:
    """In the order in which they were registered."""
    return [tab for tab in _entity_tabs.values() if tab.kind == kind]


def register_panel(url_name: str, *, label: str, order: int = 100) -> None:
    """Add a panel to the General tab; `label` is the text of its link."""
    _panels[url_name] = Panel(url_name, label, order)


def panels() -> list[Panel]:
    """The panels from top to bottom."""
    return sorted(_panels.values(), key=lambda panel: panel.order)

"""Under `o/<slug:org>/`: toolkits, commands, skills and clients.

Their lists, deleting, sharing and history are one view each for all kinds, which is told the kind.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from catalog.library import SHELVES, Shelf
from catalog.views import library_list


def _pages(shelf: Shelf) -> list[URLPattern]:
    kind, top = shelf.kind, f"{shelf.plural}/"
    return [
        path(top, library_list.listing, {"kind": kind}, name=shelf.plural),
    ]


app_name = "library"
urlpatterns: list[URLPattern] = [
    *(each for shelf in SHELVES.values() for each in _pages(shelf)),
    # Toolkits
    # Commands
    # Skills
    # Clients
]

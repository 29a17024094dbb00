"""Under `o/<slug:org>/`: toolkits, commands, skills and clients.

Their lists, deleting, sharing and history are one view each for all kinds, which is told the kind.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from catalog.library import SHELVES, Shelf
from catalog.views import (
    clients,
    commands,
    library_changes,
    library_history,
    library_list,
    skill_files,
    skill_import,
    skills,
    toolkits,
)


def _pages(shelf: Shelf) -> list[URLPattern]:
    noun, top, kind = shelf.noun, f"{shelf.plural}/", {"kind": shelf.kind}
    one = f"{top}<uuid:pk>/"
    pages = [
        path(top, library_list.listing, kind, name=shelf.plural),
        path(f"{one}delete/", library_changes.delete, kind, name=f"{noun}_delete"),
        path(f"{one}history/", library_history.revisions, kind, name=f"{noun}_history"),
        path(f"{one}history/<int:number>/restore/", library_history.restore, kind, name=f"{noun}_restore"),
    ]
    if shelf.owned:
        pages.append(path(f"{one}share/", library_changes.share, kind, name=f"{noun}_share"))
    return pages


app_name = "library"
urlpatterns: list[URLPattern] = [
    *(each for shelf in SHELVES.values() for each in _pages(shelf)),
    path("deleted/", library_history.deleted, name="deleted"),
    # Toolkits
    path("toolkits/new/", toolkits.create, name="toolkit_create"),
    path("toolkits/<uuid:pk>/", toolkits.toolkit, name="toolkit"),
    path("toolkits/<uuid:pk>/edit/", toolkits.edit, name="toolkit_edit"),
    # Commands
    path("commands/new/", commands.create, name="command_create"),
    path("commands/<uuid:pk>/", commands.command, name="command"),
    path("commands/<uuid:pk>/edit/", commands.edit, name="command_edit"),
    # Skills
    path("skills/new/", skills.create, name="skill_create"),
    path("skills/upload/", skill_import.skill_import, name="skill_import"),
    path("skills/<uuid:pk>/", skills.skill, name="skill"),
    path("skills/<uuid:pk>/edit/", skills.edit, name="skill_edit"),
    path("skills/<uuid:pk>/zip/", skills.archive, name="skill_archive"),
    path("skills/<uuid:pk>/file/", skill_files.file, name="skill_file"),
    path("skills/<uuid:pk>/file/raw/", skill_files.raw, name="skill_file_raw"),
    path("skills/<uuid:pk>/file/new/", skill_files.create, name="skill_file_create"),
    path("skills/<uuid:pk>/file/upload/", skill_files.upload, name="skill_upload"),
    path("skills/<uuid:pk>/file/edit/", skill_files.edit, name="skill_file_edit"),
    path("skills/<uuid:pk>/file/replace/", skill_files.replace, name="skill_file_replace"),
    path("skills/<uuid:pk>/file/rename/", skill_files.rename, name="skill_file_rename"),
    path("skills/<uuid:pk>/file/delete/", skill_files.delete, name="skill_file_delete"),
    # Clients
    path("clients/new/", clients.create, name="client_create"),
    path("clients/<uuid:pk>/", clients.client, name="client"),
    path("clients/<uuid:pk>/edit/", clients.edit, name="client_edit"),
]

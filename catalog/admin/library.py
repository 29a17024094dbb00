"""Toolkits, commands, skills and clients, and their history, for support staff.

What is personal is its owner's alone, and has no page here.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from catalog.models import (
    Client,
    Command,
    EntityRevision,
    FileBlob,
    RevisionFile,
    Skill,
    SkillFile,
    Toolkit,
    ToolkitItem,
)
from catalog.standing import standing_of
from orgs.admin_base import ReadOnlyAdmin


class SharedAdmin(ReadOnlyAdmin):
    """Of what is the organisation's."""

    owner_path = "owner"
    """The way from a row to whose it is; "" for rows that are nobody's own."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.filter(**{self.owner_path: None}) if self.owner_path else rows


class EntityAdmin(SharedAdmin):
    """Looked at, never changed here: each change is judged, kept in the history and written to git by the pages."""

    list_display = ["name", "slug", "organization", "in_git", "updated_at"]
    list_filter = ["updated_at"]
    list_select_related = ["organization"]
    search_fields = ["=id", "name", "slug", "organization__name"]
    readonly_fields = ["id", "revision", "git_integration", "created_at", "updated_at"]

    @admin.display(description="In git")
    def in_git(self, row: Any) -> str:
        """The code of what keeps it from being in step."""
        told = standing_of(row)
        return (told.code or told.title) if told else ""


@admin.register(Toolkit)
class ToolkitAdmin(EntityAdmin):
    pass


@admin.register(Command)
class CommandAdmin(EntityAdmin):
    """Without their prompts, which are read where they are used."""

    secret_fields = ["prompt", "arguments"]


@admin.register(Skill)
class SkillAdmin(EntityAdmin):
    """Without their texts, which are read where they are used."""

    secret_fields = ["instructions", "front_matter"]


@admin.register(Client)
class ClientAdmin(EntityAdmin):
    owner_path = ""
    list_display = ["name", "kind", "slug", "organization", "in_git", "updated_at"]
    list_filter = ["kind", "updated_at"]


@admin.register(EntityRevision)
class EntityRevisionAdmin(SharedAdmin):
    """Who changed what and when, without what it said; nothing of what was personal then."""

    secret_fields = ["document"]
    list_display = ["name", "kind", "number", "verb", "source", "commit", "by", "organization", "at"]
    list_filter = ["kind", "source", "at"]
    list_select_related = ["organization", "by"]
    search_fields = ["=entity", "name", "slug", "=commit", "organization__name"]
    raw_id_fields = ["by"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("document")


@admin.register(FileBlob)
class FileBlobAdmin(ReadOnlyAdmin):
    """By blob id and size alone: a file is read where its skill is. Those that only personal skills have, or nothing
    any more, are left out."""

    list_display = ["oid", "size", "organization", "stored_at"]
    list_filter = ["stored_at"]
    list_select_related = ["organization"]
    search_fields = ["=oid", "organization__name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        used = [
            Exists(SkillFile.objects.filter(blob=OuterRef("pk"), skill__owner=None)),
            Exists(RevisionFile.objects.filter(blob=OuterRef("pk"), revision__owner=None)),
        ]
        return super().get_queryset(request).filter(used[0] | used[1]).defer("data")


@admin.register(ToolkitItem)
class ToolkitItemAdmin(SharedAdmin):
    organization_path = "toolkit__organization"
    owner_path = "toolkit__owner"
    list_display = ["__str__", "toolkit"]
    list_filter = [(each, admin.EmptyFieldListFilter) for each in ("tool", "prompt", "resource")]
    list_select_related = ["toolkit", "tool", "prompt", "resource"]
    search_fields = ["toolkit__name", "toolkit__slug", "tool__name", "prompt__name", "resource__uri"]


@admin.register(SkillFile)
class SkillFileAdmin(SharedAdmin):
    organization_path = "skill__organization"
    owner_path = "skill__owner"
    list_display = ["path", "skill", "blob"]
    list_filter = ["skill__updated_at"]
    search_fields = ["path", "skill__name", "skill__slug"]
    raw_id_fields = ["blob"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("skill", "blob").defer("blob__data")


@admin.register(RevisionFile)
class RevisionFileAdmin(SharedAdmin):
    organization_path = "revision__organization"
    owner_path = "revision__owner"
    list_display = ["path", "revision", "blob"]
    list_filter = ["revision__at"]
    search_fields = ["path", "revision__name", "revision__slug"]
    raw_id_fields = ["blob"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("revision", "blob").defer("blob__data")

"""A skill out of a zip file that somebody uploads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from catalog import porting
from catalog import skills as services
from catalog.checking.problems import Invalid
from catalog.checking.slugs import slug_of
from catalog.file_blobs import oid_of
from catalog.forms.skill_files import SkillImportForm
from catalog.library import address
from catalog.models import EntityKind, Skill
from catalog.portable import reading
from catalog.portable.model import BadFile, Definition, Kind, Unit
from catalog.portable.paths import path_of
from catalog.skill_archives import BadArchive, unpack
from catalog.views.library import shelf_page
from catalog.views.page import posted
from orgs import access
from orgs.models import Membership


@access.for_members("entities.edit")
def skill_import(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = SkillImportForm(posted(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = _make(request, membership, form)
        except BadArchive as error:
            form.add_error("upload", str(error))
        except BadFile as error:
            for each in error.problems:
                place = each.path.split("/", 2)[-1] + (f", line {each.line}" if each.line else "")
                form.add_error("upload", f"{place}: {each.message}")
        except Invalid as invalid:
            for wrong in invalid.errors:
                form.add_error("slug" if wrong.field == "slug" else "upload", wrong.text)
        else:
            messages.success(request, f"{made.name} is saved with its files.")
            return redirect(address(made))
    return shelf_page(request, membership, EntityKind.SKILL, "catalog/entities/skill_import.html", form=form)


def _make(request: HttpRequest, membership: Membership, form: SkillImportForm) -> Skill:
    limits = porting.limits()
    upload = form.cleaned_data["upload"]
    found = _read(upload.file, upload.name.rpartition(".")[0], limits)
    document = found.document
    return services.create_skill(
        organization=membership.organization,
        values={
            "name": found.name,
            "slug": form.cleaned_data["slug"] or found.slug,
            "description": document.get("description", ""),
            "front_matter": document.get("frontMatter", {}),
            "instructions": document.get("instructions", ""),
            "files": found.data,
        },
        by=membership.user,
        owner=form.owner(membership.user),
        request=request,
    )


def _read(packed: IO[bytes], name: str, limits: reading.Limits) -> Definition:
    """The skill in a zip file; its slug is made of its folder's name, of the zip file's where there is none. Raises
    BadArchive and BadFile."""
    folder, files = unpack(
        packed,
        max_file_bytes=limits.max_file_bytes,
        max_bytes=limits.max_skill_bytes,
        max_files=limits.max_skill_files + 1,  # SKILL.md is not counted
    )
    slug = slug_of(folder or name, "skill")
    path = path_of(Kind.SKILL, slug)
    data: Mapping[str, bytes] = {f"{path}/{each}": content for each, content in files.items()}
    return reading.read(Unit(Kind.SKILL, slug, path, {each: oid_of(data[each]) for each in data}), data, limits=limits)

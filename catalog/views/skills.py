"""Skills: look at with the instructions rendered, create, edit, download whole."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.http import urlencode

from catalog import skills as services
from catalog.documents import document_of
from catalog.entity_uses import uses_of
from catalog.file_blobs import bytes_of
from catalog.forms.fields import as_json
from catalog.forms.skills import FRONT_MATTER, SkillForm
from catalog.library import address
from catalog.models import EntityKind, Skill, SkillFile
from catalog.portable import writing
from catalog.portable.model import FOLDERS, SKILL_FILE, Kind
from catalog.skill_archives import pack
from catalog.skill_tree import tree_of
from catalog.views.contents import shown_text
from catalog.views.entity import submit
from catalog.views.library import after_create, after_edit, find, page
from catalog.views.page import posted
from orgs import access
from orgs.models import Membership


@access.for_members()
def skill(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Skill, membership, pk)
    files = list(SkillFile.objects.filter(skill=row).values_list("path", "blob__size"))
    return page(
        request,
        membership,
        row,
        "catalog/entities/skill.html",
        tree=tree_of(files),
        bytes=sum(size for _, size in files),
        max_bytes=settings.SKILL_MAX_BYTES,
        max_files=settings.SKILL_MAX_FILES,
        **_front_matter(row),
        written=written(row)[SKILL_FILE].decode(),
        uses=uses_of(row, membership),
        **shown_text(SKILL_FILE, row.instructions, file_link(row), as_source="source" in request.GET),
    )


def _front_matter(row: Skill) -> dict[str, Any]:
    """What of the front matter the page tells: what people edit, and what else there is, as it is."""
    form = SkillForm.for_row(row)
    told = [(str(each.label), each.initial) for each in form if each.name in FRONT_MATTER and each.name != "metadata"]
    return {
        "front": [(label, value) for label, value in told if value],
        "metadata": form["metadata"].initial if "metadata" in form.fields else {},
        "kept": _as_text(form.kept),
    }


def _as_text(kept: dict[str, Any]) -> str:
    return as_json(kept) if kept else ""


@access.for_members("entities.edit")
def create(request: HttpRequest, membership: Membership) -> HttpResponse:
    done = submit(
        request,
        SkillForm(posted(request)),
        lambda form: services.create_skill(
            organization=membership.organization,
            values={**form.values, "files": {}},
            by=membership.user,
            owner=form.owner(membership.user),
            request=request,
        ),
    )
    return after_create(
        request,
        membership,
        EntityKind.SKILL,
        done,
        advice="Add the files that its instructions speak of.",
        template="catalog/entities/skill_create.html",
    )


@access.for_members("entities.edit")
def edit(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Skill, membership, pk)
    done = submit(
        request,
        SkillForm.for_row(row, posted(request)),
        lambda form: services.edit_skill(
            skill=row,
            values=form.values,
            seen_revision=form.cleaned_data["seen_revision"],
            by=membership.user,
            request=request,
        ),
    )
    return after_edit(request, membership, row, done, kept=_as_text(done.form.kept))


@access.for_members()
def archive(_request: HttpRequest, membership: Membership, pk: UUID) -> FileResponse:
    """The skill's folder as a zip file; no larger than a skill can be."""
    row = find(Skill, membership, pk)
    files = dict(SkillFile.objects.filter(skill=row).values_list("path", "blob"))
    packed = TemporaryFile()  # noqa: SIM115  # closed with the response
    pack({f"{row.slug}/{path}": data for path, data in written(row, bytes_of(files)).items()}, packed)
    packed.seek(0)
    response = FileResponse(packed, as_attachment=True, filename=f"{row.slug}.zip", content_type="application/zip")
    response["X-Content-Type-Options"] = "nosniff"
    return response


def written(row: Skill, data: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """SKILL.md as it is written to git, and the files of `data` beside it: {path below the skill's folder: bytes}."""
    files = writing.write(Kind.SKILL, id=str(row.pk), document=document_of(row), data=data or {}, schema_url="")
    top = f"{FOLDERS[Kind.SKILL]}/{row.slug}/"
    return {path.removeprefix(top): content for path, content in files.items()}


def file_link(row: Skill) -> Callable[[str], str]:
    """Where links inside the skill's Markdown lead: to the page of the file at a path."""
    at = address(row, "file")
    return lambda path: f"{at}?{urlencode({'path': path})}"

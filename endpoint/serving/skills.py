"""Skills as clients read them: a folder of resources, `skill://<slug>/SKILL.md` and the files that it refers to."""

from __future__ import annotations

import base64
import mimetypes
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import mcp_types as types

from catalog.models import Skill, SkillFile
from catalog.portable.front_matter import render
from catalog.portable.model import SKILL_FILE
from endpoint.admitted import Admitted
from endpoint.serving.chosen import entities
from endpoint.serving.mime import MARKDOWN, PLAIN, mime_type
from endpoint.serving.toolkits import free
from endpoint.serving.uris import MAX_LENGTH, parse_path

SCHEME = "skill://"
_SAFE = "/!$&'()*+,;=:@~"
"""What stands in a path as it is (RFC 3986, 3.3)."""
_MOST_TOLD = 200
"""Files that the prompt of a skill names."""

Contents = types.TextResourceContents | types.BlobResourceContents


def slugs(rows: Sequence[tuple[uuid.UUID, str, Any]]) -> dict[uuid.UUID, str]:
    """What entities of one kind are called, by their keys: by their slugs, and where a member's own one has the slug of
    one of the organisation's, something is added to it. `rows` are (key, slug, owner)."""
    shared = {slug for _, slug, owner in rows if owner is None}
    return {key: slug if owner is None else free(slug, shared, "own") for key, slug, owner in rows}


def listed(admitted: Admitted) -> Iterator[types.Resource]:
    """SKILL.md of each, and the files beside it."""
    rows = {row.pk: row for row in entities(admitted, Skill).defer("instructions", "front_matter")}
    called = slugs([(row.pk, row.slug, row.owner_id) for row in rows.values()])
    for key, row in rows.items():
        yield types.Resource(
            uri=uri_of(called[key], SKILL_FILE),
            name=f"{called[key]}/{SKILL_FILE}",
            title=row.name,
            description=row.description or None,
            mime_type=MARKDOWN,
        )
    files = SkillFile.objects.filter(skill__in=list(rows)).values_list("skill", "path", "blob__size")
    for skill, path, size in files:
        yield types.Resource(
            uri=uri_of(called[skill], path),
            name=f"{called[skill]}/{path}",
            title=f"{path.rpartition('/')[2]}, of {rows[skill].name}",
            mime_type=_type_by_name(path),
            size=size,
        )


def find(admitted: Admitted, uri: str) -> Callable[[], types.ReadResourceResult] | None:
    """What reads the file at a URI; None where there is none."""
    slug, _, encoded = uri[len(SCHEME) :].partition("/")
    if len(uri) > MAX_LENGTH:
        return None
    try:
        path = parse_path(unquote_to_bytes(encoded).decode("utf-8"))
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None
    row = _named(admitted, slug.lower())
    if row is None or path is None:
        return None
    contents = _skill_md(row, uri) if path == SKILL_FILE else _file(row, path, uri)
    return None if contents is None else lambda: types.ReadResourceResult(contents=[contents])


def uri_of(slug: str, path: str) -> str:
    return f"{SCHEME}{slug}/{quote(path, safe=_SAFE)}"


def told(row: Skill, slug: str) -> str:
    """The skill as a message to a model: its instructions, and where the files are that they speak of."""
    paths = list(SkillFile.objects.filter(skill=row).values_list("path", flat=True)[: _MOST_TOLD + 1])
    text = row.instructions.strip() or row.description
    if not paths:
        return text
    lines = [f"- {path}: {uri_of(slug, path)}" for path in paths[:_MOST_TOLD]]
    rest = ["- and more, which the list of resources has"] if len(paths) > _MOST_TOLD else []
    return "\n".join([text, "", "Files of this skill, as resources of this server:", *lines, *rest])


def _named(admitted: Admitted, slug: str) -> Skill | None:
    rows = entities(admitted, Skill)
    called = slugs(list(rows.values_list("pk", "slug", "owner")))
    key = next((key for key, each in called.items() if each == slug), None)
    return rows.filter(pk=key).first() if key is not None else None


def _skill_md(row: Skill, uri: str) -> Contents:
    front: Mapping[str, Any] = {"name": row.name, "description": row.description, **row.front_matter}
    return types.TextResourceContents(uri=uri, mime_type=MARKDOWN, text=render(front, row.instructions).decode())


def _file(row: Skill, path: str, uri: str) -> Contents | None:
    data = SkillFile.objects.filter(skill=row, path=path).values_list("blob__data", flat=True).first()
    if data is None:
        return None
    content = bytes(data)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return types.TextResourceContents(uri=uri, mime_type=mime_type(path), text=text)
    kind = _type_by_name(path)
    blob = base64.b64encode(content).decode()
    return types.BlobResourceContents(uri=uri, mime_type=_BINARY if kind == PLAIN else kind, blob=blob)


_BINARY = "application/octet-stream"


def _type_by_name(path: str) -> str:
    known = mime_type(path)
    if known != PLAIN:
        return known
    guessed, packed = mimetypes.guess_type(path, strict=True)
    return _BINARY if packed else guessed or PLAIN

"""An entity as its files: what `catalog.portable.reading` reads as the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.exchange.document import dumps
from catalog.portable.front_matter import render
from catalog.portable.model import SKILL_FILE, Kind
from catalog.portable.normal import carried, normal
from catalog.portable.paths import path_of
from catalog.portable.schemas import ID_KEY


def write(
    kind: Kind,
    *,
    id: str,  # noqa: A002  what it is called in the file
    document: Mapping[str, Any],
    raw: Mapping[str, Any] | None = None,
    data: Mapping[str, bytes] | None = None,
    schema_url: str,
) -> dict[str, bytes]:
    """The files: path below the directory of all entities -> bytes. The same values make the same bytes.

    `document` is one of `Definition.document`; `raw` is the file that was there before (of a skill its front matter),
    of which unknown members and `$schema` are kept, in the front matter also the order. `data` has the bytes of a
    skill's files by their paths below its folder; those of `document["files"]` that it lacks are left out.
    """
    path = path_of(kind, document["slug"])
    if kind is Kind.SKILL:
        files = {name: (data or {})[name] for name in document.get("files", ()) if name in (data or {})}
        made = {f"{path}/{name}": files[name] for name in sorted(files)}
        return {f"{path}/{SKILL_FILE}": _page(id, document, raw or {}), **made}
    schema = (raw or {}).get("$schema")
    told = {"$schema": schema if isinstance(schema, str) else schema_url, "id": id, **normal(kind, document)}
    return {path: dumps(carried(kind, told, raw or {}))}


def _page(identity: str, document: Mapping[str, Any], raw: Mapping[str, Any]) -> bytes:
    others = dict(document.get("frontMatter", {}))
    metadata = others.get("metadata")
    there = raw.get("metadata")
    kept = _in_order(
        {**(metadata if isinstance(metadata, Mapping) else {}), ID_KEY: identity},
        there if isinstance(there, Mapping) else {},
    )
    front = {"name": document["name"], "description": document.get("description", ""), **others, "metadata": kept}
    return render(_in_order(front, raw), normal(Kind.SKILL, document).get("instructions", ""))


def _in_order(members: Mapping[str, Any], former: Mapping[str, Any]) -> dict[str, Any]:
    """As they stood before; new ones last."""
    return {
        **{name: members[name] for name in former if name in members},
        **{name: value for name, value in members.items() if name not in former},
    }

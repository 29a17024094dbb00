"""An entity's files, read strictly: everything that is wrong is told with its file, line and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.checking.json_text import DEEPEST, BadJson, parse_json, places_of
from catalog.exchange.errors import Problem as Wrong
from catalog.portable import paths, schemas, validating
from catalog.portable.front_matter import BadFrontMatter, parse
from catalog.portable.model import FOLDERS, SKILL_FILE, BadFile, Code, Definition, Kind, Problem, Unit
from catalog.portable.normal import normal, trimmed

MOST_VALUES = 150_000
"""Of a JSON file, each of which takes time to check; a server of 2,000 tools has about 15,000."""
LEVELS = DEEPEST + 8
"""Of a JSON file: those of a schema that people write, and the document around it."""
LONGEST_INSTRUCTIONS = 1_000_000
"""Characters of SKILL.md below its front matter."""
_SCHEMA = re.compile(r"/schemas/v([0-9]{1,9})/([a-z-]{1,40})\.json\Z")


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond them a file is TOO_LARGE."""

    max_file_bytes: int = 5 << 20
    max_skill_bytes: int = 20 << 20
    """Of all files of a skill."""
    max_skill_files: int = 500


DEFAULTS = Limits()
Locate = Callable[[Iterable[str]], Mapping[str, tuple[int, int]]]


def read(unit: Unit, data: Mapping[str, bytes], *, limits: Limits = DEFAULTS) -> Definition:
    """The entity as its files say it; `data` is path below the directory of all entities -> bytes, of all
    `unit.files`. Raises BadFile with all that is wrong, in the order of lines."""
    if unit.kind is Kind.SKILL:
        return _skill(unit, data, limits)
    return _json(unit, data[unit.path], limits)


def document_of(kind: Kind, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a JSON file that was read before and kept whole (`Definition.raw`); {} of {}."""
    return normal(kind, validating.cleaned(kind, raw)[0]) if raw else {}


def _json(unit: Unit, data: bytes, limits: Limits) -> Definition:
    _check_size(unit.path, data, limits)
    text = _text(unit.path, data)
    try:
        raw = parse_json(text, longest=limits.max_file_bytes, deepest=LEVELS, most=MOST_VALUES)
    except BadJson as error:
        raise BadFile(Problem(Code.INVALID_JSON, error.text, unit.path, error.line, error.column)) from error

    def locate(pointers: Iterable[str]) -> Mapping[str, tuple[int, int]]:
        return places_of(text, pointers)

    if isinstance(raw, dict):
        _check_version(unit, raw.get("$schema"), locate)
    wrong = validating.against_schema(unit.kind, raw)
    if isinstance(raw, dict):
        wrong += _other_slug(unit, raw.get("slug"))
    if wrong:
        raise _bad(unit.path, wrong, locate)
    document, wrong = validating.cleaned(unit.kind, raw)
    if wrong:
        raise _bad(unit.path, wrong, locate)
    return Definition(
        kind=unit.kind,
        id=id_of(unit.kind, raw),
        slug=unit.slug,
        name=document["name"],
        document=normal(unit.kind, document),
        raw=raw,
    )


def id_of(kind: Kind, raw: Mapping[str, Any]) -> str:
    """What a file that was read says, of a skill the front of its SKILL.md; "" for none."""
    found: str = raw.get("metadata", {}).get(schemas.ID_KEY, "") if kind is Kind.SKILL else raw.get("id", "")
    return found


def _skill(unit: Unit, data: Mapping[str, bytes], limits: Limits) -> Definition:
    path = f"{unit.path}/{SKILL_FILE}"
    if path not in unit.files:
        raise BadFile(paths.empty_skill(unit.path, unit.files))
    _check_files(unit, data, limits)
    text = _text(path, data[path])
    try:
        page = parse(text)
    except BadFrontMatter as error:
        raise BadFile(Problem(Code.VALIDATION_FAILED, str(error), path, error.line, error.column)) from error

    def locate(pointers: Iterable[str]) -> Mapping[str, tuple[int, int]]:
        found = {}
        for pointer in pointers:
            nearest = pointer
            while nearest not in page.places:
                nearest = nearest.rpartition("/")[0]
            found[pointer] = page.places[nearest]
        return found

    body = trimmed(page.body)
    if wrong := validating.against_schema(Kind.SKILL, page.front):
        raise _bad(path, wrong, locate)
    kept, wrong = validating.front_matter(page.front, unit.slug)
    wrong += validating.text(body, LONGEST_INSTRUCTIONS)
    if wrong:
        raise _bad(path, wrong, locate)
    metadata = page.front.get("metadata", {})
    rest = {name: value for name, value in page.front.items() if name not in ("name", "description")}
    if schemas.ID_KEY in metadata:
        rest["metadata"] = {name: value for name, value in metadata.items() if name != schemas.ID_KEY}
        if not rest["metadata"]:
            del rest["metadata"]
    below = len(unit.path) + 1
    files = {each[below:]: oid for each, oid in unit.files.items() if each != path}
    document = {**kept, "frontMatter": rest, "instructions": body, "files": files}
    return Definition(
        kind=Kind.SKILL,
        id=id_of(Kind.SKILL, page.front),
        slug=unit.slug,
        name=kept["name"],
        document=normal(Kind.SKILL, document),
        raw=page.front,
        data={each: data[f"{unit.path}/{each}"] for each in files},
    )


def _check_files(unit: Unit, data: Mapping[str, bytes], limits: Limits) -> None:
    if len(unit.files) > limits.max_skill_files:
        text = f"The skill has {len(unit.files):,} files; {limits.max_skill_files:,} is the most. Remove some."
        raise BadFile(Problem(Code.TOO_LARGE, text, unit.path))
    problems = []
    seen: dict[str, str] = {}
    for path in sorted(unit.files):
        name = path[len(unit.path) + 1 :]
        shown = paths.presentable(path)
        try:
            paths.check_file(name)
        except ValueError as error:
            problems.append(Problem(Code.VALIDATION_FAILED, str(error), shown))
            continue
        if (twin := seen.setdefault(paths.fold(name), name)) != name:
            text = f"{twin} is there as well, and differs in upper and lower case alone. Rename one of the two."
            problems.append(Problem(Code.VALIDATION_FAILED, text, shown))
        try:
            _check_size(shown, data[path], limits)
        except BadFile as error:
            problems += error.problems
    if problems:
        raise BadFile(*problems[: validating.MOST_PROBLEMS])
    total = sum(len(data[path]) for path in unit.files)
    if total > limits.max_skill_bytes:
        text = f"The skill's files have more than {_size(limits.max_skill_bytes)} in all. Remove or shorten some."
        raise BadFile(Problem(Code.TOO_LARGE, text, unit.path))


def _check_size(path: str, data: bytes, limits: Limits) -> None:
    if len(data) > limits.max_file_bytes:
        text = f"The file has more than {_size(limits.max_file_bytes)}, the most that is read. Shorten it."
        raise BadFile(Problem(Code.TOO_LARGE, text, path))


def _text(path: str, data: bytes) -> str:
    """A byte order mark in front is no part of it."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8-sig", "ignore")) + 1
        text = "The file is not text in UTF-8. Save it in that encoding."
        raise BadFile(Problem(Code.INVALID_JSON, text, path, line, column)) from error


def _check_version(unit: Unit, schema: Any, locate: Locate) -> None:
    found = _SCHEMA.search(schema) if isinstance(schema, str) else None
    if found is None:
        return
    version, kind = int(found[1]), found[2]
    place = locate(["/$schema"])["/$schema"]
    if version != schemas.VERSION:
        text = f"Its $schema is of version {version}, and version {schemas.VERSION} is what this Millrace reads."
        raise BadFile(Problem(Code.UNSUPPORTED_VERSION, text, unit.path, *place, fields=("/$schema",)))
    if kind != unit.kind and kind in set(Kind):
        text = (
            f"Its $schema is of a {kind}, and {FOLDERS[unit.kind]}/ is for another kind. Move the file, or correct it."
        )
        raise BadFile(Problem(Code.VALIDATION_FAILED, text, unit.path, *place, fields=("/$schema",)))


def _other_slug(unit: Unit, slug: Any) -> list[Wrong]:
    if not isinstance(slug, str) or not slug or slug == unit.slug:
        return []
    text = f"The slug is “{slug[:80]}”, and the file is called {unit.slug}.json. Make them the same."
    return [Wrong(text, "/slug")]


def _bad(path: str, wrong: Iterable[Wrong], locate: Locate) -> BadFile:
    listed = list(wrong)[: validating.MOST_PROBLEMS]
    places = locate({each.pointer for each in listed})
    problems = [
        Problem(
            Code.VALIDATION_FAILED, _led(each), path, *places[each.pointer], fields=(each.pointer,) * bool(each.pointer)
        )
        for each in listed
    ]
    return BadFile(*sorted(problems, key=lambda each: (each.line, each.column)))


def _led(wrong: Wrong) -> str:
    """The sentence, behind the place that it speaks of."""
    return f"{wrong.pointer[1:]}: {wrong.text}" if wrong.pointer else wrong.text


def _size(count: int) -> str:
    return f"{count:,} bytes" if count < 1 << 20 else f"{count / (1 << 20):,.3g} MiB"

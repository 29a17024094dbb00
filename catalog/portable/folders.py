"""A folder of entities' files on this machine, checked as a sync would: each by itself, then what they name of others.

Symbolic links are never followed: a sync takes none either.
"""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.portable import reading, references
from catalog.portable.model import FOLDERS, SKILL_FILE, BadFile, Code, Definition, Kind, Problem, Unit
from catalog.portable.paths import empty_skill, presentable, units
from catalog.portable.reading import Limits
from catalog.portable.references import Offered, There

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Checked:
    entities: int
    """Those that were looked at, right or wrong."""
    problems: tuple[Problem, ...]
    """By file and line."""


class _Anything(frozenset[str]):
    """What a server offers whose file cannot be read: nobody knows."""

    def __contains__(self, _: object) -> bool:
        return True


def check_folder(base: Path, limits: Limits = reading.DEFAULTS) -> Checked:
    """`base` is the directory of all entities; of what else is in it nothing is read. Raises OSError for what this
    machine does not let one read."""
    sizes, problems = _listed(base)
    found = units(dict.fromkeys(sizes, ""))
    problems += found.problems
    definitions: dict[str, Definition] = {}
    texts: dict[str, str] = {}
    for path, unit in found.units.items():
        data = _bytes(base, unit, sizes, limits)
        try:
            definitions[path] = reading.read(unit, data, limits=limits)
            if path in data:
                texts[path] = data[path].decode()
        except BadFile as error:
            problems += error.problems
    there = _there(found.units, definitions)
    for path, definition in definitions.items():
        problems += references.check(definition.kind, definition.document, path, there, texts.get(path))
    problems += _same_ids(definitions)
    ordered = sorted(problems, key=lambda each: (each.path, each.line, each.column))
    return Checked(len(found.units), tuple(ordered))


def _listed(base: Path) -> tuple[dict[str, int], list[Problem]]:
    """Sizes of the files by their paths below `base`, and what no tree of git could tell."""
    sizes: dict[str, int] = {}
    problems: list[Problem] = []
    for folder in FOLDERS.values():
        if (base / folder).is_symlink():
            problems.append(_link(folder))
            continue
        for path, info in _walked(base, folder):
            if stat.S_ISLNK(info.st_mode):
                problems.append(_link(path))
            elif stat.S_ISREG(info.st_mode):
                sizes[path] = info.st_size
    skills = FOLDERS[Kind.SKILL]
    if (base / skills).is_dir() and not (base / skills).is_symlink():
        with os.scandir(base / skills) as entries:
            homes = [each.name for each in entries if each.is_dir(follow_symlinks=False)]
        filled = {path.split("/")[1] for path in sizes if path.startswith(f"{skills}/")}
        problems += [
            empty_skill(f"{skills}/{name}") for name in homes if name not in filled and not name.startswith(".")
        ]
    return sizes, problems


def _walked(base: Path, folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Files and links below a folder; none where there is no such folder."""
    if not (base / folder).is_dir():
        return
    for home, folders, files in os.walk(base / folder, onerror=_refused):
        for name in [*files, *(each for each in folders if os.path.islink(os.path.join(home, each)))]:
            whole = os.path.join(home, name)
            yield os.path.relpath(whole, base).replace(os.sep, "/"), os.lstat(whole)


def _refused(error: OSError) -> None:
    raise error


def _link(path: str) -> Problem:
    text = "This is a symbolic link, which is not followed. Put the file itself here."
    return Problem(Code.VALIDATION_FAILED, text, presentable(path))


def _bytes(base: Path, unit: Unit, sizes: Mapping[str, int], limits: Limits) -> dict[str, bytes]:
    """Of a file or skill that is over a cap no more than is needed to tell."""
    too_many = len(unit.files) > limits.max_skill_files
    found, total = {}, 0
    for path in unit.files:
        needed = 0 if too_many or total > limits.max_skill_bytes else min(sizes[path], limits.max_file_bytes + 1)
        with open(os.open(base / path, _FLAGS), "rb") as file:
            found[path] = file.read(needed)
        total += needed
    return found


def _there(found: Mapping[str, Unit], definitions: Mapping[str, Definition]) -> There:
    slugs: dict[Kind, set[str]] = defaultdict(set)
    servers: dict[str, Offered] = {}
    for path, unit in found.items():
        if unit.kind is Kind.SERVER:
            known = definitions.get(path)
            anything = Offered(_Anything(), _Anything(), _Anything())
            servers[unit.slug] = references.offered(known.document) if known else anything
        else:
            slugs[unit.kind].add(unit.slug)
    return There(servers, slugs[Kind.COMMAND], slugs[Kind.SKILL], slugs[Kind.TOOLKIT])


def _same_ids(definitions: Mapping[str, Definition]) -> Iterator[Problem]:
    first: dict[tuple[Kind, str], str] = {}
    for path, definition in definitions.items():
        if not definition.id:
            continue
        twin = first.setdefault((definition.kind, definition.id), path)
        if twin != path:
            text = f"{twin} has the same id. Take it out of the copy: it is given one of its own."
            file = f"{path}/{SKILL_FILE}" if definition.kind is Kind.SKILL else path
            yield Problem(Code.DUPLICATE_SLUG, text, file, fields=("/id",))

"""Where entities' files are, and which files of a tree are one entity's."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog.checking import slugs
from catalog.checking.names import BadText
from catalog.paths import BadPath, check_path
from catalog.portable.model import FOLDERS, SKILL_FILE, Code, Kind, Problem, Unit

SLUG = f"^{slugs.PATTERN}$"
SERVER_SLUG = r"^[-a-zA-Z0-9_]+$"
"""Servers have had slugs for longer."""
_DOT_GIT = re.compile(r"(?:\.git|git~1)[. ]*(?::.*)?", re.IGNORECASE)
"""What some disk takes for .git: as git itself does, which takes no such path (core.protectNTFS, core.protectHFS)."""
_UNSEEN = dict.fromkeys((*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF))
"""Characters that HFS+ ignores in names."""
LONGEST_FILE = 512
"""Characters of the path of a skill's file, below its folder."""
MOST_PROBLEMS = 1_000
"""Of a tree: a million strange names are told no better than a thousand."""

_KINDS = {folder: kind for kind, folder in FOLDERS.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """What a tree holds of entities."""

    units: Mapping[str, Unit]
    """By their paths, sorted."""
    problems: tuple[Problem, ...]
    """Of paths that are no unit's, and look as if they were meant to be."""


def path_of(kind: Kind, slug: str) -> str:
    """Of the unit: toolkits/weather.json; a skill's folder is skills/pdf-forms."""
    return f"{FOLDERS[kind]}/{slug}" + ("" if kind is Kind.SKILL else ".json")


def check_slug(kind: Kind, text: str) -> str:
    """Raises BadText for what no file or folder of this kind can be called."""
    if kind is not Kind.SERVER:
        return slugs.check_slug(text)
    if len(text) > slugs.LONGEST or "\n" in text or not re.fullmatch(SERVER_SLUG, text):
        raise BadText(f"A server's slug has letters, digits, - and _, and {slugs.LONGEST} characters at most.")
    if text in slugs.OF_PAGES:
        raise BadText(f"“{text}” is used by Millrace itself.")
    return text


def slug_pattern(kind: Kind) -> str:
    return SERVER_SLUG if kind is Kind.SERVER else SLUG


def units(tree: Mapping[str, str]) -> Found:
    """The entities of a tree: path below the directory of all entities -> blob id (symlinks and submodules left out).

    What is outside of the five folders is not looked at, nor README.md, files that begin with a dot, and files of
    other types right in them.
    """
    files: dict[str, dict[str, str]] = defaultdict(dict)
    kinds: dict[str, tuple[Kind, str]] = {}
    problems: list[Problem] = []
    for path in sorted(tree):
        folder, _, rest = path.partition("/")
        kind = _KINDS.get(folder)
        if kind is None or not rest or rest.startswith("."):
            continue
        first, slash, _ = rest.partition("/")
        if kind is Kind.SKILL:
            if slash:
                home = f"{folder}/{first}"
                kinds[home], files[home][path] = (kind, first), tree[path]
        elif not rest.lower().endswith(".json"):
            continue
        elif slash:
            problems.append(_nested(kind, path))
        else:
            kinds[path], files[path][path] = (kind, rest[: -len(".json")]), tree[path]
    found: dict[str, Unit] = {}
    folded: dict[str, str] = {}
    for at, (kind, slug) in kinds.items():
        unit = Unit(kind, slug, at, files[at])
        if problem := _problem(unit, folded):
            problems.append(problem)
        else:
            found[at] = unit
    return Found(found, tuple(problems[:MOST_PROBLEMS]))


def empty_skill(path: str, files: Iterable[str] = ()) -> Problem:
    """A skill's folder without SKILL.md."""
    names = [each[len(path) + 1 :] for each in files]
    advice = f"Add {SKILL_FILE} with its name and description, or remove the folder."
    for name in names:
        if name.lower() == SKILL_FILE.lower():
            advice = f"Rename {_shown(name)} to {SKILL_FILE}: capitals count."
        elif name.endswith(f"/{SKILL_FILE}"):
            advice = f"Move the skill up: its folder stands right in skills/, and {_shown(name)} is deeper."
    return Problem(Code.EMPTY_DIRECTORY, f"The skill's folder has no {SKILL_FILE}. {advice}", presentable(path))


def check_file(path: str) -> str:
    """The path of a skill's file below its folder, or a ValueError with a sentence."""
    if len(path) > LONGEST_FILE:
        raise BadPath(f"The path has more than {LONGEST_FILE} characters. Choose shorter names.")
    check_path(path)
    if any(_DOT_GIT.fullmatch(segment.translate(_UNSEEN)) for segment in path.split("/")):
        raise BadPath("The path leads into a .git folder. Rename it.")
    return path


def fold(path: str) -> str:
    """The same for two paths that a file system may take for one."""
    # Folding can undo the normal form, so both are applied twice (Unicode 3.13, D145).
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold()).casefold()


def presentable(path: str) -> str:
    """A path as it can be stored and shown: without control characters, at most 1,024 characters."""
    safe = "".join(character if character.isprintable() else "�" for character in path)
    return safe if len(safe) <= 1024 else f"{safe[:1023]}…"


def _problem(unit: Unit, folded: dict[str, str]) -> Problem | None:
    """What is wrong with its path; `folded` remembers those that are right, to be told from in whatever case."""
    path = presentable(unit.path)
    if unit.kind is not Kind.SKILL and not unit.path.endswith(".json"):
        return Problem(Code.VALIDATION_FAILED, "The file's name ends with .json in small letters. Rename it.", path)
    try:
        check_slug(unit.kind, unit.slug)
    except BadText as error:
        what = "The folder" if unit.kind is Kind.SKILL else "The file, before .json,"
        text = f"{what} is called as no slug can be. {error} Rename it."
        return Problem(Code.VALIDATION_FAILED, text, path, fields=("/slug",))
    if (twin := folded.setdefault(unit.path.lower(), unit.path)) != unit.path:
        text = f"{twin} is there as well, and differs in upper and lower case alone. Rename one of the two."
        return Problem(Code.DUPLICATE_SLUG, text, path, fields=("/slug",))
    if unit.kind is Kind.SKILL and f"{unit.path}/{SKILL_FILE}" not in unit.files:
        return empty_skill(unit.path, unit.files)
    return None


def _nested(kind: Kind, path: str) -> Problem:
    folder = FOLDERS[kind]
    text = f"Files stand right in {folder}/, not in a folder below it, where they are not read. Move it up."
    return Problem(Code.VALIDATION_FAILED, text, presentable(path))


def _shown(name: str) -> str:
    return presentable(name) if len(name) <= 80 else f"{presentable(name[:79])}…"

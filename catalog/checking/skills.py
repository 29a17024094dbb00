"""What a skill may be (https://agentskills.io/specification): its front matter and the paths of its files. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from catalog.checking.entities import clean_described
from catalog.checking.json_text import pointer_to
from catalog.checking.names import BadText, check_characters
from catalog.checking.problems import FieldError, Findings
from catalog.paths import BadPath, parents
from catalog.portable import front_matter, schemas
from catalog.portable.model import SKILL_FILE, Kind
from catalog.portable.normal import trimmed
from catalog.portable.paths import check_file, fold
from catalog.portable.reading import LONGEST_INSTRUCTIONS
from catalog.portable.validating import against_schema, text

_FIELDS = ("name", "description")


def clean_skill(values: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """The values as they are kept, without files; what is wrong goes into `findings`."""
    clean = clean_described(values, findings)
    clean["front_matter"] = findings.tried(
        "front_matter", lambda: check_front_matter(values["front_matter"]), values["front_matter"]
    )
    clean["instructions"] = trimmed(str(values["instructions"]))
    findings.errors += [FieldError("instructions", it.text) for it in text(clean["instructions"], LONGEST_INSTRUCTIONS)]
    return clean


def check_front_matter(value: Any) -> dict[str, Any]:
    """What stands in the front matter beside name and description, held against what can be read again. Raises
    BadText."""
    if not isinstance(value, dict):
        raise BadText("The front matter is names with values.")
    if wrong := [name for name in _FIELDS if name in value]:
        raise BadText(f"“{wrong[0]}” is a field of its own. Take it out here.")
    whole = {**dict.fromkeys(_FIELDS, "-"), **value}
    if problems := against_schema(Kind.SKILL, whole):
        raise BadText(f"{problems[0].pointer[1:]}: {problems[0].text}")
    if schemas.ID_KEY in value.get("metadata", {}):
        raise BadText(f"“{schemas.ID_KEY}” is written by Millrace. Take it out.")
    try:
        check_characters(value)
        again = front_matter.parse(front_matter.render(whole, "").decode()).front
    except front_matter.BadFrontMatter as error:
        raise BadText(str(error)) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise BadText("The front matter holds something that is no text, number, list or mapping.") from error
    if again != whole:
        raise BadText("The front matter holds something that would be read as something else.")
    return value


def path_errors(paths: Iterable[str]) -> list[FieldError]:
    """What keeps files beside SKILL.md from being saved together: of the field `files`, with pointers (RFC 6901).

    Two paths that only differ in case are one file on some disks, and a file there is in the way of a folder.
    """
    found = []
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in sorted(paths):
        try:
            check_file_path(path)
        except (BadPath, BadText) as error:
            found.append(_at(path, str(error)))
            continue
        key = fold(path)
        above = [fold(each) for each in parents(path)]
        if key in seen:
            found.append(_at(path, f"“{path}” and “{seen[key]}” differ in case only: some disks keep one of them."))
        elif key in folders:
            found.append(_at(path, f"“{path}” is a folder, with “{folders[key]}” in it."))
        elif inside := [each for each in above if each in seen]:
            found.append(_at(path, f"“{seen[inside[0]]}” is a file, so that “{path}” cannot lie in it."))
        else:
            seen[key] = path
            folders.update(dict.fromkeys(above, path))
    return found


def check_file_path(path: str) -> str:
    """The path of a file below its skill's folder. Raises BadPath and BadText."""
    check_file(path)
    if fold(path).partition("/")[0] == fold(SKILL_FILE):
        raise BadText(f"{SKILL_FILE} is made of the skill’s fields. Choose another name.")
    return path


def page_bytes(clean: Mapping[str, Any]) -> int:
    """About how long SKILL.md is with the values that `clean_skill` returns."""
    front = {**{name: clean[name] for name in _FIELDS}, **clean["front_matter"]}
    return len(front_matter.render(front, clean["instructions"]))


def _at(path: str, text: str) -> FieldError:
    return FieldError("files", text, pointer_to([path]))

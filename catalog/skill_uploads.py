"""Files that people upload into a skill: which of them are taken, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from catalog.checking.skills import path_errors
from catalog.file_blobs import oid_of
from catalog.paths import normalise_path


class Upload(Protocol):
    name: str
    size: int

    def read(self) -> bytes: ...


@dataclass
class Received:
    """What becomes of each file."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Those to be saved, {path: bytes}: the added and the replaced ones."""
    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """{the name as it came: why, in a sentence}"""


def receive(
    uploads: Iterable[Upload], *, folder: str, there: Mapping[str, str], replace: bool, max_file_bytes: int
) -> Received:
    """Sort uploads into those to save below `folder` ("" for the top) and those that cannot be taken.

    `there` has the files of the skill, {path: git blob id}. What is too large is not read.
    """
    found = Received()
    folder = folder.strip("/")
    for upload in uploads:
        name = normalise_path(upload.name)
        path = f"{folder}/{name}" if folder else name
        others = [each for each in (*there, *found.files) if each != path]
        if upload.size > max_file_bytes:
            found.refused[name] = f"It has {upload.size:,} bytes; {max_file_bytes:,} is the most of one file."
        elif path in found.files:
            found.refused[name] = "Another of the uploaded files has the same path."
        elif errors := path_errors([*others, path]):
            found.refused[name] = errors[0].text
        elif path not in there:
            found.files[path] = upload.read()
            found.added.append(path)
        elif oid_of(data := upload.read()) == there[path]:
            found.unchanged.append(path)
        elif replace:
            found.files[path] = data
            found.replaced.append(path)
        else:
            found.refused[name] = "There is a file with this path. Choose “Replace files that exist” to overwrite it."
    return found

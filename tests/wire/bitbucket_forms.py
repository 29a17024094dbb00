"""Forms as Bitbucket's upload reads them: files by their path, and what is said about the commit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, unquote_to_bytes, urlsplit

from tests.wire.bitbucket_routes import Refused
from tests.wire.messages import Request
from tests.wire.repos import Executable, File, Symlink

FACTS = {"message", "author", "parents", "files", "branch"}
"""What is no file, unless a slash stands before it or (multipart) it has a file name."""
ONCE = FACTS - {"files", "parents"}
TEXT = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Upload:
    files: dict[str, File | None] = field(default_factory=dict)
    """Path -> content; None deletes."""
    facts: dict[str, list[str]] = field(default_factory=dict)

    def fact(self, name: str) -> str:
        return self.facts.get(name, [""])[0]

    def take(self, name: str, data: bytes, *, is_file: bool, attribute: str = "") -> None:
        if name in FACTS and not is_file:
            self.facts.setdefault(name, []).append(data.decode("utf-8", "replace"))
            if name in ONCE and len(self.facts[name]) > 1:
                raise Refused(400, f"The field {name} cannot be repeated.")
        else:
            content: dict[str, File] = {
                "executable": Executable(data),
                "link": Symlink(data.decode("utf-8", "replace")),
            }
            self.files[path_of(name)] = content.get(attribute, data)


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    is_file: bool
    """Whether it has a file name."""
    attribute: str
    """executable, link or nothing."""
    data: bytes


def path_of(name: str) -> str:
    """A path from the root, whether a slash stands before it or not; Refused (400) for one that git cannot have."""
    path = name.removeprefix("/")
    parts = path.split("/")
    if not path or any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts) or "\0" in path:
        raise Refused(400, f"Invalid path: {name}")
    return path


def read_upload(request: Request) -> Upload:
    """https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-post"""
    upload = Upload()
    for name, text in parse_qsl(urlsplit(request.target).query, keep_blank_values=True):
        upload.take(name, text.encode(), is_file=False)
    kind, _, options = request.headers.get("Content-Type", "").partition(";")
    if kind.strip() == "multipart/form-data":
        boundary = re.search(r'boundary="?([^";]+)', options)
        for part in parts_of(request.body, boundary[1] if boundary else ""):
            upload.take(part.name, part.data, is_file=part.is_file, attribute=part.attribute)
    elif kind.strip() == TEXT or not request.body:
        for pair in request.body.split(b"&") if request.body else ():
            key, _, value = (unquote_to_bytes(half.replace(b"+", b" ")) for half in pair.partition(b"="))
            upload.take(key.decode("utf-8", "replace"), value, is_file=False)
    else:
        raise Refused(400, f"A form is wanted here, not {kind.strip()}.")
    for name in upload.facts.get("files", []):
        upload.files.setdefault(path_of(name), None)
    return upload


def parts_of(body: bytes, boundary: str) -> Iterator[Part]:
    """The parts of multipart/form-data, byte for byte (RFC 7578)."""
    first, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if not boundary or first or not parts or not parts[-1].startswith(b"--"):
        raise Refused(400, "The body is no multipart/form-data.")
    for part in parts[:-1]:
        head, found, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        disposition = _disposition(head.decode("utf-8", "replace"))
        name = _parameter(disposition, "name")
        if not found or name is None:
            raise Refused(400, "A part of the form has no name.")
        attribute = re.search(r'x-attributes[:=]\s*"(\w+)"', disposition)
        yield Part(name, _parameter(disposition, "filename") is not None, attribute[1] if attribute else "", data)


def _disposition(head: str) -> str:
    lines = (line for line in head.split("\r\n") if line.lower().startswith("content-disposition:"))
    return next(lines, "").partition(":")[2]


def _parameter(disposition: str, name: str) -> str | None:
    if encoded := re.search(rf";\s*{name}\*=(?:utf-8|UTF-8)''([^;\s]+)", disposition):
        return unquote(encoded[1])
    found = re.search(rf';\s*{name}="((?:[^"\\]|\\.)*)"', disposition)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else None

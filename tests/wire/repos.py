"""Real git repositories, made and changed at the speed of tests.

A commit goes through `git fast-import`: twenty thousand files take about a second. Dates and authors are fixed, so the
same steps give the same commit ids on every machine.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.wire.objects import ObjectReader, git

FIRST_SECOND = 1_767_225_600
"""1 January 2026, 00:00 UTC: the date of a repository's first commit; each later one is a minute younger."""

FULL_ID = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Symlink:
    target: str


@dataclass(frozen=True, slots=True)
class Submodule:
    commit: str
    """40 hex digits; it need not exist anywhere."""


@dataclass(frozen=True, slots=True)
class Executable:
    data: bytes


File = bytes | str | Executable | Symlink | Submodule
"""What can stand at a path; a str is its UTF-8 bytes."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    mode: str
    kind: str
    """blob, tree or commit (a submodule)."""
    oid: str
    size: int | None
    """Bytes of a blob; None for the others."""
    path: str
    """As git has it; bytes that are not UTF-8 are surrogate escapes."""


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str
    at: int
    """Seconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class Commit:
    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


class GitRepo:
    """A repository on disk: the one whose git folder is `path`, or a new bare one there.

    Close it (or use it as a context manager) so that its reader process ends.
    """

    def __init__(self, path: Path, *, default_branch: str = "main") -> None:
        self.path = path
        self.default_branch = default_branch
        self.objects = ObjectReader(path)
        self._clock = itertools.count(FIRST_SECOND, 60)
        self._trees: dict[tuple[str, bool], list[TreeEntry]] = {}
        if not path.exists():
            path.mkdir(parents=True)
            git(path, "init", "-q", "--bare", f"--initial-branch={default_branch}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.objects.close()

    # -- changing it ---------------------------------------------------------------------------------------------------

    def commit(
        self,
        files: Mapping[str, File | None],
        message: str = "Change files",
        *,
        branch: str | None = None,
        author: tuple[str, str] = ("Alice", "alice@example.org"),
    ) -> str:
        """Commit `files` (path -> content, None deletes) on top of `branch` and return the commit's id.

        A branch that does not exist yet starts with this commit, without a parent.
        """
        parent = self.tip(branch or self.default_branch)
        lines = [self._commit_head(message, branch or self.default_branch, author)]
        if parent:
            lines.append(f"from {parent}\n".encode())
        lines.extend(_change(path, file) for path, file in files.items())
        return self._import(lines)

    def move(self, old: str, new: str, message: str = "", *, branch: str | None = None) -> str:
        """Rename a file or a folder in one commit."""
        name = branch or self.default_branch
        lines = [self._commit_head(message or f"Move {old} to {new}", name, ("Alice", "alice@example.org"))]
        lines += [f"from {self.tip(name)}\n".encode(), b"R " + _quote(old) + b" " + _quote(new) + b"\n"]
        return self._import(lines)

    def commit_raw_tree(
        self, entries: Mapping[bytes, bytes], message: str = "Change files", *, branch: str | None = None
    ) -> str:
        """Commit one flat tree with exactly these entry names, whatever they are: `..`, `.git`, `a/../b`.

        git's own commands refuse to make such trees, a hostile server does not ask them. Names are sorted, and cannot
        be empty or hold NUL (the format has no way to say it: see `faults.inject_entries` for replies that do).
        """
        tree = b"".join(
            b"100644 " + name + b"\0" + bytes.fromhex(self.write_object("blob", data))
            for name, data in sorted(entries.items())
        )
        name = branch or self.default_branch
        second = next(self._clock)
        parent = self.tip(name)
        head = f"tree {self.write_object('tree', tree)}\n" + (f"parent {parent}\n" if parent else "")
        who = f"Alice <alice@example.org> {second} +0000"
        oid = self.write_object("commit", f"{head}author {who}\ncommitter {who}\n\n{message}\n".encode())
        self.reset(name, oid)
        return oid

    def write_object(self, kind: str, data: bytes) -> str:
        """Store a loose object without any of git's checks; returns its id."""
        stored = f"{kind} {len(data)}\0".encode() + data
        oid = hashlib.sha1(stored, usedforsecurity=False).hexdigest()
        target = self.path / "objects" / oid[:2] / oid[2:]
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(zlib.compress(stored, 1))
        return oid

    def write_tree(self, entries: Mapping[str, tuple[str, str]]) -> str:
        """Store a tree, and those below it, from path -> (mode, id); returns its id."""
        here: dict[str, tuple[str, str]] = {}
        below: dict[str, dict[str, tuple[str, str]]] = {}
        for path, entry in entries.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = entry
            else:
                here[name] = entry
        here |= {name: ("40000", self.write_tree(inside)) for name, inside in below.items()}
        encoded = {name.encode("utf-8", "surrogateescape"): entry for name, entry in here.items()}
        # git sorts a folder as if its name ended with a slash.
        order = sorted(encoded, key=lambda name: name + (b"/" if encoded[name][0] == "40000" else b""))
        lines = (encoded[n][0].lstrip("0").encode() + b" " + n + b"\0" + bytes.fromhex(encoded[n][1]) for n in order)
        return self.write_object("tree", b"".join(lines))

    def commit_tree(
        self, tree: str, parents: Sequence[str], message: str, *, author: Person, committer: Person | None = None
    ) -> str:
        """Store a commit that no branch has yet; returns its id."""
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        for role, who in (("author", author), ("committer", committer or author)):
            lines.append(f"{role} {who.name} <{who.email}> {who.at} +0000")
        return self.write_object("commit", ("\n".join(lines) + f"\n\n{message}").encode())

    def tick(self) -> int:
        """The second of the next commit."""
        return next(self._clock)

    def branch(self, name: str, *, at: str | None = None) -> str:
        """Make a branch at a commit or another branch (default: the default branch); returns the commit's id."""
        commit = self.resolve(at or self.default_branch)
        assert commit, f"there is no {at or self.default_branch} to branch from"
        git(self.path, "update-ref", f"refs/heads/{name}", commit)
        return commit

    def reset(self, branch: str, commit: str) -> None:
        """Let `branch` point to any commit, as a force-push does."""
        git(self.path, "update-ref", f"refs/heads/{branch}", commit)

    def force_push(
        self, files: Mapping[str, File | None], message: str = "Rewrite history", *, branch: str | None = None
    ) -> str:
        """Replace the branch by one new commit without parents that holds `files` alone; returns its id."""
        name = branch or self.default_branch
        self.delete_branch(name)
        return self.commit(files, message, branch=name)

    def delete_branch(self, name: str) -> None:
        git(self.path, "update-ref", "-d", f"refs/heads/{name}")

    def rename_branch(self, old: str, new: str) -> None:
        git(self.path, "branch", "-m", old, new)
        if old == self.default_branch:
            self.default_branch = new

    def tag(self, name: str, *, at: str | None = None) -> None:
        """A lightweight tag."""
        commit = self.resolve(at or self.default_branch)
        assert commit
        git(self.path, "update-ref", f"refs/tags/{name}", commit)

    def forget_unreachable(self) -> None:
        """Drop what no branch or tag reaches, as a forge does some time after a force-push."""
        git(self.path, "reflog", "expire", "--expire=now", "--all")
        git(self.path, "repack", "-a", "-d", "-q")
        git(self.path, "prune", "--expire=now")
        self.close()
        self._trees.clear()

    def _commit_head(self, message: str, branch: str, author: tuple[str, str]) -> bytes:
        second = next(self._clock)
        text = message.encode()
        who = f"{author[0]} <{author[1]}> {second} +0000"
        return (
            f"commit refs/heads/{branch}\nmark :1\nauthor {who}\ncommitter {who}\ndata {len(text)}\n".encode()
            + text
            + b"\n"
        )

    def _import(self, lines: list[bytes]) -> str:
        lines += [b"\n", b"get-mark :1\n", b"done\n"]
        return git(self.path, "fast-import", "--quiet", "--done", stdin=b"".join(lines)).decode().strip()

    # -- reading it ----------------------------------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        return not self.branches()

    def tip(self, branch: str) -> str | None:
        """The commit at the tip of a branch; None where there is no such branch."""
        return self._commit_named(f"refs/heads/{branch}")

    def resolve(self, name: str) -> str | None:
        """The commit that a branch, a tag, a full ref or a full commit id names; None where there is none."""
        if not name or re.search(r"[\s~^:?*\[\\]|\.\.|@\{|^-", name):
            return None
        if FULL_ID.fullmatch(name):
            found = self.objects.header(name)
            return name if found and found.kind == "commit" else None
        if name == "HEAD":
            return self.tip(self.default_branch)
        for prefix in ("refs/heads/", "refs/tags/", "refs/", ""):
            if commit := self._commit_named(f"{prefix}{name}") if prefix or name.startswith("refs/") else None:
                return commit
        return None

    def branches(self) -> dict[str, str]:
        """Branch name -> commit id, in git's order."""
        return {name.removeprefix("refs/heads/"): oid for name, oid in self.refs("refs/heads/").items()}

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        listed = git(self.path, "for-each-ref", "--format=%(objectname) %(refname)").decode("utf-8", "surrogateescape")
        pairs = (line.split(" ", 1) for line in listed.splitlines())
        return {name: oid for oid, name in pairs if name.startswith(prefix)}

    def read_commit(self, oid: str) -> Commit | None:
        found = self.objects.read(oid)
        return _parse_commit(found.oid, found.data) if found and found.kind == "commit" else None

    def tree_of(self, oid: str) -> str | None:
        """The tree's id for the id of a commit or of a tree; None for anything else."""
        found = self.objects.header(oid)
        if found is None:
            return None
        if found.kind == "tree":
            return found.oid
        commit = self.read_commit(oid)
        return commit.tree if commit else None

    def tree(self, oid: str, *, recursive: bool = False) -> list[TreeEntry]:
        """The entries of a tree; recursive ones hold the folders too, each before what is in it."""
        key = (oid, recursive)
        if key not in self._trees:
            flags = ("-r", "-t") if recursive else ()
            listed = git(self.path, "ls-tree", "-z", "--long", "--full-tree", *flags, oid)
            self._trees[key] = list(_parse_listing(listed))
        return self._trees[key]

    def files(self, branch: str | None = None) -> dict[str, str]:
        """Path -> blob id of every file (symlinks too) at the tip of a branch."""
        tree = self.tree_of(self.tip(branch or self.default_branch) or "")
        return {e.path: e.oid for e in self.tree(tree, recursive=True) if e.kind == "blob"} if tree else {}

    def blob(self, oid: str) -> bytes | None:
        found = self.objects.read(oid)
        return found.data if found and found.kind == "blob" else None

    def _commit_named(self, ref: str) -> str | None:
        found = self.objects.read(ref)
        while found and found.kind == "tag":
            found = self.objects.read(found.data.split(b"\n", 1)[0].removeprefix(b"object ").decode())
        return found.oid if found and found.kind == "commit" else None


def blob_id(data: bytes) -> str:
    """The id git gives these bytes."""
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


def _quote(path: str) -> bytes:
    escaped = bytearray(b'"')
    for byte in path.encode("utf-8", "surrogateescape"):
        if byte in b'"\\':
            escaped += b"\\" + bytes([byte])
        elif byte < 0x20 or byte == 0x7F:
            escaped += b"\\%03o" % byte
        else:
            escaped.append(byte)
    return bytes(escaped + b'"')


def _change(path: str, file: File | None) -> bytes:
    match file:
        case None:
            return b"D " + _quote(path) + b"\n"
        case Submodule(commit):
            return b"M 160000 " + commit.encode() + b" " + _quote(path) + b"\n"
        case Symlink(target):
            mode, data = b"120000", target.encode()
        case Executable(content):
            mode, data = b"100755", content
        case str():
            mode, data = b"100644", file.encode()
        case _:
            mode, data = b"100644", file
    return b"M " + mode + b" inline " + _quote(path) + b"\ndata " + str(len(data)).encode() + b"\n" + data + b"\n"


def _parse_listing(listed: bytes) -> Iterator[TreeEntry]:
    for line in listed.split(b"\0"):
        if line:
            facts, path = line.split(b"\t", 1)
            mode, kind, oid, size = facts.decode().split()
            name = path.decode("utf-8", "surrogateescape")
            yield TreeEntry(mode, kind, oid, None if size == "-" else int(size), name)


def _parse_commit(oid: str, data: bytes) -> Commit:
    head, _, message = data.decode("utf-8", "replace").partition("\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.splitlines():
        key, _, value = line.partition(" ")
        fields.setdefault(key, []).append(value)
    return Commit(
        oid=oid,
        tree=fields["tree"][0],
        parents=tuple(fields.get("parent", ())),
        author=_parse_person(fields["author"][0]),
        committer=_parse_person(fields["committer"][0]),
        message=message.rstrip("\n"),
    )


def _parse_person(line: str) -> Person:
    who, _, when = line.rpartition("> ")
    name, _, email = who.partition(" <")
    return Person(name, email, int(when.split()[0]))

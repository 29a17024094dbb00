"""Reads a bare repository's objects through one long-lived git process, and runs git for everything else."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO


def git_environment() -> dict[str, str]:
    """The environment git runs in: none of the machine's or the person's own configuration reaches it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }


def git(path: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """What `git <arguments>` printed in the repository at `path`; CalledProcessError where it failed."""
    done = subprocess.run(
        ["git", "-C", os.fspath(path), *arguments],
        input=stdin,
        capture_output=True,
        env=git_environment(),
        check=False,
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, ["git", *arguments], done.stdout, done.stderr)
    return done.stdout


@dataclass(frozen=True, slots=True)
class GitObject:
    oid: str
    kind: str
    """blob, tree, commit or tag."""
    size: int
    data: bytes = b""
    """Empty where only the header was asked for."""


class ObjectReader:
    """`git cat-file --batch-command` (git 2.36 or newer), shared by the server's threads.

    One process answers for the life of the repository: it sees new objects and moved branches at once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def header(self, name: str) -> GitObject | None:
        """Kind and size of the object called `name` (an id or a full ref); None where there is none."""
        return self._ask(f"info {name}", with_data=False)

    def read(self, name: str) -> GitObject | None:
        """The object called `name` with its bytes; None where there is none."""
        return self._ask(f"contents {name}", with_data=True)

    def close(self) -> None:
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            process.wait(timeout=10)

    def _ask(self, question: str, *, with_data: bool) -> GitObject | None:
        if "\n" in question or "\0" in question:
            return None
        with self._lock:
            to_git, from_git = self._pipes()
            to_git.write(question.encode("utf-8", "surrogateescape") + b"\n")
            to_git.flush()
            fields = from_git.readline().split()
            if len(fields) != 3 or fields[-1] in {b"missing", b"ambiguous"}:
                return None
            oid, kind, size = fields[0].decode(), fields[1].decode(), int(fields[2])
            data = b""
            if with_data:
                data = from_git.read(size)
                from_git.read(1)
            return GitObject(oid, kind, size, data)

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = subprocess.Popen(
                ["git", "-C", os.fspath(self._path), "cat-file", "--batch-command"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=git_environment(),
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

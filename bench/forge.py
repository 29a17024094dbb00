"""The local forge of the tests as a process of its own: its processor time and memory are not counted as ours."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Address:
    url: str
    token: str
    repository: str

    @property
    def named(self) -> dict[str, str]:
        """As arguments of what is measured."""
        return asdict(self)

    @property
    def clone_url(self) -> str:
        return f"{self.url}/{self.repository}.git"


@contextmanager
def serving(repository: Path, *, port: int, latency: float) -> Iterator[Address]:
    """Serve one repository for the length of the block, `latency` milliseconds added to every request."""
    command = [sys.executable, "-m", "tests.wire", "--repo", str(repository), "--port", str(port)]
    process = subprocess.Popen([*command, "--latency", str(latency)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        said = dict(process.stdout.readline().split() for _ in ("url", "token", "repository"))
        yield Address(said["url"], said["token"], said["repository"])
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()


def free_port() -> int:
    """A port that nobody listens on. A forge that comes back keeps it: the address is part of what is connected."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

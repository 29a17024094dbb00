"""Empty, migrated databases for one measurement each, copied from one that was migrated once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from bench.measuring import measure

_number = count(1)


@dataclass(frozen=True, slots=True)
class Databases:
    """`server` is the URL of a PostgreSQL database to connect to while others are made, "" for SQLite."""

    server: str
    template: str
    folder: Path
    version: str
    """Its name and version, for people."""

    @property
    def kind(self) -> str:
        return "postgresql" if self.server else "sqlite"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """A database's URL; it is gone after the block."""
        number = next(_number)
        if not self.server:
            path = self.folder / f"{number}.sqlite3"
            shutil.copy(self.template, path)
            try:
                yield f"sqlite:///{path}"
            finally:
                for each in self.folder.glob(f"{path.name}*"):
                    each.unlink()
            return
        name = f"{self.template}_{number}"
        _administer(self.server, "CREATE DATABASE {} TEMPLATE {}", name, self.template)
        try:
            yield _named(self.server, name)
        finally:
            _administer(self.server, "DROP DATABASE {}", name)


@contextmanager
def databases(server: str, folder: Path) -> Iterator[Databases]:
    """Migrate a template; on a PostgreSQL server whatever was made is dropped at the end."""
    folder.mkdir()
    if not server:
        template = folder / "template.sqlite3"
        version = measure("migrate", database=f"sqlite:///{template}").said["database"]
        yield Databases("", str(template), folder, version)
        return
    name = f"millrace_{folder.parent.name}".replace("-", "_").lower()
    _administer(server, "CREATE DATABASE {}", name)
    try:
        version = measure("migrate", database=_named(server, name)).said["database"]
        yield Databases(server, name, folder, version)
    finally:
        _administer(server, "DROP DATABASE {}", name)


def _named(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def _administer(server: str, statement: str, *names: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

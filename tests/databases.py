"""The databases of a test run: one is migrated, and everybody who needs one has a copy of it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection

from jobs import schedules

MIGRATED = {"django_content_type", "auth_permission"}
"""Tables that migrating fills and no test changes."""


class Databases:
    """Copies of the migrated database, on the kind of server that the tests use.

    `folder` is shared by all processes of the run: the first that needs a copy migrates, which takes ten seconds, and
    the others wait for it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = ""

    @contextmanager
    def new(self, folder: Path, name: str) -> Iterator[str]:
        """One that nobody else has, for as long as it is needed: its URL. `name` is unique within this process.

        For tests that start processes of their own.
        """
        if not _on_postgres():
            path = folder / f"{name}.sqlite3"
            shutil.copy(self._migrated(), path)
            yield f"sqlite:///{path}"
            return
        unique = f"millrace_{name}_{os.getpid()}"
        _on_server(f"CREATE DATABASE {unique} TEMPLATE {self._migrated()}")
        try:
            yield _url(unique)
        finally:
            _on_server(f"DROP DATABASE {unique} WITH (FORCE)")

    def take(self) -> None:
        """Let the tests of this process work with a copy, called as the settings say."""
        name = connection.settings_dict["TEST"]["NAME"]
        if _on_postgres():
            _on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            _on_server(f"CREATE DATABASE {name} TEMPLATE {self._migrated()}")
        else:
            shutil.copy(self._migrated(), name)
        connection.close()
        self._before = settings.DATABASES["default"]["NAME"]
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name

    def give_back(self) -> None:
        """Threads that still have it open, as a server's may until the process ends, keep nobody from dropping it."""
        name = connection.settings_dict["NAME"]
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = self._before
        if _on_postgres():
            _on_server(f"DROP DATABASE {name} WITH (FORCE)")
        else:
            for part in ("", "-wal", "-shm"):
                Path(f"{name}{part}").unlink(missing_ok=True)

    def _migrated(self) -> str:
        """The file, or the name, of the one that is copied."""
        template = _template() if _on_postgres() else str(self._folder / "migrated.sqlite3")
        done = self._folder / "migrated"
        with (self._folder / "migrating").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if not done.exists():
                self._migrate(template)
                done.touch()
        return template

    def _migrate(self, template: str) -> None:
        if _on_postgres():
            forget()
            _on_server(f"CREATE DATABASE {template}")
        url = _url(template) if _on_postgres() else f"sqlite:///{template}"
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": url}
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True, env=environment)


def empty() -> None:
    """Take out what a test wrote that had no transaction around it: the database is as after migrating.

    In place of Django's `flush`: PostgreSQL's TRUNCATE makes new files for all tables and their indexes, hundreds of
    them, and all content types and permissions would be made again. The locks are TRUNCATE's, which waits for
    whoever still writes.
    """
    known = connection.introspection.django_table_names(include_views=False)
    names = [connection.ops.quote_name(name) for name in known if name not in MIGRATED]
    statements = []
    if _on_postgres():
        names.append("indexing_term")  # no model's; its triggers count anew after a TRUNCATE only
        statements.append(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")
    connection.ops.execute_sql_flush([*statements, *(f"DELETE FROM {name}" for name in names)])  # noqa: S608
    schedules.ensure()


def forget() -> None:
    """Drop what no folder of the tests holds, once all processes of the run have ended."""
    if _on_postgres():
        _on_server(f"DROP DATABASE IF EXISTS {_template()} WITH (FORCE)")


def _template() -> str:
    return f"millrace_template_{os.environ['TEST_RUN']}"


def _on_postgres() -> bool:
    return connection.vendor == "postgresql"


def _url(name: str) -> str:
    return f"{os.environ['TEST_DATABASE_URL'].rpartition('/')[0]}/{name}"


def _on_server(statement: str) -> None:
    with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as server:
        server.execute(statement.encode())

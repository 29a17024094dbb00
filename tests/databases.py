"""Databases for tests that start processes of their own: migrated once, and copied for each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection


class Databases:
    """Migrated databases beside the one that the tests use, on the same kind of server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = ""

    @contextmanager
    def new(self, folder: Path, name: str) -> Iterator[str]:
        """One that nobody else has, for as long as it is needed: its URL. `name` is unique within this process."""
        if connection.vendor != "postgresql":
            path = folder / f"{name}.sqlite3"
            shutil.copy(self._migrated(), path)
            yield f"sqlite:///{path}"
            return
        url, unique = self._url(name)
        self._on_server(f"CREATE DATABASE {unique} TEMPLATE {self._migrated()}")
        try:
            yield url
        finally:
            self._on_server(f"DROP DATABASE {unique} WITH (FORCE)")

    def close(self) -> None:
        if self._template and connection.vendor == "postgresql":
            self._on_server(f"DROP DATABASE {self._template} WITH (FORCE)")

    def _migrated(self) -> str:
        """The file, or the name, of the one that is copied."""
        if self._template:
            return self._template
        if connection.vendor == "postgresql":
            url, template = self._url("template")
            self._on_server(f"DROP DATABASE IF EXISTS {template} WITH (FORCE)")
            self._on_server(f"CREATE DATABASE {template}")
        else:
            template = str(self._folder / "template.sqlite3")
            url = f"sqlite:///{template}"
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": url}
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(command, check=True, env=environment)
        self._template = template
        return template

    def _url(self, name: str) -> tuple[str, str]:
        unique = f"millrace_{name}_{os.getpid()}"
        return f"{os.environ['TEST_DATABASE_URL'].rpartition('/')[0]}/{unique}", unique

    def _on_server(self, statement: str) -> None:
        with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as server:
            server.execute(statement.encode())

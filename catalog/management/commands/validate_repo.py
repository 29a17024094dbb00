"""`manage.py validate_repo`: whether a folder of entities' files can be synced, asked before it is pushed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.portable.advice import advice
from catalog.portable.folders import Checked, check_folder
from catalog.portable.model import FOLDERS, Problem
from catalog.porting import limits

PROBLEMS, USAGE = 1, 2


class Command(BaseCommand):
    help = (
        "Check the toolkits, commands, MCP servers, MCP clients and skills in a folder, such as a checkout in CI, and "
        "what they name of each other. Prints file:line: CODE message. Ends with 0 if all is well, 1 if not, 2 if the "
        "folder cannot be read. Needs no database."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="The repository's folder.")
        parser.add_argument(
            "--directory", default="", metavar="DIR", help="The directory in it that the sync is set to, if any."
        )
        parser.add_argument("--format", choices=("text", "json"), default="text", help="Default: %(default)s.")

    def handle(self, *_args: Any, **options: Any) -> None:
        root: Path = options["path"]
        directory = options["directory"].strip("/")
        base = root / directory
        if not root.is_dir():
            raise CommandError(f"There is no folder {root}.", returncode=USAGE)
        if not base.resolve().is_relative_to(root.resolve()):
            raise CommandError(f"{directory} leads out of {root}.", returncode=USAGE)
        if not base.is_dir():
            raise CommandError(f"There is no folder {directory} in {root}.", returncode=USAGE)
        try:
            checked = check_folder(base, limits())
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.", returncode=USAGE) from error
        prefix = "" if base.resolve() == root.resolve() else f"{base.resolve().relative_to(root.resolve()).as_posix()}/"
        self.stdout.write(_as_json(checked, prefix) if options["format"] == "json" else _as_text(checked, prefix))
        if checked.problems:
            sys.exit(PROBLEMS)


def _as_text(checked: Checked, prefix: str) -> str:
    lines = [f"{prefix}{each.path}:{each.line or 1}: {each.code} {_one_line(each)}" for each in checked.problems]
    found = len(checked.problems)
    entities = f"{checked.entities:,} {'entity' if checked.entities == 1 else 'entities'}"
    lines.append(f"{entities} checked, {found:,} {'problem' if found == 1 else 'problems'}.")
    if not checked.entities and not found:
        lines.append(f"They are looked for in {', '.join(f'{prefix}{each}/' for each in FOLDERS.values())}.")
    return "\n".join(lines)


def _one_line(problem: Problem) -> str:
    return " ".join(problem.message.split())


def _as_json(checked: Checked, prefix: str) -> str:
    problems = [
        {
            "path": f"{prefix}{each.path}",
            "line": each.line or 1,
            "column": each.column or 1,
            "code": each.code,
            "message": each.message,
            "advice": advice(each.code),
            "fields": each.fields,
        }
        for each in checked.problems
    ]
    return json.dumps({"entities": checked.entities, "problems": problems}, ensure_ascii=False, indent=2)

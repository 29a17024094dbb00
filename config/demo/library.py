"""What the demo has beside its servers: a command, a skill, a toolkit and a client, and the repository of them all."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalog.attaching import attach
from catalog.clients import create_client
from catalog.commands import create_command
from catalog.models import (
    Client,
    Command,
    EntityKind,
    EntityRevision,
    Prompt,
    Resource,
    Server,
    Skill,
    Tool,
    Toolkit,
)
from catalog.skills import create_skill
from catalog.toolkits import create_toolkit
from gitsync.mirror.connecting import LEAST_POLL_MINUTES, Wanted, connect_mirror, mirror_of
from gitsync.probing import Assignment
from orgs.models import Membership, Organization, User

COMMAND = {
    "name": "Morning briefing",
    "slug": "morning-briefing",
    "description": "What a town has to know of its day.",
    "arguments": [
        {"name": "town", "description": "Its name.", "required": True},
        {"name": "wishes", "description": "What else it has to say, such as: the pollen, too."},
    ],
    "prompt": "Write the briefing of {{town}} for today, in our house style. {{wishes}}",
}
SKILL = {
    "name": "severe-weather",
    "slug": "severe-weather",
    "description": "Says how dangerous cold and wind are. Use it for frost, storms and warnings.",
    "front_matter": {"compatibility": "Python 3.11 or newer"},
    "instructions": (
        "# Severe weather\n\n"
        "1. Take temperature and wind from the forecast.\n"
        "2. Run `scripts/wind_chill.py TEMPERATURE WIND`.\n"
        "3. Look the result up in [the levels](references/levels.md), and say its advice in its words.\n"
    ),
    "files": {
        "scripts/wind_chill.py": (
            b'"""Wind chill in degrees Celsius, of a temperature in them and a wind in kilometres an hour."""\n\n'
            b"import sys\n\n"
            b"temperature, wind = map(float, sys.argv[1:])\n"
            b"factor = wind**0.16\n"
            b"print(round(13.12 + 0.6215 * temperature + (0.3965 * temperature - 11.37) * factor, 1))\n"
        ),
        "references/levels.md": (
            b"# Levels\n\n| Wind chill | Advice |\n|---|---|\n"
            b"| above -10 | Dress warmly. |\n"
            b"| -10 to -27 | Cover your face. |\n"
            b"| below -27 | Stay inside; skin freezes within half an hour. |\n"
        ),
    },
}
TOOLKIT = {
    "name": "Forecast desk",
    "slug": "forecast-desk",
    "description": "All that it takes to write the day's weather.",
}
CLIENT = {
    "name": "Newsroom",
    "slug": "newsroom",
    "description": "The assistant of the editors.",
    "kind": Client.Kind.ASSISTANT,
}


def furnish(organization: Organization, server: Server | None, *, by: User) -> None:
    """Make what never was there. What somebody renamed or deleted since stays so; `server` is what it is all about."""
    command = _once(organization, EntityKind.COMMAND, create_command, COMMAND, by)
    skill = _once(organization, EntityKind.SKILL, create_skill, SKILL, by)
    if server is not None and (command or skill):
        commands = [*_keys(server.commands), *([command.pk] if command else [])]
        skills = [*_keys(server.skills), *([skill.pk] if skill else [])]
        attach(server, commands=commands, skills=skills, by=by)
    chosen = {
        "tools": _keys(Tool.objects.filter(server=server)),
        "prompts": _keys(Prompt.objects.filter(server=server)),
        "resources": _keys(Resource.objects.filter(server=server)),
        "commands": _keys(Command.objects.for_org(organization).filter(slug=COMMAND["slug"])),
        "skills": _keys(Skill.objects.for_org(organization).filter(slug=SKILL["slug"])),
    }
    _once(organization, EntityKind.TOOLKIT, create_toolkit, {**TOOLKIT, **chosen}, by)
    reaches = {
        "servers": [server.pk] if server else [],
        "toolkits": _keys(Toolkit.objects.for_org(organization).filter(slug=TOOLKIT["slug"])),
    }
    _once(organization, EntityKind.CLIENT, create_client, {**CLIENT, **reaches}, by)


def connect(repository: Path, membership: Membership) -> bool:
    """Keep all of it the same with a bare repository, as those on forges are; the worker makes the first commit.

    False, and nothing done, when the organisation has a mirror, or had this one: somebody disconnected it then. Raises
    subprocess.CalledProcessError when git fails.
    """
    if not repository.exists():
        _git("init", "--quiet", "--bare", "--initial-branch=main", str(repository))
    work_tree(repository)
    if mirror_of(membership.organization) or _git("-C", str(repository), "for-each-ref"):
        return False
    wanted = Wanted(Assignment(repository=str(repository), branch="main"), poll_minutes=LEAST_POLL_MINUTES)
    connect_mirror(membership=membership, values=wanted)
    return True


def work_tree(repository: Path) -> Path:
    """Where a person edits the files: beside it, made when it is missing, and somebody to git."""
    folder = repository.with_suffix("")
    if not folder.exists():
        at = ("-C", str(folder))
        _git("init", "--quiet", "--initial-branch=main", str(folder))
        _git(*at, "remote", "add", "origin", str(repository))
        _git(*at, "config", "user.name", "Demo")
        _git(*at, "config", "user.email", "demo@example.com")
        _git(*at, "config", "commit.gpgsign", "false")
        (folder / ".git" / "info" / "exclude").write_text("*.bak\n")  # what `to_try` leaves behind
    return folder


def to_try(repository: str) -> str:
    """A line for the shell: changes a command's text in git, as often as it is entered."""
    return (
        f"(cd {repository.removesuffix('.git')} && git pull -q --rebase origin main"
        f' && sed -i.bak \'s/"prompt": "/&Be brief. /\' commands/{COMMAND["slug"]}.json'
        " && git commit -qam 'Ask for less' && git push -q origin main)"
    )


def _once(
    organization: Organization, kind: EntityKind, create: Callable[..., Any], values: dict[str, Any], by: User
) -> Any:
    known = EntityRevision.objects.filter(organization=organization, kind=kind, owner=None, slug=values["slug"])
    return None if known.exists() else create(organization=organization, values=values, by=by)


def _keys(rows: Any) -> list[Any]:
    return list(rows.values_list("pk", flat=True))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout

"""What is read from files and written to them, as plain values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Kind(enum.StrEnum):
    """The five kinds, in the order in which they can be saved: each refers only to those before it."""

    COMMAND = "command"
    SKILL = "skill"
    SERVER = "server"
    TOOLKIT = "toolkit"
    CLIENT = "client"


FOLDERS: Mapping[Kind, str] = {
    Kind.TOOLKIT: "toolkits",
    Kind.COMMAND: "commands",
    Kind.SERVER: "mcp-servers",
    Kind.CLIENT: "mcp-clients",
    Kind.SKILL: "skills",
}
SKILL_FILE = "SKILL.md"


class Code(enum.StrEnum):
    """What can be wrong with an entity's files. For programs: these words never change."""

    INVALID_JSON = "INVALID_JSON"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    EMPTY_DIRECTORY = "EMPTY_DIRECTORY"
    MISSING_INTEGRATION = "MISSING_INTEGRATION"
    MISSING_TOOL = "MISSING_TOOL"
    MISSING_ENTITY = "MISSING_ENTITY"
    """A command, skill or toolkit that is named and is not there."""
    FETCH_FAILED = "FETCH_FAILED"
    CONFLICT = "CONFLICT"
    DUPLICATE_SLUG = "DUPLICATE_SLUG"
    TOO_LARGE = "TOO_LARGE"
    SECRET_FOUND = "SECRET_FOUND"  # noqa: S105  a code
    UNSUPPORTED_VERSION = "UNSUPPORTED_VERSION"
    HOST_CHANGED = "HOST_CHANGED"
    """A server's requests or secrets would go to another host than before."""
    VISIBILITY_CHANGED = "VISIBILITY_CHANGED"
    """What is private would be public."""


TO_CONFIRM = frozenset({Code.HOST_CHANGED, Code.VISIBILITY_CHANGED})
"""Nothing is wrong with such a file, and it is taken when a person agrees."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, for a person and for a program."""

    code: Code
    message: str
    """What happened and what to do, in sentences. Never holds a secret, nor what a forge answered."""
    path: str
    """Of the file, below the directory of all entities."""
    line: int = 0
    """From 1; 0 where it is no line's."""
    column: int = 0
    fields: tuple[str, ...] = ()
    """Names or JSON pointers of what it is about."""

    @property
    def status(self) -> int:
        """The HTTP code that stands for it: 500 for what the forge failed to do, 400 for the file's own."""
        return 500 if self.code is Code.FETCH_FAILED else 400


class BadFile(ValueError):
    """The files of one entity cannot be taken, with all that was found wrong; at least one."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__(" ".join(each.message for each in problems))


@dataclass(frozen=True, slots=True)
class Unit:
    """The files of one entity in a tree."""

    kind: Kind
    slug: str
    """What its file or folder is called."""
    path: str
    """toolkits/weather.json, or a skill's folder: skills/pdf-forms"""
    files: Mapping[str, str]
    """Path below the directory of all entities -> blob id."""


@dataclass(frozen=True, slots=True)
class Definition:
    """An entity as its files say it."""

    kind: Kind
    id: str
    """Stable; "" where the file has none yet."""
    slug: str
    name: str
    document: Mapping[str, Any]
    """What Millrace knows of, in its normal form: without `$schema`, `id`, unknown fields, and what is empty.

    toolkit  {name, slug, description, servers: {slug: {tools: [name], prompts: [name], resources: [uri]}},
              commands: [slug], skills: [slug]}
    command  {name, slug, description, arguments: [{name, description, required}], prompt}
    server   {name, slug, description, instructions, visibility, variables: [{name, description, value}],
              providers: [as in an export, without authentication], commands: [slug], skills: [slug]}
    client   {name, slug, description, kind, servers: [slug], toolkits: [slug]}
    skill    {name, slug, description, frontMatter: {…}, instructions, files: {path below its folder: blob id}}

    Lists of names are sorted; the members stand in this order.
    """
    raw: Mapping[str, Any]
    """The file whole, for writing it again with what Millrace does not know; of a skill its front matter."""
    data: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """A skill's files beside SKILL.md: path below its folder -> bytes."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that a document names, and that has to be there."""

    kind: str
    """server, tool, prompt, resource, command, skill, toolkit"""
    name: str
    """The slug; of a tool or prompt its name, of a resource its URI."""
    pointer: str
    """Where in the document (RFC 6901)."""
    server: str = ""
    """The slug of the server that it is of, for tools, prompts and resources."""

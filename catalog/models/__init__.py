"""What: servers, their content and its versions, the tools that they offer, and what else an organisation keeps."""

from catalog.models.contents import Blob, Content, Origin, Version, VersionFile
from catalog.models.entities import (
    Client,
    Command,
    EntityKind,
    EntityRevision,
    FileBlob,
    OrganizationEntity,
    RevisionFile,
    Skill,
    SkillFile,
    Toolkit,
    ToolkitItem,
)
from catalog.models.servers import Server, ServerQuerySet
from catalog.models.tools import Method, Prompt, Provider, Resource, Tool, Variable

__all__ = [
    "Blob",
    "Client",
    "Command",
    "Content",
    "EntityKind",
    "EntityRevision",
    "FileBlob",
    "Method",
    "OrganizationEntity",
    "Origin",
    "Prompt",
    "Provider",
    "Resource",
    "RevisionFile",
    "Server",
    "ServerQuerySet",
    "Skill",
    "SkillFile",
    "Tool",
    "Toolkit",
    "ToolkitItem",
    "Variable",
    "Version",
    "VersionFile",
]

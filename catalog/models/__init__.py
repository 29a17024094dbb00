"""What: servers, their content and its versions, and the tools that they offer."""

from catalog.models.contents import Blob, Content, Origin, Version, VersionFile
from catalog.models.servers import Server, ServerQuerySet
from catalog.models.tools import Method, Prompt, Provider, Resource, Tool, Variable

__all__ = [
    "Blob",
    "Content",
    "Method",
    "Origin",
    "Prompt",
    "Provider",
    "Resource",
    "Server",
    "ServerQuerySet",
    "Tool",
    "Variable",
    "Version",
    "VersionFile",
]

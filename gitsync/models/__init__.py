"""Configuration and git: servers that are pushed, and entities that are kept the same on both sides."""

from gitsync.models.destination import Destination, Mode, Problem
from gitsync.models.mirror import WELL, EntityState, Mirror, MirrorChange, MirroredEntity
from gitsync.models.push import AllowedFinding, PendingChange, PushedFile, PushSettings, PushTarget

__all__ = [
    "WELL",
    "AllowedFinding",
    "Destination",
    "EntityState",
    "Mirror",
    "MirrorChange",
    "MirroredEntity",
    "Mode",
    "PendingChange",
    "Problem",
    "PushSettings",
    "PushTarget",
    "PushedFile",
]

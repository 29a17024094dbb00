"""GitLab's projects by one spelling, and its addresses: what people see and what the API has. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from forges.clients.errors import InvalidName
from forges.clients.names import path_at

_API = "/api/v4"
_MAX_DEPTH = 21
"""Twenty groups, one inside the other, and the project: https://docs.gitlab.com/user/group/subgroups/"""

# https://docs.gitlab.com/user/reserved_names/#rules-for-usernames-project-and-group-names-and-slugs
_SEGMENT = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}", re.ASCII)
# https://docs.gitlab.com/user/reserved_names/#reserved-project-names: older pages of a project begin with these.
_PAGES = frozenset({"-", "blame", "blob", "commits", "edit", "files", "new", "raw", "refs", "tree", "wikis"})

_HOW = "Enter the project as group/project, or its https:// address."


def gitlab_api_url(web_url: str) -> str:
    """`https://gitlab.example/sub` -> `https://gitlab.example/sub/api/v4`; the API's address stays as it is."""
    return gitlab_web_url(web_url) + _API


def gitlab_web_url(base_url: str) -> str:
    return base_url.rstrip("/").removesuffix(_API)


def normalise_gitlab(base_url: str, text: str) -> str:
    """`group/subgroup/project` in lower case, from that or any address of the project or of a page in it.

    Takes https://, ssh:// and git@host: addresses; groups nest to any depth that GitLab allows. Raises InvalidName,
    with a sentence that never holds the text.
    """
    web = urlsplit(gitlab_web_url(base_url))
    path, way = path_at((web.hostname or "").lower(), text, hint=_HOW)
    if way == "web":
        path = _below(web.path, "/" + path.lstrip("/"))
    segments = path.strip("/").split("/")
    if way != "name":
        end = next((n for n, segment in enumerate(segments) if n >= 2 and segment in _PAGES), len(segments))
        segments = segments[:end]
    segments[-1] = segments[-1].removesuffix(".git")
    if not 2 <= len(segments) <= _MAX_DEPTH:
        raise InvalidName(_HOW)
    if not all(_SEGMENT.fullmatch(segment) and segment not in (".", "..") for segment in segments):
        raise InvalidName(
            "Enter the project as group/project; each part is letters, digits, “_”, “.” and, after the first, “-”."
        )
    return "/".join(segments).lower()


def _below(folder: str, path: str) -> str:
    """The path without the folder in which a server of one's own may lie."""
    if folder and not f"{path}/".startswith(f"{folder}/"):
        raise InvalidName(f"The addresses of this GitLab server begin with {folder}/. Check this one.")
    return path.removeprefix(folder)

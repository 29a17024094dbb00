"""GitLab's JSON for people, projects, branches, commits and trees."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any

from tests.wire.repos import Commit, TreeEntry
from tests.wire.world import Account, HostedRepository, Token

Json = dict[str, Any]


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def commit_moment(seconds: float) -> str:
    """Dates of commits carry the author's offset, not a Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+00:00")


def person(account: Account, web: str) -> Json:
    return {
        "id": account.id,
        "username": account.login,
        "name": account.login.title(),
        "state": "active",
        "locked": False,
        "avatar_url": f"{web}/uploads/-/system/user/avatar/{account.id}/avatar.png",
        "web_url": f"{web}/{account.login}",
    }


def user(account: Account, web: str, *, bot: bool) -> Json:
    return {
        **person(account, web),
        "public_email": None,
        "created_at": "2020-01-01T00:00:00.000Z",
        "bio": "",
        "location": None,
        "linkedin": "",
        "twitter": "",
        "discord": "",
        "website_url": "",
        "organization": "",
        "job_title": "",
        "pronouns": None,
        "bot": bot,
        "work_information": None,
        "local_time": None,
        "last_sign_in_at": None,
        "confirmed_at": "2020-01-01T00:00:00.000Z",
        "last_activity_on": None,
        "email": f"{account.login}@example.org",
        "theme_id": None,
        "color_scheme_id": 1,
        "projects_limit": 100_000,
        "current_sign_in_at": None,
        "identities": [],
        "can_create_group": True,
        "can_create_project": True,
        "two_factor_enabled": True,
        "external": False,
        "private_profile": False,
        "commit_email": f"{account.login}@example.org",
    }


def token_number(token: Token) -> int:
    return zlib.crc32(token.value.encode())


def access_token(token: Token) -> Json:
    return {
        "id": token_number(token),
        "name": "Millrace",
        "revoked": False,
        "created_at": "2026-01-01T00:00:00.000Z",
        "description": None,
        "scopes": sorted(token.scopes or ()),
        "user_id": token.account.id,
        "last_used_at": None,
        "active": True,
        "expires_at": token.expires_at.date().isoformat() if token.expires_at else None,
    }


def project_page(hosted: HostedRepository, web: str) -> str:
    return f"{web}/{hosted.full_name}"


def namespace(owner: Account, web: str) -> Json:
    group = owner.kind != "User" or "/" in owner.login
    return {
        "id": owner.id,
        "name": owner.login.rpartition("/")[2].title(),
        "path": owner.login.rpartition("/")[2],
        "kind": "group" if group else "user",
        "full_path": owner.login,
        "parent_id": None,
        "avatar_url": None,
        "web_url": f"{web}/groups/{owner.login}" if group else f"{web}/{owner.login}",
    }


def simple_project(hosted: HostedRepository, web: str) -> Json:
    page = project_page(hosted, web)
    host = web.partition("://")[2].split("/")[0].split(":")[0]
    return {
        "id": hosted.id,
        "description": hosted.description,
        "name": hosted.name,
        "name_with_namespace": " / ".join([*hosted.owner.login.split("/"), hosted.name]),
        "path": hosted.name,
        "path_with_namespace": hosted.full_name,
        "created_at": "2026-01-01T00:00:00.000Z",
        "default_branch": None if hosted.git.empty else hosted.git.default_branch,
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": f"git@{host}:{hosted.full_name}.git",
        "http_url_to_repo": f"{page}.git",
        "web_url": page,
        "readme_url": None,
        "forks_count": 0,
        "avatar_url": None,
        "star_count": 0,
        "last_activity_at": moment(hosted.pushed_at),
        "namespace": namespace(hosted.owner, web),
    }


def project(hosted: HostedRepository, web: str, *, level: int) -> Json:
    access = {"access_level": level, "notification_level": 3} if level else None
    return {
        **simple_project(hosted, web),
        "visibility": "private" if hosted.private else "public",
        "empty_repo": hosted.git.empty,
        "archived": hosted.archived,
        "repository_access_level": "enabled",
        "issues_enabled": True,
        "merge_requests_enabled": True,
        "wiki_enabled": True,
        "lfs_enabled": True,
        "creator_id": hosted.owner.id,
        "import_status": "none",
        "open_issues_count": 0,
        "shared_with_groups": [],
        "merge_method": "merge",
        "permissions": {"project_access": access, "group_access": None},
    }


def commit(found: Commit, hosted: HostedRepository, web: str) -> Json:
    return {
        "id": found.oid,
        "short_id": found.oid[:8],
        "created_at": commit_moment(found.committer.at),
        "parent_ids": list(found.parents),
        "title": found.message.partition("\n")[0],
        "message": f"{found.message}\n",
        "author_name": found.author.name,
        "author_email": found.author.email,
        "authored_date": commit_moment(found.author.at),
        "committer_name": found.committer.name,
        "committer_email": found.committer.email,
        "committed_date": commit_moment(found.committer.at),
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{project_page(hosted, web)}/-/commit/{found.oid}",
    }


def branch(name: str, oid: str, hosted: HostedRepository, web: str, *, can_push: bool) -> Json:
    tip = hosted.git.read_commit(oid)
    assert tip, f"{name} leads to a commit"
    protected = name in hosted.protected_branches
    return {
        "name": name,
        "commit": commit(tip, hosted, web),
        "merged": False,
        "protected": protected,
        "developers_can_push": not protected,
        "developers_can_merge": not protected,
        "can_push": can_push,
        "default": name == hosted.git.default_branch,
        "web_url": f"{project_page(hosted, web)}/-/tree/{name}",
    }


def tree_entry(found: TreeEntry) -> Json:
    # A path that is not UTF-8 cannot be said in JSON.
    path = found.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return {
        "id": found.oid,
        "name": path.rpartition("/")[2],
        "type": found.kind,
        "path": path,
        "mode": found.mode,
    }

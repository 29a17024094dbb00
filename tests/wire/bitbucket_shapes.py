"""Bitbucket's JSON for accounts, workspaces, repositories, branches, commits and files."""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tests.wire.repos import Commit, Person, TreeEntry
from tests.wire.world import Account, HostedRepository, uuid_of

Json = dict[str, Any]

ATTRIBUTES = {"100755": ["executable"], "120000": ["link"], "160000": ["subrepository"]}
"""git's mode -> the `attributes` of a file; a regular file has none."""


def moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def link(address: str) -> dict[str, str]:
    return {"href": address}


def origin_of(base: str) -> str:
    """Where people's pages are: the API's base without its path."""
    return "/".join(base.split("/")[:3])


def slug_of(hosted: HostedRepository) -> str:
    return hosted.name.lower()


def full_name(hosted: HostedRepository) -> str:
    return f"{hosted.owner.login}/{hosted.name}".lower()


def address(hosted: HostedRepository, base: str) -> str:
    return f"{base}/repositories/{full_name(hosted)}"


def page(hosted: HostedRepository, base: str) -> str:
    return f"{origin_of(base)}/{full_name(hosted)}"


def account(who: Account, base: str) -> Json:
    """A person, or a team that owns a workspace. Nobody else's user name is told."""
    uuid = uuid_of(who.id)
    return {
        "type": "team" if who.kind == "Organization" else "user",
        "uuid": uuid,
        "account_id": f"557058:{uuid[1:-1]}",
        "display_name": who.login.title(),
        "nickname": who.login,
        "links": {
            "self": link(f"{base}/users/{quote(uuid)}"),
            "html": link(f"{origin_of(base)}/{quote(uuid)}/"),
            "avatar": link(f"{origin_of(base)}/_avatars/u/{who.id}"),
        },
    }


def current_user(who: Account, base: str) -> Json:
    return {
        **account(who, base),
        "username": who.login,
        "created_on": moment(1_577_836_800),
        "account_status": "active",
        "is_staff": False,
        "has_2fa_enabled": True,
    }


def access_token_user(number: int, name: str, base: str) -> Json:
    """What an access token is to Bitbucket: a user of its own.

    https://developer.atlassian.com/cloud/bitbucket/rest/intro/#access-tokens
    """
    robot = Account(number, name)
    return {**account(robot, base), "type": "app_user", "account_status": "active", "kind": "access_token"}


def workspace_base(owner: Account, base: str) -> Json:
    slug = owner.login.lower()
    return {
        "type": "workspace_base",
        "uuid": uuid_of(owner.id),
        "slug": slug,
        "links": {
            "self": link(f"{base}/workspaces/{slug}"),
            "avatar": link(f"{origin_of(base)}/workspaces/{slug}/avatar/"),
        },
    }


def workspace(owner: Account, base: str) -> Json:
    short = workspace_base(owner, base)
    links = {**short["links"], "html": link(f"{origin_of(base)}/{short['slug']}/")}
    return {**short, "type": "workspace", "name": owner.login, "links": links}


def short_repository(hosted: HostedRepository, base: str) -> Json:
    return {
        "type": "repository",
        "uuid": uuid_of(hosted.id),
        "name": hosted.name,
        "full_name": full_name(hosted),
        "links": {
            "self": link(address(hosted, base)),
            "html": link(page(hosted, base)),
            "avatar": link(f"{origin_of(base)}/_avatars/r/{hosted.id}"),
        },
    }


def repository(hosted: HostedRepository, base: str) -> Json:
    api, web = address(hosted, base), page(hosted, base)
    short = short_repository(hosted, base)
    host = web.split("/")[2]
    links = {
        **short["links"],
        **{name: link(f"{api}/{name}") for name in ("commits", "downloads", "forks", "hooks", "pullrequests")},
        "watchers": link(f"{api}/watchers"),
        "clone": [
            {"name": "https", "href": f"{web}.git"},
            {"name": "ssh", "href": f"ssh://git@{host.split(':')[0]}/{full_name(hosted)}.git"},
        ],
    }
    empty = hosted.git.tip(hosted.git.default_branch) is None
    return {
        **short,
        "links": links,
        "slug": slug_of(hosted),
        "description": hosted.description or "",
        "scm": "git",
        "website": "",
        "owner": account(hosted.owner, base),
        "workspace": {**workspace(hosted.owner, base)},
        "project": {
            "type": "project",
            "key": "PROJ",
            "uuid": uuid_of(hosted.owner.id + 500_000),
            "name": "Project",
        },
        "fork_policy": "no_public_forks" if hosted.private else "allow_forks",
        "is_private": hosted.private,
        "created_on": moment(1_767_225_600),
        "updated_on": moment(hosted.pushed_at),
        "size": 0,
        "language": "",
        "has_issues": False,
        "has_wiki": False,
        "mainbranch": None if empty else {"type": "branch", "name": hosted.git.default_branch},
    }


def branch(name: str, tip: Json, hosted: HostedRepository, base: str) -> Json:
    api, web = address(hosted, base), page(hosted, base)
    return {
        "type": "branch",
        "name": name,
        "target": tip,
        "default_merge_strategy": "merge_commit",
        "merge_strategies": ["merge_commit", "squash", "fast_forward"],
        "links": {
            "self": link(f"{api}/refs/branches/{quote(name)}"),
            "commits": link(f"{api}/commits/{quote(name)}"),
            "html": link(f"{web}/branch/{quote(name)}"),
        },
    }


def _person(kind: str, who: Person) -> Json:
    return {"type": kind, "raw": f"{who.name} <{who.email}>"}


def short_commit(oid: str, hosted: HostedRepository, base: str) -> Json:
    return {
        "type": "commit",
        "hash": oid,
        "links": {
            "self": link(f"{address(hosted, base)}/commit/{oid}"),
            "html": link(f"{page(hosted, base)}/commits/{oid}"),
        },
    }


def commit(found: Commit, hosted: HostedRepository, base: str) -> Json:
    text = {"raw": found.message, "markup": "markdown", "html": ""}
    return {
        **short_commit(found.oid, hosted, base),
        "date": moment(found.committer.at),
        "author": _person("author", found.author),
        "committer": _person("committer", found.committer),
        "message": found.message,
        "summary": text,
        "rendered": {"message": text},
        "repository": short_repository(hosted, base),
        "parents": [short_commit(parent, hosted, base) for parent in found.parents],
    }


def spoken(path: str) -> str:
    """A path as JSON can say it: bytes that are not UTF-8 become the replacement character."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def source_address(hosted: HostedRepository, oid: str, path: str, base: str) -> str:
    return f"{address(hosted, base)}/src/{oid}/{quote(path.encode('utf-8', 'surrogateescape'))}"


def tree_entry(found: TreeEntry, oid: str, hosted: HostedRepository, base: str) -> Json:
    """A file or a directory of a listing. There are no blob ids here: Bitbucket tells paths and sizes alone."""
    own = source_address(hosted, oid, found.path, base)
    shape: Json = {
        "path": spoken(found.path),
        "commit": short_commit(oid, hosted, base),
        "type": "commit_directory" if found.kind == "tree" else "commit_file",
    }
    if found.kind == "tree":
        own += "/"
    links = {"self": link(own), "meta": link(f"{own}?format=meta")}
    if found.kind == "tree":
        return {**shape, "links": links}
    return {
        **shape,
        "links": {**links, "history": link(own.replace("/src/", "/filehistory/", 1))},
        "attributes": ATTRIBUTES.get(found.mode, []),
        "mimetype": mimetypes.guess_type(found.path)[0],
        "size": found.size or 0,
    }


def side_of_change(path: str, oid: str, hosted: HostedRepository, base: str) -> Json:
    return {
        "type": "commit_file",
        "path": path,
        "escaped_path": quote(path),
        "links": {"self": link(source_address(hosted, oid, path, base))},
    }

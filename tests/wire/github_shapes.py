"""GitHub's JSON for accounts, repositories, commits and trees, with every property its schemas require."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from tests.wire.repos import Commit, Person, TreeEntry
from tests.wire.world import Account, HostedRepository, Token

Json = dict[str, Any]

_ACCOUNT_ADDRESSES = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}

_REPOSITORY_ADDRESSES = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, *parts: object) -> str:
    return base64.b64encode(":".join([kind, *map(str, parts)]).encode()).decode()


def origin_of(base: str) -> str:
    """Where people's pages are: the API's base without its path."""
    return "/".join(base.split("/")[:3])


def simple_user(account: Account, base: str) -> Json:
    address = f"{base}/users/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id(account.kind, account.id),
        "avatar_url": f"{origin_of(base)}/_avatars/u/{account.id}?v=4",
        "gravatar_id": "",
        "url": address,
        "html_url": f"{origin_of(base)}/{account.login}",
        **{name: address + suffix for name, suffix in _ACCOUNT_ADDRESSES.items()},
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def private_user(account: Account, base: str, *, repositories: int) -> Json:
    """The authenticated user's own view of themselves."""
    return {
        **simple_user(account, base),
        "user_view_type": "private",
        "name": account.login.title(),
        "company": None,
        "blog": "",
        "location": None,
        "email": f"{account.login}@example.org",
        "notification_email": f"{account.login}@example.org",
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": repositories,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "private_gists": 0,
        "total_private_repos": 0,
        "owned_private_repos": 0,
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
        "plan": {"name": "free", "space": 976_562_499, "collaborators": 0, "private_repos": 10_000},
    }


def repository(hosted: HostedRepository, base: str, token: Token | None) -> Json:
    address, page = repository_address(hosted, base), f"{origin_of(base)}/{hosted.full_name}"
    mine = token is not None and token.account.login == hosted.owner.login
    return {
        "id": hosted.id,
        "node_id": node_id("Repository", hosted.id),
        "name": hosted.name,
        "full_name": hosted.full_name,
        "private": hosted.private,
        "owner": simple_user(hosted.owner, base),
        "html_url": page,
        "description": hosted.description,
        "fork": False,
        "url": address,
        **{name: address + suffix for name, suffix in _REPOSITORY_ADDRESSES.items()},
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": moment(hosted.pushed_at),
        "pushed_at": moment(hosted.pushed_at),
        "git_url": f"git:{page.partition(':')[2]}.git",
        "ssh_url": f"git@{page.split('/')[2].split(':')[0]}:{hosted.full_name}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "homepage": None,
        "size": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        "has_issues": True,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": True,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": 0,
        "mirror_url": None,
        "archived": hosted.archived,
        "disabled": False,
        "open_issues_count": 0,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if hosted.private else "public",
        "forks": 0,
        "open_issues": 0,
        "watchers": 0,
        "default_branch": hosted.git.default_branch,
        "permissions": {"admin": mine, "maintain": mine, "push": mine, "triage": mine, "pull": True},
    }


def full_repository(hosted: HostedRepository, base: str, token: Token | None) -> Json:
    return {**repository(hosted, base, token), "network_count": 0, "subscribers_count": 0}


def repository_address(hosted: HostedRepository, base: str) -> str:
    return f"{base}/repos/{hosted.full_name}"


def git_user(person: Person) -> Json:
    return {"name": person.name, "email": person.email, "date": moment(person.at)}


UNSIGNED: Json = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def commit(found: Commit, hosted: HostedRepository, base: str) -> Json:
    """A commit as lists and comparisons have it, without statistics and files."""
    api, page = repository_address(hosted, base), f"{origin_of(base)}/{hosted.full_name}"
    return {
        "sha": found.oid,
        "node_id": node_id("Commit", hosted.id, found.oid),
        "commit": {
            "author": git_user(found.author),
            "committer": git_user(found.committer),
            "message": found.message,
            "tree": {"sha": found.tree, "url": f"{api}/git/trees/{found.tree}"},
            "url": f"{api}/git/commits/{found.oid}",
            "comment_count": 0,
            "verification": UNSIGNED,
        },
        "url": f"{api}/commits/{found.oid}",
        "html_url": f"{page}/commit/{found.oid}",
        "comments_url": f"{api}/commits/{found.oid}/comments",
        "author": None,
        "committer": None,
        "parents": [
            {"sha": parent, "url": f"{api}/commits/{parent}", "html_url": f"{page}/commit/{parent}"}
            for parent in found.parents
        ],
    }


def git_commit(found: Commit, hosted: HostedRepository, base: str) -> Json:
    """A commit as the git database endpoints have it."""
    api, page = repository_address(hosted, base), f"{origin_of(base)}/{hosted.full_name}"
    return {
        "sha": found.oid,
        "node_id": node_id("Commit", hosted.id, found.oid),
        "url": f"{api}/git/commits/{found.oid}",
        "html_url": f"{page}/commit/{found.oid}",
        "author": git_user(found.author),
        "committer": git_user(found.committer),
        "tree": {"sha": found.tree, "url": f"{api}/git/trees/{found.tree}"},
        "message": found.message,
        "parents": [
            {"sha": parent, "url": f"{api}/git/commits/{parent}", "html_url": f"{page}/commit/{parent}"}
            for parent in found.parents
        ],
        "verification": UNSIGNED,
    }


def short_branch(name: str, oid: str, hosted: HostedRepository, base: str) -> Json:
    api = repository_address(hosted, base)
    return {
        "name": name,
        "commit": {"sha": oid, "url": f"{api}/commits/{oid}"},
        "protected": name in hosted.protected_branches,
    }


def branch(name: str, tip: Json, hosted: HostedRepository, base: str) -> Json:
    api, protected = repository_address(hosted, base), name in hosted.protected_branches
    return {
        "name": name,
        "commit": tip,
        "_links": {
            "self": f"{api}/branches/{name}",
            "html": f"{origin_of(base)}/{hosted.full_name}/tree/{name}",
        },
        "protected": protected,
        "protection": {
            "enabled": protected,
            "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []},
        },
        "protection_url": f"{api}/branches/{name}/protection",
    }


def git_ref(name: str, oid: str, kind: str, hosted: HostedRepository, base: str) -> Json:
    api = repository_address(hosted, base)
    return {
        "ref": name,
        "node_id": node_id("Ref", hosted.id, name),
        "url": f"{api}/git/{name}",
        "object": {"sha": oid, "type": kind, "url": f"{api}/git/{kind}s/{oid}"},
    }


def tree_entry(found: TreeEntry, hosted: HostedRepository, base: str) -> Json:
    api = repository_address(hosted, base)
    # GitHub has no way to say a path that is not UTF-8: JSON gets the replacement character.
    path = found.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    shape: Json = {"path": path, "mode": found.mode, "type": found.kind, "sha": found.oid}
    if found.kind == "blob":
        shape |= {"size": found.size, "url": f"{api}/git/blobs/{found.oid}"}
    elif found.kind == "tree":
        shape |= {"url": f"{api}/git/trees/{found.oid}"}
    return shape


def blob(oid: str, data: bytes, hosted: HostedRepository, base: str) -> Json:
    return {
        "sha": oid,
        "node_id": node_id("Blob", hosted.id, oid),
        "size": len(data),
        "url": f"{repository_address(hosted, base)}/git/blobs/{oid}",
        "content": wrapped_base64(data),
        "encoding": "base64",
    }


def wrapped_base64(data: bytes) -> str:
    """Base64 in lines of 60 characters, each ended by a line feed: what GitHub sends."""
    text = base64.b64encode(data).decode()
    return "".join(text[start : start + 60] + "\n" for start in range(0, len(text), 60))

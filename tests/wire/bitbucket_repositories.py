"""Bitbucket's endpoints about repositories, branches and commits. Each names the page that documents it."""

from __future__ import annotations

import subprocess

from tests.wire import bitbucket_shapes as shapes
from tests.wire.bitbucket_routes import PAGES, READ, REPOSITORY, Call, Refused, routes
from tests.wire.bitbucket_users import repositories_of
from tests.wire.github_changes import commits_between
from tests.wire.messages import Headers, Reply, json_reply
from tests.wire.objects import git
from tests.wire.world import HostedRepository

AT_LEAST = {
    "member": {"read", "write", "admin"},
    "contributor": {"write", "admin"},
    "admin": {"admin"},
    "owner": {"admin"},
}
"""The `role` of a listing -> what the caller may do in what it returns."""


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-get
@routes.add("GET", "/repositories/{workspace}", "role", "q", "sort", *PAGES, **READ)
def workspace_repositories(call: Call) -> Reply:
    slug = call.parameters["workspace"].lower()
    owner = next((account for account in call.world.accounts() if account.login.lower() == slug), None)
    if owner is None:
        raise Refused(404, f"No workspace with identifier '{slug}'.")
    found = repositories_of(call, owner)
    if role := call.query.get("role"):
        found = [hosted for hosted in found if call.role(hosted) in AT_LEAST[role]]
        if role == "owner":
            found = [hosted for hosted in found if hosted.owner == call.signed_in().account]
    return call.paged(shapes.repository(hosted, call.base) for hosted in found)


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-repo-slug-get
@routes.add("GET", REPOSITORY, **READ)
def repository(call: Call) -> Reply:
    return json_reply(shapes.repository(call.hosted, call.base))


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-get
@routes.add("GET", f"{REPOSITORY}/refs/branches", "q", "sort", *PAGES, **READ)
def branches(call: Call) -> Reply:
    hosted = call.hosted
    return call.paged(_branch(call, name, oid) for name, oid in hosted.git.branches().items())


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-name-get
@routes.add("GET", f"{REPOSITORY}/refs/branches/{{name}}", **READ)
def branch(call: Call) -> Reply:
    name = call.parameters["name"]
    tip = call.hosted.git.tip(name)
    if tip is None:
        raise Refused(404, f'Branch "{name}" not found.')
    return json_reply(_branch(call, name, tip))


def _branch(call: Call, name: str, oid: str) -> shapes.Json:
    tip = call.hosted.git.read_commit(oid)
    assert tip
    return shapes.branch(name, shapes.commit(tip, call.hosted, call.base), call.hosted, call.base)


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commits/#api-repositories-workspace-repo-slug-commit-commit-get
@routes.add("GET", f"{REPOSITORY}/commit/{{commit}}", **READ)
def commit(call: Call) -> Reply:
    return json_reply(shapes.commit(call.commit(call.parameters["commit"]), call.hosted, call.base))


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commits/#api-repositories-workspace-repo-slug-commits-revision-get
@routes.add("GET", f"{REPOSITORY}/commits/{{revision}}", "include", "exclude", "path", *PAGES, **READ)
def commits(call: Call) -> Reply:
    return _history(call, [call.parameters["revision"], *call.listed("include")])


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commits/#api-repositories-workspace-repo-slug-commits-get
@routes.add("GET", f"{REPOSITORY}/commits", "include", "exclude", "path", *PAGES, **READ)
def all_commits(call: Call) -> Reply:
    return _history(call, call.listed("include") or sorted(call.hosted.git.branches()))


def _history(call: Call, revisions: list[str]) -> Reply:
    hosted = call.hosted
    starts = [call.commit(name).oid for name in revisions]
    left_out = {oid for name in call.listed("exclude") for oid in commits_between(hosted.git, call.commit(name).oid)}
    found = dict.fromkeys(
        oid for start in starts for oid in commits_between(hosted.git, start, path=call.query.get("path"))
    )

    def shape(oid: str) -> shapes.Json:
        known = hosted.git.read_commit(oid)
        assert known
        return shapes.commit(known, hosted, call.base)

    return call.streamed([oid for oid in found if oid not in left_out], shape, default=30)


STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "T": "modified"}
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commits/#api-repositories-workspace-repo-slug-diffstat-spec-get
@routes.add(
    "GET",
    f"{REPOSITORY}/diffstat/{{spec}}",
    *("ignore_whitespace", "merge", "path", "renames", "topic"),
    *PAGES,
    **READ,
)
def diffstat(call: Call) -> Reply:
    old, new, ends = _compared(call)
    hosted = call.hosted
    flags = ["-r", "--raw", "--numstat", "-z", "--no-abbrev"]
    flags += ["-M"] if call.flag("renames", default=True) else []
    flags += ["-w"] if call.flag("ignore_whitespace", default=False) else []
    paths = ["--", *(f":(literal){path}" for path in call.listed("path"))]
    fields = iter(git(hosted.git.path, "diff-tree", *flags, *ends, *paths).decode("utf-8", "replace").split("\0"))
    changes: list[tuple[str, str, str]] = []
    lines: list[tuple[int, int]] = []
    for field in fields:
        if field.startswith(":"):
            status, path = field.split()[-1][0], next(fields)
            changes.append((status, path, next(fields) if status == "R" else path))
        elif field:
            added, removed, path = field.split("\t")
            if not path:
                next(fields), next(fields)
            lines.append((0, 0) if added == "-" else (int(added), int(removed)))
    shaped = [
        {
            "type": "diffstat",
            "status": STATUS[status],
            "lines_added": added,
            "lines_removed": removed,
            "old": None if status == "A" else shapes.side_of_change(former, old, hosted, call.base),
            "new": None if status == "D" else shapes.side_of_change(path, new, hosted, call.base),
        }
        for (status, former, path), (added, removed) in zip(changes, lines, strict=True)
    ]
    return call.paged(shaped, default=500, largest=500)


def _compared(call: Call) -> tuple[str, str, list[str]]:
    """The older commit, the newer one, and what git is to compare.

    Of `a..b` the first holds the changes and the second is what they are compared to: the other way round than in git.
    Without `topic=false` it is their merge base that `a` is compared to, as `merge` was once meant.
    """
    first, dots, second = call.parameters["spec"].partition("..")
    new = call.commit(first)
    if {"topic", "merge"} <= call.query.keys():
        raise Refused(400, "The 'merge' and 'topic' parameters cannot be both used at the same time.")
    if not dots:
        parent = new.parents[0] if new.parents else EMPTY_TREE
        return parent, new.oid, [parent, new.oid]
    old = call.commit(second)
    if call.flag("topic", default=call.flag("merge", default=True)):
        base = _merge_base(call.hosted, new.oid, old.oid)
        return base, new.oid, [base, new.oid]
    return old.oid, new.oid, [old.oid, new.oid]


def _merge_base(hosted: HostedRepository, one: str, other: str) -> str:
    try:
        return git(hosted.git.path, "merge-base", one, other).decode().split()[0]
    except subprocess.CalledProcessError:
        return EMPTY_TREE  # a force-push left nothing in common


# https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-get
@routes.add("GET", f"{REPOSITORY}/src", "format", **READ)
def main_branch_source(call: Call) -> Reply:
    hosted = call.hosted
    tip = call.commit(hosted.git.default_branch)
    return Reply(302, b"", Headers([("Location", f"{shapes.address(hosted, call.base)}/src/{tip.oid}/")]))

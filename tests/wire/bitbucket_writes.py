"""Bitbucket's way to commit: files are uploaded, and become one commit on top of a branch.

https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-post
"""

from __future__ import annotations

import re

from tests.wire import bitbucket_shapes as shapes
from tests.wire.bitbucket_forms import FACTS, Upload, read_upload
from tests.wire.bitbucket_routes import REPOSITORY, WRITE, Call, Refused, routes
from tests.wire.hooks import NO_COMMIT, Change
from tests.wire.messages import Headers, Reply
from tests.wire.world import HostedRepository

AUTHOR = re.compile(r"\s*([^<>\n]*?)\s*<([^<>\s]+)>\s*")
NOT_THE_HEAD = "The parent is not the tip of the branch. Somebody else moved it."


@routes.add("POST", f"{REPOSITORY}/src", *FACTS, **WRITE)
def upload(call: Call) -> Reply:
    hosted, sent = call.writable, read_upload(call.request)
    repo = hosted.git
    author = AUTHOR.fullmatch(sent.fact("author")) if "author" in sent.facts else None
    if "author" in sent.facts and author is None:
        raise Refused(400, "The author has to be of the form Name <name@example.org>.")
    login = call.signed_in().account.login
    who = (author[1], author[2]) if author else (login.title(), f"{login.lower()}@example.org")
    with call.bench.writing:
        branch = sent.fact("branch") or repo.default_branch
        if repo.empty:
            repo.default_branch = _first_branch(hosted, branch, sent)
        before = repo.tip(branch)
        start = _start(call, hosted, branch, sent)
        if branch in hosted.protected_branches:
            raise Refused(403, f"Permission denied to update branch {branch}.")
        _check_deletions(hosted, start, sent)
        if start and before is None:
            repo.branch(branch, at=start)
        # Deletions first: a folder can take the place of a file.
        files = dict(sorted(sent.files.items(), key=lambda item: item[1] is not None))
        after = repo.commit(files, sent.fact("message") or "Changed with Bitbucket", branch=branch, author=who)
    change = Change("push", hosted, branch=branch, before=before or NO_COMMIT, after=after, actor=login)
    call.world.hooks.happened(change)
    return Reply(201, b"", Headers([("Location", f"{shapes.address(hosted, call.base)}/commit/{after}")]))


def _first_branch(hosted: HostedRepository, branch: str, sent: Upload) -> str:
    """The first commit of all defines the main branch, whatever it was to be called before."""
    if sent.facts.get("parents"):
        raise Refused(409, "The repository has no commit yet, so there is no parent.")
    if branch != hosted.git.default_branch:
        hosted.git.rename_branch(hosted.git.default_branch, branch)
    return branch


def _start(call: Call, hosted: HostedRepository, branch: str, sent: Upload) -> str | None:
    """The commit to begin with, None for the first of all. On a branch that exists, `parents` has to be its tip."""
    tip = hosted.git.tip(branch)
    parents = [parent for parent in sent.facts.get("parents", []) if parent]
    if len(parents) > 1:
        raise Refused(400, "Only a single parent is accepted.")
    parent = call.commit(parents[0]).oid if parents else None
    if tip is not None and parent not in {None, tip}:
        raise Refused(409, NOT_THE_HEAD)
    return tip or parent or hosted.git.tip(hosted.git.default_branch)


def _check_deletions(hosted: HostedRepository, start: str | None, sent: Upload) -> None:
    tree = hosted.git.tree_of(start) if start else None
    known = {entry.path for entry in hosted.git.tree(tree, recursive=True)} if tree else set()
    for path, content in sent.files.items():
        if content is None and path not in known:
            raise Refused(400, f"{path} cannot be deleted: there is no such file.")

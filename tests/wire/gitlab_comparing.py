"""GitLab's endpoints about single commits and what lies between two.

https://docs.gitlab.com/api/commits/ and https://docs.gitlab.com/api/repositories/#compare-branches-tags-or-commits
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from tests.wire import gitlab_shapes as shapes
from tests.wire.gitlab_routes import Call, Refused, missing, routes
from tests.wire.messages import Reply, json_reply
from tests.wire.objects import git
from tests.wire.world import HostedRepository

NO_MODE = "000000"


@routes.on("GET /projects/:id/repository/commits")
def commits(call: Call) -> Reply:
    hosted, values = call.hosted, call.values
    start = call.commit(hosted, values.get("ref_name"))
    if start is None:
        raise missing("Repository" if hosted.git.empty else "Commit")
    asked = ["--first-parent"] if values.get("first_parent") else []
    asked += [f"--since={values['since']}"] if "since" in values else []
    asked += [f"--until={values['until']}"] if "until" in values else []
    path = ["--", values["path"]] if values.get("path") else []
    found = git(hosted.git.path, "rev-list", *asked, start, *path).decode().split()
    return call.paged(found, lambda oid: _commit(hosted, oid, call.web), totals=False)


@routes.on("GET /projects/:id/repository/commits/:sha")
def commit(call: Call) -> Reply:
    hosted = call.hosted
    oid = hosted.git.resolve(call.path["sha"])
    if oid is None:
        raise missing("Commit")
    return json_reply(detail(hosted, oid, call.web, stats=bool(call.values.get("stats", True))))


def detail(hosted: HostedRepository, oid: str, web: str, *, stats: bool) -> shapes.Json:
    """A commit with what it changed in lines."""
    shape = {**_commit(hosted, oid, web), "status": None, "last_pipeline": None}
    for key in ("trailers", "extended_trailers"):
        shape.pop(key)
    if stats:
        counted = git(hosted.git.path, "show", "--numstat", "--format=", oid).decode("utf-8", "replace")
        lines = [line.split("\t")[:2] for line in counted.splitlines() if line]
        added, removed = (sum(int(line[n]) for line in lines if line[n].isdigit()) for n in (0, 1))
        shape["stats"] = {"additions": added, "deletions": removed, "total": added + removed}
    return shape


@routes.on("GET /projects/:id/repository/compare")
def compare(call: Call) -> Reply:
    """From where both parted to the second, or (`straight`) between the two. The list of files has an end."""
    hosted, values = call.hosted, call.values
    older, newer = hosted.git.resolve(values["from"]), hosted.git.resolve(values["to"])
    if older is None or newer is None:
        raise missing("Ref")
    if values.get("from_project_id", hosted.id) != hosted.id:
        raise Refused(400, f"Target project id:{values['from_project_id']} is not a fork of project id:{hosted.id}")
    parted = older if values.get("straight") else _merge_base(hosted, older, newer)
    between = git(hosted.git.path, "rev-list", "--reverse", newer, f"^{older}").decode().split()
    listed = [_commit(hosted, oid, call.web) for oid in between]
    diffs = list(_diffs(hosted, parted, newer))[: call.caps.compared_files] if parted else []
    return json_reply(
        {
            "commit": listed[-1] if listed else None,
            "commits": listed,
            "diffs": diffs,
            "compare_timeout": False,
            "compare_same_ref": older == newer,
            "web_url": f"{shapes.project_page(hosted, call.web)}/-/compare/{older}...{newer}",
        }
    )


def _commit(hosted: HostedRepository, oid: str, web: str) -> shapes.Json:
    found = hosted.git.read_commit(oid)
    assert found, f"{oid} is a commit"
    return shapes.commit(found, hosted, web)


def _merge_base(hosted: HostedRepository, older: str, newer: str) -> str | None:
    try:
        return git(hosted.git.path, "merge-base", older, newer).decode().strip()
    except subprocess.CalledProcessError:
        return None


def _diffs(hosted: HostedRepository, older: str, newer: str) -> Iterator[shapes.Json]:
    """One for each file, renames found as git finds them."""
    raw = git(hosted.git.path, "diff", "-M", "--raw", "--abbrev=40", "-z", older, newer)
    patch = git(hosted.git.path, "diff", "-M", "--patch", older, newer).decode("utf-8", "replace")
    patches = iter(re.split(r"^diff --git .*\n", patch, flags=re.MULTILINE)[1:])
    fields = iter(raw.decode("utf-8", "replace").split("\0"))
    for facts in fields:
        if not facts:
            return
        old_mode, new_mode, _, _, status = facts.removeprefix(":").split(" ")
        old_path = next(fields)
        new_path = next(fields) if status[0] in "RC" else old_path
        _, found, hunks = next(patches, "").partition("\n@@ ")
        yield {
            "old_path": old_path,
            "new_path": new_path,
            "a_mode": "0" if old_mode == NO_MODE else old_mode,
            "b_mode": "0" if new_mode == NO_MODE else new_mode,
            "diff": f"@@ {hunks}" if found else "",
            "collapsed": False,
            "too_large": False,
            "new_file": status == "A",
            "renamed_file": status[0] == "R",
            "deleted_file": status == "D",
        }

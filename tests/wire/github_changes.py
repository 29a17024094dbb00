"""What changed between two commits, in GitHub's words."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

from tests.wire import github_shapes as shapes
from tests.wire.github_routes import Call, Refused
from tests.wire.objects import git
from tests.wire.repos import GitRepo
from tests.wire.world import HostedRepository

STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
MOST_FILES = 300
MOST_COMMITS = 250
NO_BLOB = "0" * 40


def changed_files(hosted: HostedRepository, old: str | None, new: str, base: str) -> list[dict[str, Any]]:
    """Diff entries from `old` (None: from nothing) to `new`, without patches."""
    flags = ("-r", "-M", "--raw", "--numstat", "-z", "--no-abbrev")
    ends = ("--root", "--no-commit-id", new) if old is None else (old, new)
    fields = iter(git(hosted.git.path, "diff-tree", *flags, *ends).decode("utf-8", "replace").split("\0"))
    raw: list[tuple[str, str, str, str]] = []
    lines: list[tuple[int, int]] = []
    for field in fields:
        if field.startswith(":"):
            *_, old_oid, new_oid, status = field.split()
            path = next(fields)
            former = path if status[0] in "RC" else ""
            raw.append(
                (status[0], new_oid if new_oid != NO_BLOB else old_oid, next(fields) if former else path, former)
            )
        elif field:
            added, removed, path = field.split("\t")
            if not path:
                next(fields), next(fields)
            lines.append((0, 0) if added == "-" else (int(added), int(removed)))
    api, page = shapes.repository_address(hosted, base), f"{shapes.origin_of(base)}/{hosted.full_name}"
    return [
        {
            "sha": oid,
            "filename": path,
            "status": STATUS[status],
            "additions": added,
            "deletions": removed,
            "changes": added + removed,
            "blob_url": f"{page}/blob/{new}/{path}",
            "raw_url": f"{page}/raw/{new}/{path}",
            "contents_url": f"{api}/contents/{path}?ref={new}",
            **({"previous_filename": former} if former else {}),
        }
        for (status, oid, path, former), (added, removed) in zip(raw, lines, strict=True)
    ]


def with_changes(commit: dict[str, Any], files: list[dict[str, Any]]) -> dict[str, Any]:
    added, removed = sum(file["additions"] for file in files), sum(file["deletions"] for file in files)
    stats = {"additions": added, "deletions": removed, "total": added + removed}
    return {**commit, "stats": stats, "files": files}


def commits_between(
    repo: GitRepo,
    start: str,
    *,
    without: str | None = None,
    path: str | None = None,
    limits: Mapping[str, str] | None = None,
) -> list[str]:
    """Commit ids from `start` back, newest first; `limits` are options of rev-list such as since and author."""
    options = [f"--{name}={value}" for name, value in (limits or {}).items()]
    ends = [start, f"^{without}"] if without else [start]
    paths = ["--", f":(literal){path}"] if path else ["--"]
    return git(repo.path, "rev-list", "--fixed-strings", *options, *ends, *paths).decode().split()


def comparison(call: Call, hosted: HostedRepository, base: str, head: str) -> dict[str, Any]:
    """https://docs.github.com/en/rest/commits/commits#compare-two-commits: 250 commits and 300 files at most."""
    repo, api = hosted.git, shapes.repository_address(hosted, call.base)
    try:
        merge_base = git(repo.path, "merge-base", base, head).decode().split()[0]
    except subprocess.CalledProcessError:
        raise Refused(404, f"No common ancestor between {base} and {head}.") from None
    ahead, behind = commits_between(repo, head, without=base), commits_between(repo, base, without=head)
    status = {
        (False, False): "identical",
        (True, False): "ahead",
        (False, True): "behind",
        (True, True): "diverged",
    }[bool(ahead), bool(behind)]

    def shape(oid: str) -> dict[str, Any]:
        found = repo.read_commit(oid)
        assert found
        return shapes.commit(found, hosted, call.base)

    page = f"{shapes.origin_of(call.base)}/{hosted.full_name}/compare/{base}...{head}"
    return {
        "url": f"{api}/compare/{base}...{head}",
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": shape(base),
        "merge_base_commit": shape(merge_base),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [shape(oid) for oid in reversed(ahead)][-MOST_COMMITS:],
        "files": changed_files(hosted, merge_base, head, call.base)[:MOST_FILES],
    }

"""GitLab's endpoints that read a repository: branches, the tree, blobs, archives.

https://docs.gitlab.com/api/repositories/ and https://docs.gitlab.com/api/branches/
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator

from tests.wire import gitlab_shapes as shapes
from tests.wire.gitlab_routes import DEVELOPER, Call, Refused, missing, routes
from tests.wire.messages import Headers, Reply, json_reply
from tests.wire.objects import git_environment
from tests.wire.repos import TreeEntry
from tests.wire.smart_http import end
from tests.wire.world import HostedRepository

TREES_FIRST = {"tree": 0, "blob": 1, "commit": 2}
FORMATS = {"tar.gz": "tar.gz", "tar": "tar", "zip": "zip"}
PIECE = 1 << 16


def may_push(call: Call, hosted: HostedRepository, branch: str) -> bool:
    """Nobody pushes to a protected branch here (what a merge request is for), or to an archived project."""
    return call.level(hosted) >= DEVELOPER and branch not in hosted.protected_branches and not hosted.archived


@routes.on("GET /projects/:id/repository/branches")
def branches(call: Call) -> Reply:
    hosted, values = call.hosted, call.values
    if "search" in values and "regex" in values:
        raise Refused(400, "search, regex are mutually exclusive", key="error")
    matching = sorted(name for name in hosted.git.branches() if _named(name, values.get("search", "")))
    matching = [name for name in matching if re.search(values.get("regex", ""), name)]
    tips = hosted.git.branches()

    def shape(name: str) -> shapes.Json:
        return shapes.branch(name, tips[name], hosted, call.web, can_push=may_push(call, hosted, name))

    if values.get("pagination") != "keyset":
        return call.paged(matching, shape)
    rest = (name for name in matching if name > values.get("page_token", ""))
    return call.keyset(rest, shape, lambda name: ("page_token", name))


def _named(name: str, searched: str) -> bool:
    """`^term` is a beginning and `term$` an end; GitLab does not mind the case."""
    term, name = searched.lower().removeprefix("^").removesuffix("$"), name.lower()
    starts, ends = searched.startswith("^"), searched.endswith("$")
    return (not starts or name.startswith(term)) and (not ends or name.endswith(term)) and term in name


@routes.on("GET /projects/:id/repository/branches/:branch")
def branch(call: Call) -> Reply:
    hosted, name = call.hosted, call.path["branch"]
    tip = hosted.git.tip(name)
    if tip is None:
        raise missing("Branch")
    return json_reply(shapes.branch(name, tip, hosted, call.web, can_push=may_push(call, hosted, name)))


@routes.on("GET /projects/:id/repository/tree")
def tree(call: Call) -> Reply:
    """Folders come before files, and a token says where the page before ended."""
    hosted, values = call.hosted, call.values
    commit = call.commit(hosted, values.get("ref"))
    if commit is None:
        raise missing("Tree")
    entries = sorted(_entries(hosted, commit, call), key=lambda entry: TREES_FIRST[entry.kind])
    if values.get("pagination") != "keyset":
        return call.paged(entries, shapes.tree_entry)
    start = 0
    if token := values.get("page_token"):
        ended = next((n for n, entry in enumerate(entries) if _page_token(entry) == token), None)
        if ended is None:
            raise Refused(422, f"Invalid page token: {token}")
        start = ended + 1
    return call.keyset(entries[start:], shapes.tree_entry, lambda entry: ("page_token", _page_token(entry)))


def _entries(hosted: HostedRepository, commit: str, call: Call) -> list[TreeEntry]:
    """Those of a folder (all of the repository where none is named), with their paths from the root."""
    path = call.values.get("path", "").strip("/")
    recursive = bool(call.values.get("recursive"))
    whole = hosted.git.tree_of(commit)
    assert whole, "a commit has a tree"
    if not path:
        return hosted.git.tree(whole, recursive=recursive)
    every = hosted.git.tree(whole, recursive=True)
    if not any(entry.path == path and entry.kind == "tree" for entry in every):
        raise missing("invalid revision or path")
    below = [entry for entry in every if entry.path.startswith(f"{path}/")]
    return [entry for entry in below if recursive or "/" not in entry.path.removeprefix(f"{path}/")]


def _page_token(entry: TreeEntry) -> str:
    """Nothing that a client should look into; a blob's id would not do, two files can be the same blob."""
    name = entry.path.encode("utf-8", "surrogateescape").hex()
    return base64.urlsafe_b64encode(json.dumps({"file_name": name}).encode()).decode()


@routes.on("GET /projects/:id/repository/blobs/:sha")
def blob(call: Call) -> Reply:
    data = _blob(call)
    content = base64.b64encode(data).decode()
    return json_reply({"size": len(data), "encoding": "base64", "content": content, "sha": call.path["sha"]})


@routes.on("GET /projects/:id/repository/blobs/:sha/raw")
def raw_blob(call: Call) -> Reply:
    headers = [("Content-Type", "text/plain"), ("Content-Disposition", 'inline; filename=""')]
    return Reply(200, _blob(call), Headers(headers))


def _blob(call: Call) -> bytes:
    sha = call.path["sha"]
    data = call.hosted.git.blob(sha) if re.fullmatch(r"[0-9a-f]{40}", sha) else None
    if data is None:
        raise missing("Blob")
    return data


@routes.on("GET /projects/:id/repository/archive.:format")
def archive(call: Call) -> Reply:
    """`git archive`, streamed: export-ignore and export-subst are obeyed. Its 429 does not say when to come again."""
    hosted, values = call.hosted, call.values
    kind = FORMATS.get(call.path["format"])
    if kind is None:
        raise missing()
    if not call.hall.count_archive(call.token):
        raise Refused(429, {"error": "This archive has been requested too many times. Try again later."})
    ref = values.get("sha") or hosted.git.default_branch
    commit = hosted.git.resolve(ref)
    if commit is None:
        raise missing("File")
    return _pack(hosted, commit, kind, ref, values.get("path", ""), values.get("exclude_paths", ""))


def _pack(hosted: HostedRepository, commit: str, kind: str, ref: str, path: str, excluded: str) -> Reply:
    folder = "-".join(part for part in (hosted.name, ref.replace("/", "-"), commit, path.replace("/", "-")) if part)
    command = ["git", "-C", str(hosted.git.path), "archive", f"--format={kind}", f"--prefix={folder}/"]
    command += ["-1"] if kind != "tar" else []  # the quickest: the forge's time is not what anybody measures here
    command += [commit, "--", *([path] if path else ["."]), *(f":(exclude){p}" for p in excluded.split(",") if p)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=git_environment())

    def pieces() -> Iterator[bytes]:
        assert process.stdout
        while piece := process.stdout.read(PIECE):
            yield piece

    headers = Headers(
        [
            ("Content-Type", "application/zip" if kind == "zip" else "application/octet-stream"),
            ("Content-Disposition", f'attachment; filename="{folder}.{kind}"'),
            ("Content-Transfer-Encoding", "binary"),
        ]
    )
    return Reply(200, pieces(), headers, close=lambda: end(process))

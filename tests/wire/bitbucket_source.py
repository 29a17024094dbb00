"""Bitbucket's source endpoint: raw files, what is known of one, and listings of folders.

https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get
"""

from __future__ import annotations

import hashlib
import mimetypes
import posixpath
from collections.abc import Iterator

from tests.wire import bitbucket_shapes as shapes
from tests.wire.bitbucket_routes import PAGES, READ, REPOSITORY, Call, Refused, routes
from tests.wire.messages import Headers, Reply, json_reply
from tests.wire.repos import Commit, TreeEntry

ROOT = TreeEntry("040000", "tree", "", None, "")


@routes.add("GET", f"{REPOSITORY}/src/{{commit}}/{{path}}", "format", "q", "sort", "max_depth", *PAGES, **READ)
def source(call: Call) -> Reply:
    commit = call.commit(call.parameters["commit"])
    path = call.parameters["path"].strip("/")
    entry = _find(call, commit, path)
    if entry is None:
        raise Refused(404, f"No such file or directory: {path}", data={"path": path, "shas": [commit.oid]})
    if call.query.get("format") == "meta":
        return json_reply(_meta(call, commit, entry))
    if "format" in call.query:
        raise Refused(400, "Only format=meta is offered here.")
    if entry.kind == "tree":
        return _listing(call, commit, entry)
    if call.request.path.endswith("/"):
        raise Refused(404, f"{path} is not a directory", data={"path": path, "shas": [commit.oid]})
    return _file(call, entry)


def _find(call: Call, commit: Commit, path: str) -> TreeEntry | None:
    """The entry at a path, folder by folder; None where there is none."""
    found: TreeEntry | None = ROOT
    tree = commit.tree
    for name in path.split("/") if path else ():
        if found is None or found.kind != "tree":
            return None
        inside = {entry.path: entry for entry in call.hosted.git.tree(tree)}
        found = inside.get(name) or next((e for e in inside.values() if shapes.spoken(e.path) == name), None)
        tree = found.oid if found else ""
    if found is None or found is ROOT:
        return found if found is None else TreeEntry("040000", "tree", tree, None, "")
    return TreeEntry(found.mode, found.kind, found.oid, found.size, path)


def _meta(call: Call, commit: Commit, entry: TreeEntry) -> shapes.Json:
    shape = shapes.tree_entry(entry, commit.oid, call.hosted, call.base)
    if entry.kind == "blob" and b"\0" in (call.hosted.git.blob(entry.oid) or b"")[:8000]:
        shape["attributes"] = [*shape["attributes"], "binary"]
    return shape


def _file(call: Call, entry: TreeEntry) -> Reply:
    """The bytes themselves: of a link its target, of a submodule its commit's id."""
    data = entry.oid.encode() if entry.kind == "commit" else call.hosted.git.blob(entry.oid) or b""
    name = posixpath.basename(shapes.spoken(entry.path)).replace('"', "")
    kind = mimetypes.guess_type(entry.path)[0] or "application/octet-stream"
    tag = hashlib.sha256(entry.mode.encode() + data).hexdigest()[:40]
    fields = {
        "Content-Type": kind,
        "Content-Disposition": f'attachment; filename="{name.encode("ascii", "replace").decode()}"',
        "ETag": f'"{tag}"',
    }
    return Reply(200, data, Headers(fields.items()))


def _listing(call: Call, commit: Commit, folder: TreeEntry) -> Reply:
    depth = int(call.query.get("max_depth", "1"))
    if depth < 1:
        raise Refused(400, "Invalid max_depth")
    entries = list(_breadth_first(call, folder, depth))

    def shape(entry: TreeEntry) -> shapes.Json:
        return shapes.tree_entry(entry, commit.oid, call.hosted, call.base)

    if "q" in call.query or "sort" in call.query:
        return call.streamed(call.chosen(map(shape, entries)), lambda shaped: shaped)
    return call.streamed(entries, shape)


def _breadth_first(call: Call, folder: TreeEntry, depth: int) -> Iterator[TreeEntry]:
    """What is in a folder, then what is in its folders, down to `depth`; Refused (555) where that takes too long."""
    level, opened = [folder], 0
    for _ in range(depth):
        below: list[TreeEntry] = []
        for parent in level:
            opened += 1
            if opened > call.bench.caps.walked_folders:
                raise Refused(555, "The request took too long. Try a smaller max_depth.")
            for entry in call.hosted.git.tree(parent.oid):
                path = f"{parent.path}/{entry.path}" if parent.path else entry.path
                placed = TreeEntry(entry.mode, entry.kind, entry.oid, entry.size, path)
                yield placed
                if entry.kind == "tree":
                    below.append(placed)
        level = below

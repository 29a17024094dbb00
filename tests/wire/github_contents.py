"""GitHub's contents endpoint, which answers differently for files, folders, symlinks and submodules."""

from __future__ import annotations

import posixpath
from typing import Any
from urllib.parse import quote

from tests.wire import github_shapes as shapes
from tests.wire.github_endpoints import raw_reply, wants_raw
from tests.wire.github_routes import Call, Refused, routes
from tests.wire.messages import Reply, json_reply
from tests.wire.repos import TreeEntry
from tests.wire.world import HostedRepository

KINDS = {"100644": "file", "100755": "file", "120000": "symlink", "160000": "submodule", "040000": "dir"}


# https://docs.github.com/en/rest/repos/contents#get-repository-content
@routes.get("/repos/{owner}/{repo}/contents/{path}", "ref")
def contents(call: Call) -> Reply:
    hosted = call.readable
    if hosted.git.empty:
        raise Refused(404, "This repository is empty.")
    ref = call.request.query.get("ref", hosted.git.default_branch)
    commit = hosted.git.resolve(ref)
    tree = hosted.git.tree_of(commit) if commit else None
    if commit is None or tree is None:
        raise Refused(404, f"No commit found for the ref {ref}")
    path = call.parameters["path"].strip("/")
    entries = {entry.path: entry for entry in hosted.git.tree(tree, recursive=True)}
    found = entries.get(path)
    if path and found is None:
        raise Refused(404, "Not Found")
    if found is None or found.kind == "tree":
        return _folder(call, hosted, ref, path, list(entries.values()))
    if found.mode == "120000":
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), _text(hosted, found.oid)))
        if (real := entries.get(target)) and KINDS[real.mode] == "file":
            found = real  # GitHub follows a link to a regular file, and answers as if that had been asked for
    if KINDS[found.mode] == "file":
        return _file(call, hosted, ref, path, found)
    shape = _shape(call, hosted, ref, path, found)
    if found.kind == "commit":
        return json_reply({**shape, "submodule_git_url": f"{shapes.origin_of(call.base)}/submodules/{shape['name']}"})
    return json_reply({**shape, "target": _text(hosted, found.oid)})


def _folder(call: Call, hosted: HostedRepository, ref: str, path: str, entries: list[TreeEntry]) -> Reply:
    inside = [entry for entry in entries if posixpath.dirname(entry.path) == path]
    listed = [_shape(call, hosted, ref, entry.path, entry) for entry in inside[:1000]]
    for shape in listed:
        if shape["type"] == "submodule":
            shape["type"] = "file"  # a quirk kept for its age: https://docs.github.com/en/rest/repos/contents
    if "application/vnd.github.object" not in call.accept:
        return json_reply(listed)
    own = next((entry for entry in entries if entry.path == path), None) or TreeEntry("040000", "tree", "", None, path)
    reply = json_reply({**_shape(call, hosted, ref, path, own), "entries": listed})
    reply.headers["Content-Type"] = "application/vnd.github.object; charset=utf-8"
    return reply


def _file(call: Call, hosted: HostedRepository, ref: str, path: str, entry: TreeEntry) -> Reply:
    data = hosted.git.blob(entry.oid) or b""
    if len(data) > call.caps.blob_bytes:
        raise Refused(403, "This API returns blobs up to 100 MB in size.")
    if wants_raw(call):
        return raw_reply(data)
    inline = len(data) <= call.caps.content_bytes
    return json_reply(
        {
            **_shape(call, hosted, ref, path, entry),
            "content": shapes.wrapped_base64(data) if inline else "",
            "encoding": "base64" if inline else "none",
        }
    )


def _shape(call: Call, hosted: HostedRepository, ref: str, path: str, entry: TreeEntry) -> dict[str, Any]:
    api, page = shapes.repository_address(hosted, call.base), f"{shapes.origin_of(call.base)}/{hosted.full_name}"
    kind = KINDS[entry.mode]
    own = f"{api}/contents/{quote(path, errors='replace')}?ref={quote(ref)}"
    git = f"{api}/git/{'trees' if kind == 'dir' else 'blobs'}/{entry.oid}"
    html = f"{page}/{'tree' if kind == 'dir' else 'blob'}/{quote(ref)}/{quote(path, errors='replace')}"
    return {
        "type": kind,
        "name": posixpath.basename(path),
        "path": path,
        "sha": entry.oid,
        "size": entry.size or 0,
        "url": own,
        "html_url": html,
        "git_url": git,
        "download_url": f"{page}/raw/{quote(ref)}/{quote(path, errors='replace')}" if kind == "file" else None,
        "_links": {"self": own, "git": git, "html": html},
    }


def _text(hosted: HostedRepository, oid: str) -> str:
    return (hosted.git.blob(oid) or b"").decode("utf-8", "replace")


def file_shape(call: Call, hosted: HostedRepository, branch: str, path: str) -> dict[str, Any]:
    """A file at the tip of a branch, as it is told after writing it: without its content."""
    tree = hosted.git.tree_of(hosted.git.tip(branch) or "")
    entry = next(entry for entry in hosted.git.tree(tree or "", recursive=True) if entry.path == path)
    return _shape(call, hosted, branch, path, entry)

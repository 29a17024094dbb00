"""Writing to a repository: what is there, what should be, one commit. For all who write one; no Django. ::

    written = write(client, name=…, repository_id=…, branch="main", message=…, author=…, committer=…, propose=propose)

    def propose(tree):                                     # path -> blob id, of everything that is there
        return {"docs/a.md": b"…", "docs/old.md": None}    # what should be; what is so already is left out by itself

The commit is put on top of the head that was listed, or not at all. When somebody pushed meanwhile, it is all done
again on top of theirs: `propose` is asked anew, so that their change stays. What it costs: one request for the head,
those of the tree, and those of one commit.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from forges.clients.base import Author, Client, blob_id
from forges.clients.errors import Conflict, EmptyRepository, InvalidName, Moved, NotFound, TooLarge

TRIES = 8
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 6.4
"""Seconds, on average, between two tries."""

Propose = Callable[[Mapping[str, str]], Mapping[str, bytes | None]]
"""The whole tree (path -> blob id) -> what should be in it: path -> bytes, None for what should not. Without effect."""


@dataclass(frozen=True, slots=True)
class Written:
    commit: str
    """Where everything is as proposed: the new commit, or the head that had it all already; "" in an empty one."""
    parent: str
    """What was there before: the same where nothing changed, "" before the first commit."""
    branch: str
    """Where it is. An empty repository begins on `base`, whatever branch was asked for."""
    name: str
    """The one that the forge took: the repository's new one, where the one that was given would not do any more."""
    changed: bool
    tries: int


@dataclass(frozen=True, slots=True)
class _Start:
    branch: str
    parent: str
    name: str


def write(
    client: Client,
    *,
    name: str,
    repository_id: str,
    branch: str,
    propose: Propose,
    message: str,
    author: Author,
    committer: Author | None = None,
    base: str = "",
    known: tuple[str, Mapping[str, str]] | None = None,
    fresh: bool = False,
    check: Callable[[], None] = lambda: None,
    tries: int = TRIES,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Written:
    """Make what `propose` wants be in `branch` by one commit; none where it is so already.

    A branch that is not there begins at the head of `base`. `known` is the tree of a commit that the caller has
    already: when it is the head, nothing is listed; if it was just found to be (`fresh`), the head is not asked for
    before the first try, which fails where it is another one by then. `check` is called before each step and may raise
    to stop.

    Raises any ForgeError; TooLarge where the tree cannot be listed whole: nothing is written or deleted on doubt.
    Moved after `tries` tries, each of which somebody was quicker than.
    """
    for number in range(1, tries + 1):
        try:
            check()
            if fresh and known and number == 1:
                start = _Start(branch, known[0], name)
            else:
                start = _start(client, name, branch, base, repository_id)
            name = start.name
            tree = _tree(client, start, known, check)
            changes = without_same(tree, propose(tree))
            done = partial(Written, parent=start.parent, branch=start.branch, name=name, tries=number)
            if not changes:
                return done(start.parent, changed=False)
            refuse_clashes(tree, changes)
            check()
            made = client.commit(
                name,
                branch=start.branch,
                parent=start.parent,
                changes=changes,
                message=message,
                author=author,
                committer=committer,
                there={path: tree[path] for path in changes if path in tree},
            )
            return done(made, changed=made != start.parent)
        except (Conflict, InvalidName, NotFound) as error:
            # Under a name that a repository had before, forges take no change, in words of their own; or it is
            # another repository's by now, which has other commits.
            known_as, name = name, client.find(repository_id).full_name
            if number == tries or (name == known_as and not isinstance(error, Moved)):
                raise
        sleep(min(_FIRST_WAIT * 2 ** (number - 1), _LONGEST_WAIT) * (0.5 + jitter()))
    raise ValueError("no try at all")


def _start(client: Client, name: str, branch: str, base: str, repository_id: str) -> _Start:
    """The commit to put ours on: the branch's head, that of `base` where there is no such branch, "" for the first."""
    try:
        return _Start(branch, client.head(name, branch, repository_id=repository_id), name)
    except (EmptyRepository, NotFound) as error:
        # No commit of the repository will be asked for that could show a name to be somebody else's by now.
        name = client.find(repository_id).full_name
        if isinstance(error, EmptyRepository):
            return _Start(base or branch, "", name)
        if base in ("", branch):
            raise
        return _Start(branch, client.head(name, base, repository_id=repository_id), name)


def _tree(
    client: Client, start: _Start, known: tuple[str, Mapping[str, str]] | None, check: Callable[[], None]
) -> Mapping[str, str]:
    if not start.parent:
        return {}
    if known and known[0] == start.parent:
        return known[1]
    check()
    listing = client.tree(start.name, start.parent, sizes=False)
    if not listing.complete:
        raise TooLarge(
            f"The repository could not be listed whole, so nothing was written to it. {listing.reason}",
            advice="Use a smaller repository, or ask the operator to raise the limit.",
        )
    return {entry.path: entry.oid for entry in listing.entries}


def without_same(tree: Mapping[str, str], wanted: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    """What of `wanted` is not so yet, by blob id: a file to delete that is not there is none to delete."""
    return {
        path: data
        for path, data in wanted.items()
        if (path in tree if data is None else tree.get(path) != blob_id(data))
    }


def refuse_clashes(tree: Mapping[str, str], changes: Mapping[str, bytes | None]) -> None:
    """Conflict where a file would need the place of a folder, or a folder that of a file, a link or a submodule.

    git servers differ in what they make of it: some refuse it, some drop what is in the way.
    """
    after = {path for path in tree if changes.get(path, b"") is not None}
    after.update(path for path, data in changes.items() if data is not None)
    folders = {folder for path in after for folder in _folders(path)}
    for path, data in changes.items():
        if data is None:
            continue
        way = next((folder for folder in _folders(path) if folder in after), "")
        if way or path in folders:
            raise Conflict(
                f"“{way}” in the repository is not a folder, so that nothing can be put into it."
                if way
                else f"“{path}” in the repository is a folder, so that no file can have that name.",
                advice="Move it away at the forge, or choose another directory.",
            )


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]

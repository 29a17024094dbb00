"""Reading a repository: list, filter, diff, fetch, check. For all who read one; no Django, no I/O but the client's. ::

    commit = client.head(name, branch)                     # the same as last time? stop: one request
    listing = client.tree(name, commit)                    # listing.complete? only then may anything be deleted
    entries, skips = check_entries(listing.entries, max_bytes=…, only=PathFilter.parse(include, exclude))
    changes = diff({row.path: row.oid for row in rows}, entries)
    for entry, text in read_texts(client, name, commit, changes.to_fetch, max_bytes=…, total=len(listing.entries)):
        ...                                                # str, or the Skip that says why not

What it costs, with k changed files: one request for the head, one for the tree, then `ceil(k / 100)` batches or one
archive (and its redirect). Memory holds the listing and one batch of files.
"""

from forges.clients.base import blob_id
from forges.reading.checks import (
    MAX_PATH_BYTES,
    SKIP_WORDS,
    Skip,
    SkipReason,
    check_bytes,
    check_entries,
    check_path,
    presentable,
)
from forges.reading.diffing import Diff, Move, diff
from forges.reading.fetching import fetch, read_texts
from forges.reading.filters import EVERYTHING, InvalidPattern, PathFilter

__all__ = [
    "EVERYTHING",
    "MAX_PATH_BYTES",
    "SKIP_WORDS",
    "Diff",
    "InvalidPattern",
    "Move",
    "PathFilter",
    "Skip",
    "SkipReason",
    "blob_id",
    "check_bytes",
    "check_entries",
    "check_path",
    "diff",
    "fetch",
    "presentable",
    "read_texts",
]

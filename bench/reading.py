"""What checking, filtering and comparing a large tree costs beside parsing it: `python -m bench.reading`.

The bound is `json.loads` of the listing itself, which nobody who reads a forge's tree can do without. The command fails
where a step takes more than its bound: each of them is linear in the number of files, however they are named.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from forges.clients.base import Entry, blob_id
from forges.reading import PathFilter, check_entries, diff

FILES = 20_000
BOUND = 10.0
"""Times as long as parsing the listing."""


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds, the least of three."""
    taken = []
    for _ in range(3):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken)


def main() -> int:
    known = {f"docs/{n // 100}/päge-{n:06d}.md": blob_id(b"%d" % n) for n in range(FILES)}
    entries = [Entry(path, oid, 2000) for path, oid in known.items()]
    half = [
        Entry(entry.path.replace("docs/", "guide/"), entry.oid, 2000) if n % 2 else entry
        for n, entry in enumerate(entries)
    ]
    twins = [Entry(f"b/{n}/__init__.py", "1" * 40, 0) for n in range(FILES)]
    twins_before = {f"a/{n}/__init__.py": "1" * 40 for n in range(FILES)}
    listing = json.dumps(
        [{"path": path, "mode": "100644", "type": "blob", "sha": oid, "size": 2000, "url": f"https://forge.example/{oid}"}
         for path, oid in known.items()]
    )  # fmt: skip
    only = PathFilter.parse("docs/\n*.md\n/src/**/*.py", "drafts/\n*.tmp.md")
    slowest = PathFilter.parse("*a*a*b\n**/a*a*a*b/**/a*b/**/b")
    made_for_it = "a" * 250 + "/" + "a/" * 300 + "a" * 150
    work: dict[str, Callable[[], object]] = {
        "check every entry": lambda: check_entries(entries, max_bytes=1 << 20),
        "filter every path": lambda: [only.matches(path) for path in known],
        "filter one path made for the slowest pattern": lambda: slowest.matches(made_for_it),
        "compare, half of it moved": lambda: diff(known, half),
        "compare, all moved and all the same file": lambda: diff(twins_before, twins),
    }
    base = seconds(lambda: json.loads(listing))
    print(f"| {FILES:,} files | seconds | of parsing the listing |\n| --- | --: | --: |")
    print(f"| parse the listing (bound) | {base:.3f} | 1.0× |")
    worst = 0.0
    for name, step in work.items():
        ratio = seconds(step) / base
        worst = max(worst, ratio)
        print(f"| {name} | {ratio * base:.3f} | {ratio:.1f}× |")
    verdict = "held" if worst <= BOUND else "NOT held"
    print(f"\nEach takes at most {BOUND:.0f} times as long as parsing the listing: {verdict}.")
    return 0 if worst <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())

"""The repositories that benchmarks read: the same documentation before and after a change to one file in a hundred."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.wire import samples
from tests.wire.repos import GitRepo

WORDS = 300
"""Words on a page: 2 to 3 kB of Markdown, about what pages of documentation have."""
CHANGED_EVERY = 100


@dataclass(frozen=True, slots=True)
class Repositories:
    """Two bare repositories of the same name, for a forge that is first asked with the one, then with the other."""

    before: Path
    after: Path
    files: int
    changed: int
    bytes: int


def make(folder: Path, *, files: int) -> Repositories:
    """Build both in `folder`. The second has one commit more, in which every hundredth page is another text."""
    before, after = folder / "before" / "docs.git", folder / "after" / "docs.git"
    pages = samples.many(files, words=WORDS)
    size = sum(len(page) for page in pages.values() if isinstance(page, bytes))
    with GitRepo(before) as repository:
        repository.commit(pages, "Write the documentation")
    shutil.copytree(before, after)
    edited = {path: samples.markdown(f"{path}, revised", words=WORDS) for path in list(pages)[::CHANGED_EVERY]}
    with GitRepo(after) as repository:
        repository.commit(edited, "Revise one page in a hundred")
    return Repositories(before, after, files=files, changed=len(edited), bytes=size)

"""A repository as a source: what is indexed of it, what a refresh costs, and what goes when."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from indexing.models import Page, Text
from indexing.reasons import Reason
from jobs.models import Status
from orgs.models import AuditEvent
from tests.forges.conftest import SIDES
from tests.indexing.repository_sources import Add, add, book
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

__all__ = ["add", "book"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_its_documentation_is_indexed_and_nothing_else(side: object, add: Add, book: HostedRepository) -> None:
    it = add(book, side=side)

    run = it.index()

    assert (run.status, run.error_text) == (Status.SUCCEEDED, "")
    assert it.paths == ["README.md", *(f"chapters/{n:02}.md" for n in range(1, 13))]
    assert it.texts()["chapters/07.md"] == "# Chapter 7\n\nOnce, 7."
    assert it.skips == {}
    source = it.source
    assert (source.pages, source.chunks, source.error_code) == (13, 13, "")
    assert source.indexed_at is not None
    assert source.repository_id
    page = Page.objects.get(path="chapters/07.md")
    assert page.title == "Chapter 7"
    assert run.counts == {"indexed": 13, "unchanged": 0, "removed": 0, "skipped": 0}


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_an_unchanged_repository_costs_one_request(side: object, add: Add, book: HostedRepository) -> None:
    it = add(book, side=side)
    it.index()

    run = it.index()

    assert run.status == Status.SUCCEEDED
    assert run.result["unchanged_head"] is True
    assert it.forge.requests.count() == 1
    assert it.source.pages == 13


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_only_what_changed_is_read_and_indexed_again(side: object, add: Add, book: HostedRepository) -> None:
    it = add(book, side=side)
    it.index()
    kept = dict(Page.objects.values_list("path", "text"))

    book.git.commit({"chapters/03.md": "# Chapter 3\n\nAnother end.\n", "chapters/04.md": None, "new.md": "# New\n"})
    run = it.index()

    assert run.counts == {"indexed": 2, "unchanged": 11, "removed": 1, "skipped": 0}
    assert it.texts()["chapters/03.md"] == "# Chapter 3\n\nAnother end."
    assert "chapters/04.md" not in it.paths
    now = dict(Page.objects.values_list("path", "text"))
    assert {path for path in now if kept.get(path) == now[path]} == set(kept) - {"chapters/03.md", "chapters/04.md"}


def test_a_file_that_moved_is_not_read_again(add: Add, book: HostedRepository) -> None:
    it = add(book)
    it.index()
    files = {f"chapters/{n:02}.md": None for n in range(1, 13)}
    moved = {f"parts/{n:02}.md": f"# Chapter {n}\n\nOnce, {n}.\n" for n in range(1, 13)}
    book.git.commit({**files, **moved})

    run = it.index(alone=True)

    assert run.status == Status.SUCCEEDED
    assert it.paths == ["README.md", *sorted(moved)], "nothing was held: nothing has vanished"
    assert not [each for each in it.forge.requests if "graphql" in each.path or "tarball" in each.path]


def test_the_readme_is_found_before_the_rest_is_read(forge: Forge, add: Add) -> None:
    hosted = forge.repository("acme/many")
    files = {f"docs/{n:03}.md": f"# Page {n}\n" for n in range(150)}
    hosted.git.commit({**files, "README.md": "# Begin here\n"})
    it = add(hosted)
    it.index()
    last = Page.objects.exclude(path="README.md").earliest("fetched_at")
    readme = Page.objects.get(path="README.md")
    assert readme.fetched_at is not None
    assert last.fetched_at is not None
    assert readme.fetched_at < last.fetched_at
    assert it.source.pages == 151
    assert it.forge.requests.count() <= 8


def test_patterns_say_what_else_or_less_is_meant(add: Add, book: HostedRepository, settings: Settings) -> None:
    book.git.commit({"chapters/plan.txt": "Plan\n", "chapters/x.py": "pass\n", "guide.rst": "Guide\n=====\n"})
    it = add(book, include="chapters/", exclude="*1.md")
    it.index()
    assert it.paths == [f"chapters/{n:02}.md" for n in range(2, 13) if n != 11] + ["chapters/plan.txt"]

    it.set(include="*.py", exclude="")
    it.index()
    assert it.paths == ["chapters/x.py", "main.py"], "who chooses others means it"

    it.set(include="")
    settings.INDEX_FILE_PATTERNS = ["*.rst"]
    it.index()
    assert it.paths == ["guide.rst"]


def test_what_cannot_be_indexed_is_told_with_its_reason_and_not_read_again(forge: Forge, add: Add) -> None:
    hosted = forge.repository("acme/odd")
    hosted.git.commit(
        {
            "README.md": "# Odd\n",
            "latin.txt": "caf\xe9".encode("latin-1"),
            "binary.md": b"\0\1\2",
            "empty.md": "\n \n",
            "large.md": "x" * 100_001,
            "lfs.md": "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 5\n",
        }
    )
    it = add(hosted)
    it.index()
    reasons = {
        "latin.txt": "not_utf8",
        "binary.md": "binary",
        "empty.md": "empty",
        "large.md": "too_large",
        "lfs.md": "lfs_pointer",
    }
    assert it.skips == reasons
    assert it.paths == ["README.md"]
    assert it.source.skipped == 5

    hosted.git.commit({"README.md": "# Odd again\n"})
    run = it.index()
    assert run.counts["indexed"] == 1
    assert it.skips == reasons
    assert run.counts["skipped"] == 0, "they were judged before, by the same bytes"


def test_a_file_that_cannot_be_taken_any_more_leaves_the_index(add: Add, book: HostedRepository) -> None:
    it = add(book)
    it.index()
    book.git.commit({"chapters/02.md": b"\0", "chapters/03.md": "x" * 100_001})
    it.index(alone=True)
    assert it.skips == {"chapters/02.md": "binary", "chapters/03.md": "too_large"}
    assert "chapters/02.md" not in it.paths
    book.git.commit({"chapters/02.md": "# Back\n"})
    it.index(alone=True)
    assert it.texts()["chapters/02.md"] == "# Back"
    assert it.skips == {"chapters/03.md": "too_large"}


def test_an_incomplete_listing_takes_nothing_out(add: Add, book: HostedRepository, settings: Settings) -> None:
    it = add(book)
    it.index()
    book.git.commit({"chapters/01.md": None, "new.md": "# New\n"})
    whole, settings.FORGE_MAX_ENTRIES = settings.FORGE_MAX_ENTRIES, 5
    run = it.index()
    assert run.status == Status.PARTIAL
    assert "chapters/01.md" in it.paths
    assert "incomplete" in it.source.notice

    settings.FORGE_MAX_ENTRIES = whole
    run = it.index()
    assert run.status == Status.SUCCEEDED, "it is looked at again although its head is the same"
    assert "chapters/01.md" not in it.paths
    assert it.source.notice == ""


def test_a_repository_that_is_suddenly_empty_keeps_its_index(add: Add, book: HostedRepository) -> None:
    it = add(book)
    it.index()
    book.git.commit({**dict.fromkeys(it.paths), "left.py": "pass\n"})

    for _ in range(2):
        run = it.index()
        assert (run.status, run.error_code) == (Status.FAILED, Reason.EMPTY)
        assert len(it.paths) == 13
        assert "13 files, stays" in it.source.error_text


def test_more_than_half_goes_only_when_a_person_refreshes_again(add: Add, book: HostedRepository) -> None:
    it = add(book)
    it.index()
    book.git.commit({**{f"chapters/{n:02}.md": None for n in range(1, 9)}, "new.md": "# New\n"})

    run = it.index(alone=True)
    assert run.status == Status.SUCCEEDED
    assert len(it.paths) == 14, "what came is there, what went is kept"
    assert "8 of 13 files are gone" in it.source.notice

    it.index(alone=True)
    assert it.forge.requests.count() == 1, "nobody has said anything: nothing is asked"
    assert len(it.paths) == 14

    it.index()
    assert it.paths == ["README.md", "chapters/09.md", "chapters/10.md", "chapters/11.md", "chapters/12.md", "new.md"]
    assert it.source.notice == ""


def test_other_limits_of_the_operators_are_nobodys_wish_to_take_files_out(
    add: Add, book: HostedRepository, settings: Settings
) -> None:
    it = add(book)
    it.index()
    settings.INDEX_FILE_MAX_BYTES = 10
    it.index(alone=True)
    assert len(it.paths) == 13
    assert "13 files, stays" in it.source.error_text or "of 13 files are gone" in it.source.notice
    it.set(include="chapters/")
    it.index(alone=True)
    assert it.paths == [], "whoever chooses anew means it"


def test_a_listing_with_paths_that_cannot_be_told_apart_is_read_all_the_same(add: Add, book: HostedRepository) -> None:
    it = add(book, include="*")
    oid = "0123456789" * 4
    hostile = [
        faults.entry("bad\x01" + "x" * 1100 + "a.md", oid=oid),
        faults.entry("bad\x01" + "x" * 1100 + "b.md", oid=oid),
        faults.entry("readme.MD", oid=oid),
    ]
    with it.forge.fault(faults.inject_entries(*hostile), on="GET */git/trees/*", times=None):
        run = it.index()
    assert run.error_text == ""
    assert len(it.paths) == 14, "with main.py"
    assert sorted(it.skips.values()) == ["bad_path", "binary", "path_clash"]


def test_files_that_all_turn_into_pointers_are_kept_as_those_that_vanish(add: Add, book: HostedRepository) -> None:
    it = add(book)
    it.index()
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize {}\n"
    book.git.commit({f"chapters/{n:02}.md": pointer.format(n) for n in range(1, 13)})
    it.index(alone=True)
    assert it.texts()["chapters/07.md"] == "# Chapter 7\n\nOnce, 7."
    assert "12 of 13" in it.source.notice
    it.index()
    assert it.paths == ["README.md"]


def test_few_files_go_as_they_went_there(forge: Forge, add: Add) -> None:
    hosted = forge.repository("acme/small")
    hosted.git.commit({"a.md": "# A\n", "b.md": "# B\n"})
    it = add(hosted)
    it.index()
    hosted.git.commit({"a.md": None})
    it.index(alone=True)
    assert it.paths == ["b.md"]
    hosted.git.commit({"b.md": None, "c.py": "pass\n"})
    run = it.index(alone=True)
    assert (run.error_code, it.paths) == (Reason.EMPTY, [])
    assert it.index().error_code == Reason.EMPTY, "it does not become complete by being asked again"


def test_a_branch_is_followed_or_the_default_one(add: Add, book: HostedRepository) -> None:
    book.git.branch("next", at="main")
    book.git.commit({"next.md": "# Next\n"}, branch="next")
    chosen, default = add(book, branch="next"), add(book)
    chosen.index()
    default.index()
    assert "next.md" in chosen.paths
    assert "next.md" not in default.paths

    chosen.set(branch="gone")
    run = chosen.index()
    assert (run.error_code, chosen.source.error_text) == (
        Reason.NOT_FOUND,
        "There is no branch gone in acme/book (any more).",
    )
    assert "next.md" in chosen.paths


def test_a_rename_is_followed_by_the_forges_id(add: Add, book: HostedRepository) -> None:
    it = add(book)
    it.index()
    it.forge.world.rename("acme/book", "acme/novel")
    impostor = it.forge.repository("acme/book")
    impostor.git.commit({"evil.md": "# Evil\n"})
    book.git.commit({"after.md": "# After\n"})

    it.index()

    source = it.source
    assert (source.repository, source.name) == ("acme/novel", "acme/novel")
    assert source.url.endswith("/acme/novel")
    assert "after.md" in it.paths
    assert "evil.md" not in it.paths
    assert AuditEvent.objects.filter(action="source.renamed").count() == 1


def test_the_same_text_in_two_places_is_indexed_once(forge: Forge, add: Add) -> None:
    hosted = forge.repository("acme/twins")
    hosted.git.commit({"a/page.md": "# Same\n\nText.\n", "b/page.md": "# Same\n\nText.\n"})
    it = add(hosted)
    it.index()
    assert it.paths == ["a/page.md", "b/page.md"]
    assert Text.objects.count() == 1


def test_a_run_that_was_cut_off_goes_on_where_it_was(forge: Forge, add: Add) -> None:
    hosted = forge.repository("acme/long")
    hosted.git.commit({**{f"d/{n:03}.md": f"# P {n}\n" for n in range(30)}, "README.md": "# R\n"})
    it = add(hosted)
    with (
        forge.fault(faults.cut_before_reply(), on="POST */graphql", times=None),
        forge.fault(faults.status(502), on="GET */tarball/*", times=None),
    ):
        run = it.index()
    assert (run.status, run.error_code) == (Status.FAILED, Reason.NETWORK)
    assert it.source.error_code == Reason.NETWORK
    run = it.index()
    assert run.status == Status.SUCCEEDED
    assert len(it.paths) == 31

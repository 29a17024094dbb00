"""The gates before anything is removed: nothing is deleted on doubt, and much is not deleted without a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forges.reading.gates import Verdict, judge, removal_digest
from jobs import runs
from jobs.models import Run, Status
from orgs.models import User
from tests.integrations.conftest import Connect, Connection
from tests.wire.repos import Symlink
from tests.wire.world import HostedRepository


@pytest.fixture
def connection(connect: Connect, book: HostedRepository) -> Connection:
    made = connect(book)
    made.refresh()
    return made


def held_digests(run: Run) -> dict[str, str]:
    return {track["held"]["track"]: track["held"]["digest"] for track in run.result["tracks"] if track["held"]}


def confirm(run: Run, connection: Connection, by: User) -> Run:
    runs.confirm_run(run, by=by)
    return runs.run_inline(Run.objects.get(pk=run.pk), budget=connection.budget)


@pytest.mark.django_db
def test_a_repository_that_is_suddenly_empty_aborts_the_prune_and_changes_nothing(
    connection: Connection, book: HostedRepository
) -> None:
    before = connection.texts()
    book.git.force_push({"link.md": Symlink("elsewhere.md")})

    run = connection.refresh(prune=True)

    assert (run.status, run.error_code) == (Status.FAILED, "empty_listing")
    assert "Nothing was changed" in run.error_text
    assert connection.texts() == before
    assert not run.file_changes.exists()


@pytest.mark.django_db
def test_the_same_with_keep_only_marks_the_rows(connection: Connection, book: HostedRepository) -> None:
    before = connection.texts()
    book.git.force_push({"image.png": b"\0"})

    run = connection.refresh(prune=False)

    assert run.status == Status.SUCCEEDED
    assert run.counts["stale"] == 12
    assert connection.texts() == before


@pytest.mark.django_db
def test_ten_rows_are_few_enough_to_go_without_asking(connect: Connect, book: HostedRepository) -> None:
    connection = connect(book, include="chapters/0*\nchapters/10.md")
    connection.refresh()
    assert len(connection.paths()) == 10
    book.git.force_push({"chapters/01.md": "# Chapter 1\n"})

    run = connection.refresh(prune=True)

    assert run.status == Status.SUCCEEDED
    assert connection.paths() == ["chapters/01.md"]


@pytest.mark.django_db
def test_more_than_half_of_more_than_ten_rows_waits_for_a_person(
    connection: Connection, book: HostedRepository, alice: User
) -> None:
    before = connection.texts()
    book.git.commit({f"chapters/{n:02}.md": None for n in range(1, 8)})

    run = connection.refresh(prune=True)

    assert run.status == Status.HELD
    assert connection.texts() == before
    (track,) = run.result["tracks"]
    assert track["held"]["paths"] == [f"chapters/{n:02}.md" for n in range(1, 8)]

    confirmed = confirm(run, connection, alice)

    assert confirmed.status == Status.SUCCEEDED
    assert confirmed.counts["removed"] == 7
    assert set(connection.paths()) == set(book.git.files())


@pytest.mark.django_db
def test_exactly_half_goes_without_asking(connection: Connection, book: HostedRepository) -> None:
    book.git.commit({f"chapters/{n:02}.md": None for n in range(1, 7)})

    assert connection.refresh(prune=True).status == Status.SUCCEEDED
    assert len(connection.paths()) == 6


@pytest.mark.django_db
def test_moving_every_file_is_no_removal(connection: Connection, book: HostedRepository) -> None:
    changes: dict[str, str | None] = {f"chapters/{n:02}.md": None for n in range(1, 13)}
    changes |= {f"book/{n:02}.md": f"# Chapter {n}\n" for n in range(1, 13)}
    book.git.commit(changes)

    run = connection.refresh(prune=True)

    assert (run.status, run.counts["moved"], run.counts["removed"]) == (Status.SUCCEEDED, 12, 0)


@pytest.mark.django_db
def test_a_confirmation_holds_for_that_commit_and_that_list_alone(
    connection: Connection, book: HostedRepository, alice: User
) -> None:
    book.git.commit({f"chapters/{n:02}.md": None for n in range(1, 8)})
    run = connection.refresh(prune=True)
    book.git.commit({"chapters/08.md": None})

    again = confirm(run, connection, alice)

    assert again.status == Status.HELD
    assert len(connection.paths()) == 12
    assert held_digests(again) != held_digests(run)


@pytest.mark.django_db
def test_what_only_the_bytes_tell_is_confirmed_as_well(
    connection: Connection, book: HostedRepository, alice: User
) -> None:
    gone: dict[str, bytes | None] = {f"chapters/{n:02}.md": None for n in range(1, 8)}
    book.git.commit({**gone, "chapters/08.md": b"\0 is no text"})
    first = connection.refresh(prune=True)
    second = confirm(first, connection, alice)
    assert second.result["tracks"][0]["held"]["paths"] == [f"chapters/{n:02}.md" for n in range(1, 9)]

    third = confirm(second, connection, alice)

    assert (third.status, third.counts["removed"]) == (Status.SUCCEEDED, 8)


@pytest.mark.django_db
def test_an_incomplete_listing_brings_what_there_is_and_prunes_nothing(
    connection: Connection, book: HostedRepository
) -> None:
    book.git.commit({"chapters/00.md": "# Preface\n", "chapters/12.md": None})

    # Folders are asked for one by one after a truncated answer, and truncated again.
    connection.forge.caps.tree_entries = 3
    run = connection.refresh(prune=True)

    assert run.status == Status.PARTIAL
    assert "chapters/00.md" in connection.paths()
    assert "chapters/12.md" in connection.paths()
    assert run.counts["removed"] == 0
    assert any("incomplete" in line.text for line in run.log_lines.filter(level="warning"))
    assert run.result["tracks"][0]["complete"] is False


@given(importable=st.integers(0, 50), all_rows=st.integers(0, 50), own_rows=st.integers(0, 50), data=st.data())
def test_no_more_than_half_of_more_than_ten_rows_ever_go_unasked(
    importable: int, all_rows: int, own_rows: int, data: st.DataObject
) -> None:
    removing = data.draw(st.integers(0, own_rows))
    verdict = judge(importable=importable, all_rows=all_rows, own_rows=own_rows, removing=removing)
    if verdict is Verdict.GO:
        assert removing <= 10 or removing * 2 <= own_rows


def test_the_digest_of_a_removal_is_of_its_set_and_its_commit() -> None:
    assert removal_digest("c1", ["a", "b"]) == removal_digest("c1", ["b", "a"])
    assert removal_digest("c1", ["a", "b"]) != removal_digest("c2", ["a", "b"])
    assert removal_digest("c1", ["a", "b"]) != removal_digest("c1", ["a"])

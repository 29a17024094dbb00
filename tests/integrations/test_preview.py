"""Preview: what a refresh would do is told, and none of it is done."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compare import TextDiff
from catalog.models import Blob, Content, Server
from forges.reading import Skip
from integrations import connecting, probing
from integrations.models import FileChange, SkippedFile
from integrations.preview import NotInPlan, preview_diff
from integrations.probing import Entered
from jobs.models import Run, Status
from orgs.models import User
from tests.integrations.conftest import Connect, Connection
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connect: Connect, book: HostedRepository) -> Connection:
    made = connect(book)
    made.refresh()
    book.git.commit(
        {
            "chapters/01.md": "# Chapter 1, revised\n",
            "chapters/02.md": None,
            "chapters/13.md": "# Chapter 13\n",
            "chapters/picture.md": b"\0",
        }
    )
    book.git.move("chapters/03.md", "appendix/three.md")
    return made


def only_plan(run: Run) -> dict[str, object]:
    (plan,) = run.result["plans"]
    return plan  # type: ignore[no-any-return]


def test_a_preview_tells_everything_and_writes_nothing(connection: Connection) -> None:
    before = list(Content.objects.order_by("pk").values()), Blob.objects.count(), FileChange.objects.count()
    track = connection.track

    run = connection.preview(prune=True)

    assert run.status == Status.SUCCEEDED
    plan = only_plan(run)
    assert [item["path"] for item in plan["added"]] == ["chapters/13.md", "chapters/picture.md"]  # type: ignore[attr-defined]
    assert [item["path"] for item in plan["changed"]] == ["chapters/01.md"]  # type: ignore[attr-defined]
    assert plan["moved"] == [{"path": "appendix/three.md", "old": "chapters/03.md"}]
    assert plan["removed"] == [{"path": "chapters/02.md"}]
    assert plan["gate"] == "go"
    assert (list(Content.objects.order_by("pk").values()), Blob.objects.count(), FileChange.objects.count()) == before
    assert not SkippedFile.objects.exists()
    assert connection.track.last_commit == track.last_commit


def test_with_keep_nothing_would_be_removed(connection: Connection) -> None:
    plan = only_plan(connection.preview(prune=False))
    assert plan["removed"] == []
    assert plan["stale"] == [{"path": "chapters/02.md"}]


def test_a_preview_says_that_the_refresh_would_be_held(connection: Connection, book: HostedRepository) -> None:
    book.git.commit({f"chapters/{n:02}.md": None for n in range(4, 12)})
    assert only_plan(connection.preview())["gate"] == "hold"


def lines(connection: Connection, plan: Any, path: str) -> list[str]:
    difference = preview_diff(connection.track, plan, path)
    assert isinstance(difference, TextDiff)
    return difference.lines


def test_the_text_of_each_file_is_compared_on_demand(connection: Connection) -> None:
    plan = only_plan(connection.preview())

    assert lines(connection, plan, "chapters/01.md") == [
        "@@ -1 +1 @@",
        "-# Chapter 1",
        "+# Chapter 1, revised",
    ]
    assert lines(connection, plan, "chapters/13.md") == ["@@ -0,0 +1 @@", "+# Chapter 13"]
    assert lines(connection, plan, "chapters/02.md") == ["@@ -1 +0,0 @@", "-# Chapter 2"]
    skipped = preview_diff(connection.track, plan, "chapters/picture.md")
    assert isinstance(skipped, Skip)
    assert skipped.reason == "binary"


def test_the_texts_of_a_plain_git_repository_are_compared_as_well(
    book: HostedRepository, forge: Forge, docs: Server, alice: User
) -> None:
    form = Entered(forge="git", repository=forge.clone_url("acme/book"))
    made = connecting.connect(docs, form, probing.probe(form), by=alice)
    plain = Connection(forge, book, made.integration, alice)
    plain.refresh()
    book.git.commit({"chapters/01.md": "# Chapter 1, revised\n"})

    plan = only_plan(plain.preview())

    assert lines(plain, plan, "chapters/01.md") == [
        "@@ -1 +1 @@",
        "-# Chapter 1",
        "+# Chapter 1, revised",
    ]


def test_texts_that_would_take_an_hour_to_compare_are_not(connection: Connection, book: HostedRepository) -> None:
    book.git.commit({"chapters/01.md": "".join(f"{n % 110}\n" for n in range(60_000))})
    connection.refresh()
    book.git.commit({"chapters/01.md": "".join(f"{n * 7 % 110}\n" for n in range(60_000))})

    difference = preview_diff(connection.track, only_plan(connection.preview()), "chapters/01.md")

    assert difference == TextDiff([], cut=False, too_large=True)


def test_a_path_that_the_preview_does_not_list_cannot_be_read_through_it(connection: Connection) -> None:
    plan = only_plan(connection.preview())
    with pytest.raises(NotInPlan):
        preview_diff(connection.track, plan, "chapters/05.md")


def test_a_refresh_does_what_the_preview_said(connection: Connection) -> None:
    said = connection.preview().counts
    done = connection.refresh().counts
    assert done["removed"] == said["removed"] == 1
    assert done["moved"] == said["moved"] == 1
    assert done["changed"] == said["changed"] == 1
    assert (done["added"], done["skipped"]) == (said["added"] - 1, said["skipped"] + 1), "one file proved binary"

"""What a server holds is in its index by itself: its live files and those of its versions, each text once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import contents, servers, versions
from catalog.models import Content, Server
from indexing import content_news, texts
from indexing.chunking import model
from indexing.chunking.cutting import cut
from indexing.contents import source_of_content
from indexing.models import Chunk, ServerIndex, Source, Text
from indexing.requesting import INDEX, request_index
from jobs import outbox, registry, runs, schedules
from jobs.context import Budget
from jobs.models import Run, Status, Trigger
from orgs.models import Organization, User
from tests import factories

PATIENT = Budget(seconds=60, items=1_000)


def index(server: Server, trigger: str = Trigger.SAVE) -> Run:
    run = runs.run_inline(request_index(source_of_content(server), trigger=trigger), budget=PATIENT)
    assert run.status in (Status.SUCCEEDED, Status.PARTIAL), run.error_text
    return run


def titles(server: Server) -> list[str]:
    return list(Text.objects.filter(index__server=server).order_by("title").values_list("title", flat=True))


def noted(server: Server) -> bool:
    return Source.objects.filter(server=server, kind=Source.Kind.CONTENT, noted_at__isnull=False).exists()


def read_blobs(queries: CaptureQueriesContext) -> int:
    return sum('"catalog_blob"."text"' in query["sql"] for query in queries)


def test_live_files_and_those_of_versions_are_indexed_each_text_once(docs: Server) -> None:
    factories.content(docs, "a/tides.md", "# Tides\n\nHigh water.\n")
    factories.content(docs, "b/tides.md", "# Tides\n\nHigh water.\n")
    old = factories.content(docs, "notes.txt", "Low water.")
    versions.cut_version(server=docs)
    old.delete()
    run = index(docs)
    assert titles(docs) == ["Tides", "notes.txt"]
    assert Chunk.objects.count() == 2
    assert run.counts["indexed"] == 3
    source = source_of_content(docs)
    assert (source.pages, source.chunks, source.skipped) == (2, 1, 0), "of the live files"
    assert source.indexed_at is not None


def test_a_changed_file_is_read_and_no_other(docs: Server) -> None:
    for number in range(30):
        factories.content(docs, f"{number}.md", f"# File {number}\n")
    versions.cut_version(server=docs)
    index(docs)
    with CaptureQueriesContext(connection) as queries:
        assert index(docs).counts["indexed"] == 0
    assert read_blobs(queries) == 0
    Content.objects.filter(path="7.md").update(blob=factories.blob("# Another\n"))
    with CaptureQueriesContext(connection) as queries:
        assert index(docs).counts["indexed"] == 1
    assert read_blobs(queries) == 1
    assert "Another" in titles(docs)
    assert "File 7" in titles(docs), "the version has it still"


def test_a_renamed_file_without_a_title_is_found_by_its_new_name(docs: Server) -> None:
    content = factories.content(docs, "notes/b.md", "Words.")
    index(docs)
    for path in ("notes/B.md", "ab.md", "b.txt"):
        content.path = path
        content.save()
        assert index(docs).counts["indexed"] == 1, path
        name = path.rpartition("/")[2]
        assert Text.objects.filter(name=name, format=texts.format_of(path)).exists()
    Text.objects.update(stored_at=timezone.now() - 2 * texts.GRACE)
    index(docs)
    assert titles(docs) == ["b.txt"], "nothing has the names of before"


def test_what_was_cut_by_older_rules_is_cut_anew_and_that_of_versions_too(docs: Server) -> None:
    file = factories.content(docs, "a.md", "# Versioned\n")
    versions.cut_version(server=docs)
    file.delete()
    factories.content(docs, "b.md", "# Live\n")
    index(docs)
    Text.objects.update(chunker=model.CHUNKER - 1)
    Source.objects.update(fingerprint=f"{model.CHUNKER - 1}.9.9")
    assert index(docs).counts["indexed"] == 2
    assert set(Text.objects.values_list("chunker", flat=True)) == {model.CHUNKER}


def test_the_files_of_a_version_that_was_looked_at_are_not_compared_again(docs: Server) -> None:
    factories.content(docs, "a.md", "# A\n")
    versions.cut_version(server=docs)
    index(docs)
    Text.objects.all().delete()
    assert index(docs).counts["indexed"] == 1, "the live one"
    factories.content(docs, "b.md", "# B\n")
    versions.cut_version(server=docs)
    Content.objects.all().delete()
    assert index(docs).counts["indexed"] == 1, "that of the new version"
    Text.objects.all().delete()
    assert index(docs, Trigger.MANUAL).counts["indexed"] == 2, "a person asked"


def test_many_files_are_read_a_few_at_a_time(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexing.contents.BATCH", 10)
    monkeypatch.setattr("indexing.contents.BATCH_TEXTS", 4)
    for number in range(23):
        factories.content(docs, f"{number:02}.txt", f"Words of {number}.")
    with CaptureQueriesContext(connection) as queries:
        assert index(docs).counts["indexed"] == 23
    assert read_blobs(queries) == 3 + 3 + 1
    assert Text.objects.count() == 23


def test_one_file_that_cannot_be_cut_fails_no_other(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.content(docs, "bad.md", "# Bad\n")
    factories.content(docs, "good.md", "# Good\n")

    def broken(text: str, as_: str) -> Any:
        if "Bad" in text:
            raise ValueError("no way")
        return cut(text, as_)

    monkeypatch.setattr("indexing.texts.cut", broken)
    run = index(docs)
    assert (run.status, run.counts["indexed"], run.counts["failed"]) == (Status.PARTIAL, 1, 1)
    assert "bad.md" in run.log_lines.get().text
    assert source_of_content(docs).skipped == 1


def test_an_index_that_was_interrupted_goes_on(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexing.contents.BATCH_TEXTS", 1)
    for number in range(3):
        factories.content(docs, f"{number}.md", f"# File {number}\n")
    store, calls = texts.store, []

    def dies(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return store(*args)

    monkeypatch.setattr(texts, "store", dies)
    with pytest.raises(KeyboardInterrupt):
        index(docs)
    assert titles(docs) == ["File 0"]
    Run.objects.all().delete()
    assert index(docs).counts["indexed"] == 2


def test_a_change_is_noted_once_and_asked_for_soon(
    docs: Server, bob: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        contents.create_content(server=docs, path="a.md", text="# A\n", by=bob)
    assert noted(docs)
    with CaptureQueriesContext(connection) as queries:
        content_news.on_content_changed(server_id=docs.pk)
    assert len(queries) == 2, "it is noted already"
    assert outbox.post_due() >= 1
    assert not noted(docs)
    run = Run.objects.about(source_of_content(docs)).get()
    assert (run.kind, run.trigger, run.requested_by) == (INDEX, Trigger.SAVE, None)
    assert content_news.ask_for_runs() == 0


def test_a_save_waits_for_one_statement(docs: Server, bob: User) -> None:
    source_of_content(docs)
    with CaptureQueriesContext(connection) as queries:
        content_news.on_content_changed(server_id=docs.pk)
    assert len(queries) == 1


def test_news_that_come_while_it_is_indexed_are_asked_for_again(docs: Server) -> None:
    content_news.note(docs)
    content_news.ask_for_runs()
    run = Run.objects.about(source_of_content(docs)).get()
    Run.objects.filter(pk=run.pk).update(status=Status.RUNNING)
    content_news.note(docs)
    assert content_news.ask_for_runs() == 1
    assert Run.objects.about(source_of_content(docs)).count() == 2
    content_news.note(docs)
    content_news.ask_for_runs()
    assert Run.objects.about(source_of_content(docs)).count() == 2, "it joins the one that is queued"


def test_a_new_server_has_its_source_from_the_beginning(acme: Organization, alice: User) -> None:
    server = servers.create_server(organization=acme, values={"name": "Harbour"}, by=alice)
    assert noted(server)
    index(server)
    source = source_of_content(server)
    assert (source.pages, source.chunks, source.error_code) == (0, 0, "")
    assert source.indexed_at is not None


def test_servers_that_were_there_before_are_found_by_the_clock(docs: Server) -> None:
    assert content_news.look() == "1 servers' content to be indexed"
    assert noted(docs)
    Source.objects.update(noted_at=None)
    index(docs)
    assert content_news.look() == "0 servers' content to be indexed"


def test_a_change_that_nobody_noted_is_found_by_the_clock(docs: Server) -> None:
    index(docs)
    contents.touch(docs)
    assert not noted(docs), "as if the process had died at its commit"
    content_news.look()
    assert noted(docs)
    Source.objects.update(noted_at=None)
    request_index(source_of_content(docs))
    content_news.look()
    assert not noted(docs), "a Run is going to do it"


def test_what_is_paused_stays_noted_until_it_goes_on(docs: Server) -> None:
    content_news.note(docs)
    Source.objects.update(paused_at=timezone.now())
    assert content_news.ask_for_runs() == 0
    content_news.look()
    Source.objects.update(paused_at=None)
    assert content_news.ask_for_runs() == 1


def test_news_of_a_server_that_is_gone_are_no_news(docs: Server) -> None:
    gone = docs.pk
    docs.delete()
    content_news.on_content_changed(server_id=gone)
    assert not Source.objects.exists()


def test_deleting_a_server_leaves_nothing_of_it_in_the_index(docs: Server, alice: User) -> None:
    factories.content(docs, "a.md", "# A\n")
    index(docs)
    servers.delete_server(server=docs, by=alice)
    assert not any(rows.objects.exists() for rows in (Source, ServerIndex, Text, Chunk))


def test_each_day_unused_texts_of_all_servers_go(docs: Server) -> None:
    file = factories.content(docs, "a.md", "# A\n")
    index(docs)
    file.delete()
    Text.objects.update(stored_at=timezone.now() - 2 * texts.GRACE)
    assert content_news.forget() == "1 unused texts deleted"


def test_the_clock_and_the_outbox_know_of_it() -> None:
    assert registry.find(INDEX) is not None
    functions = {entry.function for entry in schedules._entries.values()}
    assert {"indexing.content_news.look", "indexing.content_news.forget"} <= functions

"""What a forge can do wrong, and what the operator then sees: what happened, and that nothing was lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.utils import timezone
from pytest_django import Settings

from catalog.models import Content, Server
from forges import opening
from forges.clients.base import Credential
from forges.picking import FieldError
from integrations import connecting, picking, probing
from integrations.models import ImportedFile
from integrations.probing import Entered
from integrations.refreshing import request_preview, request_refresh
from jobs.models import Run, Status
from orgs.models import Membership, User
from tests.integrations.conftest import Connect, Connection
from tests.wire import faults, samples
from tests.wire.faults import Fault
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connect: Connect, book: HostedRepository) -> Iterator[Connection]:
    """Imported once, and then a change upstream that has not come in yet."""
    made = connect(book)
    made.refresh()
    book.git.commit({"chapters/01.md": "# Revised\n", "chapters/12.md": None})
    before = made.texts()
    yield made
    assert made.texts() == before or made.texts()["chapters/01.md"] == "# Revised\n", "all of it or nothing"


@pytest.mark.parametrize(
    ("fault", "on", "code", "says"),
    [
        (faults.unauthorized(), "*", "auth_failed", "token"),
        (faults.not_found(), "*", "not_found", "not found"),
        (faults.missing_scope(), "GET */git/trees/*", "forbidden", "access"),
        (faults.status(502), "*", "unavailable", "later"),
        (faults.cut_before_reply(), "*", "unavailable", "later"),
        (faults.malformed_json(), "GET */git/trees/*", "unavailable", "later"),
        (faults.web_page(), "GET */git/trees/*", "unavailable", "later"),
    ],
    ids=["401", "404", "403 without rate headers", "502", "cut", "malformed JSON", "a web page"],
)
def test_a_failure_says_what_happened_and_what_to_do_and_changes_nothing(
    connection: Connection, fault: Fault, on: str, code: str, says: str
) -> None:
    before = connection.texts()

    with connection.forge.fault(fault, on=on):
        run = connection.refresh()

    assert (run.status, run.error_code) == (Status.FAILED, code)
    assert says in run.error_text.lower()
    assert connection.texts() == before
    assert connection.refresh().status == Status.SUCCEEDED, "the next one repairs it"
    assert connection.texts()["chapters/01.md"] == "# Revised\n"


@pytest.mark.parametrize("fault", [faults.rate_limited(reset_in=900), faults.secondary_limited(retry_after=900)])
def test_a_rate_limit_waits_for_its_reset_and_is_no_failed_sign_in(connection: Connection, fault: Fault) -> None:
    with connection.forge.fault(fault, on="GET */git/trees/*"):
        run = connection.refresh()

    assert run.status == Status.WAITING
    assert run.waiting_for == "the forge's rate limit to reset", "it finishes the sentence “Waiting for …”"
    assert run.wait_until is not None
    assert 800 < (run.wait_until - timezone.now()).total_seconds() < 1000


def test_a_force_push_between_listing_and_fetching_starts_again_at_the_new_head(connect: Connect, forge: Forge) -> None:
    repository = forge.repository("acme/moving")
    repository.git.commit(samples.many(150))
    connection = connect(repository)

    def rewrite() -> None:
        repository.git.force_push({"only.md": "This is all there is now.\n"})
        repository.git.forget_unreachable()

    with forge.fault(faults.first(rewrite), on="GET */tarball/*", times=1) as armed:
        run = connection.refresh()

    assert armed.hits == 1
    assert run.status == Status.SUCCEEDED
    assert connection.texts() == {"only.md": "This is all there is now.\n"}
    assert connection.track.last_commit == repository.git.tip("main")


def test_an_archive_cut_in_the_middle_imports_nothing_and_the_next_run_all(connect: Connect, forge: Forge) -> None:
    repository = forge.repository("acme/large")
    repository.git.commit(samples.many(300))
    connection = connect(repository)

    with forge.fault(faults.cut_body(after=2000), on="GET /_codeload/*"):
        run = connection.refresh()

    assert run.status == Status.FAILED
    assert run.error_code == "unavailable"
    assert connection.paths() == []
    assert connection.refresh().counts["added"] == 300


def test_what_an_archive_leaves_out_or_alters_is_fetched_by_itself(connect: Connect, forge: Forge) -> None:
    repository = forge.repository("acme/attributes")
    repository.git.commit({**samples.many(150), **samples.archive_altered()})
    connection = connect(repository)

    connection.refresh()

    texts = connection.texts()
    assert set(texts) == set(repository.git.files())
    for path, oid in repository.git.files().items():
        assert texts[path].encode() == repository.git.blob(oid)


def test_a_bomb_of_an_archive_is_stopped_on_the_way(connect: Connect, forge: Forge, settings: Settings) -> None:
    settings.FORGE_MAX_ARCHIVE_BYTES = 2 << 20
    repository = forge.repository("acme/bomb")
    repository.git.commit(samples.many(150))
    connection = connect(repository)

    with forge.fault(faults.archive_bomb(), on="GET /_codeload/*"):
        run = connection.refresh()

    assert (run.status, run.error_code) == (Status.FAILED, "too_large")
    assert connection.paths() == []


def test_hostile_paths_are_skipped_with_a_reason_and_the_rest_comes_in(
    connect: Connect, book: HostedRepository
) -> None:
    connection = connect(book)
    oid = book.git.files()["chapters/01.md"]
    hostile = [faults.entry(path, oid) for path in faults.HOSTILE_PATHS]

    with connection.forge.fault(faults.inject_entries(*hostile), on="GET */git/trees/*"):
        run = connection.refresh()

    assert run.status == Status.SUCCEEDED
    assert set(connection.paths()) == {*book.git.files(), "C:/windows.md"}
    assert set(connection.track.skipped_files.values_list("reason", flat=True)) == {"bad_path"}


def test_paths_that_differ_only_in_case_or_unicode_form_keep_the_first(connect: Connect, forge: Forge) -> None:
    repository = forge.repository("acme/twins")
    repository.git.commit(samples.clashing())
    connection = connect(repository)

    run = connection.refresh()

    skipped = set(connection.track.skipped_files.values_list("path", "reason"))
    assert {reason for _, reason in skipped} == {"path_clash"}
    assert len(connection.paths()) + len(skipped) == len(repository.git.files())
    assert connection.refresh().counts["unchanged"] == run.counts["added"]


def test_an_empty_repository_says_that_it_has_no_commit(connect: Connect, forge: Forge, book: HostedRepository) -> None:
    connection = connect(book)
    empty = forge.repository("acme/empty")
    type(connection.integration).objects.update(repository="acme/empty", repository_id=str(empty.id))

    run = connection.refresh()

    assert (run.status, run.error_code) == (Status.FAILED, "empty_repository")


def test_a_blob_that_is_not_what_its_id_says_is_not_imported(connection: Connection) -> None:
    with connection.forge.fault(faults.wrong_blob(), on="*/graphql"):
        run = connection.refresh()

    assert "not what was asked for" not in "".join(connection.texts().values())
    assert run.status in (Status.SUCCEEDED, Status.PARTIAL)


def test_a_forge_slower_than_a_page_may_be_is_left_to_a_worker(
    connection: Connection, alice: User, settings: Settings
) -> None:
    settings.REFRESH_INLINE_SECONDS = 0.2
    membership = Membership.objects.get(user=alice)

    with connection.forge.fault(faults.slow(0.5), on="GET */git/trees/*"):
        run = request_refresh(connection.integration, prune=True, membership=membership)

    assert run.status == Status.QUEUED
    assert run.enqueued_at is not None


@pytest.fixture
def deep(connect: Connect, forge: Forge) -> Connection:
    """Eight folders, for each of which GitHub has to be asked by itself."""
    repository = forge.repository("acme/deep")
    repository.git.commit({f"{folder}/{n}.md": f"{folder}{n}\n" for folder in range(8) for n in range(2)})
    forge.caps.tree_entries = 10
    return connect(repository)


@pytest.mark.parametrize(("seconds", "skip"), [(0.3, 0), (2, 4)], ids=["each request is in time", "one folder is not"])
def test_a_tree_that_comes_folder_by_folder_holds_a_page_no_longer_than_the_whole_may_take(
    deep: Connection, alice: User, settings: Settings, seconds: float, skip: int
) -> None:
    settings.REFRESH_INLINE_SECONDS = 0.5

    began = time.monotonic()
    with deep.forge.fault(faults.slow(seconds), on="GET */git/trees/*", skip=skip):
        run = request_refresh(deep.integration, prune=True, membership=Membership.objects.get(user=alice))

    assert run.status == Status.QUEUED, "neither failed nor made of what was listed so far"
    assert time.monotonic() - began < 2
    assert deep.paths() == []


def test_when_too_many_ask_forges_a_worker_does_it(
    connection: Connection, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "TURN_SECONDS", 0.05)
    membership = Membership.objects.get(user=alice)
    with ExitStack() as others:
        for _ in range(opening.AT_ONCE):
            others.enter_context(opening.client_for(forge="git", base_url="", credential=Credential(), seconds=5))
        refreshed = request_refresh(connection.integration, prune=True, membership=membership)
        previewed = request_preview(connection.integration, prune=True, membership=membership)

    assert (refreshed.status, previewed.status) == (Status.QUEUED, Status.QUEUED)


def test_a_repository_too_large_to_wait_for_is_left_to_a_worker_and_told_by_the_form(
    forge: Forge, book: HostedRepository, docs: Server, alice: User, settings: Settings
) -> None:
    form = Entered(forge="git", repository=forge.clone_url("acme/book"))
    made = connecting.connect(docs, form, probing.probe(form), by=alice)
    settings.FORGE_INTERACTIVE_MAX_BYTES = 50
    membership = Membership.objects.get(user=alice)

    with pytest.raises(FieldError, match=r"look into while you wait\. An import in the background takes"):
        picking.count_matching(form)
    assert request_preview(made.integration, prune=True, membership=membership).status == Status.QUEUED
    assert request_refresh(made.integration, prune=True, membership=membership).status == Status.QUEUED


def test_the_token_is_in_no_log_line_run_or_column(
    connect: Connect, book: HostedRepository, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = "ghp_" + "S3cret" * 6
    connection = connect(book)
    integration = connection.integration
    integration.token = token
    integration.save()
    for fault in (faults.unauthorized(), faults.status(500), faults.rate_limited(), faults.cut_before_reply()):
        with connection.forge.fault(fault):
            connection.refresh()

    everything = [caplog.text]
    for model in (Run, Content, ImportedFile, type(integration), type(connection.track)):
        everything.extend(str(vars(row)) for row in model._base_manager.all())
    assert token not in "".join(everything)

"""Connect, edit, delete and connect again: what the configuration of an integration does and refuses."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from django.db import connection as database

from catalog.models import Content, Origin, Server
from forges.picking import FieldError, branches, repositories
from integrations import connecting, left_overs, picking, probing
from integrations.models import ImportedFile, Integration, Track
from integrations.probing import Entered
from jobs import runs
from jobs.models import Run, Status, Trigger
from orgs.models import AuditEvent, User
from tests.integrations.conftest import Connect
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture
def entered(forge: Forge, book: HostedRepository) -> Entered:
    """What a person enters to connect the book."""
    return Entered(forge="github", base_url=forge.url, repository="acme/book", token=forge.token("acme"))


def refused(entered: Entered) -> tuple[str, str]:
    with pytest.raises(FieldError) as error:
        probing.probe(entered)
    assert not Integration.objects.exists()
    return error.value.field, str(error.value)


def test_what_was_entered_does_not_show_its_token_where_it_is_printed(entered: Entered) -> None:
    assert entered.token not in repr(entered)


def test_a_bad_token_is_an_error_on_its_field(entered: Entered) -> None:
    field, sentence = refused(replace(entered, token="ghp_wrong"))
    assert field == "token"
    assert "does not accept" in sentence
    assert "ghp_wrong" not in sentence


def test_a_token_that_cannot_see_the_repository_says_so_on_the_repository(
    forge: Forge, private_repo: HostedRepository, entered: Entered
) -> None:
    field, sentence = refused(replace(entered, repository="acme/secret", token=forge.token("mallory")))
    assert field == "repository"
    assert "This token sees no such repository" in sentence


def test_a_private_repository_without_a_token_asks_for_one(private_repo: HostedRepository, entered: Entered) -> None:
    field, sentence = refused(replace(entered, repository="acme/secret", token=""))
    assert field == "repository"
    assert "access token" in sentence


def test_a_branch_that_is_not_there_is_an_error_on_its_field(entered: Entered) -> None:
    assert refused(replace(entered, branch="nonsense"))[0] == "branch"
    assert refused(replace(entered, branch="--upload-pack=evil"))[0] == "branch"


@pytest.mark.parametrize(
    "repository", ["--upload-pack=touch /tmp/x", "ext::sh -c id", "https://token@github.com/acme/book", "a/b/c", "book"]
)
def test_what_is_no_repository_is_an_error_on_its_field(entered: Entered, repository: str) -> None:
    assert refused(replace(entered, repository=repository))[0] == "repository"


def test_an_address_inside_is_refused(entered: Entered) -> None:
    field, sentence = refused(replace(entered, base_url="http://127.0.0.2:1/", token=""))
    assert field == "repository"
    assert "EGRESS_ALLOW_HOSTS" in sentence


def test_the_default_branch_is_taken_when_none_is_entered(forge: Forge, entered: Entered) -> None:
    forge.repository("acme/trunk", default_branch="trunk").git.commit({"a.md": "a"}, branch="trunk")
    assert probing.probe(replace(entered, repository="acme/trunk")).branch == "trunk"


def test_the_token_is_stored_encrypted_and_is_not_in_the_audit_log(entered: Entered, docs: Server, alice: User) -> None:
    made = connecting.connect(docs, entered, probing.probe(entered), by=alice)

    integration = Integration.objects.get(pk=made.integration.pk)
    assert integration.token == entered.token
    assert entered.token not in str(vars(integration))
    event = AuditEvent.objects.get(action="integration.connected")
    assert entered.token not in str(vars(event))
    assert event.scope == str(docs.pk)


def test_connecting_again_updates_the_row_with_the_new_token_branch_and_filter(
    forge: Forge, book: HostedRepository, entered: Entered, docs: Server, alice: User
) -> None:
    book.git.branch("next", at="main")
    first = connecting.connect(docs, entered, probing.probe(entered), by=alice)
    other = replace(
        entered,
        repository=f"{forge.url}/Acme/Book.git",
        token=forge.token("acme"),
        branch="next",
        include="chapters/",
    )

    second = connecting.connect(docs, other, probing.probe(other), by=alice)

    assert not second.created
    integration = Integration.objects.get()
    assert integration.pk == first.integration.pk
    assert integration.token == other.token
    track = Track.objects.get()
    assert (track.branch, track.include) == ("next", "chapters/")


@pytest.mark.django_db(transaction=True)
def test_two_people_connecting_the_same_repository_at_once_make_one_row(
    entered: Entered, docs: Server, alice: User
) -> None:
    found = probing.probe(entered)
    together = threading.Barrier(2)
    problems: list[BaseException] = []

    def connect() -> None:
        try:
            together.wait(timeout=10)
            connecting.connect(docs, entered, found, by=alice)
        except BaseException as error:  # told below, in the test's own thread
            problems.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=connect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert problems == []
    assert Integration.objects.count() == 1
    assert Track.objects.count() == 1


def test_a_pattern_that_is_none_is_an_error_on_its_line_and_field(entered: Entered, docs: Server, alice: User) -> None:
    found = probing.probe(entered)
    with pytest.raises(FieldError, match="Line 2") as error:
        connecting.connect(docs, replace(entered, exclude="drafts/\n[z-"), found, by=alice)
    assert error.value.field == "exclude"
    assert not Integration.objects.exists()


@pytest.mark.parametrize("mount", ["../up", "a//b", "a/.git/b", "a\\b"])
def test_a_mount_path_that_leads_elsewhere_is_refused(entered: Entered, docs: Server, alice: User, mount: str) -> None:
    with pytest.raises(FieldError) as error:
        connecting.connect(docs, replace(entered, mount_path=mount), probing.probe(entered), by=alice)
    assert error.value.field == "mount_path"


def test_the_filter_is_counted_before_anything_is_saved(entered: Entered) -> None:
    count = picking.count_matching(replace(entered, include="chapters/0*", exclude="*9.md"))
    assert (count.matching, count.files, count.complete) == (8, 12, True)
    assert not Integration.objects.exists()


def test_a_path_that_no_refresh_would_take_is_not_put_to_the_patterns(entered: Entered, book: HostedRepository) -> None:
    book.git.commit({samples.long_path(): "long"})
    assert len(book.git.files()) == 13
    count = picking.count_matching(entered)
    assert (count.matching, count.files) == (12, 12)


def test_the_picker_finds_what_the_token_can_see(
    forge: Forge, entered: Entered, private_repo: HostedRepository
) -> None:
    names = {repository.full_name for repository in repositories(entered, query="sec")}
    assert names == {"acme/secret"}
    stranger = replace(entered, token=forge.token("mallory"))
    assert not repositories(stranger, query="sec")


def test_the_branch_picker_begins_with_the_default_branch(book: HostedRepository, entered: Entered) -> None:
    book.git.branch("a-first", at="main")
    default, found = branches(entered)
    assert default == "main"
    assert [branch.name for branch in found] == ["main", "a-first"]


def test_a_blank_token_keeps_the_stored_one_and_a_new_one_replaces_it(
    forge: Forge, entered: Entered, docs: Server, alice: User
) -> None:
    made = connecting.connect(docs, entered, probing.probe(entered), by=alice)
    connecting.edit(made.integration, made.track, replace(entered, token="", exclude="x/"), found=None, by=alice)
    assert Integration.objects.get().token == entered.token

    new = replace(entered, token=forge.token("acme"))
    connecting.edit(made.integration, made.track, new, found=probing.probe(new), by=alice)
    assert Integration.objects.get().token == new.token


def test_editing_cannot_slip_another_repository_under_an_integration(
    forge: Forge, entered: Entered, docs: Server, alice: User, private_repo: HostedRepository
) -> None:
    made = connecting.connect(docs, entered, probing.probe(entered), by=alice)
    other = replace(entered, repository="acme/secret")
    with pytest.raises(FieldError, match="another repository"):
        connecting.edit(made.integration, made.track, other, found=probing.probe(other), by=alice)
    assert Integration.objects.get().repository == "acme/book"


def test_deleting_keeps_the_content_stops_the_queued_runs_and_connecting_again_adopts_it(
    connect: Connect, book: HostedRepository, entered: Entered, docs: Server, alice: User
) -> None:
    connected = connect(book)
    connected.refresh()
    ids = set(Content.objects.values_list("pk", flat=True))
    queued = runs.request_run(
        kind="integrations.refresh",
        subject=connected.integration,
        organization=docs.organization,
        options={"prune": True},
        trigger=Trigger.MANUAL,
        requested_by=alice,
    ).run

    deleted = connecting.delete_integration(connected.integration, by=alice)

    assert deleted.kept_files == 12
    assert Run.objects.get(pk=queued.pk).status == Status.CANCELLED
    assert Content.objects.count() == 12
    (left,) = left_overs.of_server(docs)
    assert (left.repository, left.branch, left.files) == ("acme/book", "main", 12)

    again = connecting.connect(docs, entered, probing.probe(entered), by=alice)
    assert again.adopted == 12
    assert left_overs.of_server(docs) == []
    book.git.commit({"chapters/01.md": "# Revised\n"})
    run = connect(book).refresh()
    assert (run.counts["changed"], run.counts["added"], run.counts["skipped"]) == (1, 0, 0)
    assert set(Content.objects.values_list("pk", flat=True)) == ids


def test_left_over_files_are_removed_in_a_second_step_but_not_what_a_person_took_over(
    connect: Connect, book: HostedRepository, docs: Server, alice: User
) -> None:
    from catalog import contents

    connected = connect(book)
    connected.refresh()
    mine = Content.objects.select_related("server__organization").get(path="chapters/01.md")
    contents.detach_content(content=mine, by=alice)
    connecting.delete_integration(connected.integration, by=alice)
    (left,) = left_overs.of_server(docs)

    removed = left_overs.remove(docs, left.source_key, by=alice)

    assert removed == 11
    assert Content.objects.get().origin == Origin.TYPED
    assert not ImportedFile.objects.filter(detached_at=None).exists()


def test_left_over_files_of_another_server_cannot_be_removed(
    connect: Connect, book: HostedRepository, docs: Server, alice: User, charlie: User
) -> None:
    from tests import factories

    connected = connect(book)
    connected.refresh()
    connecting.delete_integration(connected.integration, by=alice)
    (left,) = left_overs.of_server(docs)
    elsewhere = factories.server(charlie.memberships.get().organization)

    assert left_overs.remove(elsewhere, left.source_key, by=charlie) == 0
    assert Content.objects.filter(server=docs).count() == 12


def test_a_changed_branch_is_a_diff_and_not_a_new_import(
    connect: Connect, book: HostedRepository, entered: Entered, alice: User, forge: Forge
) -> None:
    book.git.branch("next", at="main")
    book.git.commit({"chapters/01.md": "# Next\n"}, branch="next")
    connected = connect(book)
    connected.refresh()
    other = replace(entered, branch="next")
    connecting.edit(connected.integration, connected.track, other, found=probing.probe(other), by=alice)
    forge.requests.clear()

    run = connected.refresh()

    assert (run.counts["changed"], run.counts["unchanged"], run.counts["added"]) == (1, 11, 0)
    assert forge.requests.count() == 3


def test_a_forge_that_does_not_answer_is_told_on_the_form(entered: Entered, forge: Forge) -> None:
    with forge.fault(faults.cut_before_reply()):
        field, sentence = refused(entered)
    assert field in ("repository", "token")
    assert "later" in sentence

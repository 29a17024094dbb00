"""Commands and skills attached to servers: by whom, which, and how that is told."""

from __future__ import annotations

import re
import threading
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from catalog import attaching, commands, server_files
from catalog.attaching import AttachedMeanwhile, attach
from catalog.checking.problems import Invalid
from catalog.models import Command, Server, Skill
from catalog.saving import Change
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.catalog.pages import page, queries_of, words
from tests.conftest import Browse

pytestmark = pytest.mark.django_db
ADDRESS = "/o/acme/servers/docs/attached/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def docs(acme: Organization) -> Server:
    return factories.server(acme, "Docs", slug="docs")


@pytest.fixture
def greet(acme: Organization) -> Command:
    return factories.command(acme, "Greet", slug="greet")


@pytest.fixture
def pdf(acme: Organization) -> Skill:
    return factories.skill(acme, "Fill forms", slug="pdf-forms")


def offered(server: Server) -> tuple[list[str], list[str]]:
    return (
        sorted(server.commands.values_list("slug", flat=True)),
        sorted(server.skills.values_list("slug", flat=True)),
    )


def test_what_is_attached_is_one_change_and_in_the_servers_file(
    docs: Server, greet: Command, pdf: Skill, bob: User, config_news: list[Any]
) -> None:
    revision = docs.config_revision
    attach(docs, commands=[greet.pk], skills=[pdf.pk], by=bob)
    assert offered(docs) == (["greet"], ["pdf-forms"])
    docs.refresh_from_db()
    assert docs.config_revision == revision + 1
    assert [(each["change"], each["by"]) for each in config_news] == [(Change("update", "server", "Docs"), bob)]
    event = AuditEvent.objects.get(action="server.attached")
    assert (event.actor, event.before, event.after) == (
        bob,
        {"commands": [], "skills": []},
        {"commands": ["greet"], "skills": ["pdf-forms"]},
    )
    document = server_files.document(docs)
    assert (document["commands"], document["skills"]) == (["greet"], ["pdf-forms"])
    attach(docs, commands=[greet.pk], skills=[pdf.pk], by=bob)
    docs.refresh_from_db()
    assert (docs.config_revision, len(config_news)) == (revision + 1, 1), "nothing changed"
    attach(docs, commands=[], skills=[pdf.pk], by=bob)
    assert offered(docs) == ([], ["pdf-forms"])


def test_only_what_the_organisation_has_is_attached_to_its_servers(docs: Server, acme: Organization, bob: User) -> None:
    elsewhere = factories.command(factories.organization("Elsewhere"))
    own = factories.command(acme, owner=bob)
    for key in (elsewhere.pk, own.pk, uuid.uuid4()):
        with pytest.raises(Invalid):
            attach(docs, commands=[key], skills=[], by=bob)
    assert offered(docs) == ([], [])


def test_a_personal_command_goes_to_a_personal_server_of_its_owner_alone(
    acme: Organization, alice: User, bob: User, greet: Command
) -> None:
    mine = factories.server(acme, "Mine", owner=alice)
    own, his = factories.command(acme, slug="own", owner=alice), factories.command(acme, slug="his", owner=bob)
    attach(mine, commands=[own.pk, greet.pk], skills=[], by=alice)
    assert offered(mine)[0] == ["greet", "own"]
    assert "own" not in str(AuditEvent.objects.get(action="server.attached").after), "the log is read by others"
    assert server_files.document(mine)["commands"] == ["greet"]
    for by in (alice, bob):
        with pytest.raises(Invalid):
            attach(mine, commands=[his.pk], skills=[], by=by)
    assert [row.slug for row in attaching.attached(mine, bob)["commands"]] == ["greet"]
    attach(mine, commands=[], skills=[], by=bob)
    assert offered(mine)[0] == ["own"], "what others do not see, they do not take away"


def test_what_somebody_attached_meanwhile_stays(docs: Server, greet: Command, pdf: Skill, bob: User) -> None:
    attach(docs, commands=[greet.pk], skills=[], by=None)
    with pytest.raises(AttachedMeanwhile):
        attach(docs, commands=[], skills=[pdf.pk], by=bob, seen=[])
    assert offered(docs) == (["greet"], [])
    attach(docs, commands=[greet.pk], skills=[pdf.pk], by=bob, seen=[greet.pk])
    assert offered(docs) == (["greet"], ["pdf-forms"])


def test_a_server_hears_of_its_commands_new_slug_and_of_its_end(
    docs: Server, greet: Command, bob: User, config_news: list[Any]
) -> None:
    attach(docs, commands=[greet.pk], skills=[], by=bob)
    docs.refresh_from_db()
    revision = docs.config_revision
    values = {"name": "Greet", "slug": "hello", "description": "", "arguments": [], "prompt": "Say hello."}
    greet = commands.edit_command(command=greet, values=values, seen_revision=None, by=bob)
    docs.refresh_from_db()
    assert docs.config_revision == revision + 1
    assert server_files.document(docs)["commands"] == ["hello"]
    commands.delete_command(command=greet, by=bob)
    docs.refresh_from_db()
    assert docs.config_revision == revision + 2
    assert config_news[-1]["server"] == docs


# The panel.


def post(client: Client, chosen: dict[str, Any], **headers: str) -> Any:
    return client.post(ADDRESS, chosen, headers=headers)


def test_the_panel_is_on_the_general_tab_and_a_page_by_itself(browse: Browse, carol: User, docs: Server) -> None:
    shown = page(browse(carol), "/o/acme/servers/docs/")
    assert f'hx-get="{ADDRESS}"' in shown
    assert f'<a href="{ADDRESS}">Commands and skills</a>' in shown
    whole = page(browse(carol), ADDRESS)
    assert "<html" in whole
    part = words(browse(carol).get(ADDRESS, headers=HTMX))
    assert "<html" not in part
    assert 'id="attached"' in part


def test_a_member_who_may_edit_chooses_and_saves(
    browse: Browse, bob: User, docs: Server, greet: Command, pdf: Skill
) -> None:
    client = browse(bob)
    form = page(client, ADDRESS)
    assert f'name="commands" value="{greet.pk}"' in form
    response = post(client, {"commands": [str(greet.pk)], "skills": [str(pdf.pk)], "seen": ""})
    assert (response.status_code, response["Location"]) == (302, ADDRESS)
    assert offered(docs) == (["greet"], ["pdf-forms"])
    shown = page(client, ADDRESS)
    assert "What Docs offers is saved." in shown
    assert f'value="{greet.pk}" checked' in shown
    assert f'value="{greet.pk} {pdf.pk}"' in shown


def test_with_a_script_the_panel_alone_answers(browse: Browse, bob: User, docs: Server, greet: Command) -> None:
    response = browse(bob).post(ADDRESS, {"commands": [str(greet.pk)], "seen": ""}, headers=HTMX, follow=True)
    shown = words(response)
    assert "<html" not in shown
    assert "What Docs offers is saved." in shown
    assert "HX-Request" in response["Vary"]


def test_a_viewer_reads_and_may_not_save(browse: Browse, carol: User, docs: Server, greet: Command) -> None:
    client = browse(carol)
    assert "Nothing is attached." in page(client, ADDRESS)
    attach(docs, commands=[greet.pk], skills=[], by=None)
    shown = page(client, ADDRESS)
    assert f'<a href="/o/acme/commands/{greet.pk}/">Greet</a>' in shown
    assert "<form" not in shown.partition('id="attached"')[2].partition("</section>")[0]
    assert post(client, {"seen": str(greet.pk)}).status_code == 403
    assert offered(docs)[0] == ["greet"]


def test_what_was_attached_meanwhile_is_shown_and_nothing_is_saved(
    browse: Browse, bob: User, docs: Server, greet: Command, pdf: Skill
) -> None:
    attach(docs, commands=[greet.pk], skills=[], by=None)
    response = post(browse(bob), {"skills": [str(pdf.pk)], "seen": ""})
    assert response.status_code == 422
    assert "Somebody else changed what is attached" in words(response)
    assert f'value="{greet.pk}" checked' in words(response)
    assert offered(docs) == (["greet"], [])


@pytest.mark.parametrize("forged", ["x", "00000000-0000-4000-8000-000000000000", "\0", ""])
def test_a_forged_choice_is_refused(browse: Browse, bob: User, docs: Server, forged: str) -> None:
    for chosen in ({"commands": [forged], "seen": ""}, {"commands": [], "seen": forged or "nobody"}):
        response = post(browse(bob), chosen)
        assert response.status_code == 422
        assert offered(docs) == ([], [])


def test_what_is_not_mine_is_neither_offered_nor_taken(
    browse: Browse, bob: User, alice: User, acme: Organization, docs: Server
) -> None:
    theirs = [
        factories.command(acme, "Of Alice", owner=alice),
        factories.command(acme, "Of Bob", owner=bob),
        factories.command(factories.organization("Elsewhere"), "Of others"),
    ]
    client = browse(bob)
    shown = page(client, ADDRESS)
    for row in theirs:
        assert row.name not in shown
        assert post(client, {"commands": [str(row.pk)], "seen": ""}).status_code == 422
    assert offered(docs) == ([], [])


def test_a_name_is_text(browse: Browse, bob: User, acme: Organization, docs: Server) -> None:
    factories.command(acme, "<script>alert(1)</script>", slug="nasty")
    shown = page(browse(bob), ADDRESS)
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_hundreds_of_commands_are_folded_and_those_attached_come_first(
    browse: Browse, bob: User, acme: Organization, docs: Server, pdf: Skill
) -> None:
    many = [factories.command(acme, f"Command {number:03}") for number in range(40)]
    shown = page(browse(bob), ADDRESS)
    assert 'data-filters="pick-attached"' in shown
    assert re.search(r'<details class="pick-group" id="id_commands"\s*>', shown), "closed"
    assert re.search(r'<details class="pick-group" id="id_skills"\s+open>', shown), "open, as there are few"
    docs.commands.set([many[-1]])
    shown = page(browse(bob), ADDRESS)
    assert re.search(r'<details class="pick-group" id="id_commands"\s+open>', shown)
    assert shown.index("Command 039") < shown.index("Command 000")
    assert str(pdf.pk) in shown


def test_the_panel_asks_the_same_number_of_queries_however_much_there_is(
    browse: Browse, bob: User, acme: Organization, docs: Server
) -> None:
    client = browse(bob)
    page(client, ADDRESS)
    few = queries_of(lambda: page(client, ADDRESS))
    attach(docs, commands=[factories.command(acme).pk for _ in range(9)], skills=[factories.skill(acme).pk], by=None)
    assert queries_of(lambda: page(client, ADDRESS)) == few


def test_there_is_something_to_do_where_there_is_nothing_yet(browse: Browse, bob: User, docs: Server) -> None:
    shown = page(browse(bob), ADDRESS)
    assert "There are no commands yet." in shown
    assert 'href="/o/acme/commands/new/"' in shown
    assert "There are no skills yet." in shown
    panel = shown.partition('id="attached"')[2].partition("</section>")[0]
    assert 'type="submit"' not in panel


@pytest.mark.django_db(transaction=True)
def test_a_command_deleted_at_the_same_moment_is_told_and_no_error() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("On SQLite no two write at the same moment.")
    acme = factories.organization("Acme")
    server, greet = factories.server(acme), factories.command(acme, "Greet")
    results: list[Any] = []

    def choose() -> None:
        try:
            results.append(attach(server, commands=[greet.pk], skills=[], by=None))
        except Exception as error:  # looked at below
            results.append(error)
        finally:
            connection.close()

    attaching = threading.Thread(target=choose)
    with transaction.atomic():
        commands.delete_command(command=greet, by=None)
        attaching.start()
        attaching.join(1)
        assert attaching.is_alive(), "It waits for the deletion, which could still be undone."
    attaching.join()
    assert isinstance(results[0], Invalid)
    assert not server.commands.exists()

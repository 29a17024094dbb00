"""Pages of toolkits: the list, one, its form, stale saves; and what all kinds share: lists, sharing, deleting."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from catalog import library
from catalog.library import register_consequence
from catalog.models import Server, Tool, Toolkit
from orgs.models import Organization, User
from tests import factories
from tests.catalog.pages import page, queries_of, words
from tests.conftest import Browse

LIST = "/o/acme/toolkits/"


def at(row: Toolkit, name: str = "") -> str:
    return f"{LIST}{row.pk}/{name}"


def form(**values: Any) -> dict[str, Any]:
    return {"name": "Weather", "slug": "", "description": "", "who": "organization", **values}


def mine(person: User, acme: Organization, name: str = "Mine", **more: Any) -> Toolkit:
    return factories.toolkit(acme, name, owner=person, **more)


@pytest.fixture
def tool(docs: Server) -> Tool:
    return factories.tool(factories.provider(docs), "getWeather")


# ------------------------------------------------------------------------------------------- the list


@pytest.mark.parametrize("kind", ["toolkit", "command", "skill", "client"])
def test_an_empty_list_says_what_it_is_for_and_what_to_do(browse: Browse, bob: User, carol: User, kind: str) -> None:
    shown = page(browse(bob), f"/o/acme/{kind}s/")
    assert f"No {kind}s yet" in shown
    assert f'href="/o/acme/{kind}s/new/">New {kind}' in shown
    shown = page(browse(carol), f"/o/acme/{kind}s/")
    assert f'href="/o/acme/{kind}s/new/"' not in shown
    assert "an admin of the organisation can grant it" in shown


@pytest.mark.parametrize("kind", ["toolkit", "command", "skill", "client"])
def test_a_list_asks_the_same_number_of_queries_however_long_it_is(
    browse: Browse, carol: User, acme: Organization, kind: str
) -> None:
    client = browse(carol)
    address = f"/o/acme/{kind}s/"
    for _ in range(2):
        _used(acme, kind)
    client.get(address)
    few = queries_of(lambda: client.get(address))
    for _ in range(8):
        _used(acme, kind)
    assert queries_of(lambda: client.get(address)) == few


def _used(acme: Organization, kind: str) -> None:
    row = getattr(factories, kind)(acme)
    if kind == "toolkit":
        factories.client(acme, toolkits=[row])
    elif kind == "client":
        row.servers.add(factories.server(acme))
    else:
        getattr(factories.toolkit(acme), f"{kind}s").add(row)
        row.servers.add(factories.server(acme))


def test_the_list_says_what_uses_each_and_tells_nothing_of_another_person(
    browse: Browse, alice: User, bob: User, acme: Organization
) -> None:
    greet = factories.command(acme, "Greet")
    greet.servers.add(factories.server(acme))
    factories.toolkit(acme, "Shared", commands=[greet])
    mine(alice, acme, "Secret plan", commands=[greet])
    assert "2 toolkits, 1 server" in page(browse(alice), "/o/acme/commands/")
    assert "1 toolkit, 1 server" in page(browse(bob), "/o/acme/commands/")


def test_a_client_says_what_it_is_meant_to_reach(browse: Browse, carol: User, acme: Organization) -> None:
    servers = [factories.server(acme), factories.server(acme)]
    factories.client(acme, "Editor", servers=servers, toolkits=[factories.toolkit(acme)])
    assert "2 servers, 1 toolkit" in page(browse(carol), "/o/acme/clients/")


def test_lists_are_searched_sorted_and_filtered_by_the_address(browse: Browse, alice: User, acme: Organization) -> None:
    factories.toolkit(acme, "Weather")
    factories.toolkit(acme, "Maps", slug="geo-maps")
    mine(alice, acme, "Diary")
    client = browse(alice)

    def names(address: str) -> list[str]:
        return [name for name in ("Weather", "Maps", "Diary") if f">{name}<" in page(client, address)]

    assert names(LIST) == ["Weather", "Maps", "Diary"]
    assert names(f"{LIST}?q=GEO") == ["Maps"]
    assert names(f"{LIST}?show=personal") == ["Diary"]
    assert names(f"{LIST}?show=shared") == ["Weather", "Maps"]
    assert names(f"{LIST}?show=nothing-of-the-kind") == ["Weather", "Maps", "Diary"]
    assert "Nothing matches" in page(client, f"{LIST}?q=nothing-has-this")
    shown = page(client, f"{LIST}?sort=-name")
    assert shown.index(">Weather<") < shown.index(">Maps<") < shown.index(">Diary<")


def test_long_lists_have_pages(browse: Browse, carol: User, acme: Organization) -> None:
    for number in range(51):
        factories.toolkit(acme, f"Toolkit {number:03}")
    shown = page(browse(carol), f"{LIST}?page=2")
    assert "51–51 of 51 toolkits" in shown
    assert "Toolkit 050" in shown


def test_the_library_is_in_the_navigation_with_how_many_there_are(
    browse: Browse, bob: User, alice: User, acme: Organization
) -> None:
    factories.toolkit(acme)
    mine(alice, acme)
    shown = page(browse(bob), LIST)
    assert '<a href="/o/acme/toolkits/" aria-current="page">Library</a>' in shown
    assert 'Toolkits <span class="badge badge-count">1</span>' in shown
    assert 'Toolkits <span class="badge badge-count">2</span>' in page(browse(alice), LIST)


# ------------------------------------------------------------------------------------------- one


def test_a_toolkit_shows_what_is_in_it_and_what_uses_it(
    browse: Browse, carol: User, acme: Organization, tool: Tool
) -> None:
    resource = factories.resource(tool.provider, "Guide")
    greet, forms = factories.command(acme, "Greet"), factories.skill(acme, "Forms")
    row = factories.toolkit(acme, "Weather", tool, resource, commands=[greet], skills=[forms])
    factories.client(acme, "Editor", toolkits=[row])
    shown = page(browse(carol), at(row))
    for what in ("getWeather", resource.uri, ">Greet<", ">Forms<", ">Editor<", ">Docs<"):
        assert what in shown
    assert "edit/" not in shown


@pytest.mark.parametrize("kind", ["toolkit", "command", "skill"])
@pytest.mark.parametrize("name", ["", "edit/", "delete/", "share/", "history/", "history/1/restore/"])
def test_what_is_anothers_own_is_not_found_by_anyone(
    browse: Browse, alice: User, bob: User, acme: Organization, kind: str, name: str
) -> None:
    row = getattr(factories, kind)(acme, "Diary", owner=bob)
    assert browse(alice).get(f"/o/acme/{kind}s/{row.pk}/{name}").status_code == 404
    assert browse(alice).post(f"/o/acme/{kind}s/{row.pk}/{name}").status_code in (404, 405)
    assert "Diary" not in page(browse(alice), f"/o/acme/{kind}s/")


def test_a_toolkit_asks_the_same_number_of_queries_however_much_is_in_it(
    browse: Browse, carol: User, acme: Organization, tool: Tool
) -> None:
    small = factories.toolkit(acme, "Small", tool)
    more = [factories.tool(factories.provider(factories.server(acme))) for _ in range(6)]
    large = factories.toolkit(acme, "Large", *more, commands=[factories.command(acme) for _ in range(4)])
    client = browse(carol)
    client.get(at(small))
    assert queries_of(lambda: client.get(at(large))) == queries_of(lambda: client.get(at(small)))


# ------------------------------------------------------------------------------------------- create


def test_a_toolkit_is_made_of_what_is_chosen(browse: Browse, bob: User, acme: Organization, tool: Tool) -> None:
    greet = factories.command(acme, "Greet")
    values = form(tools=[str(tool.pk)], commands=[str(greet.pk)])
    shown = words(browse(bob).post(f"{LIST}new/", values, follow=True))
    row = Toolkit.objects.get()
    assert (row.slug, row.owner) == ("weather", None)
    assert [item.tool for item in row.items.all()] == [tool]
    assert list(row.commands.all()) == [greet]
    assert "getWeather" in shown


def test_a_toolkit_can_be_made_for_oneself(browse: Browse, bob: User, acme: Organization) -> None:
    own = factories.command(acme, "Own", owner=bob)
    browse(bob).post(f"{LIST}new/", form(who="me", commands=[str(own.pk)]))
    row = Toolkit.objects.get()
    assert row.owner == bob
    assert list(row.commands.all()) == [own]


def test_the_form_groups_by_server_what_can_be_chosen(
    browse: Browse, bob: User, acme: Organization, tool: Tool
) -> None:
    factories.server(acme, "Empty one")
    factories.command(acme, "Of another person", owner=factories.user())
    shown = page(browse(bob), f"{LIST}new/")
    assert '<span class="pick-group-name">Docs</span>' in shown
    assert "Empty one" not in shown
    assert "Of another person" not in shown
    assert f'name="tools" value="{tool.pk}"' in shown


def test_hundreds_of_commands_are_folded_and_what_is_chosen_of_them_comes_first(
    browse: Browse, bob: User, acme: Organization, tool: Tool
) -> None:
    many = [factories.command(acme, f"Command {number:03}") for number in range(40)]
    assert "There are no skills yet." in page(browse(bob), f"{LIST}new/")
    factories.skill(acme, "pdf-forms")
    shown = page(browse(bob), f"{LIST}new/")
    assert 'data-filters="pick-texts"' in shown
    assert re.search(r'<details class="pick-group" id="id_commands"\s*>', shown), "closed"
    assert re.search(r'<details class="pick-group" id="id_skills"\s+open>', shown), "open, as there are few"
    row = factories.toolkit(acme, "Large", tool, commands=[many[-1]])
    shown = page(browse(bob), f"{at(row)}edit/")
    assert re.search(r'<details class="pick-group" id="id_commands"\s+open>', shown)
    assert "<span data-chosen>1</span> of 40 chosen" in shown
    assert shown.index("Command 039") < shown.index("Command 000")


def test_the_form_asks_the_same_number_of_queries_for_hundreds_of_tools(
    browse: Browse, bob: User, acme: Organization, tool: Tool
) -> None:
    client = browse(bob)
    client.get(f"{LIST}new/")
    few = queries_of(lambda: client.get(f"{LIST}new/"))
    for _ in range(3):
        provider = factories.provider(factories.server(acme))
        for _ in range(100):
            factories.tool(provider)
    assert queries_of(lambda: client.get(f"{LIST}new/")) == few


def test_a_choice_of_another_organisation_or_person_is_refused_and_nothing_is_saved(
    browse: Browse, bob: User, alice: User, acme: Organization
) -> None:
    elsewhere = factories.tool(factories.provider(factories.server(factories.organization())))
    own = factories.command(acme, "Own", owner=alice)
    for name, key in (("tools", elsewhere.pk), ("commands", own.pk), ("tools", uuid4()), ("prompts", "x")):
        shown = words(browse(bob).post(f"{LIST}new/", form(**{name: [str(key)]})))
        assert "that you chose is not there any more" in shown
    assert not Toolkit.objects.exists()


def test_what_is_the_organisations_cannot_hold_what_is_personal(browse: Browse, bob: User, acme: Organization) -> None:
    own = factories.command(acme, "Own", owner=bob)
    shown = words(browse(bob).post(f"{LIST}new/", form(commands=[str(own.pk)])))
    assert "can hold only what is the organisation’s" in shown
    assert not Toolkit.objects.exists()


def test_a_slug_that_is_taken_is_told_beside_the_field(browse: Browse, bob: User, acme: Organization) -> None:
    factories.toolkit(acme, "Other", slug="weather")
    shown = words(browse(bob).post(f"{LIST}new/", form(slug="weather")))
    assert "There is already a toolkit with the slug “weather”" in shown
    assert Toolkit.objects.count() == 1


def test_a_viewer_makes_and_changes_nothing(browse: Browse, carol: User, acme: Organization) -> None:
    row = factories.toolkit(acme, "Weather")
    own = mine(carol, acme)
    for address in (f"{LIST}new/", at(row, "edit/"), at(row, "delete/"), at(own, "share/"), at(own, "delete/")):
        assert browse(carol).post(address, form()).status_code == 403
    assert Toolkit.objects.count() == 2


# ------------------------------------------------------------------------------------------- edit


def edited(row: Toolkit, **values: Any) -> dict[str, Any]:
    return {"name": row.name, "slug": row.slug, "description": "", "seen_revision": row.revision, **values}


def test_an_edit_saves_what_is_chosen_now(browse: Browse, bob: User, acme: Organization, tool: Tool) -> None:
    other = factories.tool(tool.provider, "getCity")
    row = factories.toolkit(acme, "Weather", tool)
    shown = page(browse(bob), at(row, "edit/"))
    assert f'value="{tool.pk}" checked' in shown
    assert f'value="{other.pk}" checked' not in shown
    assert 'name="who"' not in shown
    browse(bob).post(at(row, "edit/"), edited(row, tools=[str(other.pk)], name="Climate"))
    row.refresh_from_db()
    assert (row.name, [item.tool for item in row.items.all()]) == ("Climate", [other])


def test_only_what_a_toolkit_may_hold_is_offered(browse: Browse, bob: User, acme: Organization) -> None:
    factories.command(acme, "Own words", owner=bob)
    assert "Own words" not in page(browse(bob), at(factories.toolkit(acme), "edit/"))
    assert "Own words" in page(browse(bob), at(mine(bob, acme), "edit/"))


def test_a_stale_save_shows_both_and_loses_neither(
    browse: Browse, bob: User, adam: User, acme: Organization, tool: Tool
) -> None:
    other = factories.tool(tool.provider, "getCity")
    row = factories.toolkit(acme, "Weather", tool)
    old = edited(row, tools=[str(tool.pk)])
    browse(adam).post(at(row, "edit/"), {**old, "tools": [str(other.pk)], "description": "Adam’s"})
    response = browse(bob).post(at(row, "edit/"), {**old, "description": "Bob’s"})
    shown = words(response)
    assert response.status_code == 409
    assert "Somebody else saved this toolkit while you were editing it" in shown
    assert "Adam’s" in shown
    assert "Bob’s" in shown
    assert "It has also: getCity" in shown
    assert "It has not: getWeather" in shown
    row.refresh_from_db()
    assert row.description == "Adam’s"
    browse(bob).post(at(row, "edit/"), {**old, "description": "Bob’s", "seen_revision": row.revision})
    row.refresh_from_db()
    assert (row.description, [item.tool for item in row.items.all()]) == ("Bob’s", [tool])


def test_a_form_whose_toolkit_was_deleted_keeps_what_was_typed(browse: Browse, bob: User, acme: Organization) -> None:
    row = factories.toolkit(acme, "Weather")
    values = edited(row, description="Typed for an hour")
    Toolkit.objects.all().delete()
    assert browse(bob).post(at(row, "edit/"), values).status_code == 404


# ------------------------------------------------------------------------------------------- delete and share


@pytest.mark.parametrize("kind", ["toolkit", "command", "skill", "client"])
def test_deleting_asks_first_says_what_loses_it_and_deletes(
    browse: Browse, bob: User, acme: Organization, kind: str
) -> None:
    row = getattr(factories, kind)(acme, "Weather")
    if kind == "toolkit":
        factories.client(acme, "Editor", toolkits=[row])
    elif kind != "client":
        factories.toolkit(acme, "Editor", **{f"{kind}s": [row]})
    address = f"/o/acme/{kind}s/{row.pk}/delete/"
    shown = page(browse(bob), address)
    assert "Delete Weather?" in shown
    assert ("“Editor” loses it" in shown) == (kind != "client")
    assert type(row).objects.filter(pk=row.pk).exists()
    shown = words(browse(bob).post(address, follow=True))
    assert "Weather is deleted." in shown
    assert not type(row).objects.filter(pk=row.pk).exists()


def test_deleting_tells_what_other_apps_know_of_it(
    browse: Browse, bob: User, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_consequences", [])
    register_consequence(lambda row: f"The file of {row.name} goes from git." if row.owner_id is None else "")
    row, own = factories.toolkit(acme, "Weather"), mine(bob, acme)
    assert "The file of Weather goes from git." in page(browse(bob), at(row, "delete/"))
    assert "goes from git" not in page(browse(bob), at(own, "delete/"))


@pytest.mark.parametrize("kind", ["toolkit", "command", "skill"])
def test_what_is_ones_own_is_shared_once_confirmed(
    browse: Browse, bob: User, alice: User, acme: Organization, kind: str
) -> None:
    row = getattr(factories, kind)(acme, "Diary", owner=bob)
    address = f"/o/acme/{kind}s/{row.pk}/"
    shown = page(browse(bob), f"{address}share/")
    assert "Share Diary with Acme?" in shown
    assert "cannot be made yours alone again" in shown
    assert browse(alice).get(address).status_code == 404
    browse(bob).post(f"{address}share/")
    row.refresh_from_db()
    assert row.owner is None
    assert "Diary" in page(browse(alice), address)


def test_a_toolkit_that_holds_what_is_personal_is_not_shared_and_says_why(
    browse: Browse, bob: User, acme: Organization
) -> None:
    row = mine(bob, acme, commands=[factories.command(acme, "Own words", owner=bob)])
    shown = words(browse(bob).post(at(row, "share/"), follow=True))
    assert "is not shared" in shown
    assert "Own words" in shown
    row.refresh_from_db()
    assert row.owner == bob


def test_sharing_what_is_shared_says_so(browse: Browse, bob: User, acme: Organization) -> None:
    row = factories.toolkit(acme, "Weather")
    assert "is the organisation’s already" in words(browse(bob).post(at(row, "share/"), follow=True))

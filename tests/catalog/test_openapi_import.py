"""Tools of an OpenAPI document, chosen on a page and written at once."""

from __future__ import annotations

import html
import re
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse

from catalog.models import Provider, Server, Tool, Variable
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.catalog.openapi_samples import WEATHER, many, secured, text
from tests.catalog.pages import queries_of, words
from tests.catalog.upstream import Upstream
from tests.conftest import Browse

pytestmark = pytest.mark.django_db


def _url(server: Server) -> str:
    return reverse("catalog:openapi", args=[server.organization.slug, server.slug])


def _carried(page: str) -> str:
    found = re.search(r'name="document" value="([^"]+)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def _ticked(page: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'type="checkbox" name="chosen" value="([^"]+)" checked', page)]


def _listed(client: Client, server: Server, data: str = WEATHER) -> str:
    response = client.post(_url(server), {"text": data})
    assert response.status_code == 200
    return words(response)


def _post(client: Client, server: Server, page: str, chosen: list[str], **values: Any) -> Any:
    fields = {"name": "Weather", "base_url": "https://api.weather.example", "action": "import", "make_variables": "on"}
    return client.post(_url(server), {"document": _carried(page), "chosen": chosen, **fields, **values})


NEW = ["GET /cities/{city}/weather", "POST /reports", "DELETE /reports/{id}/photo"]


def test_the_tools_tab_leads_there(browse: Browse, bob: User, docs: Server) -> None:
    page = browse(bob).get(reverse("catalog:tools", args=["acme", "docs"])).content.decode()
    assert _url(docs) in page


def test_operations_are_listed_with_their_notes_and_nothing_is_saved(browse: Browse, bob: User, docs: Server) -> None:
    page = _listed(browse(bob), docs)
    assert _ticked(page) == NEW
    for said in (
        "getCurrentWeather",
        "Current weather",
        "It is deprecated.",
        "image/png",
        "OPTIONS /reports is left out",
        "API_TOKEN",
        "https://eu.weather.example/v2",
        "Missing: made without a value",
    ):
        assert said in page
    assert not Provider.objects.filter(server=docs).exists()


def test_what_is_chosen_becomes_tools_in_one_change(
    browse: Browse, bob: User, docs: Server, config_news: list[dict[str, Any]]
) -> None:
    client = browse(bob)
    before = docs.config_revision
    response = _post(client, docs, _listed(client, docs), NEW[:2], base_url="https://api.weather.example:8443/v2/")
    provider = Provider.objects.get(server=docs)
    assert response.status_code == 302
    assert response["Location"] == reverse("catalog:provider", args=["acme", "docs", provider.pk])
    assert (provider.name, provider.base_url) == ("Weather", "https://api.weather.example:8443/v2")
    assert provider.documentation_url == "https://docs.weather.example/"
    assert sorted(tool.name for tool in Tool.objects.filter(server=docs)) == ["getCurrentWeather", "postReports"]
    tool = Tool.objects.get(name="getCurrentWeather")
    assert tool.headers == {"X-Client": "millrace", "Authorization": "Bearer ${API_TOKEN}"}
    assert (tool.read_only, tool.enabled) == (True, True)
    variable = Variable.objects.get(server=docs)
    assert (variable.name, variable.is_secret, variable.hosts) == ("API_TOKEN", True, ["api.weather.example:8443"])
    assert not Variable.secret.is_set(variable)
    docs.refresh_from_db()
    assert docs.config_revision == before + 1
    assert [(each["change"].verb, each["change"].kind, each["change"].name) for each in config_news] == [
        ("import", "provider", "Weather")
    ]
    event = AuditEvent.objects.get(organization=docs.organization)
    assert (event.action, event.actor) == ("provider.imported", bob)
    assert event.after["created"] == 2
    assert event.after["variables"] == ["API_TOKEN"]
    said = words(client.get(response["Location"]))
    assert "2 tools added" in said
    assert "API_TOKEN" in said


def test_the_same_document_again_changes_only_what_differs(browse: Browse, bob: User, docs: Server) -> None:
    client = browse(bob)
    _post(client, docs, _listed(client, docs), NEW, base_url="https://eu.weather.example/v2")
    provider = Provider.objects.get(server=docs)
    Tool.objects.filter(name="getCurrentWeather").update(name="mine", title="Old", enabled=False)
    page = _listed(client, docs)
    assert f'<option value="{provider.pk}" selected>' in page
    assert "Here already" in page
    assert _ticked(page) == []
    keep = {**dict.fromkeys(("name", "base_url"), ""), "provider": str(provider.pk)}
    _post(client, docs, page, NEW, **keep)
    tool = Tool.objects.get(path="/cities/{city}/weather")
    assert (tool.name, tool.title, tool.enabled, tool.revision) == ("mine", "Current weather", False, 2)
    assert set(Tool.objects.exclude(pk=tool.pk).values_list("revision", flat=True)) == {1}
    assert Tool.objects.count() == 3
    assert Variable.objects.count() == 1


def test_without_script_the_list_is_searched_and_chosen_from(browse: Browse, bob: User, docs: Server) -> None:
    client = browse(bob)
    page = _listed(client, docs)
    found = words(_post(client, docs, page, NEW[:2], action="find", q="PHOTO", name="Mine"))
    assert "getCurrentWeather" not in found
    assert "2 of them not shown" in found
    assert 'value="Mine"' in found
    assert f'type="hidden" name="chosen" value="{html.escape(NEW[0])}"' in found
    every = words(_post(client, docs, found, NEW[:2], action="all", q="photo"))
    assert "4 chosen" in every
    none = words(_post(client, docs, every, [*NEW, "PUT /reports/{id}/photo"], action="none", q="photo"))
    assert "2 chosen" in none
    assert "Nothing matches" in words(_post(client, docs, page, [], action="find", q="nowhere"))
    assert not Provider.objects.exists()


def test_what_is_missing_is_told_beside_the_field(browse: Browse, bob: User, docs: Server) -> None:
    factories.provider(docs, "weather")
    client = browse(bob)
    page = _listed(client, docs)
    for values, said in (
        ({"base_url": ""}, "Tools need a base URL"),
        ({"base_url": "ftp://x.example", "name": "Other"}, "Enter one such as https://api.example.com"),
        ({"name": ""}, "A provider needs a name"),
        ({"name": "WEATHER"}, "There is already a provider"),
        ({"provider": "nonsense"}, "nonsense"),
    ):
        assert said in html.unescape(words(_post(client, docs, page, NEW, **values)))
    assert "Choose an operation at least" in words(_post(client, docs, page, []))
    assert not Tool.objects.exists()


def test_a_name_that_another_provider_has_is_numbered(browse: Browse, bob: User, docs: Server) -> None:
    factories.tool(factories.provider(docs), "postReports")
    client = browse(bob)
    _post(client, docs, _listed(client, docs), NEW)
    assert Tool.objects.filter(name="postReports2", path="/reports").exists()


def test_a_provider_of_another_server_is_never_imported_into(
    browse: Browse, bob: User, docs: Server, acme: Organization
) -> None:
    client = browse(bob)
    elsewhere = factories.server(factories.organization("Elsewhere", slug="elsewhere"))
    for other in (factories.provider(factories.server(acme)), factories.provider(elsewhere)):
        response = _post(client, docs, _listed(client, docs), NEW, provider=str(other.pk))
        assert response.status_code == 200
    assert not Tool.objects.exists()


def test_a_list_is_no_use_on_another_server_or_for_somebody_else(
    browse: Browse, alice: User, bob: User, docs: Server, acme: Organization
) -> None:
    page = _listed(browse(bob), docs)
    for client, server in ((browse(bob), factories.server(acme)), (browse(alice), docs)):
        response = _post(client, server, page, NEW)
        assert response.status_code == 302
        assert response["Location"] == _url(server)
    broken = browse(bob).post(_url(docs), {"document": _carried(page)[:-3] + "abc", "action": "import"})
    assert broken.status_code == 302
    assert not Tool.objects.exists()


def test_operations_that_the_document_does_not_have_are_not_made(browse: Browse, bob: User, docs: Server) -> None:
    client = browse(bob)
    response = _post(client, docs, _listed(client, docs), ["GET /admin", "OPTIONS /reports"])
    assert "Choose an operation at least" in words(response)
    assert not Provider.objects.exists()


def test_a_secret_that_is_here_stays_with_its_hosts(browse: Browse, bob: User, docs: Server) -> None:
    factories.variable(docs, "API_TOKEN", secret="mine", hosts=["api.mine.example"])
    client = browse(bob)
    page = _listed(client, docs)
    assert "does not name eu.weather.example" in page
    _post(client, docs, page, NEW)
    variable = Variable.objects.get()
    assert (variable.secret, variable.hosts) == ("mine", ["api.mine.example"])


def test_variables_are_not_made_without_being_asked_for(browse: Browse, bob: User, docs: Server) -> None:
    client = browse(bob)
    _post(client, docs, _listed(client, docs), NEW, make_variables="")
    assert Tool.objects.count() == 3
    assert not Variable.objects.exists()


def test_oauth2_becomes_the_new_providers(browse: Browse, bob: User, docs: Server) -> None:
    flow = {"tokenUrl": "https://login.pets.example/token", "scopes": {"read": "Read"}}
    client = browse(bob)
    page = _listed(client, docs, secured(auth={"type": "oauth2", "flows": {"clientCredentials": flow}}))
    _post(client, docs, page, ["GET /pets"])
    provider = Provider.objects.get()
    assert provider.oauth2_token_url == "https://login.pets.example/token"
    assert (provider.oauth2_client_id, provider.oauth2_client_secret) == ("${API_CLIENT_ID}", "${API_CLIENT_SECRET}")
    assert Tool.objects.get().oauth2_scopes == ["read"]
    secret = Variable.objects.get(name="API_CLIENT_SECRET")
    assert (secret.is_secret, secret.hosts) == (True, ["login.pets.example"])
    assert Variable.objects.get(name="API_CLIENT_ID").is_secret is False


def test_a_file_is_taken_and_what_is_wrong_is_told_with_its_line(browse: Browse, bob: User, docs: Server) -> None:
    client = browse(bob)
    good = SimpleUploadedFile("openapi.yaml", WEATHER.encode())
    assert "getCurrentWeather" in words(client.post(_url(docs), {"file": good}))
    bad = SimpleUploadedFile("openapi.yaml", b"openapi: 3.0.0\npaths: [")
    assert "Line " in words(client.post(_url(docs), {"file": bad}))
    assert "Choose a file, enter an address, or paste the text." in words(client.post(_url(docs), {"text": " "}))


def test_markup_of_a_document_is_shown_as_text(browse: Browse, bob: User, docs: Server) -> None:
    evil = "<script>alert(1)</script>"
    page = _listed(browse(bob), docs, text({f"/{evil}": {"get": {"summary": evil}}, "/a": {"get": {"summary": evil}}}))
    assert evil not in page
    assert html.escape(evil) in page


def test_an_address_is_read_through_the_guard(browse: Browse, bob: User, docs: Server, api: Upstream) -> None:
    api.typed = ("application/yaml", WEATHER.encode())
    client = browse(bob)
    url = f"{api.url}/v1/typed"
    with override_settings(EGRESS_ALLOW_NETWORKS=[], EGRESS_ALLOW_HOSTS=[]):
        refused = words(client.post(_url(docs), {"url": url}))
    assert api.seen == []
    assert "1 field needs your attention" in refused
    with override_settings(EGRESS_ALLOW_NETWORKS=["127.0.0.0/8"]):
        page = words(client.post(_url(docs), {"url": url}))
        assert "getCurrentWeather" in page
        assert "cookie" not in api.seen[0].headers
        assert "authorization" not in api.seen[0].headers
        missing = words(client.post(_url(docs), {"url": f"{api.url}/v1/nowhere"}))
    assert "instead of a document" in missing
    for wrong in ("file:///etc/passwd", "javascript:alert(1)", "ftp://x.example/a"):
        assert "Enter one such as" in html.unescape(words(client.post(_url(docs), {"url": wrong})))


def test_a_thousand_operations_are_imported_in_seconds(browse: Browse, bob: User, docs: Server) -> None:
    client = browse(bob)
    started = time.monotonic()
    page = _listed(client, docs, many(1_000))
    chosen = _ticked(page)
    assert len(chosen) == 1_000
    assert _post(client, docs, page, chosen).status_code == 302
    assert time.monotonic() - started < 45
    assert Tool.objects.filter(server=docs).count() == 1_000


def test_queries_hardly_grow_with_operations(browse: Browse, bob: User, docs: Server) -> None:
    client = browse(bob)
    few, more = many(3), many(60)
    client.post(_url(docs), {"text": few})
    assert queries_of(lambda: client.post(_url(docs), {"text": more})) == queries_of(
        lambda: client.post(_url(docs), {"text": few})
    )

    def importing(data: str, name: str) -> int:
        page = _listed(client, docs, data)
        chosen = _ticked(page)
        return queries_of(lambda: _post(client, docs, page, chosen, name=name))

    assert importing(more, "More") <= importing(few, "Few") + 2  # SQLite takes some twenty rows in a statement

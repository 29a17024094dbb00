"""Keys, clients that were let in, and the request log in the Django admin, for support staff."""

from __future__ import annotations

import pytest
from allauth.idp.oidc.models import Client as OAuthClient
from django.contrib.auth.models import Permission
from django.test import Client

from catalog.models import Server
from endpoint import keys
from endpoint.admin.requests import ShortCount
from endpoint.models import ApiKey, Grant, RequestLog
from orgs.models import Membership, User
from tests import factories

ASKED = "what somebody told an agent"


@pytest.fixture
def support(docs: Server, alice: User) -> Client:
    keys.make_key(by=Membership.objects.get(user=alice), values={"name": "Build", "everything": True})
    editor = OAuthClient.objects.create(name="Editor", secret="!")
    about = {"organization": docs.organization, "server": docs}
    Grant.objects.create(user=alice, client=editor, resource="http://testserver/mcp/acme/docs", **about)
    RequestLog.objects.create(
        caller="Build", method="tools/call", subject="search", arguments=ASKED, milliseconds=12.3456, **about
    )
    sam = factories.user("sam@support.example", is_staff=True)
    named = [f"{can}_{model}" for can in ("view", "change", "delete") for model in ("apikey", "grant", "requestlog")]
    sam.user_permissions.set(Permission.objects.filter(codename__in=named))
    client = Client()
    client.force_login(sam)
    return client


@pytest.mark.parametrize("model", [ApiKey, Grant, RequestLog])
def test_all_is_looked_at_and_searched_and_nothing_changed(support: Client, model: type[ApiKey]) -> None:
    listed = f"/admin/endpoint/{model._meta.model_name}/"
    row = model.objects.get()
    for address in (listed, f"{listed}{row.pk}/change/"):
        answer = support.get(address)
        assert answer.status_code == 200
        assert "Acme" in answer.content.decode()
        assert ASKED not in answer.content.decode()
        assert "digest" not in answer.content.decode()
    assert support.get(f"{listed}?q=acme").context["cl"].result_count == 1
    assert support.get(f"{listed}?q=zanzibar").context["cl"].result_count == 0
    assert support.get(f"{listed}add/").status_code == 403
    assert support.post(f"{listed}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_request_says_how_long_it_took(support: Client) -> None:
    assert "12.3 ms" in support.get("/admin/endpoint/requestlog/").content.decode()


def test_what_is_deleted_leaves_its_requests_readable(support: Client, docs: Server) -> None:
    RequestLog.objects.create(organization=docs.organization, server_id=factories.server(docs.organization).pk)
    docs.delete()
    assert support.get("/admin/endpoint/requestlog/").status_code == 200


def test_a_long_log_is_counted_to_its_bound(support: Client, docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("endpoint.admin.requests.FOUND_AT_MOST", 2)
    RequestLog.objects.bulk_create(RequestLog(organization=docs.organization, server=docs) for _ in range(4))
    assert ShortCount(RequestLog.objects.order_by("-at"), 100).count == 2
    assert support.get("/admin/endpoint/requestlog/").context["cl"].result_count == 2

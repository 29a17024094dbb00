"""Who may open which of the endpoint's pages; see tests/isolation.py."""

from __future__ import annotations

from typing import Any

from allauth.idp.oidc.models import Client as OAuthClient

from endpoint.models import ApiKey, Grant, RequestLog
from orgs.models import Organization, User
from tests import factories
from tests.isolation import Case


def _server(acme: Organization) -> dict[str, Any]:
    return {"server": factories.server(acme).slug}


def _toolkit(acme: Organization) -> dict[str, Any]:
    return {"pk": factories.toolkit(acme).pk}


_BY_KEY = "clients carry a key or a token, and no session: without one, known and unknown servers answer the same"


def _request(acme: Organization) -> dict[str, Any]:
    server = factories.server(acme)
    return {"server": server.slug, "number": RequestLog.objects.create(organization=acme, server=server).pk}


def _toolkit_request(acme: Organization) -> dict[str, Any]:
    toolkit = factories.toolkit(acme)
    return {"pk": toolkit.pk, "number": RequestLog.objects.create(organization=acme, toolkit=toolkit).pk}


def _grant(acme: Organization) -> dict[str, Any]:
    """A client that Alice let use a server of Acme."""
    server = factories.server(acme)
    client = OAuthClient.objects.create(name="Editor", secret="!")
    resource = f"http://testserver/mcp/acme/{server.slug}"
    alice = User.objects.get(email="alice@acme.example")
    grant = Grant.objects.create(user=alice, client=client, organization=acme, server=server, resource=resource)
    return {"pk": grant.pk}


_BY_CLIENTS = "clients ask it by themselves, before anybody signed in; it tells nothing of what there is"


def _key(acme: Organization) -> dict[str, Any]:
    return {"pk": ApiKey.objects.create(organization=acme, name="Build", digest="0" * 64, everything=True).pk}


CASES: dict[str, Case] = {
    "oauth_resource": Case(
        lambda _acme: {"path": "mcp/acme/docs"}, nobody=200, outsider=200, elsewhere=200, why=_BY_CLIENTS
    ),
    "oauth_server": Case(nobody=200, outsider=200, why=_BY_CLIENTS),
    "oauth_register": Case(viewer=400, nobody=400, outsider=400, method="post", why=_BY_CLIENTS),
    "oauth_token": Case(viewer=400, nobody=400, outsider=400, method="post", why=_BY_CLIENTS),
    "oauth_revoke": Case(viewer=400, nobody=400, outsider=400, method="post", why=_BY_CLIENTS),
    "oauth_authorize": Case(
        viewer=400, outsider=400, why="anybody signed in; for whom is said in its query, and checked"
    ),
    "endpoint:keys": Case(viewer=403),
    "endpoint:key_make": Case(viewer=403, method="post"),
    "endpoint:key_edit": Case(_key, viewer=403, method="post"),
    "endpoint:key_revoke": Case(_key, viewer=403, method="post"),
    "endpoint_clients": Case(viewer=200, outsider=200, why="one's own"),
    "endpoint_clients_revoke": Case(_grant, viewer=404),
    "endpoint:granted": Case(viewer=403),
    "endpoint:granted_revoke": Case(_grant, viewer=403),
    "readyz": Case(viewer=200, nobody=200, outsider=200, why="monitors ask it; it names nothing of anybody's"),
    "metrics": Case(viewer=404, nobody=404, outsider=404, why="there is no such address without METRICS_TOKEN"),
    "endpoint:organization_usage": Case(viewer=200),
    "endpoint:usage": Case(_server, viewer=200),
    "endpoint:requests": Case(_server, viewer=200),
    "endpoint:request": Case(_request, viewer=200),
    "endpoint:toolkit_usage": Case(_toolkit, viewer=200),
    "endpoint:toolkit_requests": Case(_toolkit, viewer=200),
    "endpoint:toolkit_request": Case(_toolkit_request, viewer=200),
    "llms_txt": Case(_server, viewer=401, nobody=401, outsider=401, elsewhere=401, why=_BY_KEY),
    "llms_full_txt": Case(_server, viewer=401, nobody=401, outsider=401, elsewhere=401, why=_BY_KEY),
    "mcp_file": Case(
        lambda acme: {**_server(acme), "path": "a.md"}, viewer=401, nobody=401, outsider=401, elsewhere=401, why=_BY_KEY
    ),
    "endpoint:connect": Case(_server, viewer=200),
    "endpoint:toolkit_connect": Case(_toolkit, viewer=200),
    "endpoint:playground": Case(_server, viewer=200, method="post"),
    "endpoint:toolkit_playground": Case(_toolkit, viewer=200, method="post"),
    "endpoint:setup": Case(_server, viewer=403, method="post"),
    "endpoint:toolkit_setup": Case(_toolkit, viewer=403, method="post"),
}

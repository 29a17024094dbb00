"""Whatever a file says, the server says it afterwards, and authentication is what it was."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import server_files
from catalog.exchange.snapshot import snapshot
from catalog.models import Server, Variable
from catalog.portable import paths, reading, writing
from catalog.portable.model import BadFile, Definition, Kind
from catalog.revisions import Source
from forges.clients.base import blob_id
from orgs.models import Organization
from tests.catalog import exchange_samples as samples

pytestmark = pytest.mark.django_db

LINES: Any = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)
TEXTS: Any = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)
NAMES: Any = st.sampled_from(["getWeather", "report", "ask", "tell", "askAgain"])
PROVIDERS: Any = st.sampled_from(["Weather", "WEATHER", "notes", "Zephyr", "a/b ~1"])
SCHEMA = st.just({"type": "object", "properties": {"zeta": {"type": "integer"}, "alpha": {}}})


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


TOOLS: Any = st.builds(
    lambda needed, more: needed | more,
    st.fixed_dictionaries(
        {"name": NAMES, "method": st.sampled_from(["POST", "PUT"]), "path": st.sampled_from(["/a", "/b", "/reports"])}
    ),
    some(
        title=LINES,
        description=TEXTS,
        enabled=st.booleans(),
        queryArguments=SCHEMA,
        body=SCHEMA | st.just({}),
        headers=some(Accept=st.sampled_from(["a", "${CLIENT_ID}"]), Prefer=st.just("b")),
        hints=some(readOnly=st.booleans(), openWorld=st.booleans()),
    ),
)
RESOURCES: Any = st.builds(
    lambda needed, more: needed | more,
    st.fixed_dictionaries({"name": LINES, "uri": st.sampled_from(["docs://guide", "docs://stations", "docs://other"])}),
    some(text=TEXTS) | some(upstreamPath=st.just("/stations")),
)
PROMPTS: Any = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["compareCities", "greet"]),
        "messages": st.lists(st.fixed_dictionaries({"role": st.just("user"), "text": LINES}), min_size=1, max_size=2),
    },
    optional={"title": LINES},
)
FILES: Any = st.fixed_dictionaries(
    {
        "name": LINES,
        "slug": st.sampled_from(["weather", "climate"]),
        "providers": st.lists(
            st.fixed_dictionaries(
                {
                    "name": PROVIDERS,
                    "baseUrl": st.sampled_from(["https://api.weather.example/v1", "https://b.example"]),
                },
                optional={
                    "description": TEXTS,
                    "visibility": st.sampled_from(["public", "private"]),
                    "tools": st.lists(TOOLS, max_size=3, unique_by=lambda each: each["name"]),
                    "resources": st.lists(RESOURCES, max_size=2, unique_by=lambda each: each["uri"]),
                    "prompts": st.lists(PROMPTS, max_size=1),
                },
            ),
            max_size=2,
            unique_by=lambda each: each["name"].lower(),
        ),
    },
    optional={
        "description": TEXTS,
        "instructions": TEXTS,
        "visibility": st.sampled_from(["public", "private"]),
        "variables": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from(["CLIENT_ID", "HOST"])}, optional={"value": LINES}),
            max_size=2,
            unique_by=lambda each: each["name"],
        ),
    },
)


def unit(path: str, data: bytes) -> Any:
    return paths.units({path: blob_id(data)}).units[path]


def read(document: dict[str, Any]) -> Definition | None:
    """Through its file, as it comes from git; None for what a person could not have saved either."""
    ((path, data),) = writing.write(Kind.SERVER, id="it", document=document, schema_url="https://example.com/s").items()
    try:
        return reading.read(unit(path, data), {path: data})
    except BadFile:
        return None


def secrets(server: Server) -> list[Any]:
    return [(each.name, each.secret, each.hosts) for each in Variable.objects.filter(server=server, is_secret=True)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(FILES, min_size=1, max_size=3))
def test_a_server_says_what_its_file_says_and_keeps_its_authentication(
    acme: Organization, files: list[dict[str, Any]]
) -> None:
    with transaction.atomic():
        server = samples.server(acme)
        kept = secrets(server)
        for file in files:
            wanted = read(file)
            if wanted is None:
                continue
            before = snapshot(server, masked=False)
            server_files.apply(
                server, wanted, organization=acme, seen_revision=None, by=None, source=Source("git"), confirmed=True
            )
            server.refresh_from_db()
            told = server_files.document(server)
            assert told == wanted.document
            assert list(told) == list(wanted.document)
            assert secrets(server) == kept
            after = snapshot(server, masked=False)
            oauth2 = {each.name.lower(): each.oauth2 for each in before.providers}
            tools = {each.name: each for of in before.providers for each in of.tools}
            for provider in after.providers:
                if provider.name.lower() in oauth2:
                    assert provider.oauth2 == oauth2[provider.name.lower()]
                for tool in provider.tools:
                    if was := tools.get(tool.name):
                        assert tool.scopes == was.scopes
                        assert tool.headers.get("Authorization") == was.headers.get("Authorization")
            again = read(told)
            assert again is not None
            assert again.document == wanted.document
        transaction.set_rollback(True)

"""Try it: a tool called from its page."""

from __future__ import annotations

import re
from html import unescape
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse

from catalog.calls import calling, trying
from catalog.models import Provider, Tool
from orgs.models import AuditEvent, User
from tests.catalog.calling import SECRET, secret, tool
from tests.catalog.upstream import Upstream
from tests.conftest import Browse

CITY = {"type": "object", "properties": {"city": {"type": "string", "examples": ["Berlin"]}}, "required": ["city"]}
DAYS = {"type": "object", "properties": {"days": {"type": "integer", "default": 2}}}


def url_of(row: Tool) -> str:
    return reverse("catalog:tool_try", args=["acme", "docs", row.pk])


def text_of(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return unescape(re.sub(r"\s+", " ", response.content.decode()))


@pytest.fixture
def forecast(weather: Provider) -> Tool:
    return tool(weather, "/cities/{city}", name="getForecast", path_schema=CITY, query_schema=DAYS)


def test_the_form_begins_with_examples_and_defaults(browse: Browse, bob: User, forecast: Tool) -> None:
    page = text_of(browse(bob).get(url_of(forecast)))
    assert '{ "city": "Berlin" }' in page
    assert '{ "days": 2 }' in page
    assert "This is a real call" not in page
    assert "<html" in page

    fragment = text_of(browse(bob).get(url_of(forecast), headers={"HX-Request": "true"}))
    assert fragment.strip().startswith("<section")
    assert "<html" not in fragment


def test_a_call_shows_the_request_and_the_answer(browse: Browse, bob: User, forecast: Tool, api: Upstream) -> None:
    forecast.headers = secret(forecast.provider, api.url)
    forecast.save()
    sent = {"path": '{"city": "Köln"}', "query": '{"days": 3}'}
    page = text_of(browse(bob).post(url_of(forecast), sent))

    assert f"GET {api.base_url}/cities/K%C3%B6ln?days=3" in page
    assert "X-Api-Key: ••••••" in page
    assert '"city": "K%C3%B6ln", "days": 3, "sunny": true' in page
    assert ">200<" in page
    assert SECRET not in page
    assert api.seen[0].headers["x-api-key"] == SECRET
    assert "Köln" in page  # what was typed is still there


def test_an_answer_cannot_bring_markup_into_the_page(
    browse: Browse, bob: User, weather: Provider, api: Upstream
) -> None:
    api.typed = ("text/html", b"<script>alert(1)</script>")
    response = browse(bob).post(url_of(tool(weather, "/typed")), {"query": ""})
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in response.content
    assert b"<script>alert" not in response.content
    assert response["Cache-Control"] == "no-store"


def test_a_tool_that_changes_things_says_that_the_call_is_real(browse: Browse, bob: User, weather: Provider) -> None:
    for row in (tool(weather, "/notes", method="DELETE"), tool(weather, "/notes", destructive=True)):
        assert "This is a real call" in text_of(browse(bob).get(url_of(row)))


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"path": "{", "query": "{}"}, "Line 1"),
        ({"path": "{}", "query": "{}"}, "“path.city” is missing."),
        ({"path": '{"city": "../admin"}', "query": "{}"}, "which leads elsewhere"),
        ({"path": '{"city": "x"}', "query": '{"days": "many"}'}, "“query.days” has to be of the type integer."),
    ],
)
def test_what_cannot_be_sent_is_said_and_nothing_is(
    browse: Browse, bob: User, forecast: Tool, api: Upstream, sent: dict[str, str], said: str
) -> None:
    response = browse(bob).post(url_of(forecast), sent)
    assert response.status_code == 200
    assert said in text_of(response)
    assert api.seen == []


def test_a_failure_and_an_error_of_the_provider_are_told_apart(browse: Browse, bob: User, weather: Provider) -> None:
    assert "The call failed" in text_of(browse(bob).post(url_of(tool(weather, "/loop")), {}))
    refused = text_of(browse(bob).post(url_of(tool(weather, "/teapot")), {}))
    assert "an error of the provider" in refused
    assert "short and stout" in refused


def test_a_slow_provider_is_given_up_while_a_person_waits(
    browse: Browse, bob: User, weather: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trying.SECONDS <= 15
    monkeypatch.setattr(trying, "SECONDS", 0.3)
    assert "took too long to answer" in text_of(browse(bob).post(url_of(tool(weather, "/slow")), {}))


def test_only_some_are_tried_at_once(
    browse: Browse, bob: User, forecast: Tool, api: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "_TURNS", BoundedSemaphore(1))
    monkeypatch.setattr(calling, "TURN_SECONDS", 0.05)
    with calling.turn():
        page = text_of(browse(bob).post(url_of(forecast), {"path": '{"city": "x"}'}))
    assert "Many people try tools at this moment" in page
    assert api.seen == []
    assert ">200<" in text_of(browse(bob).post(url_of(forecast), {"path": '{"city": "x"}'}))


def test_a_long_answer_is_shown_in_part(browse: Browse, bob: User, weather: Provider, api: Upstream) -> None:
    api.typed = ("text/plain", b"y" * 30_000)
    page = text_of(browse(bob).post(url_of(tool(weather, "/typed")), {}))
    assert "10,000 more characters are not shown here" in page
    assert "y" * 20_000 in page
    assert "y" * 20_001 not in page


def test_the_log_keeps_the_names_of_arguments_and_no_value(browse: Browse, bob: User, forecast: Tool) -> None:
    browse(bob).post(url_of(forecast), {"path": '{"city": "my-secret-place"}', "query": '{"days": 5}'})
    event = AuditEvent.objects.get(action="tool.tried")
    assert (event.actor, event.target_label, event.scope) == (bob, "getForecast", str(forecast.server.pk))
    assert event.after == {"method": "GET", "arguments": ["path.city", "query.days"]}
    assert "my-secret-place" not in str(event.after)


def test_looking_at_the_form_calls_nothing_and_a_viewer_may_not_call(
    browse: Browse, bob: User, carol: User, forecast: Tool, api: Upstream
) -> None:
    browse(bob).get(url_of(forecast), {"path": '{"city": "x"}'})
    assert browse(carol).post(url_of(forecast), {"path": '{"city": "x"}'}).status_code == 403
    assert api.seen == []
    assert not AuditEvent.objects.filter(action="tool.tried").exists()
    assert url_of(forecast) in text_of(browse(bob).get(reverse("catalog:tool", args=["acme", "docs", forecast.pk])))
    assert url_of(forecast) not in text_of(
        browse(carol).get(reverse("catalog:tool", args=["acme", "docs", forecast.pk]))
    )

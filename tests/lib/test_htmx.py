"""One view for htmx and for plain browsers."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxMiddleware
from pytest_django.fixtures import Settings

from lib.htmx import go_to, is_fragment, render_partial

TEMPLATE = "{% load partials %}whole {% partialdef row inline %}row of {{ name }}{% endpartialdef %}"


def request(**headers: str) -> HttpRequest:
    made = RequestFactory().get("/", headers=headers)
    HtmxMiddleware(lambda _: HttpResponse())(made)
    return made


@pytest.fixture
def _template(settings: Settings) -> None:
    loader = ("template_partials.loader.Loader", [("django.template.loaders.locmem.Loader", {"page.html": TEMPLATE})])
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [loader], "builtins": ["template_partials.templatetags.partials"]},
        }
    ]


@pytest.mark.parametrize(
    ("headers", "fragment"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Boosted": "true"}, False),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, False),
    ],
)
def test_only_what_swaps_a_part_is_a_fragment(headers: dict[str, str], fragment: bool) -> None:
    assert is_fragment(request(**headers)) is fragment


@pytest.mark.usefixtures("_template")
def test_htmx_gets_the_partial_and_a_browser_the_page_and_caches_know() -> None:
    part = render_partial(request(**{"HX-Request": "true"}), "page.html", "row", {"name": "a"}, status=422)
    page = render_partial(request(), "page.html", "row", {"name": "a"})
    assert (part.status_code, part.content) == (422, b"row of a")
    assert (page.status_code, page.content) == (200, b"whole row of a")
    assert part["Vary"] == page["Vary"] == "HX-Request"


def test_leading_elsewhere_loads_a_whole_page_either_way() -> None:
    by_htmx, by_browser = go_to(request(**{"HX-Request": "true"}), "/there"), go_to(request(), "/there")
    assert (by_htmx.status_code, by_htmx["HX-Redirect"]) == (200, "/there")
    assert (by_browser.status_code, by_browser["Location"]) == (302, "/there")

"""Somebody whose session ended: where they come out, and that no page is swapped into another."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from orgs.models import Organization

pytestmark = pytest.mark.django_db


def test_a_page_leads_to_sign_in_and_back(acme: Organization) -> None:
    answer = Client().get("/o/acme/members/?page=2")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/o/acme/members/%3Fpage%3D2"


@pytest.mark.parametrize(
    ("current", "back"),
    [
        ("http://testserver/o/acme/servers/?sort=name", "/o/acme/servers/?sort=name"),
        ("http://evil.example/o/acme/servers/", "/"),
        ("//evil.example/x", "/"),
        ("", "/"),
    ],
)
def test_a_fragment_leads_the_whole_page_to_sign_in_and_back_to_itself(
    acme: Organization, current: str, back: str
) -> None:
    answer = Client().get("/o/acme/members/", headers={"HX-Request": "true", "HX-Current-URL": current})

    assert answer.status_code == 200
    assert answer.content == b""
    target = urlsplit(answer["HX-Redirect"])
    assert target.path == "/accounts/login/"
    assert parse_qs(target.query)["next"] == [back]

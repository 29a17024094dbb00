"""Imports never lead a secret to a host that who knows it did not name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.exchange.applying import HostsNotConfirmed, apply_import, plan_import
from catalog.exchange.model import MASK, ServerConfig, VariableConfig
from catalog.exchange.planning import plan
from catalog.exchange.wording import masked_line
from catalog.models import Server, Variable
from orgs.models import AuditEvent, Organization, User
from tests.catalog import exchange_samples as samples
from tests.catalog.exchange_samples import SAMPLE
from tests.catalog.pages import words
from tests.conftest import Browse

pytestmark = pytest.mark.django_db


def with_hosts(*hosts: str) -> ServerConfig:
    token = VariableConfig("API_TOKEN", "Of the shop.", secret=True, value=MASK, hosts=hosts)
    return replace(SAMPLE, variables=(token, SAMPLE.variables[1]))


def stored(server: Server) -> tuple[list[str], str]:
    row = Variable.objects.get(server=server, name="API_TOKEN")
    return row.hosts, row.secret


def test_a_secret_that_gets_more_hosts_is_forgotten_and_said_to_be(acme: Organization) -> None:
    it = samples.server(acme, secret="known-to-few")
    wanted = with_hosts("api.weather.example", "evil.example")
    found = plan_import(it, wanted)
    assert found.forgotten == ("API_TOKEN",)
    assert [masked_line(each) for each in found.missing] == ["Variable API_TOKEN: its value"]
    with pytest.raises(HostsNotConfirmed):
        apply_import(server=it, wanted=wanted, by=None)
    assert stored(it) == (["api.weather.example"], "known-to-few")
    apply_import(server=it, wanted=wanted, by=None, confirmed_hosts=True)
    assert stored(it) == (["api.weather.example", "evil.example"], "")
    assert not Variable.secret.is_set(Variable.objects.get(server=it, name="API_TOKEN"))
    event = AuditEvent.objects.filter(action="server.imported").order_by("-pk").first()
    assert event is not None
    assert event.after["forgotten"] == ["API_TOKEN"]


def test_a_secret_that_gets_other_words_or_fewer_hosts_is_kept(acme: Organization) -> None:
    it = samples.server(acme, with_hosts("api.weather.example", "b.example"), secret="kept")
    wanted = with_hosts("b.example")
    assert plan_import(it, wanted).forgotten == ()
    apply_import(server=it, wanted=wanted, by=None)
    assert stored(it) == (["b.example"], "kept")


def test_a_secret_without_a_value_has_nothing_to_forget() -> None:
    found = plan(SAMPLE, with_hosts("api.weather.example", "b.example"), entered=())
    assert (found.forgotten, found.moves) == ((), ())
    assert [masked_line(each) for each in found.missing] == ["Variable API_TOKEN: its value"]


def test_the_preview_says_which_values_are_forgotten(browse: Browse, bob: User, acme: Organization) -> None:
    it = samples.server(acme, secret="known-to-few")
    address = f"/o/acme/servers/{it.slug}/import/"
    shown = words(browse(bob).post(address, {"text": samples.text(with_hosts("evil.example"))}))
    assert "The stored value of API_TOKEN is forgotten" in shown
    assert "1 value is to be entered afterwards" in shown
    assert "known-to-few" not in shown
    kept = words(browse(bob).post(address, {"text": samples.text(replace(SAMPLE, name="Other"))}))
    assert "forgotten" not in kept

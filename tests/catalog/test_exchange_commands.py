"""`manage.py export_server` and `manage.py import_server`."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.exchange.snapshot import snapshot
from catalog.models import Provider, Server
from orgs.models import AuditEvent, Organization
from tests import factories
from tests.catalog import exchange_samples as samples
from tests.catalog.exchange_samples import SAMPLE, with_weather

pytestmark = pytest.mark.django_db


def _run(command: str, *arguments: str | Path) -> str:
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "export.json"
    path.write_text(samples.text(), encoding="utf-8")
    return path


def test_an_export_is_printed_or_written_into_a_file_or_directory(acme: Organization, tmp_path: Path) -> None:
    samples.server(acme)
    assert _run("export_server", "acme/weather") == samples.text()
    _run("export_server", "acme/weather", "--output", tmp_path)
    _run("export_server", "acme/weather", "--output", tmp_path / "mine.json")
    assert (tmp_path / "export.json").read_text("utf-8") == samples.text()
    assert (tmp_path / "mine.json").read_bytes() == (tmp_path / "export.json").read_bytes()


def test_a_file_becomes_a_new_server_of_an_empty_organisation(acme: Organization, file: Path) -> None:
    factories.organization("Elsewhere", slug="elsewhere")
    said = _run("import_server", "elsewhere", file)
    assert "create: tool getWeather (Weather)" in said
    assert "to be entered: Variable API_TOKEN: its value" in said
    assert "Imported as the new server elsewhere/weather." in said
    made = Server.objects.get(organization__slug="elsewhere")
    assert snapshot(made) == SAMPLE
    event = AuditEvent.objects.get(action="server.imported", target_id=str(made.pk))
    assert (event.actor, event.actor_label) == (None, "Millrace")


def test_a_file_goes_into_the_server_that_is_named(acme: Organization, file: Path) -> None:
    it = samples.server(acme, replace(samples.many(1), name="Old"))
    said = _run("import_server", "acme/weather", file)
    assert f"change: server {SAMPLE.name}: name" in said
    assert "not in the file, stays: tool tool0000 (Weather)" in said
    said = _run("import_server", "acme/weather", file, "--remove")
    assert "remove: tool tool0000 (Weather)" in said
    assert replace(snapshot(it), version=SAMPLE.version) == SAMPLE
    assert "Nothing changed." in _run("import_server", "acme/weather", file, "--remove")


def test_a_dry_run_only_tells(acme: Organization, file: Path) -> None:
    it = samples.server(acme, replace(SAMPLE, name="Old"))
    assert "Nothing was imported (--dry-run)." in _run("import_server", "acme/weather", file, "--dry-run")
    assert "It would be acme/weather-2." in _run("import_server", "acme", file, "--dry-run")
    it.refresh_from_db()
    assert (it.name, Server.objects.count()) == ("Old", 1)


def test_a_new_server_can_be_named(acme: Organization, file: Path) -> None:
    samples.server(acme)
    assert "acme/sky." in _run("import_server", "acme/sky", file, "--as-new")
    with pytest.raises(CommandError, match="already a server with the slug “weather”"):
        _run("import_server", "acme/weather", file, "--as-new")
    with pytest.raises(CommandError, match="used by Millrace itself"):
        _run("import_server", "acme/new", file, "--as-new")


def test_other_hosts_have_to_be_confirmed(acme: Organization, tmp_path: Path) -> None:
    it = samples.server(acme)
    file = tmp_path / "evil.json"
    file.write_text(samples.text(with_weather(base_url="https://evil.example")), encoding="utf-8")
    with pytest.raises(CommandError, match="--confirm-hosts"):
        _run("import_server", "acme/weather", file)
    assert Provider.objects.get(server=it, name="Weather").base_url == "https://api.weather.example/v1"
    assert "goes to another host" in _run("import_server", "acme/weather", file, "--confirm-hosts")
    assert Provider.objects.get(server=it, name="Weather").base_url == "https://evil.example"


def test_what_is_wrong_is_told_with_its_line(acme: Organization, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(samples.text().replace('"report"', '"Report"'), encoding="utf-8")
    with pytest.raises(CommandError, match=r"Line \d+, /providers/1/tools/1/name: This has to be a small letter"):
        _run("import_server", "acme", file)
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        _run("import_server", "acme", tmp_path / "nothing.json")


@pytest.mark.parametrize("name", ["nowhere/weather", "acme/nothing", "acme", "/weather"])
def test_a_server_that_is_not_there_is_told(acme: Organization, name: str) -> None:
    with pytest.raises(CommandError, match=r"There is no|is no server"):
        _run("export_server", name)

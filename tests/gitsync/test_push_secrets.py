"""No secret leaves: what looks like one, or is one that we keep, stops the push and is named nowhere by its value."""

from __future__ import annotations

import json
import logging

import pytest
from django.db import connection

from catalog import resources, servers, tools
from catalog.models import Provider, Resource, Tool
from gitsync import previewing, states, targets
from gitsync import settings as push_settings
from gitsync.models import AllowedFinding, Problem
from gitsync.targets import FieldError
from jobs.models import LogLine, Run, Status
from orgs.models import AuditEvent, User
from tests import factories
from tests.gitsync.conftest import Assign, Pushed, git, of, paths, subjects, text, work, worked
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db

PLANTED = "ghp_" + "q7Xw2LkR" * 4 + "ZtYp"


def everywhere() -> str:
    """All that the database keeps about a push, as text."""
    rows: list[object] = [
        *Run.objects.values_list("result", "counts", "options", "stage", "error_text", "waiting_for", "subject_label"),
        *LogLine.objects.values(),
        *AuditEvent.objects.exclude(action__regex=r"^(tool|resource)\.").values(),
        *AllowedFinding.objects.values(),
    ]
    with connection.cursor() as cursor:
        for table in ("gitsync_pushtarget", "gitsync_pushedfile", "django_q_ormq"):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  no input
            rows += [[bytes(each) if isinstance(each, memoryview) else each for each in row] for row in cursor]
    return repr(rows)


def finding(made: Pushed) -> dict[str, str]:
    """The only thing that the push, which is queued, found."""
    (run,) = work()
    assert (run.status, run.error_code) == (Status.FAILED, "secret"), run.error_text
    assert made.target.problem == Problem.SECRET
    assert states.state_of(made.target).code == "blocked"
    findings = made.target.problem_details["findings"]
    assert len({each["digest"] for each in findings}) == 1
    return findings[0]  # type: ignore[no-any-return]


def test_a_token_in_a_description_stops_the_push_with_its_file_and_field(
    assign: Assign, hosted: HostedRepository, forge: Forge, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = assign()
    worked()
    forge.requests.clear()
    made.save(f"Send {PLANTED} along.")
    found = finding(made)
    assert found["kind"] == "GitHub token"
    told = {(each["path"], each["field"]) for each in made.target.problem_details["findings"]}
    assert ("weather/Open Meteo/tools/get-forecast.json", "description of tool getForecast") in told
    assert ("weather/export.json", "description of tool getForecast") in told
    assert "Nothing was pushed" in made.target.problem_text
    assert "or say that it is none" in made.target.problem_text
    assert len(subjects(hosted)) == 2
    assert not list(forge.requests), "the forge is not even asked"
    assert PLANTED not in everywhere()
    assert PLANTED not in caplog.text

    made.save("Clean again.")
    worked()
    assert made.target.problem == Problem.NONE


def test_what_is_no_secret_is_allowed_by_a_person_and_pushed(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    worked()
    made.save(f"Such as {PLANTED}.")
    found = finding(made)
    with pytest.raises(FieldError):
        targets.allow_finding(made.target, "0" * 64, of(alice))
    targets.allow_finding(made.target, found["digest"], of(alice))
    worked()
    assert PLANTED in text(hosted, "weather/Open Meteo/tools/get-forecast.json")
    assert AuditEvent.objects.filter(action="target.finding_allowed").exists()
    assert PLANTED not in everywhere()
    made.save(f"And another time {PLANTED}.")
    worked()


def test_a_secret_variables_value_is_found_wherever_it_is(
    assign: Assign, hosted: HostedRepository, weather: object
) -> None:
    made = assign()
    worked()
    factories.variable(made.server, "API_KEY", secret="correct-horse-battery")
    made.save("Use correct-horse-battery for it.")
    found = finding(made)
    assert found["kind"] == "value of the variable API_KEY"
    assert "say that it is none" not in made.target.problem_text
    assert "correct-horse-battery" not in everywhere()
    with pytest.raises(FieldError, match="value of the variable API_KEY, which Millrace keeps secret"):
        targets.allow_finding(made.target, found["digest"], of(made.by))
    assert not AllowedFinding.objects.exists()


def test_a_connections_own_token_is_found(assign: Assign, hosted: HostedRepository) -> None:
    made = assign("gitlab")
    worked()
    token = made.target.connection.token  # type: ignore[union-attr]
    made.save(f"Token: {token}")
    assert "token" in finding(made)["kind"]
    assert token not in everywhere()


def test_a_secret_in_a_name_is_not_in_the_message_nor_the_run(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    worked()
    factories.resource(Provider.objects.get(), f"Key {PLANTED}")
    made.save("Changed.")
    finding(made)
    assert PLANTED not in everywhere()


def test_a_resource_that_is_renamed_to_be_rid_of_a_secret_is_pushed_without_its_former_name(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    factories.resource(Provider.objects.get(), f"Key {PLANTED}")
    finding(made)
    resources.edit_resource(resource=Resource.objects.get(), values={"name": "Fine"}, seen_revision=None, by=alice)
    assert previewing.preview(made.target).message.text == "Update a server\n"
    worked()
    assert subjects(hosted)[0] == "Update a server"
    assert git(hosted, "log", "-1", "--format=%an", "main").strip() == "Alice"
    assert PLANTED not in git(hosted, "log", "-p", "main") + everywhere()


def test_a_deleted_servers_commit_tells_no_secret(assign: Assign, hosted: HostedRepository, alice: User) -> None:
    made = assign()
    worked()
    resource = factories.resource(Provider.objects.get(), "Plain")
    resources.edit_resource(resource=resource, values={"name": f"Key {PLANTED}"}, seen_revision=None, by=alice)
    finding(made)
    servers.delete_server(server=made.server, by=alice)
    worked()
    assert paths(hosted) == {"README.md"}
    assert subjects(hosted)[0] == "Delete a server"
    assert PLANTED not in git(hosted, "log", "-p", "main") + everywhere()


def test_a_secret_in_a_persons_name_is_not_written_as_the_author(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    push_settings.change_template(template="Saved {server}", membership=of(alice))
    assign()
    alice.name = f"Alice {PLANTED}"
    alice.save()
    worked()
    assert git(hosted, "log", "-1", "--format=%an|%s", "main").strip() == "Millrace|Update a server"
    assert PLANTED not in git(hosted, "log", "-p", "--format=fuller", "main")


def test_a_header_that_holds_a_literal_is_masked_and_a_reference_is_not(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    tool = Tool.objects.get(name="getWeather")
    Tool.objects.filter(pk=tool.pk).update(
        headers={"Authorization": "Bearer ${API_KEY}", "X-Custom": "s3cret-literal-value", "Accept": "text/csv"}
    )
    assign()
    worked()
    headers = json.loads(text(hosted, "weather/Open Meteo/tools/get-weather.json"))["headers"]
    assert headers == {"Authorization": "Bearer ${API_KEY}", "X-Custom": "••••••", "Accept": "text/csv"}
    for path in paths(hosted):
        assert "s3cret-literal-value" not in text(hosted, path)


def test_a_preview_shows_what_was_found_and_writes_nothing(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    worked()
    tools.edit_tool(tool=made.tool, values={"description": f"Send {PLANTED} along."}, seen_revision=None, by=alice)
    shown = previewing.preview(made.target)
    assert shown.blocked
    assert {each["kind"] for each in shown.findings} == {"GitHub token"}
    assert len(subjects(hosted)) == 2

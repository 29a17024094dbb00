"""`make demo`: a small real world that is there at once, can be changed, and loses nothing when it starts again."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from catalog.commands import delete_command
from catalog.models import Client, Command, Content, Server, Skill, Tool, Toolkit
from catalog.toolkits import edit_toolkit
from catalog.tools import edit_tool
from config import first_env
from config.demo import library, repository, site, sources, world
from gitsync.mirror.connecting import disconnect_mirror, sync_now
from gitsync.models import Mirror, PushTarget
from gitsync.requesting import live_runs
from gitsync.saves import ask_for_pushes
from indexing.content_news import ask_for_runs
from indexing.models import Source
from indexing.requesting import INDEX, request_index
from indexing.search.searching import search
from indexing.sources import delete as delete_source
from integrations.models import Integration
from integrations.refreshing import REFRESH, request_refresh
from jobs import runs
from jobs.models import Run, Status
from orgs.models import Membership, Organization, User
from tests import factories


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.FORGE_LOCAL_ROOTS = [str(tmp_path)]
    settings.STATIC_ROOT = tmp_path / "static"
    made = tmp_path / "acme-weather"
    repository.create(made)
    return made


@pytest.mark.django_db
def test_the_demo_has_people_two_servers_and_a_repository_with_everything_that_repositories_hold(folder: Path) -> None:
    made = world.seed(folder)

    assert [run.status for run in made.imported] == [Status.SUCCEEDED, Status.SUCCEEDED]
    assert {member.role for member in Membership.objects.all()} == {"owner", "operator", "viewer"}
    handbook = Server.objects.get(slug="handbook")
    assert Content.objects.filter(server=handbook).count() > 30
    skipped = Integration.objects.get(server=handbook).tracks.get().skipped_files
    assert set(skipped.values_list("reason", flat=True)) == {
        "binary",
        "lfs_pointer",
        "not_utf8",
        "symlink",
        "too_large",
    }
    reference = Content.objects.filter(server__slug="api-reference").values_list("path", flat=True)
    assert all(path.startswith("reference/docs/reference/") for path in reference)


@pytest.mark.django_db
def test_starting_it_again_makes_nothing_twice_and_keeps_what_was_changed(folder: Path) -> None:
    world.seed(folder)
    Server.objects.filter(slug="handbook").update(name="My handbook")
    (folder / "README.md").write_text("# Mine\n")

    assert repository.create(folder) is False
    again = world.seed(folder)

    assert again.imported == ()
    assert Server.objects.get(slug="handbook").name == "My handbook"
    assert (folder / "README.md").read_text() == "# Mine\n"
    assert Run.objects.filter(kind=REFRESH).count() == 2
    assert (PushTarget.objects.count(), Mirror.objects.count()) == (1, 1)
    assert [model.objects.count() for model in (Toolkit, Command, Skill, Client)] == [1, 1, 1, 1]
    assert User.objects.count() == 3


@pytest.mark.django_db
def test_what_it_says_to_try_works(folder: Path) -> None:
    world.seed(folder)
    page = folder / "docs/guides/quickstart.md"
    page.write_text(page.read_text() + "Bring an umbrella.\n")
    subprocess.run(["git", "-C", str(folder), "commit", "-qam", "Mention umbrellas"], check=True)
    alice = Membership.objects.get(user__email="alice@acme.example")

    run = request_refresh(Integration.objects.get(server__slug="handbook"), prune=True, membership=alice)

    assert (run.status, run.counts["changed"]) == (Status.SUCCEEDED, 1)
    assert "umbrella" in Content.objects.get(server__slug="handbook", path="docs/guides/quickstart.md").blob.text


@pytest.mark.django_db(transaction=True)
def test_what_is_saved_on_its_pages_is_a_commit_beside_it(folder: Path, settings: Settings) -> None:
    settings.GITSYNC_QUIET_SECONDS = 0
    world.seed(folder)
    handbook = Server.objects.get(slug="handbook")
    _push(handbook)
    assert _log(folder) == ["Add server Handbook (Alice)"]
    names = _git(world.pushed_to(folder), "ls-tree", "-r", "--name-only", "main").split()
    assert {"handbook/export.json", "handbook/Open-Meteo/tools/get-forecast.md"} <= set(names)

    forecast = Tool.objects.get(server=handbook, name="getForecast")
    alice = User.objects.get(email="alice@acme.example")
    edit_tool(tool=forecast, values={"description": "Rain, too."}, seen_revision=None, by=alice)
    _push(handbook)

    assert _log(folder)[0] == "Update tool `getForecast` of Handbook (Alice)"
    assert "+Rain, too." in _git(world.pushed_to(folder), "log", "-p", "-1", "main")


@pytest.mark.django_db(transaction=True)
def test_its_library_is_in_a_repository_of_its_own_and_what_it_says_to_try_there_comes_back(folder: Path) -> None:
    world.seed(folder)
    mirror = Mirror.objects.get()
    assert (mirror.repository, mirror.branch) == (world.mirrored_in(folder).as_uri(), "main")
    _sync(mirror)
    assert mirror.summary == "Synced 6 entities: 6 written, 0 read, 0 unchanged, 0 failed."
    files = _git(world.mirrored_in(folder), "ls-tree", "-r", "--name-only", "main").splitlines()
    assert files == [
        "README.md",
        "commands/morning-briefing.json",
        "mcp-clients/newsroom.json",
        "mcp-servers/api-reference.json",
        "mcp-servers/handbook.json",
        "skills/severe-weather/SKILL.md",
        "skills/severe-weather/references/levels.md",
        "skills/severe-weather/scripts/wind_chill.py",
        "toolkits/forecast-desk.json",
    ]
    toolkit = json.loads(_git(world.mirrored_in(folder), "show", "main:toolkits/forecast-desk.json"))
    assert toolkit["servers"]["handbook"]["tools"] == ["getElevation", "getForecast"]
    assert (toolkit["commands"], toolkit["skills"]) == (["morning-briefing"], ["severe-weather"])
    handbook = Server.objects.get(slug="handbook")
    assert (handbook.commands.get().slug, handbook.skills.get().slug) == ("morning-briefing", "severe-weather")

    for times in (1, 2):
        _enter(library.to_try(str(world.mirrored_in(folder))))
        alice = Membership.objects.get(user__email="alice@acme.example")
        sync_now(mirror, alice)
        _sync(mirror)
        assert Command.objects.get().prompt.startswith("Be brief. " * times + "Write")
    assert _git(library.work_tree(world.mirrored_in(folder)), "status", "--short") == ""


@pytest.mark.django_db(transaction=True)
def test_a_demo_of_before_gets_its_library_once_and_what_was_deleted_or_disconnected_stays_so(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as before:
        before.setattr(library, "furnish", lambda *_, **__: None)
        before.setattr(library, "connect", lambda *_: False)
        world.seed(folder)
    assert not Mirror.objects.exists()

    world.seed(folder)
    mirror, toolkit = Mirror.objects.get(), Toolkit.objects.get()
    alice = Membership.objects.get(user__email="alice@acme.example")
    edit_toolkit(toolkit=toolkit, values={"name": "My desk"}, seen_revision=None, by=alice.user)
    delete_command(command=Command.objects.get(), by=alice.user)
    _sync(mirror)
    disconnect_mirror(mirror, alice)
    world.seed(folder)

    assert [each.name for each in Toolkit.objects.all()] == ["My desk"]
    assert (Skill.objects.count(), Client.objects.count(), Command.objects.count()) == (1, 1, 0)
    assert not Mirror.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_its_servers_know_is_searched_their_content_a_repository_and_a_site_that_it_serves(
    folder: Path, settings: Settings
) -> None:
    made = world.seed(folder)
    with _open_site(made.organization, folder, settings):
        _index_all()
        school, runbooks = Source.objects.get(kind=Source.Kind.SITE), Source.objects.get(kind=Source.Kind.REPOSITORY)
        pages = len(site.PAGES) - 1
        assert (school.error_code, school.pages, school.skipped) == ("", pages, 1)
        assert (runbooks.error_code, runbooks.pages) == ("", len(repository.RUNBOOKS))
        handbook, reference = Server.objects.get(slug="handbook"), Server.objects.get(slug="api-reference")
        assert search(handbook, None, "why does wind feel cold").hits[0].source_name == sources.SCHOOL
        assert search(handbook, None, "header with the remaining limit").hits[0].path == "docs/guides/rate-limits.md"
        assert search(reference, None, "replica failover").hits[0].path == "runbooks/database-failover.md"

        _enter(site.to_try(str(world.served_from(folder))))
        later = time.time() + 5  # what a web server tells of a file's age has whole seconds
        for page in world.served_from(folder).rglob("*.html"):
            os.utime(page, (later, later))
        request_index(school)
        _index_all()
        assert search(handbook, None, "hail ruler").hits[0].title == "Thunderstorms"


@pytest.mark.django_db(transaction=True)
def test_its_site_is_where_it_was_and_gone_with_its_source(folder: Path, settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as before:
        before.setattr(sources, "add_runbooks", lambda *_, **__: None)
        made = world.seed(folder)
    with _open_site(made.organization, folder, settings) as address:
        taken = world.open_site(made.organization, folder)
        assert (taken.address, taken.server) == (address, None)
    world.seed(folder)  # what a demo of before lacks
    with _open_site(made.organization, folder, settings) as again:
        assert again == address
    assert set(Source.objects.exclude(kind="content").values_list("name", flat=True)) == {"Runbooks", "Weather school"}

    alice = User.objects.get(email="alice@acme.example")
    for source in Source.objects.exclude(kind="content"):
        delete_source(source, by=alice)
    world.seed(folder)
    assert world.open_site(made.organization, folder) == sources.Opened("", None)
    assert not Source.objects.exclude(kind="content").exists()


@contextmanager
def _open_site(organization: Organization, folder: Path, settings: Settings) -> Iterator[str]:
    """Its address, which may be asked, as in the processes that the demo starts."""
    opened = world.open_site(organization, folder)
    assert opened.server is not None
    settings.EGRESS_ALLOW_HOSTS = [opened.address]
    try:
        yield opened.address
    finally:
        opened.server.shutdown()
        opened.server.server_close()


def _index_all() -> None:
    """As the worker does it."""
    ask_for_runs()
    for run in Run.objects.filter(kind=INDEX, status=Status.QUEUED):
        done = runs.run_inline(run, budget=world.PATIENT)
        assert done.status == Status.SUCCEEDED, done.error_text


def _sync(mirror: Mirror) -> None:
    """As the worker does it."""
    run = runs.run_inline(live_runs(mirror).get(), budget=world.PATIENT)
    assert run.status == Status.SUCCEEDED, run.error_text
    mirror.refresh_from_db()


def _enter(line: str) -> None:
    subprocess.run(["sh", "-c", line], check=True, capture_output=True)


def _push(server: Server) -> None:
    """As the worker does it."""
    ask_for_pushes()
    run = runs.run_inline(live_runs(server.push_target).get(), budget=world.PATIENT)
    assert run.status == Status.SUCCEEDED, run.error_text


def _log(folder: Path) -> list[str]:
    return _git(world.pushed_to(folder), "log", "--format=%s", "main").splitlines()


def _git(at: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(at), *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.django_db
def test_without_a_folder_for_its_repository_the_demo_says_what_to_do(settings: Settings) -> None:
    settings.FORGE_LOCAL_ROOTS = []
    with pytest.raises(CommandError, match="FORGE_LOCAL_ROOTS"):
        call_command("demo", "--seed-only")


@pytest.mark.django_db
def test_the_demo_puts_nobody_with_a_known_password_among_the_people_of_an_installation(folder: Path) -> None:
    factories.user("somebody@company.example")
    with pytest.raises(CommandError, match="accounts that are not the demo's"):
        call_command("demo", "--seed-only")
    assert User.objects.count() == 1


def test_the_first_env_has_keys_of_its_own_for_its_owner_alone_and_is_never_written_twice(tmp_path: Path) -> None:
    file = tmp_path / ".env"

    assert first_env.write(file)
    first = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not first_env.write(file)
    assert file.read_text() == first

    (tmp_path / "other").mkdir()
    first_env.write(tmp_path / "other" / ".env")
    assert (tmp_path / "other" / ".env").read_text() != first

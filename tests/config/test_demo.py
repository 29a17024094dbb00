"""`make demo`: a small real world that is there at once, can be changed, and loses nothing when it starts again."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from catalog.models import Content, Server
from config import first_env
from config.demo import repository, world
from integrations.models import Integration
from integrations.refreshing import request_refresh
from jobs.models import Run, Status
from orgs.models import Membership, User
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
    assert Run.objects.count() == 2
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

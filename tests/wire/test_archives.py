"""Archives: the redirect, its ticket, and what git puts in."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from tests.wire import samples
from tests.wire.conftest import Get
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository


def test_a_tarball_holds_what_git_archives(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    commit = github_repo.git.commit(samples.archive_altered())
    redirect = get(f"/repos/acme/docs/tarball/{commit}")
    assert redirect.status_code == 302
    fetched = get(redirect.headers["Location"])
    folder = f"acme-docs-{commit[:7]}"
    with tarfile.open(fileobj=io.BytesIO(fetched.content)) as archive:
        names = set(archive.getnames())
        version = archive.extractfile(f"{folder}/version.txt")
        assert version
        assert version.read() == f"commit {commit}\n".encode()
    assert f"{folder}/logo.png" in names
    assert f"{folder}/private/notes.md" not in names
    assert fetched.headers["Transfer-Encoding"] == "chunked"
    assert "X-RateLimit-Limit" not in fetched.headers


def test_a_zipball_does_too(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    fetched = get(get("/repos/acme/docs/zipball/main").headers["Location"])
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as archive:
        assert any(name.endswith("/docs/guide.md") for name in archive.namelist())


def test_a_private_archive_needs_the_ticket_of_its_redirect(
    forge: Forge, private_repo: HostedRepository, get: Get
) -> None:
    token = forge.token("acme")
    address = get("/repos/acme/secret/tarball/main", token=token).headers["Location"]
    plain, _, ticket = address.partition("?token=")
    assert ticket
    assert get(address).status_code == 200
    assert get(plain).status_code == 404
    assert get(plain, token=token).status_code == 404
    assert get("/repos/acme/secret/tarball/main").status_code == 404


def test_a_ticket_opens_no_other_repository(forge: Forge, private_repo: HostedRepository, get: Get) -> None:
    forge.repository("acme/other", private=True).git.commit({"a.md": "one"})
    address = get("/repos/acme/secret/tarball/main", token=forge.token("acme")).headers["Location"]
    assert get(address.replace("/acme/secret/", "/acme/other/")).status_code == 404


def test_a_branch_in_the_address_is_looked_up_when_the_archive_is_fetched(
    forge: Forge, github_repo: HostedRepository, get: Get
) -> None:
    redirect = get("/repos/acme/docs/tarball/main")
    commit = github_repo.git.force_push({"other.md": "other"})
    with tarfile.open(fileobj=io.BytesIO(get(redirect.headers["Location"]).content)) as archive:
        assert f"acme-docs-{commit[:7]}/other.md" in archive.getnames()


def test_archives_can_come_from_another_host(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    other = forge.send_archives_elsewhere()
    location = get("/repos/acme/docs/tarball/main", token=forge.token("acme")).headers["Location"]
    assert location.startswith(f"{other}/_codeload/")
    assert get(location).status_code == 200
    assert forge.requests[-1].origin == other


@pytest.mark.parametrize("ref", ["main", "refs/heads/main", "heads/main", "v1", "feature/x", "HEAD"])
def test_each_way_to_name_a_commit_leads_to_its_archive(
    forge: Forge, github_repo: HostedRepository, get: Get, ref: str
) -> None:
    github_repo.git.tag("v1")
    github_repo.git.branch("feature/x")
    assert get(get(f"/repos/acme/docs/tarball/{ref}").headers["Location"]).status_code == 200

"""pytest fixtures; a conftest names this module in `pytest_plugins`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire import samples
from tests.wire.bitbucket_contract import load_bitbucket_contract
from tests.wire.contract import OpenApiContract, load_contract
from tests.wire.forge import Forge
from tests.wire.repos import GitRepo
from tests.wire.world import HostedRepository

NO_CONTRACTS = "CONTRACTS_DIR is not set: it names the folder with the forges' OpenAPI descriptions, github.json first"


@pytest.fixture(scope="session")
def github_contract() -> OpenApiContract | None:
    """GitHub's published description, None where CONTRACTS_DIR is not set."""
    folder = os.environ.get("CONTRACTS_DIR", "")
    return load_contract(Path(folder) / "github.json") if folder else None


@pytest.fixture(scope="session")
def bitbucket_contract() -> OpenApiContract | None:
    """Bitbucket's published description, None where CONTRACTS_DIR is not set."""
    folder = os.environ.get("CONTRACTS_DIR", "")
    return load_bitbucket_contract(Path(folder) / "bitbucket.json") if folder else None


@pytest.fixture
def contract(github_contract: OpenApiContract | None) -> OpenApiContract:
    """The same for tests that are about it: skipped where there is none."""
    if github_contract is None:
        pytest.skip(NO_CONTRACTS)
    return github_contract


@pytest.fixture
def forge(
    tmp_path: Path, github_contract: OpenApiContract | None, bitbucket_contract: OpenApiContract | None
) -> Iterator[Forge]:
    """A running forge without repositories, one for each test: it starts in a millisecond.

    At the end nothing may have been said on the wire that the contract does not know, and the server itself may not
    have failed. A test that is about violations clears `forge.violations`.
    """
    with Forge(tmp_path / "forge", contract=github_contract, contracts={"bitbucket": bitbucket_contract}) as running:
        yield running
    assert not running.errors, running.errors
    assert not running.violations, "\n".join(map(str, running.violations))


@pytest.fixture
def github_repo(forge: Forge) -> HostedRepository:
    """The public repository `acme/docs`: text, and one of each thing that cannot become content."""
    hosted = forge.repository("acme/docs")
    hosted.git.commit(samples.everything(), "First commit")
    return hosted


@pytest.fixture
def private_repo(forge: Forge) -> HostedRepository:
    """The private repository `acme/secret`; `forge.token("acme")` sees it, `forge.token("mallory")` does not."""
    hosted = forge.repository("acme/secret", private=True)
    hosted.git.commit({"README.md": samples.markdown("Secret"), "docs/plan.md": samples.markdown("Plan")})
    return hosted


@pytest.fixture
def git_repo(tmp_path: Path) -> Iterator[GitRepo]:
    """A real, empty repository on disk that no server knows."""
    with GitRepo(tmp_path / "plain.git") as repo:
        yield repo

"""The local forge keeps to GitHub's published description: every endpoint, every parameter, every refusal.

That what our clients send is described, too, is checked wherever they talk to the local forge: see the `forge` fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.wire import github_shapes, samples
from tests.wire.contract import OpenApiContract
from tests.wire.forge import Forge
from tests.wire.github_routes import Route, routes

pytestmark = pytest.mark.contract

REPOSITORY = "/repos/{owner}/{repo}"


@pytest.fixture
def described_forge(tmp_path: Path, contract: OpenApiContract) -> Iterator[Forge]:
    """A forge with a repository for every need: full, empty, private, and one with two branches that parted."""
    with Forge(tmp_path, contract=contract) as forge:
        docs = forge.repository("acme/docs", collaborators=["bob"], description="All there is to know")
        docs.git.commit(samples.everything() | samples.clashing())
        docs.git.branch("feature/one")
        docs.git.tag("v1")
        docs.git.move("docs/guide.md", "docs/manual.md", branch="feature/one")
        docs.git.commit({"README.md": None})
        docs.protected_branches.add("main")
        forge.repository("acme/empty")
        forge.repository("acme/secret", private=True).git.commit({"a.md": "one"})
        forge.repository("guild/shared", owner_kind="Organization", collaborators=["acme"]).git.commit({"a.md": "one"})
        yield forge


def addresses(forge: Forge, route: Route) -> list[str]:
    """Every kind of address that a route answers: found, missing, empty."""
    git = forge.world.repositories["acme/docs"].git
    head, files = git.tip("main") or "", git.files()
    tree = git.tree_of(head)
    last = {
        "branch": ["main", "feature/one", "none"],
        "ref": ["heads/main", "tags/v1", "main", head, "none", "heads"],
        "path": ["", "docs", "logo.png", "link.md", "vendor/library", "none"],
        "tree_sha": ["main", head, tree or "", "f" * 40],
        "file_sha": [files["logo.png"], files["latin1.txt"], "short", "f" * 40],
        "commit_sha": [head, "f" * 40],
        "basehead": ["main...feature/one", "feature/one...main", "main...main", "main...none"],
    }
    found = []
    for name in ("acme/docs", "acme/empty", "acme/none", "acme/secret"):
        path = route.template.replace("{owner}/{repo}", name)
        endings = next((values for key, values in last.items() if f"{{{key}}}" in path), [""])
        found += [path.partition("{")[0] + ending for ending in endings]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("route", routes.all, ids=lambda route: route.template)
def test_every_reply_is_as_described(described_forge: Forge, route: Route) -> None:
    tokens = ["", "ghp_wrong", described_forge.token("acme"), described_forge.token("bob", fine_grained=True)]
    statuses = set()
    for path in addresses(described_forge, route):
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            address = described_forge.url + path + ("?recursive=1" if "recursive" in route.query else "")
            answer = requests.get(address, headers=headers, allow_redirects=False, timeout=10)
            statuses.add(answer.status_code)
    described_forge.violations[:] = [found for found in described_forge.violations if found.by == "server"]
    assert not described_forge.errors
    assert not described_forge.violations, "\n".join(map(str, described_forge.violations))
    assert statuses & {200, 302}


@pytest.mark.parametrize("route", routes.all, ids=lambda route: route.template)
def test_every_endpoint_takes_the_parameters_that_are_described(contract: OpenApiContract, route: Route) -> None:
    (operation,) = (op for op in contract.operations if (op.template, op.method) == (route.template, "get"))
    assert route.query == operation.query.keys()


@pytest.mark.parametrize(
    ("left_out", "path"),
    [
        ("default_branch", "/repos/acme/docs"),
        ("owner", "/user/repos"),
        ("login", "/user"),
    ],
)
def test_a_property_left_out_is_a_violation(
    described_forge: Forge, monkeypatch: pytest.MonkeyPatch, left_out: str, path: str
) -> None:
    for name in ("full_repository", "repository", "private_user"):
        whole = getattr(github_shapes, name)
        monkeypatch.setattr(
            github_shapes,
            name,
            lambda *args, _whole=whole, **more: {k: v for k, v in _whole(*args, **more).items() if k != left_out},
        )
    headers = {"Authorization": f"Bearer {described_forge.token('acme')}"}
    assert requests.get(described_forge.url + path, headers=headers, timeout=10).status_code == 200
    assert any(found.by == "server" for found in described_forge.violations)


@pytest.mark.parametrize("query", ["?sort=newest", "?per_page=many", "?page=2&colour=red"])
def test_a_parameter_that_is_not_described_is_refused(described_forge: Forge, query: str) -> None:
    headers = {"Authorization": f"Bearer {described_forge.token('acme')}"}
    answer = requests.get(f"{described_forge.url}/user/repos{query}", headers=headers, timeout=10)
    assert answer.status_code == 422
    assert [found.by for found in described_forge.violations] == ["client"]

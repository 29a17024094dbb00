"""The local forge keeps to GitHub's published description: every endpoint, every parameter, every refusal.

That what our clients send is described, too, is checked wherever they talk to the local forge: see the `forge` fixture.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from tests.wire import github_shapes, samples
from tests.wire.contract import OpenApiContract
from tests.wire.forge import Forge
from tests.wire.github_documented import DOCUMENTED
from tests.wire.github_routes import Route, routes
from tests.wire.world import PullRequest

pytestmark = pytest.mark.contract

CALLBACK = "http://127.0.0.1:8000/connections/done"
Json = dict[str, Any]


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
        docs.pulls.append(PullRequest(1, "github", docs.owner, "Move the guide", "feature/one", "main", state="closed"))
        hook = forge.world.hooks.add("github", docs, "http://127.0.0.1:1/inbox", secret="s", events=["*"])
        forge.announce("push", docs, branch="main", after=docs.git.tip("main"))
        assert forge.world.hooks.last(hook).status == 0
        app = forge.world.github_app(callback_url=CALLBACK)
        forge.world.install(app, "acme", ["acme/docs", "acme/empty"])
        yield forge


@dataclass(frozen=True)
class Known:
    """Who asks, and the numbers that addresses need."""

    tokens: tuple[str, ...]
    hook: int
    delivery: int
    installation: int


def known(forge: Forge) -> Known:
    """Everybody: nobody, a stranger, owners with each kind of token, the App, its installation, and its person."""
    world = forge.world
    docs, (installation,) = world.repositories["acme/docs"], world.apps.installations.values()
    app, server = installation.app, world.oauth
    code = server.authorise(app.client_id, CALLBACK, account="acme")
    person = server.exchange(app.client_id, app.client_secret, code, CALLBACK, "").access_token
    now = int(time.time())
    itself = jwt.encode(
        {"iss": str(app.app_id), "iat": now - 60, "exp": now + 300}, app.private_key_pem, algorithm="RS256"
    )
    tokens = (
        *("", "ghp_wrong", forge.token("acme", scopes=["repo", "user:email"]), forge.token("mallory")),
        forge.token("bob", fine_grained=True),
        *(itself, world.apps.token(installation, None, installation.permissions).value, person),
    )
    (hook,) = world.hooks.of(docs)
    return Known(tokens, hook.id, world.hooks.last(hook).number, installation.id)


def addresses(forge: Forge, route: Route, who: Known) -> list[str]:
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
        "pull_number": ["1", "2"],
    }
    named = {"hook_id": who.hook, "delivery_id": who.delivery, "installation_id": who.installation}
    template = route.template
    for key, number in named.items():
        template = template.replace(f"{{{key}}}", str(number))
    found = [re.sub(r"/\d+", "/9", template)] if template != route.template else []
    for name in ("acme/docs", "acme/empty", "acme/none", "acme/secret"):
        path = template.replace("{owner}/{repo}", name)
        endings = next((values for key, values in last.items() if f"{{{key}}}" in path), [""])
        found += [path.partition("{")[0] + ending for ending in endings]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("route", [r for r in routes.all if r.method == "GET"], ids=lambda route: route.template)
def test_every_reply_is_as_described(described_forge: Forge, route: Route) -> None:
    described_forge.world.anonymous_limit = 1000
    statuses, who = set(), known(described_forge)
    for path in addresses(described_forge, route, who):
        for token in who.tokens:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            address = described_forge.url + path + ("?recursive=1" if "recursive" in route.query else "")
            answer = requests.get(address, headers=headers, allow_redirects=False, timeout=10)
            statuses.add(answer.status_code)
    described_forge.violations[:] = [found for found in described_forge.violations if found.by == "server"]
    assert not described_forge.errors
    assert not described_forge.violations, "\n".join(map(str, described_forge.violations))
    assert statuses & {200, 302}


WRITES: dict[str, list[Json]] = {
    "POST /repos/{owner}/{repo}/hooks": [{"config": {"url": "http://127.0.0.1:1/other"}}, {"config": {"url": "x"}}],
    "PATCH /repos/{owner}/{repo}/hooks/{hook_id}": [{"events": ["push"]}, {"events": ["none"]}],
    "POST /repos/{owner}/{repo}/git/blobs": [{"content": "x"}, {"content": "x", "encoding": "base64"}],
    "POST /repos/{owner}/{repo}/git/trees": [
        {"tree": [{"path": "x.md", "mode": "100644", "type": "blob", "content": "x"}]},
        {"tree": []},
    ],
    "POST /repos/{owner}/{repo}/git/commits": [{"message": "x", "tree": "TREE"}, {"message": "x", "tree": "1" * 40}],
    "POST /repos/{owner}/{repo}/git/refs": [
        {"ref": "refs/heads/new", "sha": "HEAD"},
        {"ref": "refs/heads/new", "sha": "1" * 40},
    ],
    "PATCH /repos/{owner}/{repo}/git/refs/{ref}": [{"sha": "HEAD", "force": True}, {"sha": "1" * 40, "force": True}],
    "PUT /repos/{owner}/{repo}/contents/{path}": [
        {"message": "x", "content": "eA==", "branch": "feature/one"},
        {"message": "x", "content": "eA=="},
        {"message": "x", "content": "eA==", "branch": "none"},
    ],
    "POST /repos/{owner}/{repo}/pulls": [
        {"title": "x", "head": "feature/one", "base": "main"},
        {"title": "x", "head": "feature/one", "base": "none"},
    ],
    "PATCH /repos/{owner}/{repo}/pulls/{pull_number}": [{"title": "y"}, {"state": "closed"}],
    "POST /app/installations/{installation_id}/access_tokens": [{"repositories": ["docs"]}, {"repositories": ["none"]}],
}
"""Bodies that are good and that are refused, where a body is needed."""


@pytest.mark.parametrize(
    "route",
    [r for r in routes.all if r.method != "GET" and not r.template.startswith("/applications/")],
    ids=lambda route: f"{route.method} {route.template}",
)
def test_every_reply_to_a_write_is_as_described(described_forge: Forge, route: Route) -> None:
    described_forge.world.anonymous_limit = 1000
    git = described_forge.world.repositories["acme/docs"].git
    head = git.tip("feature/one") or ""
    statuses, who = set(), known(described_forge)
    for body in WRITES.get(f"{route.method} {route.template}", [None]):
        stands_for = {"HEAD": head, "TREE": git.tree_of(head)}
        sent = body and {
            name: stands_for.get(value, value) if isinstance(value, str) else value for name, value in body.items()
        }
        for path in addresses(described_forge, route, who):
            for token in who.tokens:
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                answer = requests.request(
                    route.method,
                    described_forge.url + path,
                    json=sent,
                    headers=headers,
                    allow_redirects=False,
                    timeout=10,
                )
                statuses.add(answer.status_code)
    described_forge.violations[:] = [found for found in described_forge.violations if found.by == "server"]
    assert not described_forge.errors
    assert not described_forge.violations, "\n".join(map(str, described_forge.violations))
    assert statuses & {200, 201, 202, 204}
    assert statuses & {401, 403, 404}


@pytest.mark.parametrize("route", routes.all, ids=lambda route: f"{route.method} {route.template}")
def test_every_endpoint_takes_the_parameters_that_are_described(contract: OpenApiContract, route: Route) -> None:
    known_of = (*contract.operations, *DOCUMENTED.operations)
    (operation,) = (op for op in known_of if (op.template, op.method) == (route.template, route.method.lower()))
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

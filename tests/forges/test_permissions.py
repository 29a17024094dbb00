"""Permissions: which are named as missing, and which as more than is needed."""

from __future__ import annotations

import pytest

from forges.clients.permissions import APP_PERMISSIONS, OAUTH_SCOPES, READING_SCOPES, Findings, Purpose, findings

PURPOSES: tuple[Purpose, ...] = ("read", "hooks", "write")
API_TOKEN = [
    "read:repository:bitbucket",
    "write:repository:bitbucket",
    "read:webhook:bitbucket",
    "write:webhook:bitbucket",
    "write:pullrequest:bitbucket",
]


def of(forge: str, scopes: str, purpose: Purpose = "read", method: str = "token", *, oauth: bool = False) -> Findings:
    return findings(forge, method=method, scopes=frozenset(scopes.split()), oauth=oauth, purpose=purpose)


@pytest.mark.parametrize("forge", ["github", "gitlab", "bitbucket"])
@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_scopes_that_we_ask_for_are_enough_and_nobody_is_told_to_narrow_them(forge: str, purpose: Purpose) -> None:
    assert of(forge, " ".join(OAUTH_SCOPES[forge]), purpose, "oauth", oauth=True) == Findings()


@pytest.mark.parametrize("forge", ["github", "gitlab", "bitbucket"])
def test_the_scopes_for_reading_are_enough_to_read(forge: str) -> None:
    assert not of(forge, " ".join(READING_SCOPES[forge]), "read", "oauth", oauth=True).missing


def test_the_apps_permissions_are_enough() -> None:
    granted = " ".join(f"{name}:{level}" for name, level in APP_PERMISSIONS.items())
    for purpose in PURPOSES:
        assert not of("github", granted, purpose, "github_app").missing


@pytest.mark.parametrize(
    ("forge", "scopes", "purpose", "named"),
    [
        ("github", "", "read", ["repo"]),
        ("github", "read:org", "read", ["repo"]),
        ("github", "", "hooks", ["admin:repo_hook"]),
        ("github", "read:repo_hook public_repo", "hooks", ["admin:repo_hook"]),
        ("github", "gist", "write", ["repo"]),
        ("gitlab", "read_user", "read", ["read_api"]),
        ("gitlab", "read_user read_repository", "read", ["read_api"]),
        ("gitlab", "read_api", "hooks", ["api"]),
        ("gitlab", "read_api write_repository", "write", ["api"]),
        ("bitbucket", "account", "read", [" repository ("]),
        ("bitbucket", "repository", "hooks", [" webhook ("]),
        ("bitbucket", "repository", "write", [" repository:write (", " pullrequest:write ("]),
        ("bitbucket", "repository:write", "write", [" pullrequest:write ("]),
        ("bitbucket", "write:repository:bitbucket", "read", ["read:repository:bitbucket"]),
        ("bitbucket", "read:repository:bitbucket", "hooks", ["write:webhook:bitbucket", "read:webhook:bitbucket"]),
        ("bitbucket", "write:webhook:bitbucket", "hooks", ["read:webhook:bitbucket"]),
        ("bitbucket", "read:user:bitbucket", "write", ["write:repository:bitbucket", "write:pullrequest:bitbucket"]),
    ],
)
def test_what_is_missing_is_named_in_a_sentence(forge: str, scopes: str, purpose: Purpose, named: list[str]) -> None:
    found = of(forge, scopes, purpose).missing
    assert len(found) == len(named)
    for sentence, name in zip(found, named, strict=True):
        assert name in sentence
        assert sentence.startswith("The token lacks the permission ")
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("forge", "scopes", "purpose"),
    [
        ("github", "repo", "read"),
        ("github", "repo", "hooks"),
        ("github", "write:repo_hook", "hooks"),
        ("github", "repo", "write"),
        ("gitlab", "read_api", "read"),
        ("gitlab", "api", "write"),
        ("bitbucket", "repository", "read"),
        ("bitbucket", "pullrequest:write", "write"),
        ("bitbucket", "repository webhook", "hooks"),
        *(("bitbucket", " ".join(API_TOKEN), purpose) for purpose in PURPOSES),
    ],
)
def test_nothing_is_missed_that_another_scope_includes(forge: str, scopes: str, purpose: Purpose) -> None:
    assert of(forge, scopes, purpose).missing == ()


def test_a_token_that_can_write_is_noted_where_reading_would_do() -> None:
    for forge, scopes in (("github", "repo"), ("gitlab", "api"), ("bitbucket", "repository:write")):
        (note,) = of(forge, scopes).notes
        assert note.startswith("The token can write, although reading is enough here.")
        assert of(forge, scopes, "write" if forge != "bitbucket" else "read", oauth=forge == "bitbucket").notes == ()
    assert of("gitlab", "read_api").notes == ()
    (note,) = of("bitbucket", "repository:write", method="consumer").notes
    assert note.startswith("The consumer can write")
    (note,) = of("github", "contents:write", method="github_app").notes
    assert note.startswith("The installation can write")


def test_an_installation_for_reading_lacks_what_pushing_needs() -> None:
    assert of("github", "contents:read metadata:read", "read", "github_app") == Findings()
    contents, requests = of("github", "contents:read metadata:read", "write", "github_app").missing
    assert contents == "The installation lacks the permission Contents: write: it cannot push."
    assert requests == "The installation lacks the permission Pull requests: write: it cannot open pull requests."
    assert of("github", "metadata:read", "read", "github_app").missing


def test_a_token_for_public_repositories_is_noted_and_not_refused() -> None:
    for purpose in ("read", "write"):
        found = of("github", "public_repo", purpose)
        assert found.missing == ()
        assert "public repositories only" in found.notes[0]


@pytest.mark.parametrize(
    ("forge", "scopes"),
    [
        ("github", "repo delete_repo"),
        ("gitlab", "api sudo"),
        ("bitbucket", "repository:delete"),
        ("bitbucket", "delete:repository:bitbucket"),
    ],
)
def test_a_token_that_could_do_harm_is_noted_for_any_purpose(forge: str, scopes: str) -> None:
    for purpose in PURPOSES:
        assert any("more than anything here needs" in note for note in of(forge, scopes, purpose).notes)


def test_what_the_forge_does_not_tell_is_not_judged() -> None:
    for forge in ("github", "gitlab", "bitbucket", "git"):
        assert findings(forge, method="token", scopes=None, oauth=False, purpose="write") == Findings()
    assert of("git", "", "write") == Findings()

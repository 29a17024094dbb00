"""What each forge calls the permissions that we need, and what a credential lacks of them or has too much of. Pure.

What a forge does not tell (the permissions of GitHub's fine-grained tokens) cannot be judged here: the first request
that needs one says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

Purpose = Literal["read", "hooks", "write"]

# https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
# https://docs.gitlab.com/integration/oauth_provider/#view-all-authorized-applications: `read_repository` opens git and
# single files of a repository; projects, branches and trees want `read_api`, hooks and commits `api`.
# https://developer.atlassian.com/cloud/bitbucket/rest/intro/#oauth-2-0-scopes
OAUTH_SCOPES: Mapping[str, tuple[str, ...]] = {
    "github": ("read:user", "user:email", "repo"),
    "gitlab": ("read_user", "read_repository", "api"),
    "bitbucket": ("account", "repository", "repository:write", "pullrequest:write", "webhook"),
}
"""Scopes that an OAuth flow asks for: reading, webhooks and pushes."""

READING_SCOPES: Mapping[str, tuple[str, ...]] = {
    "github": OAUTH_SCOPES["github"],  # nothing narrower sees private repositories
    "gitlab": ("read_user", "read_repository", "read_api"),
    "bitbucket": ("account", "repository"),
}
"""Those that are enough to read."""

# https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
APP_PERMISSIONS: Mapping[str, str] = {"contents": "write", "metadata": "read", "pull_requests": "write"}
"""Of the GitHub App; its own webhook needs none. With contents for reading alone it imports and does not push."""
APP_EVENTS = ("push", "repository", "delete")
"""That the App subscribes to; installations tell of themselves unasked."""


@dataclass(frozen=True, slots=True)
class Findings:
    missing: tuple[str, ...] = ()
    """A sentence for each permission that the purpose needs and the credential lacks."""
    notes: tuple[str, ...] = ()
    """A sentence for each that it could do without."""

    @property
    def cannot_push(self) -> bool:
        """Of what is judged for writing: opening requests can be all that it lacks."""
        return any(_PUSH in each for each in self.missing)


@dataclass(frozen=True, slots=True)
class _Need:
    """Any one of `scopes` will do; `name` is what a person looks for at the forge."""

    scopes: frozenset[str]
    name: str
    without: str


def _need(name: str, without: str, *scopes: str) -> _Need:
    return _Need(frozenset(scopes), name, without)


_READ_REPOSITORIES = "it cannot read private repositories"
_MAKE_HOOKS = (
    "it cannot add a webhook, so that pushes are noticed by looking now and then, or by a webhook added by hand"
)
_PUSH = "it cannot push"
_OPEN_REQUESTS = "it cannot open pull requests"

_NEEDS: Mapping[str, Mapping[Purpose, tuple[_Need, ...]]] = {
    "github": {
        "read": (_need("repo", _READ_REPOSITORIES, "repo"),),
        "hooks": (_need("admin:repo_hook (or repo)", _MAKE_HOOKS, "repo", "admin:repo_hook", "write:repo_hook"),),
        "write": (_need("repo", f"{_PUSH} to private repositories", "repo"),),
    },
    "github_app": {
        "read": (_need("Contents: read", "it cannot read files", "contents:read", "contents:write"),),
        "hooks": (),
        "write": (
            _need("Contents: write", _PUSH, "contents:write"),
            _need("Pull requests: write", _OPEN_REQUESTS, "pull_requests:write"),
        ),
    },
    "gitlab": {
        "read": (_need("read_api (or api)", _READ_REPOSITORIES, "read_api", "api"),),
        "hooks": (_need("api", _MAKE_HOOKS, "api"),),
        "write": (_need("api", f"{_PUSH} and cannot open merge requests", "api"),),
    },
    # Of access tokens, OAuth and consumers, where writing includes reading:
    # https://developer.atlassian.com/cloud/bitbucket/rest/intro/#oauth-2-0-scopes
    "bitbucket": {
        "read": (
            _need(
                "repository (Repositories: Read)",
                _READ_REPOSITORIES,
                "repository",
                "repository:write",
                "repository:admin",
                "pullrequest",
                "pullrequest:write",
            ),
        ),
        "hooks": (_need("webhook (Webhooks: Read and write)", _MAKE_HOOKS, "webhook"),),
        "write": (
            _need("repository:write (Repositories: Write)", _PUSH, "repository:write", "pullrequest:write"),
            _need("pullrequest:write (Pull requests: Write)", _OPEN_REQUESTS, "pullrequest:write"),
        ),
    },
    # Of API tokens, which name each permission by itself, and where writing does not include reading:
    # https://support.atlassian.com/bitbucket-cloud/docs/api-token-permissions/
    "bitbucket_api_token": {
        "read": (
            _need("read:repository:bitbucket (Repositories: Read)", _READ_REPOSITORIES, "read:repository:bitbucket"),
        ),
        "hooks": (
            _need("write:webhook:bitbucket (Webhooks: Write)", _MAKE_HOOKS, "write:webhook:bitbucket"),
            _need("read:webhook:bitbucket (Webhooks: Read)", _MAKE_HOOKS, "read:webhook:bitbucket"),
        ),
        "write": (
            _need("write:repository:bitbucket (Repositories: Write)", _PUSH, "write:repository:bitbucket"),
            _need("write:pullrequest:bitbucket (Pull requests: Write)", _OPEN_REQUESTS, "write:pullrequest:bitbucket"),
        ),
    },
}

_WRITING: Mapping[str, frozenset[str]] = {
    "github": frozenset({"repo", "public_repo"}),
    "github_app": frozenset({"contents:write"}),
    "gitlab": frozenset({"api", "write_repository"}),
    "bitbucket": frozenset({"repository:write", "repository:admin", "pullrequest:write"}),
    "bitbucket_api_token": frozenset({"write:repository:bitbucket", "admin:repository:bitbucket"}),
}
_NARROWER: Mapping[str, str] = {
    "github": "A fine-grained token with “Contents: Read-only” would do.",
    "github_app": "“Contents: Read-only” would do.",
    "gitlab": "The scope read_api would do.",
    "bitbucket": "The permission to read repositories would do.",
    "bitbucket_api_token": "The permission to read repositories would do.",
}
# What lets a lost token do harm that nothing here ever needs.
_DANGEROUS: Mapping[str, frozenset[str]] = {
    "github": frozenset({"delete_repo", "site_admin", "admin:org", "admin:enterprise", "admin:public_key", "workflow"}),
    "gitlab": frozenset({"sudo", "admin_mode"}),
    "bitbucket": frozenset({"repository:delete", "account:write", "project:admin"}),
    "bitbucket_api_token": frozenset(
        {"delete:repository:bitbucket", "admin:workspace:bitbucket", "admin:project:bitbucket"}
    ),
}


def findings(forge: str, *, method: str, scopes: Collection[str] | None, oauth: bool, purpose: Purpose) -> Findings:
    """What a credential with `scopes` lacks for `purpose`, and what it has beyond it.

    `scopes` is what the forge reported, None where it does not tell; of a GitHub App's installation its permissions as
    `name:level`. With `oauth` it is we who ask for the scopes, so that nobody is told to choose narrower ones.
    """
    if scopes is None or forge not in _NEEDS:
        return Findings()
    granted = frozenset(scopes)
    kind = "github_app" if method == "github_app" else forge
    if forge == "bitbucket" and any(scope.endswith(":bitbucket") for scope in granted):
        kind = "bitbucket_api_token"
    what = {"github_app": "The installation", "consumer": "The consumer"}.get(method, "The token")
    lacking = [need for need in _NEEDS[kind][purpose] if not need.scopes & granted]
    missing = [f"{what} lacks the permission {need.name}: {need.without}." for need in lacking]
    notes = []
    if kind == "github" and "public_repo" in granted and lacking and purpose != "hooks":
        missing = []
        notes.append("The token has the scope public_repo, and not repo: it works with public repositories only.")
    if purpose == "read" and not oauth and granted & _WRITING[kind] and not lacking:
        notes.append(f"{what} can write, although reading is enough here. {_NARROWER[kind]}")
    if beyond := granted & _DANGEROUS.get(kind, frozenset()):
        notes.append(f"{what} can do more than anything here needs: {', '.join(sorted(beyond))}.")
    return Findings(tuple(missing), tuple(notes))

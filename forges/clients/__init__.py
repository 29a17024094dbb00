"""The forges that Millrace speaks with, in one plain list. Another one is a file beside these and a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from forges.clients.base import Client, CredentialSource, Limits
from forges.clients.bitbucket import BitbucketClient
from forges.clients.bitbucket_names import bitbucket_api_url, bitbucket_web_url, normalise_bitbucket
from forges.clients.errors import InvalidName
from forges.clients.git import GitClient
from forges.clients.github import GitHubClient
from forges.clients.gitlab import GitLabClient
from forges.clients.gitlab_names import gitlab_api_url, gitlab_web_url, normalise_gitlab
from forges.clients.names import github_api_url, github_web_url, normalise_git, normalise_github
from lib import egress


class _Opener(Protocol):
    def __call__(
        self,
        *,
        base_url: str,
        credential: CredentialSource,
        policy: egress.Policy,
        limits: Limits,
        local_roots: tuple[Path, ...],
    ) -> Client: ...


@dataclass(frozen=True, slots=True)
class Forge:
    """One kind of forge, for forms and pages."""

    key: str
    label: str
    base_url: str
    """Of its API, where the operator or the person enters no other; "" where each repository's URL has the host."""
    documentation: str
    """Where a person reads how to make a credential for it."""
    open: _Opener
    normalise: Callable[[str, str, Sequence[Path]], str]
    api_url: Callable[[str], str] = lambda web_url: web_url
    """The API's base URL of the server that people see at a web address (no trailing slash, either way)."""
    web_url: Callable[[str], str] = lambda base_url: base_url
    """And back."""

    def label_at(self, base_url: str) -> str:
        """By the name that people know: “GitHub”, or with its host where that is not the public one."""
        return self.label if base_url == self.base_url else f"{self.label} ({urlsplit(base_url).netloc})"


FORGES: dict[str, Forge] = {
    forge.key: forge
    for forge in (
        Forge(
            key="github",
            label="GitHub",
            base_url="https://api.github.com",
            documentation="https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens",
            open=lambda *, local_roots, **options: GitHubClient(**options),  # noqa: ARG005  no folders there
            normalise=lambda base_url, text, _roots: normalise_github(base_url, text),
            api_url=github_api_url,
            web_url=github_web_url,
        ),
        Forge(
            key="gitlab",
            label="GitLab",
            base_url="https://gitlab.com/api/v4",
            documentation="https://docs.gitlab.com/user/profile/personal_access_tokens/",
            open=lambda *, local_roots, **options: GitLabClient(**options),  # noqa: ARG005  no folders there
            normalise=lambda base_url, text, _roots: normalise_gitlab(base_url, text),
            api_url=gitlab_api_url,
            web_url=gitlab_web_url,
        ),
        Forge(
            key="bitbucket",
            label="Bitbucket",
            base_url="https://api.bitbucket.org/2.0",
            documentation="https://support.atlassian.com/bitbucket-cloud/docs/create-an-api-token/",
            open=lambda *, local_roots, **options: BitbucketClient(**options),  # noqa: ARG005  no folders there
            normalise=lambda base_url, text, _roots: normalise_bitbucket(base_url, text),
            api_url=bitbucket_api_url,
            web_url=bitbucket_web_url,
        ),
        Forge(
            key="git",
            label="Plain git",
            base_url="",
            documentation="https://git-scm.com/docs/git-clone#_git_urls",
            open=lambda *, base_url, **options: GitClient(**options),  # noqa: ARG005  the repository is its own URL
            normalise=lambda _base_url, text, roots: normalise_git(text, local_roots=roots),
        ),
    )
}


def open_client(
    forge: str,
    *,
    base_url: str = "",
    credential: CredentialSource,
    policy: egress.Policy,
    limits: Limits,
    local_roots: tuple[Path, ...] = (),
) -> Client:
    """A client for `with`. Nothing is sent or refused before it is asked something; KeyError for an unknown forge.

    `local_roots` are the folders in which plain git may read repositories of this machine.
    """
    known = FORGES[forge]
    return known.open(
        base_url=base_url or known.base_url,
        credential=credential,
        policy=policy,
        limits=limits,
        local_roots=local_roots,
    )


def normalise_repository(forge: str, base_url: str, text: str, *, local_roots: Sequence[Path] = ()) -> str:
    """The one spelling under which a repository is stored and compared, from whatever a person typed or pasted.

    `owner/name` in lower case for GitHub, `group/subgroup/project` for GitLab, an https:// URL without `.git` for plain
    git (`file://` and the real path for a folder in `local_roots`). Raises InvalidName, with a sentence that never
    repeats the text: it may hold a token.
    """
    known = FORGES[forge]
    return known.normalise(base_url or known.base_url, text, local_roots)


__all__ = ["FORGES", "Forge", "InvalidName", "normalise_repository", "open_client"]

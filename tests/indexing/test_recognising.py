"""What an address is, told by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.recognising import PUBLIC, InvalidAddress, Known, Recognised, recognise, repository_url

OURS = (
    Known("gitlab", "https://git.example.com/api/v4"),
    Known("github", "https://ghe.example.com/api/v3"),
    Known("gitlab", "https://www.example.org/code/api/v4"),
    *PUBLIC,
)


def told(text: str) -> tuple[str, str, str, str, bool]:
    """(forge, repository, branch and path by slashes, branch, is_file)"""
    it = recognise(text, known=OURS)
    assert it.kind == "repository"
    return it.forge, it.repository, "/".join(it.path), it.branch, it.is_file


@pytest.mark.parametrize(
    ("text", "forge", "repository"),
    [
        ("https://github.com/Acme/Docs", "github", "acme/docs"),
        ("github.com/acme/docs/", "github", "acme/docs"),
        ("https://www.github.com/acme/docs.git", "github", "acme/docs"),
        ("git@github.com:acme/docs.git", "github", "acme/docs"),
        ("ssh://git@gitlab.com/group/sub/project.git", "gitlab", "group/sub/project"),
        ("https://github.com/acme/docs/issues/4?x=1#top", "github", "acme/docs"),
        ("https://gitlab.com/group/sub/project", "gitlab", "group/sub/project"),
        ("https://gitlab.com/group/project/-/issues", "gitlab", "group/project"),
        ("https://bitbucket.org/acme/docs/", "bitbucket", "acme/docs"),
        ("https://bob@bitbucket.org/acme/docs.git", "bitbucket", "acme/docs"),
        ("https://git.example.com/team/docs", "gitlab", "team/docs"),
        ("https://ghe.example.com/team/docs", "github", "team/docs"),
        ("https://www.example.org/code/team/docs", "gitlab", "team/docs"),
        ("https://codeberg.org/acme/docs", "git", "https://codeberg.org/acme/docs"),
        ("https://git.unknown.example/a/b.git", "git", "https://git.unknown.example/a/b"),
    ],
)
def test_repositories_are_recognised(text: str, forge: str, repository: str) -> None:
    assert told(text) == (forge, repository, "", "", False)


@pytest.mark.parametrize(
    ("text", "forge", "path", "branch", "is_file"),
    [
        ("https://github.com/acme/docs/tree/main/guide/intro", "github", "main/guide/intro", "", False),
        ("https://github.com/acme/docs/blob/main/guide/a%20b.md#L3", "github", "main/guide/a b.md", "", True),
        ("https://github.com/acme/docs/raw/refs/heads/main/a.md", "github", "main/a.md", "", True),
        ("https://raw.githubusercontent.com/acme/docs/main/a.md", "github", "main/a.md", "", True),
        ("https://raw.githubusercontent.com/acme/docs/refs/heads/next/a.md", "github", "next/a.md", "", True),
        ("https://gitlab.com/g/s/docs/-/tree/main/guide?ref_type=heads", "gitlab", "main/guide", "", False),
        ("https://gitlab.com/g/docs/-/raw/main/a.md", "gitlab", "main/a.md", "", True),
        ("https://bitbucket.org/g/docs/src/main/guide/", "bitbucket", "main/guide", "", False),
        ("https://bitbucket.org/g/docs/src/main/guide/a.md", "bitbucket", "main/guide/a.md", "", True),
        ("https://bitbucket.org/g/docs/src/0123abc/guide/?at=feature%2Fx", "bitbucket", "guide", "feature/x", False),
        ("https://bitbucket.org/g/docs/raw/main/a.md", "bitbucket", "main/a.md", "", True),
        ("https://codeberg.org/g/docs/src/branch/main/guide", "git", "main/guide", "", False),
        ("https://git.unknown.example/g/docs/-/tree/main/guide", "git", "main/guide", "", False),
        ("https://git.unknown.example/g/docs/src/branch/main/a.md", "git", "main/a.md", "", True),
    ],
)
def test_links_into_a_repository_keep_where_they_lead(
    text: str, forge: str, path: str, branch: str, is_file: bool
) -> None:
    found = told(text)
    assert (found[0], *found[2:]) == (forge, path, branch, is_file)
    assert found[1].endswith("docs")


@pytest.mark.parametrize(
    ("text", "kind", "url"),
    [
        ("docs.example.com", "site", "https://docs.example.com/"),
        ("https://docs.example.com/guide/?utm_source=x#y", "site", "https://docs.example.com/guide/"),
        ("https://docs.example.com/llms.txt", "site", "https://docs.example.com/llms.txt"),
        ("https://acme.github.io/docs/", "site", "https://acme.github.io/docs/"),
        ("https://github.com/features/actions", "site", "https://github.com/features/actions"),
        ("https://docs.github.com/en/rest", "site", "https://docs.github.com/en/rest"),
        ("https://docs.example.com/api/mcp", "mcp", "https://docs.example.com/api/mcp"),
        ("https://mcp.example.com/", "mcp", "https://mcp.example.com/"),
    ],
)
def test_the_rest_has_to_be_asked(text: str, kind: str, url: str) -> None:
    assert recognise(text, known=OURS) == Recognised(kind, url)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Enter an address."),
        ("acme/docs", "Enter the whole address"),
        ("ftp://example.com/", "Only addresses that begin with https://"),
        ("javascript:alert(1)", "Enter the whole address"),
        ("https://", "no host name"),
        ("https://bob:secret@example.com/", "user name or token"),
        ("https://ghp_secret@github.com/acme/docs", "user name or token"),
        ("https://exa mple.com/", "a blank"),
        ("https://example.com/\x00", "a blank"),
        ("https://example.com:port/", "not a valid address"),
        ("https://github.com/acme", "address of an account at GitHub"),
        ("git@unknown.example:acme/docs.git", "Addresses for SSH are not read"),
        ("/etc/passwd", "Folders on the server are not read"),
        ("file:///etc/passwd", "Folders on the server are not read"),
        ("https://example.com/" + "x" * 3000, "longer than"),
    ],
)
def test_what_is_no_address_is_said_without_repeating_it(text: str, says: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        recognise(text, known=OURS)
    assert says in str(refused.value)
    assert "secret" not in str(refused.value)


def test_the_address_of_a_repository_is_where_people_see_it() -> None:
    assert recognise("git@github.com:acme/docs", known=OURS).url == "https://github.com/acme/docs"
    assert repository_url("gitlab", "https://git.example.com/api/v4", "a/b") == "https://git.example.com/a/b"
    assert repository_url("git", "", "https://git.example.com/a") == "https://git.example.com/a"


@given(st.one_of(st.text(), st.text().map("https://github.com/{}".format), st.text().map("https://{}".format)))
def test_anything_is_recognised_or_refused(text: str) -> None:
    try:
        found = recognise(text, known=OURS)
    except InvalidAddress:
        return
    assert recognise(found.url, known=OURS).url == found.url

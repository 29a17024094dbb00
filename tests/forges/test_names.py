"""One spelling for each repository, whatever was pasted; and nothing that a tool could take for an option."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forges.clients import FORGES, normalise_repository
from forges.clients.errors import InvalidName
from forges.clients.names import check_branch, local_path
from tests.wire.repos import GitRepo

API = "https://api.github.com"


@pytest.mark.parametrize(
    "text",
    [
        "acme/docs",
        "Acme/Docs",
        "  acme/docs\n",
        "acme/docs.git",
        "acme/docs/",
        "github.com/acme/docs",
        "https://github.com/acme/docs",
        "https://GitHub.com/Acme/docs.git",
        "https://www.github.com/acme/docs/",
        "https://github.com:443/acme/docs",
        "http://github.com/acme/docs",
        "https://github.com/acme/docs/tree/feature/x/folder",
        "https://github.com/acme/docs/blob/main/README.md?plain=1#L3",
        "git@github.com:acme/docs.git",
        "git@github.com:Acme/Docs",
        "ssh://git@github.com/acme/docs.git",
        "ssh://git@ssh.github.com:443/acme/docs.git",
    ],
)
def test_every_spelling_of_a_github_repository_is_the_same_key(text: str) -> None:
    assert normalise_repository("github", API, text) == "acme/docs"


@pytest.mark.parametrize(
    ("base_url", "text"),
    [
        ("https://ghe.example/api/v3", "https://ghe.example/acme/docs"),
        ("https://ghe.example:8443/api/v3", "git@ghe.example:acme/docs.git"),
        ("https://api.octo.ghe.com", "https://octo.ghe.com/acme/docs/pulls"),
    ],
)
def test_enterprise_servers_have_their_own_host(base_url: str, text: str) -> None:
    assert normalise_repository("github", base_url, text) == "acme/docs"
    with pytest.raises(InvalidName, match="not at"):
        normalise_repository("github", base_url, "https://github.com/acme/docs")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "acme",
        "acme/docs/tree",
        "acme//docs",
        "-acme/docs",
        "acme/-docs/..",
        "acme/..",
        "acme/.",
        "../docs",
        "acme/do cs",
        "acme/docs\0",
        "acme/d\u202eocs",
        "acmé/docs",
        "https://gitlab.com/acme/docs",
        "https://github.com.evil.example/acme/docs",
        "https://github.com@evil.example/acme/docs",
        "https://github.com/acme",
        "https://github.com:port/acme/docs",
        "https://[github.com/acme/docs",
        "file:///srv/acme/docs",
        "ext::sh -c id",
        "javascript://github.com/acme/docs",
        "a" * 3000 + "/docs",
    ],
)
def test_what_is_no_github_repository_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        normalise_repository("github", API, text)


@pytest.mark.parametrize(
    "text",
    [
        "https://git.example/team/docs",
        "https://git.example/team/docs/",
        "https://git.example/team/docs.git",
        "https://git.example/team/docs.git/",
        "https://git.example:443/team/docs",
        "HTTPS://Git.Example/team/docs",
        "https://git.example./team/docs",
        "https://git.example/team/%64ocs",
    ],
)
def test_every_spelling_of_a_git_address_is_the_same_key(text: str) -> None:
    assert normalise_repository("git", "", text) == "https://git.example/team/docs"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("https://github.com/Acme/Docs/tree/main", "https://github.com/acme/docs"),
        ("https://www.github.com/acme/docs", "https://github.com/acme/docs"),
        ("https://codeberg.org/Acme/Docs/src/branch/main/a", "https://codeberg.org/acme/docs"),
        ("https://gitlab.com/Group/Sub/Docs/-/tree/main", "https://gitlab.com/group/sub/docs"),
        ("https://git.example/Team/Docs", "https://git.example/Team/Docs"),
        ("https://git.example:8443/docs", "https://git.example:8443/docs"),
        ("https://[2001:db8::1]/docs", "https://[2001:db8::1]/docs"),
        ("https://bücher.example/docs", "https://xn--bcher-kva.example/docs"),
        ("https://git.sr.ht/~alice/docs", "https://git.sr.ht/~alice/docs"),
        ("http://git.example:80/docs", "http://git.example/docs"),
    ],
)
def test_only_forges_that_ignore_case_lose_it(text: str, key: str) -> None:
    assert normalise_repository("git", "", text) == key
    assert normalise_repository("git", "", key) == key


@pytest.mark.parametrize(
    "text",
    [
        "git.example/docs",
        "https://",
        "https://git.example",
        "https://git.example/",
        "https:///docs",
        "https://git.example/a/../b",
        "https://git.example/a/%2e%2e/b",
        "https://git.example/a/b%00",
        "https://git.example/--upload-pack=id",
        "https://git.example/docs?x=1",
        "--upload-pack=id",
        "-oProxyCommand=id",
        "ext::sh -c id",
        "ext::sh",
        "fd::17",
        "ftp://git.example/docs",
        "file:///srv/docs",
        "/srv/docs",
        "C:\\docs",
    ],
)
def test_what_is_no_https_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        normalise_repository("git", "", text)


@pytest.mark.parametrize("text", ["ssh://git@git.example/docs", "git@git.example:docs.git", "git://git.example/docs"])
def test_an_ssh_address_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(InvalidName, match=r"https://git\.example/"):
        normalise_repository("git", "", text)


@pytest.mark.parametrize("forge", ["github", "git"])
@pytest.mark.parametrize(
    "text",
    [
        "https://ghp_secret@github.com/acme/docs",
        "https://alice:ghp_secret@github.com/acme/docs",
        "https://x-access-token:ghp_secret@github.com/acme/docs.git",
        "ssh://git:ghp_secret@github.com/acme/docs",
    ],
)
def test_an_address_with_a_token_is_refused_and_not_repeated(forge: str, text: str) -> None:
    with pytest.raises(InvalidName) as caught:
        normalise_repository(forge, "", text)
    assert "ghp_secret" not in str(caught.value)
    assert "ghp_secret" not in repr(caught.value.__cause__)


@given(st.text(max_size=60))
def test_a_key_is_its_own_key(text: str) -> None:
    for forge in FORGES:
        for candidate in (text, f"https://github.com/{text}", f"https://git.example/{text}"):
            try:
                key = normalise_repository(forge, "", candidate)
            except InvalidName:
                continue
            assert normalise_repository(forge, "", key) == key
            assert "@" not in key.partition("://")[2].partition("/")[0]
            assert not key.startswith("-")


def test_a_folder_is_taken_only_inside_the_allowed_ones(tmp_path: Path, git_repo: GitRepo) -> None:
    roots = (tmp_path,)
    url = f"file://{git_repo.path}"
    assert normalise_repository("git", "", str(git_repo.path), local_roots=roots) == url
    assert normalise_repository("git", "", f"{url}/", local_roots=roots) == url
    assert normalise_repository("git", "", f"{tmp_path}/./plain.git", local_roots=roots) == url
    assert local_path(url, roots) == git_repo.path
    for outside in (
        "/etc",
        f"{tmp_path}/../..",
        "file:///etc",
        f"{tmp_path}/missing",
        f"file://evil.example{tmp_path}",
    ):
        with pytest.raises(InvalidName):
            normalise_repository("git", "", outside, local_roots=roots)


def test_a_link_out_of_the_allowed_folder_is_refused(tmp_path: Path, git_repo: GitRepo) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "innocent.git").symlink_to(git_repo.path)
    with pytest.raises(InvalidName):
        normalise_repository("git", "", str(allowed / "innocent.git"), local_roots=(allowed,))


@pytest.mark.parametrize("branch", ["main", "feature/x", "release-1.0", "a@b", "naïve", "v1.2.3", "x/y/z", "@x", "x-"])
def test_git_branch_names_are_taken(branch: str) -> None:
    assert check_branch(branch) == branch


REFUSED_BRANCHES = (
    *("", "-x", "--upload-pack=id", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "/a", "a/", "a//b"),
    *("a.", ".a", "a/.b", "a.lock", "a.lock/b", "a@{1}", "@", "HEAD", "a\nb", "a\0", "\x7f", "refs/heads/main"),
    *("x" * 300, "\ud800"),
)


@pytest.mark.parametrize("branch", REFUSED_BRANCHES)
def test_names_that_git_refuses_are_refused(branch: str) -> None:
    with pytest.raises(InvalidName):
        check_branch(branch)

"""What an address is that somebody pasted: a web site, a repository (or a part of one), an MCP server. Pure.

The address alone tells where a forge's server is known, or where only a forge has such addresses; the rest has to be
asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from forges.clients import FORGES, normalise_repository
from forges.clients.errors import InvalidName
from forges.clients.names import OWNER_AND_NAME_HOSTS
from indexing.crawling.urls import canonical

SITE, REPOSITORY, MCP = "site", "repository", "mcp"
"""Values of `indexing.models.Source.Kind`."""
_LONGEST = 2048
_UNSOUND = re.compile(r"[\s\x00-\x20]")
_SSH = re.compile(r"(?:ssh|git\+ssh)://(?:[^@/]*@)?(?P<host>[\w.-]+)|(?:[\w.-]+@)(?P<scp>[\w.-]+):", re.ASCII)
_HOST = re.compile(r"(?:[\w-]+\.)+[\w-]{2,}(?::\d+)?(?:[/?#]|$)|localhost(?::\d+)?(?:[/?#]|$)", re.ASCII)

_NO_OWNERS = {
    "github": "about apps collections contact customer-stories enterprise events explore features issues login "
    "marketplace new notifications organizations orgs pricing pulls search security settings signup site sponsors "
    "stars topics trending users",
    # https://docs.gitlab.com/user/reserved_names/#top-level-groups
    "gitlab": "- admin api dashboard explore groups help oauth projects public search users",
    "bitbucket": "account dashboard product repo snippets support",
}
"""What is at the top of a forge and no owner of repositories."""
_FOLDERS = frozenset(("tree", "commits", "find", "browse"))
_FILES = frozenset(("blob", "raw", "edit", "blame"))
_GITEAS = OWNER_AND_NAME_HOSTS - {"github.com", "bitbucket.org"}
_RAW_GITHUB = ("raw.githubusercontent.com", "raw.github.com")
_MCP_PATHS = frozenset(("mcp", "sse"))


class InvalidAddress(ValueError):
    """What was entered is no address that could be indexed. `str(error)` is a sentence that never holds the text."""


@dataclass(frozen=True, slots=True)
class Known:
    """A forge's server: the public ones, and those that the operator or a connection names."""

    forge: str
    base_url: str
    """Of its API."""


PUBLIC = tuple(Known(key, forge.base_url) for key, forge in FORGES.items() if forge.base_url)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the address itself tells. For a repository `url` is where people see it, for the rest it is canonical."""

    kind: str
    """`indexing.models.Source.Kind`: site, repository or mcp."""
    url: str
    forge: str = ""
    base_url: str = ""
    repository: str = ""
    """As the forge's client takes it."""
    path: tuple[str, ...] = ()
    """Of a link into a repository: the parts of branch and path, which only the forge can tell apart."""
    branch: str = ""
    """Where the address tells it by itself; `path` is without it then."""
    is_file: bool = False
    """Whether that link leads to one file."""


def repository_url(forge: str, base_url: str, repository: str) -> str:
    """Where people see it: the address of a source, by which it is one and the same."""
    if forge == "git":
        return repository
    return f"{FORGES[forge].web_url(base_url)}/{quote(repository)}"


def recognise(text: str, *, known: Sequence[Known] = PUBLIC, local_roots: Sequence[Path] = ()) -> Recognised:
    """Raises InvalidAddress. Of several servers at one host the first of `known` is taken."""
    text = _sound(text)
    if text.startswith(("/", "file:")):
        return _plain_git(text, local_roots=local_roots)
    if ssh := _SSH.match(text):
        return _by_ssh(text, (ssh["host"] or ssh["scp"]).lower(), known)
    if "://" not in text:
        if not _HOST.match(text):
            raise InvalidAddress("Enter the whole address, beginning with https://.")
        text = f"https://{text}"
    parts = _split(text)
    segments = [unquote(segment) for segment in parts.path.split("/") if segment]
    return _at_forge(parts, segments, text, known) or _git_by_its_looks(parts, segments) or _page(parts, segments, text)


def _sound(text: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidAddress("Enter an address.")
    if len(text) > _LONGEST:
        raise InvalidAddress(f"The address is longer than {_LONGEST:,} characters.")
    if _UNSOUND.search(text) or not text.isprintable():
        raise InvalidAddress("The address holds a blank or a character that does not belong in one.")
    return text


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise InvalidAddress("This is not a valid address. Check its spelling.") from None
    if parts.scheme not in ("https", "http"):
        raise InvalidAddress("Only addresses that begin with https:// or http:// are taken.")
    if not parts.hostname:
        raise InvalidAddress("The address has no host name.")
    if parts.username or parts.password:
        # Bitbucket's “Clone” offers https://somebody@bitbucket.org/…: a name that its client knows to be no secret.
        if parts.hostname == "bitbucket.org" and not parts.password:
            return _split(text.replace(f"{parts.username}@", "", 1))
        raise InvalidAddress("The address holds a user name or token before the “@”. Enter it without.")
    return parts


# -- repositories ------------------------------------------------------------------------------------------------------


def _by_ssh(text: str, host: str, known: Sequence[Known]) -> Recognised:
    for server in known:
        web = (urlsplit(FORGES[server.forge].web_url(server.base_url)).hostname or "").removeprefix("www.")
        if host in (web, f"ssh.{web}", f"altssh.{web}"):
            return _repository(server, text)
    raise InvalidAddress(f"Addresses for SSH are not read. Enter the one that begins with https://{host}/.")


def _at_forge(parts: SplitResult, segments: list[str], text: str, known: Sequence[Known]) -> Recognised | None:
    """A repository at a server that is known, with the link into it. InvalidAddress for what is none at such a one."""
    host = parts.netloc.lower()
    if host in _RAW_GITHUB and len(segments) >= 4:
        server = next((server for server in known if server.forge == "github"), PUBLIC[0])
        return _into(_repository(server, "/".join(segments[:2])), _without_refs(segments[2:]), is_file=True)
    for server in known:
        web = urlsplit(FORGES[server.forge].web_url(server.base_url))
        folder = [part for part in web.path.split("/") if part]
        if host.removeprefix("www.") != web.netloc.lower().removeprefix("www.") or segments[: len(folder)] != folder:
            continue
        within = segments[len(folder) :]
        if not within or within[0].lower() in _NO_OWNERS[server.forge].split():
            return None
        if len(within) == 1:
            raise InvalidAddress(
                f"This is the address of an account at {FORGES[server.forge].label_at(server.base_url)}, not of a "
                "repository. Open one there and copy its address."
            )
        found = _repository(server, text.partition("?")[0].partition("#")[0])
        rest = within[found.repository.count("/") + 1 :]
        return _linked(found, rest, parts)
    return None


def _repository(server: Known, text: str) -> Recognised:
    try:
        name = normalise_repository(server.forge, server.base_url, text)
    except InvalidName as error:
        raise InvalidAddress(str(error)) from error
    return Recognised(
        REPOSITORY,
        repository_url(server.forge, server.base_url, name),
        forge=server.forge,
        base_url=server.base_url,
        repository=name,
    )


def _linked(found: Recognised, rest: list[str], parts: SplitResult) -> Recognised:
    """With where in the repository the address leads."""
    if rest[:1] == ["-"]:
        rest = rest[1:]
    if len(rest) < 2:
        return found
    what, rest = rest[0], rest[1:]
    at = parse_qs(parts.query).get("at", [""])[0]
    if what == "src" and at:
        # https://bitbucket.org/acme/docs/src/<commit>/docs/?at=next
        return _into(found, rest[1:], is_file=_looks_like_file(rest), branch=_without_refs(at.split("/")))
    if what == "src":
        return _into(found, rest, is_file=_looks_like_file(rest[1:]))
    if what in _FOLDERS | _FILES:
        return _into(found, _without_refs(rest), is_file=what in _FILES)
    return found


def _into(found: Recognised, path: Sequence[str], *, is_file: bool, branch: Sequence[str] = ()) -> Recognised:
    return Recognised(
        REPOSITORY,
        found.url,
        forge=found.forge,
        base_url=found.base_url,
        repository=found.repository,
        path=tuple(path),
        branch="/".join(branch),
        is_file=is_file and bool(path),
    )


def _without_refs(path: Sequence[str]) -> Sequence[str]:
    return path[2:] if list(path[:2]) == ["refs", "heads"] else path


def _looks_like_file(path: Sequence[str]) -> bool:
    return bool(path) and "." in path[-1].strip(".")


def _git_by_its_looks(parts: SplitResult, segments: list[str]) -> Recognised | None:
    """What only servers of git have such addresses for."""
    root = f"{parts.scheme}://{parts.netloc.lower()}"
    end = next((number for number, segment in enumerate(segments) if segment.lower().endswith(".git")), None)
    if end is not None and segments[end].lower() != ".git":
        return _plain_git(f"{root}/{_quoted(segments[: end + 1])}")
    if "-" in segments[2:]:
        # GitLab's own pages of a project: https://docs.gitlab.com/development/routing/
        cut = segments.index("-", 2)
        if segments[cut + 1 : cut + 2] and segments[cut + 1] in _FOLDERS | _FILES:
            return _linked(_plain_git(f"{root}/{_quoted(segments[:cut])}"), segments[cut:], parts)
    # Gitea's and Forgejo's: /owner/name/src/branch/main/docs
    gitea = len(segments) >= 5 and segments[2] in ("src", "raw") and segments[3] == "branch"
    if gitea or ((parts.hostname or "").removeprefix("www.") in _GITEAS and len(segments) >= 2):
        found = _plain_git(f"{root}/{_quoted(segments[:2])}")
        rest = segments[4:] if gitea else []
        return _into(found, rest, is_file=gitea and (segments[2] == "raw" or _looks_like_file(rest[1:])))
    return None


def _quoted(segments: Sequence[str]) -> str:
    return "/".join(quote(segment, safe="~@:+,!$&'()*;=-._") for segment in segments)


def _plain_git(text: str, *, local_roots: Sequence[Path] = ()) -> Recognised:
    try:
        name = normalise_repository("git", "", text, local_roots=local_roots)
    except InvalidName as error:
        raise InvalidAddress(str(error)) from error
    return Recognised(REPOSITORY, name, forge="git", repository=name)


def as_plain_git(url: str) -> Recognised | None:
    """The address of a page taken for one of plain git; None where it cannot be one."""
    try:
        return _plain_git(url.partition("?")[0].partition("#")[0])
    except InvalidAddress:
        return None


# -- the rest ----------------------------------------------------------------------------------------------------------


def _page(parts: SplitResult, segments: list[str], text: str) -> Recognised:
    url = canonical(text)
    if not url or _UNSOUND.search(url):  # host names can turn into something else when they are normalised
        raise InvalidAddress("This is not a valid address. Check its spelling.")
    named = segments[-1:] and segments[-1].lower() in _MCP_PATHS
    if named or (parts.hostname or "").startswith("mcp."):
        return Recognised(MCP, url)
    return Recognised(SITE, url)

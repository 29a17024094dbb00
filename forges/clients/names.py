"""One spelling for each repository, and branch names that git would take. Pure, but for resolving local folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit

from forges.clients.errors import InvalidName

COMMIT_ID = re.compile(r"[0-9a-f]{40}")

# https://docs.github.com/en/enterprise-cloud@latest/admin/concepts/identity-and-access-management/username-considerations
_GITHUB_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?", re.ASCII)
_GITHUB_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)

# git@host:owner/name, but not C:\folder and not host:8080/…
_SCP_LIKE = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>(?!//)[^:]+)", re.ASCII)

OWNER_AND_NAME_HOSTS = frozenset({"github.com", "bitbucket.org", "codeberg.org", "gitea.com"})
"""Forges where a repository is always owner/name, upper and lower case are one, and a page lies deeper."""
CASELESS_HOSTS = OWNER_AND_NAME_HOSTS | {"gitlab.com"}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
UNSTORABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What a name of a forge cannot hold, because no database or no page takes it; halves of surrogate pairs among them."""
MOST_PATHS = 256 << 20
"""Characters of all the paths of one listing: half a million long ones. A server could send pages of nothing else."""
_DEFAULT_PORTS = {"https": 443, "http": 80}


def check_branch(branch: str) -> str:
    """The branch, if git would take it (https://git-scm.com/docs/git-check-ref-format). Raises InvalidName.

    What it refuses is what a server, a shell or another tool could take for an option or an expression.
    """
    if (
        not branch
        or len(branch.encode("utf-8", "surrogatepass")) > 250
        or branch.startswith(("-", "/", "refs/"))
        or branch.endswith(("/", "."))
        or branch in ("@", "HEAD")
        or _CONTROL.search(branch)
        or re.search(r"[ ~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//", branch)
        or any(part.startswith(".") or part.endswith(".lock") for part in branch.split("/"))
    ):
        raise InvalidName("This is not a name that git allows for a branch. Check its spelling.")
    return branch


def is_branch(branch: str) -> bool:
    """Whether `check_branch` takes it. What it does not take, nobody can choose."""
    try:
        check_branch(branch)
    except InvalidName:
        return False
    return True


def check_commit(commit: str) -> str:
    if not COMMIT_ID.fullmatch(commit):
        raise InvalidName("This is not a commit id: forty hexadecimal digits are.")
    return commit


def normalise_github(base_url: str, text: str) -> str:
    """`owner/name` in lower case, from that or any address of the repository or of a page in it.

    Takes https://, ssh:// and git@host: addresses. Raises InvalidName, with a sentence that never holds the text.
    """
    return owner_and_name(github_web_host(base_url), text, owners=_GITHUB_OWNER, names=_GITHUB_NAME)


def owner_and_name(host: str, text: str, *, owners: re.Pattern[str], names: re.Pattern[str]) -> str:
    """`owner/name` in lower case from whatever leads there, at a forge whose repositories are all called like that.

    `host` is where people see them. Raises InvalidName, with a sentence that never holds the text.
    """
    hint = "Enter the repository as owner/name, or its https:// address."
    path, way = path_at(host, text, hint=hint)
    segments = path.strip("/").split("/")
    if len(segments) < 2 or (len(segments) > 2 and way == "name"):
        raise InvalidName(hint)
    owner, name = segments[0], segments[1].removesuffix(".git")
    if not owners.fullmatch(owner) or not names.fullmatch(name) or name in (".", ".."):
        raise InvalidName("Enter the repository as owner/name; both are letters, digits, “-”, “_” and “.”.")
    return f"{owner}/{name}".lower()


def path_at(host: str, text: str, *, hint: str) -> tuple[str, Literal["name", "web", "ssh"]]:
    """The path in whatever a person entered for a repository that people see at `host`, and what it was entered as.

    A name alone, the address of a page (with or without https://), or one for SSH in either of its forms. Raises
    InvalidName: another host, a token in the address, `hint` for what is none of these.
    """
    text = _sound(text)
    if "://" in text:
        parts = _split(text)
        if parts.scheme not in ("https", "http", "ssh", "git+ssh"):
            raise InvalidName(hint)
        _refuse_secrets(parts.username, parts.password, ssh="ssh" in parts.scheme)
        _same_host(parts.hostname or "", host)
        return unquote(parts.path), "ssh" if "ssh" in parts.scheme else "web"
    if scp := _SCP_LIKE.fullmatch(text):
        _same_host(scp["host"].lower(), host)
        return scp["path"], "ssh"
    if text.lower().startswith((f"{host}/", f"www.{host}/")):
        return text.partition("/")[2], "web"
    return text, "name"


def github_web_host(base_url: str) -> str:
    """Where people see what the API at `base_url` serves: github.com, an Enterprise server, or a tenant of ghe.com."""
    host = (urlsplit(base_url).hostname or "").lower()
    if host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com")):
        return host.removeprefix("api.")
    return host


def github_web_url(base_url: str) -> str:
    """The address under which people see what the API at `base_url` serves."""
    scheme, _, rest = base_url.removesuffix("/api/v3").partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{github_web_host(base_url) if host.startswith('api.') else host}{slash}{path}"


def github_api_url(web_url: str) -> str:
    """And back: https://docs.github.com/en/enterprise-server@latest/rest/using-the-rest-api/getting-started-with-the-rest-api"""
    host = (urlsplit(web_url).hostname or "").lower()
    if host == "github.com" or host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"{web_url}/api/v3"


def _same_host(found: str, wanted: str) -> None:
    bare = wanted.removeprefix("www.")
    # SSH is answered at ssh. and altssh. too, for networks that let nothing but port 443 through.
    if found.lower() not in {f"{prefix}{bare}" for prefix in ("", "www.", "ssh.", "altssh.")}:
        raise InvalidName(f"This address is not at {wanted}. Choose another forge for it, or plain git.")


def normalise_git(text: str, *, local_roots: Sequence[Path] = ()) -> str:
    """One URL for a repository: lower-case host, no default port, no trailing slash, no `.git`, no page inside it.

    The client finds out by itself whether a server wants the `.git`. A folder becomes `file://` and its real path.
    Raises InvalidName, with a sentence that never holds the text.
    """
    text = _sound(text)
    if text.startswith(("/", "file:")):
        return local_url(text, local_roots)
    if "://" not in text:
        if "::" in text:
            raise InvalidName("Addresses with “::” start other programs and are not taken. Use an https:// address.")
        if scp := _SCP_LIKE.fullmatch(text):
            raise InvalidName(_use_https(scp["host"].lower()))
        raise InvalidName("Enter the whole address of the repository, beginning with https://.")
    parts = _split(text)
    if parts.scheme in ("ssh", "git+ssh", "git"):
        raise InvalidName(_use_https((parts.hostname or "").lower()))
    if parts.scheme not in ("https", "http"):
        raise InvalidName("Only https:// addresses are taken.")
    _refuse_secrets(parts.username, parts.password)
    host = _host(parts.hostname)
    port = parts.port
    netloc = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    if (parts.query or parts.fragment) and host not in CASELESS_HOSTS:
        raise InvalidName("The address of a repository has no “?” and no “#”. Enter it without.")
    return f"{parts.scheme}://{netloc}/{_git_path(host, parts.path)}"


def _git_path(host: str, raw: str) -> str:
    segments = [unquote(segment) for segment in raw.strip("/").split("/")]
    if host in OWNER_AND_NAME_HOSTS:
        segments = segments[:2]
    if "-" in segments:
        # https://docs.gitlab.com/development/routing/: below a project every page begins with `/-/`.
        segments = segments[: segments.index("-")]
    if not any(segments) or any(s in ("", ".", "..") or "/" in s or s.startswith("-") for s in segments):
        raise InvalidName("The address does not lead to a repository. Copy it from the forge's “Clone” button.")
    if any(_CONTROL.search(segment) or "\\" in segment for segment in segments):
        raise InvalidName("The address holds a character that does not belong in one.")
    segments[-1] = segments[-1].removesuffix(".git") or segments[-1]
    path = quote("/".join(segments), safe="/~@:+,!$&'()*;=-._")
    return path.lower() if host in CASELESS_HOSTS else path


def local_url(text: str, roots: Sequence[Path]) -> str:
    """`file://` and the real path of a repository's folder inside one of `roots`; InvalidName for anything else."""
    if not roots:
        raise InvalidName("Folders on the server are not read. Enter an https:// address.")
    if text.startswith("file:"):
        parts = _split(text)
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise InvalidName("A folder is given as file:///folder/repository.")
        text = unquote(parts.path)
        if _CONTROL.search(text):
            raise InvalidName("The address holds a character that does not belong in one.")
    # Whether a folder outside exists is nobody's business: the answer is the same.
    refusal = InvalidName("There is no such folder among those that the operator allows.")
    try:
        found = Path(text).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise refusal from None
    if not found.is_dir() or not any(found.is_relative_to(root.resolve()) for root in roots):
        raise refusal
    if found.name == ".git":
        found = found.parent
    return f"file://{quote(str(found))}"


def local_path(url: str, roots: Sequence[Path]) -> Path:
    """The folder of a `file://` URL, judged anew: a link may have been put there since."""
    return Path(unquote(urlsplit(local_url(url, roots)).path))


def _sound(text: str) -> str:
    text = text.strip()
    if not text or len(text) > 2000:
        raise InvalidName("Enter the repository's address.")
    if text.startswith("-"):
        raise InvalidName("An address does not begin with “-”.")
    if _CONTROL.search(text) or re.search(r"\s", text) or not text.isprintable():
        raise InvalidName("The address holds a blank or a character that does not belong in one.")
    return text


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port, parts.hostname
    except ValueError:
        raise InvalidName("This is not a valid address. Check its spelling.") from None
    return parts


def _refuse_secrets(username: str | None, password: str | None, *, ssh: bool = False) -> None:
    # Refused and not cut off: it has been typed into a field that is shown, so the person should know.
    if password or (username and not ssh):
        raise InvalidName(
            "The address holds a user name or token before the “@”. Enter it without, and the token in its own field."
        )


def _host(host: str | None) -> str:
    if not host:
        raise InvalidName("The address has no host name.")
    if ":" in host:
        return f"[{host}]"
    try:
        name = host.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        raise InvalidName("The address has a host name that is not valid. Check its spelling.") from None
    return name.removeprefix("www.") if name.removeprefix("www.") in CASELESS_HOSTS else name


def _use_https(host: str) -> str:
    return f"Addresses for SSH are not read. Enter the one that begins with https://{host}/."

"""How repositories at Bitbucket Cloud are spelled, and where its API and its pages are. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from forges.clients.errors import InvalidName
from forges.clients.names import owner_and_name

API, WEB = "https://api.bitbucket.org/2.0", "https://bitbucket.org"

# https://support.atlassian.com/bitbucket-cloud/docs/what-is-a-workspace/ and the slugs that Bitbucket makes of names.
WORKSPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", re.ASCII)
_SLUG = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
UUID = re.compile(r"\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}")

# “Clone” offers https://somebody@bitbucket.org/…: a user name, which is no secret, unless it is a token after all.
_CLONE_USER = re.compile(r"(?i:(https://))(?!AT(?:BB|ATT|CTT)|x-)[A-Za-z0-9_-]{1,40}@(?=(?i:bitbucket\.org)/)")


def bitbucket_api_url(web_url: str) -> str:
    """The API's base URL of the server that people see at a web address; there is one, and the local one of tests."""
    web_url = web_url.rstrip("/")
    return API if web_url == WEB else f"{web_url}/2.0"


def bitbucket_web_url(base_url: str) -> str:
    base_url = base_url.rstrip("/")
    return WEB if base_url == API else base_url.removesuffix("/2.0")


def normalise_bitbucket(base_url: str, text: str) -> str:
    """`workspace/slug` in lower case, from that or any address of the repository or of a page in it.

    Takes https://, ssh:// and git@host: addresses. Raises InvalidName, with a sentence that never holds the text.
    """
    host = urlsplit(bitbucket_web_url(base_url)).hostname or ""
    text = _CLONE_USER.sub(r"\1", text.strip())
    # https://support.atlassian.com/bitbucket-cloud/docs/use-the-ssh-protocol-with-bitbucket-cloud/: SSH on port 443.
    text = text.replace("@altssh.bitbucket.org:443/", "@bitbucket.org/", 1)
    return owner_and_name(host, text, owners=WORKSPACE, names=_SLUG)


def check_uuid(uuid: str) -> str:
    """A repository's permanent id as we keep it: in braces and lower case."""
    if not UUID.fullmatch(uuid):
        raise InvalidName("This is not the id of a repository at Bitbucket.")
    return uuid

"""What GitHub's answers say, checked before it is believed. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

import requests
from github.Repository import Repository as GithubRepository

from forges.clients.answers import id_of, name_of, page_of
from forges.clients.base import Repository
from forges.clients.transport import refusal_in


def repository_of(found: GithubRepository) -> Repository:
    """A repository in forge-neutral terms; TypeError or ValueError for one that cannot be."""
    # PyGithub gives None for what an answer lacks, whatever its types say.
    return Repository(
        id=id_of(found.id),
        full_name=name_of(found.full_name),
        default_branch=name_of(found.default_branch),
        private=found.private is not False,
        web_url=page_of(found.html_url),
    )


def message_of(response: requests.Response) -> str:
    """What GitHub says about an error, in lower case: to be judged, never to be shown."""
    data = refusal_in(response)
    # https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed
    errors = data.get("errors")
    said = [error.get("message") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return " ".join(str(text) for text in (data.get("message", ""), *said)).lower()


def expiry_of(value: object) -> datetime | None:
    """`2026-12-31 23:59:59 UTC`, or with an offset in place of the name."""
    for form in ("%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S %z"):
        try:
            moment = datetime.strptime(str(value), form)
        except ValueError:
            continue
        if 2000 <= moment.year < 9000:  # a page shows it in any time zone, which the first and last year do not survive
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None

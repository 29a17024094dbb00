"""Pull-request mode: one side branch and one open pull request for a destination, which later saves update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils.text import slugify

from forges.clients.base import Client, PullRequest
from forges.clients.errors import EmptyRepository, NotFound
from forges.writing import Written
from gitsync.ledger import DESTINATION, current
from gitsync.messages import Message
from gitsync.models import Mirror, PushTarget
from jobs.context import RunContext

_PREFIX = "millrace/"
_NAMES = 100


@dataclass(frozen=True, slots=True)
class Side:
    """The branch to commit to, and its pull request if one is open."""

    branch: str
    open: PullRequest | None = None


def side_of(client: Client, target: PushTarget | Mirror) -> Side:
    """That of the open pull request; the one that a push was about to open one for; else a name that is free.

    A branch whose pull request was merged or closed is left as it is: what was merged must not come again.
    """
    if (current := open_side(client, target)) is not None:
        return current
    base = _PREFIX + _called(target)
    for number in range(1, _NAMES):
        name = base if number == 1 else f"{base}-{number}"
        if name != target.branch and _is_free(client, target, name):
            return Side(name)
    return Side(f"{base}-{target.pk.hex[:12]}")


def _called(target: PushTarget | Mirror) -> str:
    """No slash of the directory: git has no branch below another one's name."""
    directory = target.directory.replace("/", "-")
    if isinstance(target, Mirror):
        return f"{directory}-entities" if directory else "entities"
    return directory or slugify(target.server_name) or "server"


def open_side(client: Client, target: PushTarget | Mirror) -> Side | None:
    """That of the open pull request, or the one that a push was about to open one for."""
    if not target.side_branch:
        return None
    found = client.find_pull_request(target.repository, source=target.side_branch, target=target.branch)
    return Side(target.side_branch, found) if found is not None or not target.pull_request else None


def _is_free(client: Client, target: PushTarget | Mirror, name: str) -> bool:
    try:
        client.head(target.repository, name, repository_id=target.repository_id)
    except (NotFound, EmptyRepository):
        return True
    return False


def propose(
    client: Client,
    target: PushTarget | Mirror,
    side: Side,
    write: Callable[[str], Written],
    message: Message,
) -> tuple[Written, PullRequest | None]:
    """Commit to the side branch, and open its pull request where there is something in it that the branch has not.

    `write` commits to the branch of that name, which begins at the target's branch.
    """
    written = write(side.branch)
    if written.branch == target.branch:  # the repository was empty: there is nothing to ask for a pull into
        return written, None
    if side.open is not None:
        return written, side.open
    if not written.changed and _is_base(client, target, written):
        return written, None
    opened = client.pull_request(
        written.name, source=side.branch, target=target.branch, title=message.subject, body=message.body
    )
    return written, opened


def _is_base(client: Client, target: PushTarget | Mirror, written: Written) -> bool:
    """Whether nothing was written to the side branch before, either."""
    return written.commit == client.head(written.name, target.branch, repository_id=target.repository_id)


@transaction.atomic
def note_side(context: RunContext, target: DESTINATION, branch: str) -> None:
    """Which side branch is about to be made, so that a push that is killed before its pull request goes on there."""
    current(context, target)
    fields = {"side_branch": branch, "pull_request": "", "pull_request_url": ""}
    type(target)._default_manager.filter(pk=target.pk).update(**fields)
    for name, value in fields.items():
        setattr(target, name, value)

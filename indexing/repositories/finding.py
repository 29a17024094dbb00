"""Where a source's repository is now: by the forge's id, under the name and with the default branch of today."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from forges.clients.base import Client, Repository
from forges.clients.errors import EmptyRepository, NotFound
from indexing.models import Source
from indexing.recognising import repository_url
from indexing.repositories.endings import BranchNotFound
from orgs import audit

ASKED_FOR = timedelta(days=7)
"""How long a default branch is taken for what it was while its head stays the same."""


def head_of(client: Client, source: Source) -> tuple[str, str]:
    """(branch, commit). One request where nothing is new; a new name or default branch is followed, and remembered.

    Raises what the client does, and BranchNotFound.
    """
    looked = not source.repository_id or (not source.branch and not _is_fresh(source))
    if looked:
        look(client, source)
    commit = ""
    try:
        commit = _head(client, source)
    except NotFound as error:
        before = (source.repository, _branch(source))
        if not looked:
            look(client, source)
        if looked or before == (source.repository, _branch(source)):
            raise BranchNotFound(f"There is no branch {_branch(source)} in {source.repository} (any more).") from error
        commit = _head(client, source)
    if not looked and not source.branch and commit != source.last_commit:
        branch = source.default_branch
        look(client, source)
        if source.default_branch != branch:
            commit = _head(client, source)
    return _branch(source), commit


def _branch(source: Source) -> str:
    return source.branch or source.default_branch


def _is_fresh(source: Source) -> bool:
    asked = source.default_branch_at
    return bool(source.default_branch) and asked is not None and asked > timezone.now() - ASKED_FOR


def _head(client: Client, source: Source) -> str:
    """Of the repository that was added, never of another one that has its name by now."""
    if not _branch(source):
        raise EmptyRepository("The repository has no commit yet.")
    return client.head(source.repository, _branch(source), repository_id=source.repository_id)


def look(client: Client, source: Source) -> Repository:
    """Ask for the repository, and keep what is new of it."""
    found = client.find(source.repository_id) if source.repository_id else client.repository(source.repository)
    follow(source, found.full_name)
    facts = {
        "repository_id": found.id,
        # GitLab tells nobody without an account.
        "private": found.private and (source.connection_id is not None or Source.token.is_set(source)),
        "default_branch": found.default_branch,
        "default_branch_at": timezone.now(),
    }
    Source.objects.filter(pk=source.pk).update(**facts)
    for name, value in facts.items():
        setattr(source, name, value)
    return found


def follow(source: Source, repository: str) -> None:
    """Take over the name that the repository has at its forge now; by its id it is the same one."""
    former = source.repository
    if former == repository:
        return
    facts = {"repository": repository, "url": repository_url(source.forge, source.base_url, repository)}
    if source.name == former:
        facts["name"] = repository
    for name, value in facts.items():
        setattr(source, name, value)
    with transaction.atomic():
        try:
            with transaction.atomic():
                source.save(update_fields=[*facts, "key", "updated_at"])
        except IntegrityError:  # added under its new name, too: then this one keeps its former address
            Source.objects.filter(pk=source.pk).update(repository=repository)
        audit.record(
            "source.renamed",
            organization=source.server.organization,
            actor=None,
            target=source,
            scope=source.server,
            before={"repository": former},
            after={"repository": repository},
        )

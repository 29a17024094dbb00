"""What stops a push: something in the files that looks like a secret, or is one that we keep."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from django.utils.crypto import salted_hmac

from forges.clients.base import Author
from gitsync import scanning
from gitsync.known_secrets import known_secrets
from gitsync.messages import Message
from gitsync.models import AllowedFinding, PushTarget
from gitsync.picture import Files, Picture, message_of, plain_message
from lib.crypto import CryptoError
from orgs.models import Organization

MOST = 200
"""Findings that are told; what is meant is seen long before."""


def message_for(target: PushTarget, picture: Picture, *, initial: bool) -> Message:
    """What the commit says; one that names nothing where it would hold what looks like a secret.

    It tells of what is not in the files any more: of what was renamed or deleted just to be rid of a secret, which no
    further save could take out of the message.
    """
    message = message_of(target, picture, initial=initial)
    texts = {"text": message.text, "author": _named(message.author)}
    try:
        findings = scanning.scan(
            {},
            known_secrets(target.organization),
            key=digest_key(target.organization),
            texts=texts,
            allowed=_allowed(target),
        )
    except CryptoError:  # with files to push, `findings_in` says so
        return plain_message(picture)
    if not findings:
        return message
    author = message.author if all(each.path != "author" for each in findings) else None
    return replace(plain_message(picture), author=author)


def findings_in(target: PushTarget, files: Files, message: Message) -> list[dict[str, Any]]:
    """What was found and nobody has allowed, as {path, line, field, kind, digest, allowable}; never the text itself.

    `message` is `message_for` it. Raises CryptoError for a secret that does not open any more: what cannot be compared
    is not pushed past.
    """
    if not files.data:
        return []
    prefix = f"{target.directory}/" if target.directory else ""
    texts = {"commit message": message.text, "directory": target.directory}
    found = scanning.scan(
        {path.removeprefix(prefix): data for path, data in files.data.items()},
        known_secrets(target.organization),
        key=digest_key(target.organization),
        texts=texts,
        allowed=_allowed(target),
    )
    return [asdict(each) | {"path": each.path if each.path in texts else prefix + each.path} for each in found[:MOST]]


def _allowed(target: PushTarget) -> set[str]:
    rows = AllowedFinding.objects.filter(organization=target.organization_id)
    return set(rows.values_list("digest", flat=True))


def _named(author: Author | None) -> str:
    return f"{author.name} <{author.email}>" if author else ""


def digest_key(organization: Organization) -> bytes:
    """What findings are digested with: without it, nobody can try which text a digest is of."""
    return salted_hmac("gitsync.findings", str(organization.pk), algorithm="sha256").digest()

"""What stops a push: something in the files that looks like a secret, or is one that we keep."""

from __future__ import annotations

from collections.abc import Mapping
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


class Gate:
    """What an organisation's secrets and its people's word let pass; read once, for any number of scans.

    Raises CryptoError for a secret that does not open any more: what cannot be compared is not let past.
    """

    def __init__(self, organization: Organization) -> None:
        self._known = scanning.KnownSecrets(known_secrets(organization))
        self._key = digest_key(organization)
        rows = AllowedFinding.objects.filter(organization=organization)
        self._allowed = frozenset(rows.values_list("digest", flat=True))

    def scan(self, files: Mapping[str, bytes], texts: Mapping[str, str] | None = None) -> list[scanning.Finding]:
        """What nobody has allowed; never the text itself. Of `texts` the names are theirs, such as “commit message”."""
        return scanning.scan(files, self._known, key=self._key, texts=texts, allowed=self._allowed)[:MOST]


def message_for(target: PushTarget, picture: Picture, *, initial: bool) -> Message:
    """What the commit says; one that names nothing where it would hold what looks like a secret.

    It tells of what is not in the files any more: of what was renamed or deleted just to be rid of a secret, which no
    further save could take out of the message.
    """
    message = message_of(target, picture, initial=initial)
    try:
        gate = Gate(target.organization)
    except CryptoError:  # with files to push, `findings_in` says so
        return plain_message(picture)
    return harmless(message, plain_message(picture), gate)


def harmless(message: Message, plain: Message, gate: Gate) -> Message:
    """The message, or `plain` where it would hold what looks like a secret; with the author, if that does not."""
    findings = gate.scan({}, {"text": message.text, "author": _named(message.author)})
    if not findings:
        return message
    author = message.author if all(each.path != "author" for each in findings) else None
    return replace(plain, author=author)


def findings_in(target: PushTarget, files: Files, message: Message) -> list[dict[str, Any]]:
    """What was found and nobody has allowed, as {path, line, field, kind, digest, allowable}; never the text itself.

    `message` is `message_for` it. Raises CryptoError for a secret that does not open any more.
    """
    if not files.data:
        return []
    prefix = f"{target.directory}/" if target.directory else ""
    texts = {"commit message": message.text, "directory": target.directory}
    data = {path.removeprefix(prefix): content for path, content in files.data.items()}
    found = Gate(target.organization).scan(data, texts)
    return [asdict(each) | {"path": each.path if each.path in texts else prefix + each.path} for each in found]


def _named(author: Author | None) -> str:
    return f"{author.name} <{author.email}>" if author else ""


def digest_key(organization: Organization) -> bytes:
    """What findings are digested with: without it, nobody can try which text a digest is of."""
    return salted_hmac("gitsync.findings", str(organization.pk), algorithm="sha256").digest()

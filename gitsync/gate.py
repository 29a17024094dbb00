"""What stops a push: something in the files that looks like a secret, or is one that we keep."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils.crypto import salted_hmac

from gitsync import scanning
from gitsync.known_secrets import known_secrets
from gitsync.messages import Message
from gitsync.models import AllowedFinding, PushTarget
from gitsync.picture import Files
from orgs.models import Organization

MOST = 200
"""Findings that are told; what is meant is seen long before."""


def findings_in(target: PushTarget, files: Files, message: Message) -> list[dict[str, Any]]:
    """What was found and nobody has allowed, as {path, line, field, kind, digest}; never the text itself.

    Raises CryptoError for a secret that does not open any more: what cannot be compared is not pushed past.
    """
    if not files.data:
        return []
    prefix = f"{target.directory}/" if target.directory else ""
    allowed = AllowedFinding.objects.filter(organization=target.organization_id).values_list("digest", flat=True)
    texts = {"commit message": message.text, "directory": target.directory}
    found = scanning.scan(
        {path.removeprefix(prefix): data for path, data in files.data.items()},
        known_secrets(target.organization),
        key=digest_key(target.organization),
        texts=texts,
        allowed=set(allowed),
    )
    return [asdict(each) | {"path": each.path if each.path in texts else prefix + each.path} for each in found[:MOST]]


def digest_key(organization: Organization) -> bytes:
    """What findings are digested with: without it, nobody can try which text a digest is of."""
    return salted_hmac("gitsync.findings", str(organization.pk), algorithm="sha256").digest()

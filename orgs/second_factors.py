"""The secrets of two-factor sign-in at rest. allauth keeps them in a JSON column, so that they are text here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator

from allauth.mfa.models import Authenticator
from django.db import transaction

from lib.crypto import CryptoError, Rotation, Sealed, Tampered, key_ring

_ASSOCIATED = b"mfa.authenticator"
"""allauth does not tell whose secret it hands over, so that it is bound to its kind but not to its row."""
_SECRETS = ("secret", "seed")
"""What `Authenticator.data` holds sealed: of the authenticator app, and of the recovery codes."""


def seal(text: str) -> str:
    """`key id:nonce:ciphertext`, the latter two in URL-safe base64."""
    sealed = key_ring().encrypt(text, _ASSOCIATED)
    return ":".join(
        (sealed.key_id, *(base64.urlsafe_b64encode(part).decode() for part in (sealed.nonce, sealed.ciphertext)))
    )


def unseal(text: str) -> str:
    """What was sealed. CryptoError when its key is gone or it was altered."""
    try:
        key_id, nonce, ciphertext = text.split(":")
        sealed = Sealed(key_id, base64.urlsafe_b64decode(nonce), base64.urlsafe_b64decode(ciphertext))
    except (ValueError, binascii.Error):
        raise Tampered("A two-factor secret is not in the form that it was stored in.") from None
    return key_ring().decrypt(sealed, _ASSOCIATED)


def rotate(*, on_batch: Callable[[Rotation], None] | None = None) -> Rotation:
    """Re-encrypt what is not under the newest key, each row by itself; can be stopped and run again at any time.

    A row that somebody else wrote back under the old key in the meantime is counted as changed.
    """
    rotated, failures = 0, []
    failed = set()
    for pk in list(_stale()):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().get(pk=pk)
            try:
                row.data = {**row.data, **{name: seal(unseal(row.data[name])) for name in _SECRETS if name in row.data}}
            except CryptoError as error:
                failed.add(pk)
                failures.append(f"mfa.Authenticator {pk}: {error}")
                continue
            row.save(update_fields=["data"])
            rotated += 1
    changed = len(set(_stale()) - failed)
    result = Rotation("mfa.Authenticator.data", rotated - changed, changed, tuple(failures))
    if on_batch is not None:
        on_batch(result)
    return result


def _stale() -> Iterator[int]:
    current = f"{key_ring().newest}:"
    for pk, data in Authenticator.objects.order_by("pk").values_list("pk", "data").iterator():
        if any(name in data and not str(data[name]).startswith(current) for name in _SECRETS):
            yield pk

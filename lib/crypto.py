"""Secrets at rest: AES-256-GCM under a ring of keys, bound to the row and field that they belong to.

`ENCRYPTION_KEYS` is a ring, `id:key,id:key`, each key 32 random bytes in base64. The first (newest) encrypts, all
decrypt. To rotate: put a new key in front (`generate_key()` makes one), restart, run `manage.py rotate_keys`, and only
then take the old key out. ::

    class Integration(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        token = Secret()

    integration.token = "ghp_…"     # encrypted at once; saved with the row
    integration.token               # decrypted on each access; "" when there is none
    Integration.token.columns       # the three columns behind it, for save(update_fields=…) and defer()

The associated data is the model's label, the row's UUID and the field's name (NIST SP 800-38D, 5.2.1.1): a ciphertext
copied to another row or field does not decrypt. It follows that renaming such a model or field takes a migration that
re-encrypts its rows.
"""

from __future__ import annotations

import base64
import binascii
import functools
import inspect
import os
import re
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, overload

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.conf import settings
from django.db import models, transaction

_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")
# https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
# https://docs.gitlab.com/security/tokens/#token-prefixes
_TOKEN_KIND = re.compile(r"gh[opsur]_|github_pat_|gl(?:pat|oas|dt|rt|cbt|ptt|ft)-")


class CryptoError(Exception):
    """A secret could not be sealed or opened. `str(error)` is a sentence for a person and never holds the secret."""


class InvalidKeyRing(CryptoError):
    pass


class UnknownKey(CryptoError):
    """The key that sealed it is not in the ring."""


class Tampered(CryptoError):
    """It was altered, belongs to another row or field, or its key's bytes were changed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    key_id: str
    nonce: bytes
    ciphertext: bytes
    """With the 16 bytes of the authentication tag at its end."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id, the newest first. Random nonces are safe for 2**32 secrets under one key."""

    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """From `id:key,id:key`. InvalidKeyRing for anything else; its message never repeats a key."""
        keys: dict[str, bytes] = {}
        for number, item in enumerate(filter(None, (part.strip() for part in text.split(","))), start=1):
            key_id, _, encoded = item.partition(":")
            if not _KEY_ID.fullmatch(key_id) or not encoded:
                raise InvalidKeyRing(f"Item {number} of ENCRYPTION_KEYS is not of the form id:key.")
            if key_id in keys:
                raise InvalidKeyRing(f"ENCRYPTION_KEYS has two keys with the id “{key_id}”. Give one another id.")
            try:
                keys[key_id] = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                raise InvalidKeyRing(f"The key “{key_id}” in ENCRYPTION_KEYS is not base64.") from None
            if len(keys[key_id]) != _KEY_BYTES:
                raise InvalidKeyRing(f"The key “{key_id}” in ENCRYPTION_KEYS is not of {_KEY_BYTES} bytes.")
        if not keys:
            raise InvalidKeyRing("ENCRYPTION_KEYS is empty. Set it to id:key, the key being 32 random bytes in base64.")
        return cls(keys)

    @property
    def newest(self) -> str:
        return next(iter(self.keys))

    def encrypt(self, plaintext: str, aad: bytes) -> Sealed:
        nonce = os.urandom(_NONCE_BYTES)
        return Sealed(self.newest, nonce, AESGCM(self.keys[self.newest]).encrypt(nonce, plaintext.encode(), aad))

    def decrypt(self, sealed: Sealed, aad: bytes) -> str:
        """UnknownKey or Tampered when it cannot be opened."""
        key = self.keys.get(sealed.key_id)
        if key is None:
            raise UnknownKey(
                f"A secret was encrypted with the key “{sealed.key_id}”, which is not in ENCRYPTION_KEYS. "
                "Put that key back at the end of the list, then run `manage.py rotate_keys`."
            )
        try:
            return AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, aad).decode()
        except (InvalidTag, ValueError):
            raise Tampered(
                f"A secret does not open with its key “{sealed.key_id}”: it was altered, copied from another row, or "
                "the key was changed under the same id. Restore the key or enter the secret again."
            ) from None


def generate_key(key_id: str = "") -> str:
    """A new item for the front of ENCRYPTION_KEYS."""
    key_id = key_id or f"k{secrets.token_hex(3)}"
    return f"{key_id}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"


def key_ring() -> KeyRing:
    """The installation's ring. InvalidKeyRing when the setting is not one."""
    return _parsed(settings.ENCRYPTION_KEYS)


_parsed = functools.lru_cache(maxsize=4)(KeyRing.parse)


def mask(secret: str) -> str:
    """What may be shown of a secret: "ghp_…1234". Short ones show nothing of themselves, and of longer ones the
    beginning is shown where it says whose sort of token it is: that of a passphrase is a part of it."""
    if len(secret) < 20:
        return "…" if secret else ""
    prefix = _TOKEN_KIND.match(secret)
    return f"{prefix.group() if prefix else ''}…{secret[-4:]}"


class Secret(property):
    """A text attribute of a model with a UUID primary key, kept encrypted in three columns.

    For `token` these are `token_ciphertext`, `token_nonce` and `token_key` (the key's id, "" when there is no secret).
    A property, so that Django takes it in `Model(token=…)`, `create` and `update_or_create` (the type checker knows it
    as an attribute only: assign it); it is no field, so it never appears in `values()`, forms, fixtures or `update()`.

    Reading raises UnknownKey or Tampered; writing needs the primary key to be set (its default is, at construction).
    """

    def __init__(self) -> None:
        super().__init__(self._open, self._seal)
        self.name = ""
        self._fields: tuple[models.Field[Any, Any], ...] = (
            models.BinaryField(null=True, editable=False),
            models.BinaryField(null=True, editable=False, max_length=_NONCE_BYTES),
            models.CharField(max_length=32, blank=True, default="", editable=False),
        )

    def contribute_to_class(self, cls: type[models.Model], name: str) -> None:
        self.name = name
        for column, model_field in zip(self.columns, self._fields, strict=True):
            cls.add_to_class(column, model_field)
        setattr(cls, name, self)

    @property
    def columns(self) -> tuple[str, str, str]:
        """The names of the columns for ciphertext, nonce and key id."""
        return f"{self.name}_ciphertext", f"{self.name}_nonce", f"{self.name}_key"

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, instance: models.Model, owner: type | None = None) -> str: ...
    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Self | str:
        return self if instance is None else self._open(instance)

    def __set__(self, instance: models.Model, value: str) -> None:
        self._seal(instance, value)

    def is_set(self, instance: models.Model) -> bool:
        """Whether there is a secret, without opening it."""
        return bool(getattr(instance, self.columns[2]))

    def associated_data(self, instance: models.Model) -> bytes:
        if not isinstance(instance.pk, uuid.UUID):
            raise TypeError(f"{instance._meta.label}.{self.name} needs a UUID primary key that is set.")
        owner = instance._meta.get_field(self.columns[0]).model  # the same for proxies and children of the model
        return "\0".join((owner._meta.label_lower, str(instance.pk), self.name)).encode()

    def _open(self, instance: models.Model) -> str:
        ciphertext, nonce, key_id = (getattr(instance, column) for column in self.columns)
        if not key_id:
            return ""
        sealed = Sealed(key_id, bytes(nonce or b""), bytes(ciphertext or b""))  # PostgreSQL hands out memoryviews
        return key_ring().decrypt(sealed, self.associated_data(instance))

    def _seal(self, instance: models.Model, value: str) -> None:
        values: tuple[bytes | None, bytes | None, str] = (None, None, "")
        if value:
            sealed = key_ring().encrypt(value, self.associated_data(instance))
            values = (sealed.ciphertext, sealed.nonce, sealed.key_id)
        for column, part in zip(self.columns, values, strict=True):
            setattr(instance, column, part)


def secret_fields() -> Iterator[tuple[type[models.Model], str]]:
    """Every (model, name of its Secret) of the installed apps, each table once."""
    return ((model, name) for model in apps.get_models() for name in _secrets_of(model))


@functools.cache  # each push and each sync asks for all of them
def _secrets_of(model: type[models.Model]) -> tuple[str, ...]:
    own = {model_field.name for model_field in model._meta.local_fields}
    members = inspect.getmembers_static(model, lambda member: isinstance(member, Secret))
    return tuple(name for name, value in members if value.columns[0] in own and not model._meta.proxy)


@dataclass(frozen=True, slots=True)
class Rotation:
    """How one field's rows fared."""

    field: str
    """`app.Model.field`"""
    rotated: int = 0
    changed: int = 0
    """Were written by somebody else in the meantime, and left to them."""
    failures: tuple[str, ...] = ()
    """A sentence for each row that could not be opened; it is left as it is."""


def rotate(*, batch_size: int = 500, on_batch: Callable[[Rotation], None] | None = None) -> tuple[Rotation, ...]:
    """Re-encrypt what is not under the newest key, field by field, `batch_size` rows to a transaction.

    Can be stopped and run again at any time, beside a running site: a row is written only if its nonce is still the
    one that was read. `on_batch` is told the field's counts so far after each batch.
    """
    return tuple(_rotate_field(model, name, batch_size, on_batch) for model, name in secret_fields())


def _rotate_field(
    model: type[models.Model], name: str, batch_size: int, on_batch: Callable[[Rotation], None] | None
) -> Rotation:
    secret: Secret = inspect.getattr_static(model, name)
    _, nonce_column, key_column = secret.columns
    result = Rotation(f"{model._meta.label}.{name}")
    stale = model._base_manager.exclude(**{f"{key_column}__in": ["", key_ring().newest]}).only("pk", *secret.columns)
    batch = list(stale.order_by("pk")[:batch_size])
    while batch:
        rotated, failures = 0, []
        with transaction.atomic():
            for row in batch:
                read = {"pk": row.pk, nonce_column: getattr(row, nonce_column)}
                try:
                    secret.__set__(row, secret.__get__(row))
                except CryptoError as error:
                    failures.append(f"{model._meta.label} {row.pk}: {error}")
                    continue
                sealed = {column: getattr(row, column) for column in secret.columns}
                rotated += model._base_manager.filter(**read).update(**sealed)
        result = Rotation(
            result.field,
            result.rotated + rotated,
            result.changed + len(batch) - rotated - len(failures),
            result.failures + tuple(failures),
        )
        if on_batch is not None:
            on_batch(result)
        batch = list(stale.filter(pk__gt=batch[-1].pk).order_by("pk")[:batch_size])
    return result

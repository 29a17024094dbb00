"""Secrets at rest: what opens, what does not, and what is said then."""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, models
from django.db.migrations.state import ModelState

from catalog.models import Server
from integrations.models import Integration
from lib.crypto import (
    InvalidKeyRing,
    KeyRing,
    Sealed,
    Secret,
    Tampered,
    UnknownKey,
    generate_key,
    mask,
    secret_fields,
)
from tests.lib.conftest import NEW, OLD, TOKEN


class Pair(models.Model):  # noqa: DJ008
    """Two secrets on one row; it never gets a table."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    first = Secret()
    second = Secret()

    class Meta:
        app_label = "tests_lib"


class PairProxy(Pair):  # noqa: DJ008
    class Meta:
        app_label = "tests_lib"
        proxy = True


class Lookalike(models.Model):  # noqa: DJ008
    """Has an id and a field of the same name as an Integration."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    token = Secret()

    class Meta:
        app_label = "tests_lib"


class Numbered(models.Model):  # noqa: DJ008
    token = Secret()

    class Meta:
        app_label = "tests_lib"


def move(secret: str, source: models.Model, to: str, target: models.Model) -> None:
    for suffix in ("ciphertext", "nonce", "key"):
        setattr(target, f"{to}_{suffix}", getattr(source, f"{secret}_{suffix}"))


# --- The ring


def test_the_first_key_encrypts_and_every_key_decrypts() -> None:
    sealed = KeyRing.parse(OLD).encrypt(TOKEN, b"row")
    ring = KeyRing.parse(f" {NEW} , {OLD},")
    assert ring.decrypt(sealed, b"row") == TOKEN
    assert ring.encrypt(TOKEN, b"row").key_id == ring.newest == "new"


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    ring = KeyRing.parse(OLD)
    one, two = ring.encrypt(TOKEN, b"row"), ring.encrypt(TOKEN, b"row")
    assert len(one.nonce) == 12
    assert one.nonce != two.nonce
    assert one.ciphertext != two.ciphertext


def test_a_key_that_is_gone_is_named_with_what_to_do() -> None:
    sealed = KeyRing.parse(OLD).encrypt(TOKEN, b"row")
    with pytest.raises(UnknownKey, match=r"key “old”, which is not in ENCRYPTION_KEYS\. Put that key back"):
        KeyRing.parse(NEW).decrypt(sealed, b"row")


@pytest.mark.parametrize("part", ["ciphertext", "nonce", "aad", "key", "short nonce", "no ciphertext"])
def test_whatever_is_altered_does_not_open(part: str) -> None:
    ring = KeyRing.parse(OLD)
    sealed, aad = ring.encrypt(TOKEN, b"row"), b"row"
    flip = bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]
    if part == "ciphertext":
        sealed = Sealed("old", sealed.nonce, flip)
    elif part == "nonce":
        sealed = Sealed("old", os.urandom(12), sealed.ciphertext)
    elif part == "aad":
        aad = b"another row"
    elif part == "key":
        ring = KeyRing.parse(generate_key("old"))
    elif part == "short nonce":
        sealed = Sealed("old", b"", sealed.ciphertext)
    else:
        sealed = Sealed("old", sealed.nonce, b"")
    with pytest.raises(Tampered, match="Restore the key or enter the secret again"):
        ring.decrypt(sealed, aad)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        (" , ", "is empty"),
        ("justakey", r"Item 1 .* id:key"),
        (f"{OLD},:{'A' * 44}", r"Item 2 .* id:key"),
        ("spaced id:" + "A" * 44, r"id:key"),
        ("x" * 33 + ":" + "A" * 44, r"id:key"),
        ("old:not base64!", r"“old” .* not base64"),
        ("old:" + base64.b64encode(b"too short").decode(), r"“old” .* not of 32 bytes"),
        (f"{OLD},{OLD}", r"two keys with the id “old”"),
    ],
)
def test_a_ring_that_is_none_is_refused_without_repeating_a_key(text: str, sentence: str) -> None:
    with pytest.raises(InvalidKeyRing, match=sentence) as refused:
        KeyRing.parse(text)
    assert OLD.partition(":")[2] not in str(refused.value)
    assert "AAAA" not in str(refused.value)


def test_a_ring_does_not_show_its_keys() -> None:
    assert "old" not in repr(KeyRing.parse(OLD))


def test_generated_keys_make_a_ring_and_have_ids_of_their_own() -> None:
    assert len(KeyRing.parse(",".join(generate_key() for _ in range(5))).keys) == 5


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("", ""),
        ("hunter2", "…"),
        (TOKEN, "ghp_…stuv"),
        ("github_pat_11ABCDEFG0123456789xyz", "github_pat_…9xyz"),
        ("glpat-abcdefghijklmnop1234", "glpat-…1234"),
        ("0123456789abcdef0123456789abcdef", "…cdef"),
        ("correct-horse-battery-staple", "…aple"),
    ],
)
def test_a_masked_secret_shows_its_kind_and_its_end(secret: str, shown: str) -> None:
    assert mask(secret) == shown


# --- The attribute


def test_a_secret_reads_as_it_was_written_and_is_stored_encrypted() -> None:
    row = Pair(first=TOKEN)
    assert row.first == TOKEN
    row.first = "später ☂"
    assert row.first == "später ☂"
    assert "später" not in str(row.__dict__)
    assert (row.second, Pair.first.is_set(row), Pair.second.is_set(row)) == ("", True, False)


def test_an_empty_secret_clears_the_columns() -> None:
    row = Pair(first=TOKEN)
    row.first = ""
    assert [getattr(row, column) for column in Pair.first.columns] == [None, None, ""]
    assert row.first == ""


def test_a_ciphertext_does_not_open_on_another_row() -> None:
    victim, thief = Pair(first=TOKEN), Pair()
    move("first", victim, "first", thief)
    with pytest.raises(Tampered):
        _ = thief.first


def test_a_ciphertext_does_not_open_in_another_field_of_its_row() -> None:
    row = Pair(first=TOKEN)
    move("first", row, "second", row)
    assert row.first == TOKEN
    with pytest.raises(Tampered):
        _ = row.second


def test_a_ciphertext_does_not_open_in_another_model_with_the_same_id_and_field() -> None:
    other = Integration()
    other.token = TOKEN
    row = Lookalike(id=other.id)
    move("token", other, "token", row)
    with pytest.raises(Tampered):
        _ = row.token


def test_a_proxy_of_the_model_opens_its_secrets() -> None:
    row = Pair(first=TOKEN)
    proxy = PairProxy(id=row.id)
    move("first", row, "first", proxy)
    assert proxy.first == TOKEN


def test_a_copied_row_does_not_take_the_secret_along() -> None:
    row = Pair(first=TOKEN)
    row.pk = uuid.uuid4()
    with pytest.raises(Tampered):
        _ = row.first


def test_a_row_without_a_uuid_cannot_hold_a_secret() -> None:
    with pytest.raises(TypeError, match=r"Numbered\.token needs a UUID primary key"):
        Numbered(token=TOKEN)
    assert Numbered().token == ""


def test_migrations_see_three_plain_columns() -> None:
    fields = ModelState.from_model(Pair).fields
    assert list(fields) == ["id", *Pair.first.columns, *Pair.second.columns]


# --- In the database


def test_a_secret_survives_the_database_and_never_leaves_it_in_plain(integration: Callable[..., Integration]) -> None:
    pk = integration().pk
    row = Integration.objects.get(pk=pk)
    assert row.token == TOKEN
    assert Integration.objects.defer(*Integration.token.columns).get(pk=pk).token == TOKEN
    assert TOKEN not in str(list(Integration.objects.values())) + repr(row)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM integrations_integration")
        stored = [
            bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
            for value in cursor.fetchone()
        ]
    assert not any(TOKEN.encode() in value for value in stored)


def test_a_secret_is_saved_by_its_columns_alone(integration: Callable[..., Integration]) -> None:
    row = integration()
    row.token, row.repository = "another", "not/saved"
    row.save(update_fields=Integration.token.columns)
    fresh = Integration.objects.get(pk=row.pk)
    assert fresh.token == "another"
    assert fresh.repository != "not/saved"


def test_the_ways_to_make_and_change_a_row_take_a_secret(docs: Server) -> None:
    made: dict[str, Any] = {"server": docs, "forge": "git", "token": TOKEN}  # the type checker knows fields alone
    row = Integration.objects.create(**made)
    assert Integration.objects.get(pk=row.pk).token == TOKEN
    change: dict[str, Any] = {"token": "another"}
    row, created = Integration.objects.update_or_create(pk=row.pk, defaults=change)
    assert not created
    assert Integration.objects.get(pk=row.pk).token == "another"


def test_every_secret_of_the_installed_apps_is_known() -> None:
    assert (Integration, "token") in list(secret_fields())

"""Secrets at rest: what opens, what does not, and what is said then."""

from __future__ import annotations

import base64
import io
import os
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.migrations.state import ModelState
from pytest_django.fixtures import Settings

from catalog.models import Server
from integrations.models import Integration
from lib.crypto import (
    InvalidKeyRing,
    KeyRing,
    Rotation,
    Sealed,
    Secret,
    Tampered,
    UnknownKey,
    generate_key,
    mask,
    rotate,
    secret_fields,
)

TOKEN = "ghp_0123456789abcdefghijklmnopqrstuv"
# Always the same, for the names of tests hold them.
OLD, NEW = (f"{name}:{base64.b64encode(name.encode() * 11)[:43].decode()}=" for name in ("old", "new"))


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


@pytest.fixture
def integration(docs: Server) -> Callable[..., Integration]:
    def make(token: str = TOKEN) -> Integration:
        number = str(uuid.uuid4())
        row = Integration(server=docs, forge="github", repository_id=number, repository=f"acme/{number}")
        row.token = token
        row.save()
        return row

    return make


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


# --- Rotation


@pytest.fixture
def ring(settings: Settings) -> Settings:
    """The tests' settings, with a ring of the old key."""
    settings.ENCRYPTION_KEYS = OLD
    return settings


def tokens() -> dict[str, tuple[str, str]]:
    return {
        str(pk): (key, Integration.objects.get(pk=pk).token)
        for pk, key in Integration.objects.values_list("pk", "token_key")
    }


def test_rotation_moves_every_secret_to_the_newest_key_in_batches(
    ring: Settings, integration: Callable[..., Integration]
) -> None:
    made = {str(integration(f"token {number}").pk): ("new", f"token {number}") for number in range(5)}
    made[str(integration("").pk)] = ("", "")
    ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    told: list[Rotation] = []
    result = [done for done in rotate(batch_size=2, on_batch=told.append) if done.rotated]
    assert result == [Rotation("integrations.Integration.token", rotated=5)]
    assert [done.rotated for done in told] == [2, 4, 5]
    assert tokens() == made
    ring.ENCRYPTION_KEYS = NEW
    assert tokens() == made
    assert sum(done.rotated for done in rotate()) == 0


def test_rotation_goes_on_where_it_was_stopped(ring: Settings, integration: Callable[..., Integration]) -> None:
    for _ in range(5):
        integration()
    ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"

    class PulledPlug(Exception):
        pass

    updates = 0

    def pull(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal updates
        if sql.startswith("UPDATE"):
            updates += 1
            if updates == 4:
                raise PulledPlug
        return execute(sql, params, many, context)

    with connection.execute_wrapper(pull), pytest.raises(PulledPlug):
        rotate(batch_size=2)
    assert sorted(key for key, _ in tokens().values()) == ["new", "new", "old", "old", "old"]
    assert sum(done.rotated for done in rotate(batch_size=2)) == 3
    assert set(tokens().values()) == {("new", TOKEN)}


@pytest.mark.parametrize("keys", [f"{NEW},{OLD}", OLD], ids=["with the new ring", "by a process not yet restarted"])
def test_rotation_leaves_a_secret_that_was_changed_meanwhile(
    keys: str, ring: Settings, integration: Callable[..., Integration]
) -> None:
    rows = sorted((integration(), integration()), key=lambda row: row.pk)
    ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    changed = False

    def somebody_saves(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal changed
        if sql.startswith("UPDATE") and not changed:
            changed = True
            ring.ENCRYPTION_KEYS = keys
            for row in rows:
                row.token = "entered meanwhile"
                row.save()
            ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"
        return execute(sql, params, many, context)

    with connection.execute_wrapper(somebody_saves):
        result = next(done for done in rotate() if done.changed)
    assert (result.rotated, result.changed, result.failures) == (0, 2, ())
    assert {token for _, token in tokens().values()} == {"entered meanwhile"}


def test_rotation_leaves_what_it_cannot_open_and_says_which(
    ring: Settings, integration: Callable[..., Integration]
) -> None:
    broken, whole, lost = integration(), integration(), integration()
    Integration.objects.filter(pk=broken.pk).update(token_nonce=os.urandom(12))
    Integration.objects.filter(pk=lost.pk).update(token_key="gone")
    ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    result = next(done for done in rotate(batch_size=1) if done.failures)
    assert result.rotated == 1
    assert (
        sorted(str(pk) in text for pk in (broken.pk, lost.pk) for text in result.failures) == [False] * 2 + [True] * 2
    )
    assert Integration.objects.filter(pk=whole.pk, token_key="new").exists()
    with pytest.raises(CommandError, match="2 secrets could not be opened"):
        call_command("rotate_keys", stdout=io.StringIO(), stderr=io.StringIO())


def test_the_command_reports_its_progress(ring: Settings, integration: Callable[..., Integration]) -> None:
    integration()
    ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    said = io.StringIO()
    call_command("rotate_keys", stdout=said)
    assert "integrations.Integration.token: 1 re-encrypted" in said.getvalue()
    assert "under the key “new”" in said.getvalue()
    assert TOKEN not in said.getvalue()


def test_the_command_refuses_a_ring_that_is_none(ring: Settings) -> None:
    ring.ENCRYPTION_KEYS = "nonsense"
    with pytest.raises(CommandError, match="id:key"):
        call_command("rotate_keys")

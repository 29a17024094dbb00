"""Who is let in: organisations, visibilities, credentials and versions, and what the refused can tell apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Server, Version
from endpoint import keys, limits
from endpoint.addresses import parse
from endpoint.admission import Asked, admit, admit_member
from endpoint.admitted import Admitted, Parties, Refused
from endpoint.models import ApiKey, Setup
from orgs.models import Membership, Organization, User
from tests import factories
from tests.installation import free_port

NOBODYS = "mr_" + "A" * 43


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def servers(acme: Organization, alice: User) -> dict[str, Server]:
    """A public, a private, and a personal server of Acme, each with one version; the personal one says it is public."""
    made = {
        "public": factories.server(acme, "Public", visibility="public"),
        "private": factories.server(acme, "Private"),
        "personal": factories.server(acme, "Personal", owner=alice, visibility="public"),
    }
    for server in made.values():
        Version.objects.create(server=server, number=1, content_revision=0)
    return made


def _ask(path: str, credential: str = "", *, version: str = "", remote: str = "192.0.2.1") -> Admitted | Refused:
    address = parse(f"/mcp/{path}")
    assert address
    authorization = f"Bearer {credential}" if credential else ""
    try:
        return admit(Asked(address, version, authorization, remote, "https://mcp.example"))
    except Refused as refused:
        return refused


def _status(answer: Admitted | Refused) -> int:
    return answer.status if isinstance(answer, Refused) else 200


def _key(by: User, **values: Any) -> str:
    return keys.make_key(by=Membership.objects.get(user=by), values={"name": "Key", **values})[1]


def _tokens(alice: User, charlie: User, servers: dict[str, Server]) -> dict[str, str]:
    all_three = [server.pk for server in servers.values()]
    other = factories.server(servers["public"].organization, "Unrelated")
    expired, revoked = _key(alice, servers=all_three), _key(alice, servers=all_three)
    past = timezone.now() - timedelta(seconds=1)
    ApiKey.objects.filter(digest=keys.digest_of(expired)).update(expires_at=past)
    ApiKey.objects.filter(digest=keys.digest_of(revoked)).update(revoked_at=past)
    return {
        "none": "",
        "valid": _key(alice, servers=all_three),
        "everything": _key(alice, everything=True),
        "elsewhere": _key(charlie, everything=True),
        "unscoped": _key(alice, servers=[other.pk]),
        "expired": expired,
        "revoked": revoked,
        "unknown": NOBODYS,
        "malformed": "mr_short",
    }


ADMITTED = {
    "none": {"public"},
    "valid": {"public", "private", "personal"},
    "everything": {"public", "private"},
    "elsewhere": set(),
    "unscoped": set(),
}
"""Of each credential that is good, or none, what it opens; the others open nothing, and are told so."""


def test_each_credential_opens_what_it_is_for(alice: User, charlie: User, servers: dict[str, Server]) -> None:
    for state, token in _tokens(alice, charlie, servers).items():
        for kind, server in servers.items():
            for version, found in (("", 200), ("1", 200), ("9", 404), ("1x", 404), ("-1", 404), ("9" * 30, 404)):
                answer = _ask(f"acme/{server.slug}", token, version=version)
                expected = found if kind in ADMITTED.get(state, ()) else 404 if state in ADMITTED and token else 401
                assert _status(answer) == expected, (state, kind, version)
                if isinstance(answer, Admitted):
                    assert answer.server == server
                    assert answer.pinned == (version == "1")
                    assert (answer.version.number if answer.version else None) == (1 if version else None)
        cache.clear()


def test_what_may_not_be_known_looks_as_what_is_not_there(
    alice: User, charlie: User, servers: dict[str, Server]
) -> None:
    """To the byte, but for the address itself."""
    for state, token in _tokens(alice, charlie, servers).items():
        for kind, server in servers.items():
            if kind in ADMITTED.get(state, ()):
                continue
            for version in ("", "1", "9"):
                answers = [_ask(f"acme/{slug}", token, version=version) for slug in (server.slug, "gone")]
                answers.append(_ask("nowhere/gone", token, version=version))
                told = [
                    (str(a), a.status, a.code, {k: v.replace(p, "") for k, v in a.headers.items()})
                    for a, p in zip(answers, (f"acme/{server.slug}", "acme/gone", "nowhere/gone"), strict=True)
                    if isinstance(a, Refused)
                ]
                assert len(told) == 3
                assert told[0] == told[1] == told[2], (state, kind)
        cache.clear()


def test_as_much_is_asked_of_the_database_for_what_is_there_and_what_is_not(
    alice: User, charlie: User, servers: dict[str, Server], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tokens = _tokens(alice, charlie, servers)
    for state, number in {"none": 1, "unscoped": 2, "elsewhere": 2, "unknown": 2, "revoked": 2, "malformed": 2}.items():
        for path in ("acme/private", "acme/personal", "acme/gone"):
            with django_assert_num_queries(number):
                _ask(path, tokens[state])


def test_a_key_on_a_server_takes_three_queries_at_most(
    alice: User, servers: dict[str, Server], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = _key(alice, everything=True)
    Setup.objects.create(server=servers["private"], log_arguments=True)
    Server.objects.filter(pk=servers["private"].pk).update(active_version=servers["private"].versions.get())
    with django_assert_num_queries(2):
        answer = _ask("acme/private", token)
        assert isinstance(answer, Admitted)
        assert answer.setup.log_arguments
        assert answer.organization.slug == "acme"
        assert answer.version is not None
        assert answer.version.number == 1
    with django_assert_num_queries(3):
        _ask("acme/private", token, version="1")


@pytest.mark.parametrize(
    "header",
    [
        "Basic bXI6bXI=",
        "Bearer",
        "Bearer  ",
        "Bearer {} extra",
        "Bearer {},Bearer {}",
        "Bearer {}\x00",
        "Bearer {}\n",
        "Bearer\t{}",
        "Token {}",
        "{}",
        "Bearer mr_" + "é" * 43,
        "Bearer " + "A" * 100_000,
        "Bearer {}A",
    ],
)
def test_a_header_that_is_not_right_is_refused_also_where_none_is_needed(
    header: str, alice: User, servers: dict[str, Server]
) -> None:
    header = header.replace("{}", _key(alice, everything=True))
    for slug in ("public", "private"):
        address = parse(f"/mcp/acme/{slug}")
        assert address
        with pytest.raises(Refused) as refused:
            admit(Asked(address, "", header, "192.0.2.1", "https://mcp.example"))
        assert refused.value.status == 401
        assert 'error="invalid_token"' in refused.value.headers["WWW-Authenticate"]


def test_the_scheme_is_read_in_any_case(alice: User, servers: dict[str, Server]) -> None:
    address = parse("/mcp/acme/private")
    assert address
    admitted = admit(Asked(address, "", f"bearer {_key(alice, everything=True)}", "192.0.2.1", "https://mcp.example"))
    assert admitted.caller.kind == "key"


def test_a_key_of_a_removed_member_goes_on_but_for_what_was_their_own(
    alice: User, adam: User, acme: Organization, servers: dict[str, Server]
) -> None:
    his = factories.server(acme, "His", owner=adam)
    toolkit = factories.toolkit(acme, "Mine", owner=adam)
    token = _key(adam, servers=[his.pk, servers["private"].pk], toolkits=[toolkit.pk])
    paths = ("acme/private", "acme/his", "acme/toolkits/mine")
    assert [_status(_ask(path, token)) for path in paths] == [200, 200, 200]
    adam.is_active = False
    adam.save()
    assert [_status(_ask(path, token)) for path in paths] == [200, 404, 404]
    adam.is_active = True
    adam.save()
    Membership.objects.get(user=adam).delete()
    assert [_status(_ask(path, token)) for path in paths] == [200, 404, 404]
    # Somebody's key that names what is another's, however it came to be so.
    ApiKey.objects.get().servers.add(servers["personal"])
    assert _status(_ask("acme/personal", token)) == 404


def test_a_toolkit_takes_a_key_that_reaches_it(alice: User, bob: User, acme: Organization) -> None:
    shared = factories.toolkit(acme, "Kit")
    factories.toolkit(acme, "Kit", owner=bob)
    token = _key(alice, toolkits=[shared.pk])
    answer = _ask("acme/toolkits/kit", token)
    assert isinstance(answer, Admitted)
    assert answer.toolkit == shared
    assert answer.server is None
    assert _status(_ask("acme/toolkits/kit")) == 401
    assert _status(_ask("acme/toolkits/kit", token, version="1")) == 404
    assert _status(_ask("acme/kit", token)) == 404


def test_a_members_own_toolkit_is_theirs_although_others_have_the_name(
    alice: User, bob: User, acme: Organization
) -> None:
    factories.toolkit(acme, "Kit")
    factories.toolkit(acme, "Kit", owner=bob)
    hers = factories.toolkit(acme, "Kit", owner=alice)
    answer = _ask("acme/toolkits/kit", _key(alice, toolkits=[hers.pk]))
    assert isinstance(answer, Admitted)
    assert answer.toolkit == hers


def test_only_what_is_theirs_is_admitted_for_members(
    alice: User, bob: User, charlie: User, servers: dict[str, Server]
) -> None:
    def member(person: User) -> Membership:
        return Membership.objects.get(user=person)

    assert admit_member(member(alice), servers["personal"], version=None).caller.known
    for person, kind in ((bob, "personal"), (charlie, "public"), (charlie, "private")):
        with pytest.raises(Refused):
            admit_member(member(person), servers[kind], version=None)


# ------------------------------------------------------------------------------------------------ rates and quotas


def test_too_many_requests_from_one_address_wait(servers: dict[str, Server], settings: Any) -> None:
    settings.MCP_RATE_ANONYMOUS = 3
    assert [_status(_ask("acme/public")) for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = _ask("acme/private")
    assert isinstance(refused, Refused)
    assert refused.status == 429, "guessing counts as well"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert _status(_ask("acme/public", remote="192.0.2.2")) == 200


def test_wrong_keys_cannot_be_tried_for_long(alice: User, servers: dict[str, Server], settings: Any) -> None:
    settings.MCP_RATE_ANONYMOUS = 3
    good = _key(alice, everything=True)
    assert [_status(_ask("acme/private", NOBODYS)) for _ in range(5)] == [401, 401, 401, 429, 429]
    assert _status(_ask("acme/private", good)) == 200, "whoever shares the address is not shut out"
    assert _status(_ask("acme/public")) == 200


def test_a_key_has_its_own_limit_or_the_usual_one(alice: User, servers: dict[str, Server], settings: Any) -> None:
    settings.MCP_RATE_KEY = 2
    usual, more = _key(alice, everything=True), _key(alice, everything=True, rate_per_minute=4)
    count: Callable[[str], list[int]] = lambda token: [_status(_ask("acme/private", token)) for _ in range(5)]  # noqa: E731
    assert count(usual) == [200, 200, 429, 429, 429]
    assert count(more) == [200, 200, 200, 200, 429]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::1", True),
        ("", "not an address", True),
    ],
)
def test_one_client_is_counted_as_one(one: str, other: str, same: bool) -> None:
    assert (limits.network_of(one) == limits.network_of(other)) == same


def test_a_months_quota_ends_with_the_month(alice: User, servers: dict[str, Server]) -> None:
    from endpoint.models import Hour
    from endpoint.recording import counts

    counts.forget()
    server = servers["private"]
    Setup.objects.create(server=server, monthly_quota=5)
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    Hour.objects.create(
        organization=server.organization, server=server, target=server.pk, hour=hour, method="tools/call", calls=5
    )
    token = _key(alice, everything=True)
    refused = _ask("acme/private", token)
    assert isinstance(refused, Refused)
    assert refused.status == 429
    assert "5 requests" in str(refused)
    assert now + timedelta(seconds=int(refused.headers["Retry-After"])) >= now.replace(day=28)
    Hour.objects.update(hour=hour - timedelta(days=32))
    counts.forget()
    assert _status(_ask("acme/private", token)) == 200
    counts.forget()


def test_while_the_shared_cache_is_away_rates_and_quotas_hold_and_nobody_else_is_refused(
    alice: User, servers: dict[str, Server], settings: Any
) -> None:
    from endpoint.models import Hour
    from endpoint.recording import counts

    address = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {"BACKEND": "lib.shared_cache.SharedCache", "LOCATION": address}}
    cache.clear()
    settings.MCP_RATE_ANONYMOUS = 3
    assert [_status(_ask("acme/public")) for _ in range(5)] == [200, 200, 200, 429, 429]
    token = _key(alice, everything=True)
    assert _status(_ask("acme/private", token)) == 200
    server = servers["private"]
    Setup.objects.create(server=server, monthly_quota=5)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    Hour.objects.create(
        organization=server.organization, server=server, target=server.pk, hour=hour, method="tools/call", calls=5
    )
    counts.forget()
    assert _status(_ask("acme/private", token)) == 429
    counts.forget()


def test_who_is_over_a_limit_is_told_of_where_they_were_let_in_before(
    alice: User, servers: dict[str, Server], settings: Any
) -> None:
    settings.MCP_RATE_KEY = settings.MCP_RATE_ANONYMOUS = 1
    token = _key(alice, everything=True)
    _ask("acme/private", token)
    over, elsewhere = _ask("acme/private", token), _ask("acme/public", token)
    assert isinstance(over, Refused)
    assert isinstance(elsewhere, Refused)
    assert (over.parties.server_id, over.parties.key_id) == (servers["private"].pk, ApiKey.objects.get().pk)
    assert elsewhere.parties == Parties(), "what was never opened is not looked up for who may not ask"
    _ask("acme/public", remote="192.0.2.7")
    over = _ask("acme/public", remote="192.0.2.7")
    assert isinstance(over, Refused)
    assert (over.parties.server_id, over.parties.caller) == (servers["public"].pk, "anonymous")


def test_what_does_not_count_is_not_counted(servers: dict[str, Server], settings: Any) -> None:
    settings.MCP_RATE_ANONYMOUS = 1
    address = parse("/mcp/acme/public")
    assert address
    for _ in range(3):
        admit(Asked(address, "", "", "192.0.2.1", "https://mcp.example"), count=False)


# ------------------------------------------------------------------------------------------------ last use


def test_the_last_use_of_a_key_is_noted_once_a_minute(alice: User, docs: Server) -> None:
    key, _ = keys.make_key(by=Membership.objects.get(user=alice), values={"name": "Key", "everything": True})
    first = timezone.now()
    for seconds, noted in ((0, 0), (30, 0), (61, 61), (20, 61)):
        keys.mark_used({key.pk: first + timedelta(seconds=seconds)})
        key.refresh_from_db()
        assert key.last_used_at == first + timedelta(seconds=noted)

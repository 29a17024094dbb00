"""The people of the tests: alice owns Acme, adam administers it, bob operates, carol views; charlie owns another
organisation and must never see Acme's things."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Iterator

import pytest
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from catalog.models import Server
from orgs.models import Organization, Role, User
from tests import factories
from tests.databases import Databases, empty, forget

pytest_plugins = ["tests.wire.fixtures", "tests.site.fixtures"]

Browse = Callable[[User], Client]

WAITING = ("tests/browser/", "tests/jobs/test_worker.py", "tests/system/test_killed_crawls.py")

# The same examples each time, as long as they take: whether a change lands is not for luck or a busy machine to say.
settings.register_profile("tests", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# To look for new ones: pytest --hypothesis-profile=default
settings.load_profile("tests")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays: to look through it for garbage, again and again, takes longer than to collect it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those who mostly wait come first. One process has them then, with one Chromium and one installation, while the
    others take its quick ones; where they come last, all processes are left with them, and each needs its own."""
    items.sort(key=lambda item: not item.nodeid.startswith(WAITING))


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    own = tmp_path_factory.getbasetemp()
    return Databases(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
    databases: Databases,
) -> Iterator[None]:
    """In place of pytest-django's, with which each process migrates a database of its own."""
    with django_db_blocker.unblock():
        databases.take()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty())
        yield
    with django_db_blocker.unblock():
        databases.give_back()


def pytest_unconfigure(config: pytest.Config) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        forget()


@pytest.fixture
def acme(db: None) -> Organization:
    return factories.organization("Acme", slug="acme")


@pytest.fixture
def alice(acme: Organization) -> User:
    person = factories.user("alice@acme.example", name="Alice")
    factories.membership(person, acme, Role.OWNER)
    return person


@pytest.fixture
def adam(acme: Organization) -> User:
    person = factories.user("adam@acme.example", name="Adam")
    factories.membership(person, acme, Role.ADMIN)
    return person


@pytest.fixture
def bob(acme: Organization) -> User:
    person = factories.user("bob@acme.example", name="Bob")
    factories.membership(person, acme, Role.OPERATOR)
    return person


@pytest.fixture
def carol(acme: Organization) -> User:
    person = factories.user("carol@acme.example", name="Carol")
    factories.membership(person, acme, Role.VIEWER)
    return person


@pytest.fixture
def charlie(db: None) -> User:
    person = factories.user("charlie@other.example", name="Charlie")
    factories.membership(person, factories.organization("Other", slug="other"), Role.OWNER)
    return person


@pytest.fixture
def docs(acme: Organization) -> Server:
    """A server of Acme."""
    return factories.server(acme, "Docs", slug="docs")


@pytest.fixture
def browse() -> Browse:
    """A test client signed in as somebody: `browse(alice).get(…)`."""

    def signed_in(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return signed_in

"""The demo's people, servers and Library. Each is made when it is missing, and left alone when somebody changed it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from allauth.account.models import EmailAddress
from django.db import transaction

from catalog.models import Server
from config.demo import library, sources, tools
from integrations import connecting, probing
from integrations.probing import Entered
from integrations.refreshing import run_or_queue
from jobs.context import Budget
from jobs.models import Run, Trigger
from orgs.models import Membership, Organization, Role, User

PASSWORD = "acme weather demo"  # noqa: S105  # printed for everybody to see; the demo answers on 127.0.0.1 alone
PATIENT = Budget(seconds=60, items=10_000)
PEOPLE = (
    ("alice@acme.example", "Alice", Role.OWNER),
    ("bob@acme.example", "Bob", Role.OPERATOR),
    ("carol@acme.example", "Carol", Role.VIEWER),
)
SERVERS = (
    ("Handbook", "handbook", "Guides, reference and runbooks of the Acme Weather API.", "", ""),
    (
        "API reference",
        "api-reference",
        "Only the reference, for agents that write code.",
        "docs/reference/",
        "reference",
    ),
)
FURNISHED = "handbook"
"""The server that has tools, is pushed to a repository, has a web site among its sources, and answers any agent."""
WITH_RUNBOOKS = "api-reference"
"""The server that has a repository among its sources."""


@dataclass(frozen=True, slots=True)
class World:
    organization: Organization
    imported: tuple[Run, ...]
    """The first imports that were made now; none when everything was there."""


def seed(repository: Path) -> World:
    """Make what is missing, and import the repository through the same code as everything else.

    Raises `integrations.probing.FieldError` when the repository cannot be read.
    """
    organization, _ = Organization.objects.get_or_create(slug="acme", defaults={"name": "Acme Weather"})
    people = [_person(organization, email, name, role) for email, name, role in PEOPLE]
    imported: list[Run] = []
    for name, slug, description, include, mount_path in SERVERS:
        if Server.objects.filter(organization=organization, slug=slug).exists():
            continue  # there, and from then on the person's to change
        entered = Entered(forge="git", repository=str(repository), include=include, mount_path=mount_path)
        found = probing.probe(entered)
        with transaction.atomic():
            server = Server.objects.create(
                organization=organization,
                slug=slug,
                name=name,
                description=description,
                visibility=Server.Visibility.PUBLIC if slug == FURNISHED else Server.Visibility.PRIVATE,
            )
            connected = connecting.connect(server, entered, found, by=people[0])
        first = run_or_queue(
            connected.integration, prune=False, person=people[0], trigger=Trigger.CONNECT, budget=PATIENT
        )
        imported.append(first)
        if slug == FURNISHED:
            tools.furnish(server, by=people[0])
            tools.create_repository(pushed_to(repository))
            tools.assign(server, pushed_to(repository), organization.memberships.get(user=people[0]))
    owner = _owner(organization)
    library.furnish(organization, _server(organization, FURNISHED), by=owner.user)
    library.connect(mirrored_in(repository), owner)
    if (reference := _server(organization, WITH_RUNBOOKS)) is not None:
        sources.add_runbooks(reference, repository, by=owner)
    return World(organization, tuple(imported))


def open_site(organization: Organization, repository: Path) -> sources.Opened:
    """Serve the documentation site that is indexed for a server, as long as this process lives."""
    return sources.open_site(_server(organization, FURNISHED), served_from(repository), by=_owner(organization))


def open_to_agents(organization: Organization) -> Server | None:
    """The server that the demo has agents connect to."""
    return _server(organization, FURNISHED)


def pushed_to(repository: Path) -> Path:
    """Where the configuration is pushed to: beside the repository that content comes from."""
    return repository.with_name("acme-config.git")


def mirrored_in(repository: Path) -> Path:
    """The repository that the organisation's entities are kept the same with, beside it as well."""
    return repository.with_name("acme-library.git")


def served_from(repository: Path) -> Path:
    """The pages of the documentation site, beside it, too."""
    return repository.with_name("weather-school")


def _owner(organization: Organization) -> Membership:
    return organization.memberships.filter(role=Role.OWNER).select_related("user", "organization").earliest("joined_at")


def _server(organization: Organization, slug: str) -> Server | None:
    return Server.objects.for_org(organization).filter(owner=None, slug=slug).first()


def _person(organization: Organization, email: str, name: str, role: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, PASSWORD, name=name)
        user.is_staff = user.is_superuser = role == Role.OWNER
        user.save()
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        Membership.objects.create(organization=organization, user=user, role=role)
    return user

"""What the tests of a mirror's pages share: one in whatever state, a consumer at the local Bitbucket, and its form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from catalog.models import EntityKind
from gitsync.models import EntityState, Mirror, MirroredEntity
from orgs.models import Organization
from tests.wire.forge import Forge
from tests.wire.oauth_apps import OAuthApp
from tests.wire.world import HostedRepository

SCOPES = ("account", "repository", "repository:write", "pullrequest", "pullrequest:write")
BITBUCKET, SYNC = "/o/acme/settings/sync/bitbucket/", "/o/acme/settings/sync/"


def mirror_for(org: Organization, **fields: Any) -> Mirror:
    """A mirror as it would be in the database, after a sync that went well; no forge was asked."""
    values = {
        "forge": "bitbucket",
        "base_url": "https://api.bitbucket.org/2.0",
        "repository_id": "{00000000-0000-0000-0000-000000000001}",
        "repository": "acme/config",
        "web_url": "https://bitbucket.org/acme/config",
        "branch": "main",
        "last_commit": "a" * 40,
        "last_commit_url": f"https://bitbucket.org/acme/config/commits/{'a' * 40}",
        "synced_at": timezone.now(),
        "looked_at": timezone.now(),
        "summary": "Synced 12 entities: 3 written, 1 read, 8 unchanged, 0 failed.",
    }
    return Mirror.objects.create(organization=org, **{**values, **fields})


def entity_of(mirror: Mirror, state: str = EntityState.ERROR, **fields: Any) -> MirroredEntity:
    """One of its entities that wants a person."""
    values: dict[str, Any] = {"kind": EntityKind.COMMAND, "name": "Greet", "path": "commands/greet.json"}
    if state == EntityState.ERROR:
        values["error"] = {
            "code": "INVALID_JSON",
            "status": 400,
            "message": "A comma is missing.",
            "path": "commands/greet.json",
            "line": 3,
            "column": 14,
        }
    return MirroredEntity.objects.create(mirror=mirror, state=state, **{**values, **fields})


@dataclass
class Workspace:
    """octo's workspace at the local Bitbucket, with a repository and a consumer."""

    forge: Forge
    hosted: HostedRepository
    consumer: OAuthApp

    def form(self, **entered: Any) -> dict[str, Any]:
        """The form as a browser sends it."""
        values = {
            "workspace": "octo",
            "repository": "entities",
            "client_id": self.consumer.client_id,
            "client_secret": self.consumer.client_secret,
            "webhook_secret": "",
            "branch": "",
            "directory": "",
            "mode": "commit",
            "poll_minutes": "15",
            "seen_revision": "",
        }
        return {**values, **entered}

    def connect(self, client: Client, **entered: Any) -> Any:
        return client.post(BITBUCKET, self.form(**entered))


@pytest.fixture
def workspace(forge: Forge, settings: Settings) -> Workspace:
    settings.FORGE_OAUTH_APPS = [f"bitbucket|{forge.url}|id|s3cr3t"]
    hosted = forge.repository("octo/entities", private=True)
    hosted.git.commit({"README.md": "# Ours\n"}, "Begin")
    return Workspace(forge, hosted, forge.world.oauth.app("bitbucket", owner="octo", scopes=SCOPES))


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())

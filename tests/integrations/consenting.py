"""A person who connects a repository by consent at the forge: the applications, what they entered, the way there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from forges.oauth.providers import callback_url
from tests.forges_app.conftest import Register, Registered
from tests.forges_app.visiting import Visitor
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

FORM = "/o/acme/servers/docs/integrations/connect/"

Registering = Callable[..., Registered]


@pytest.fixture
def at(register: Register) -> Registering:
    """An OAuth application whose callback address is ours."""

    def registered(kind: str, **options: Any) -> Registered:
        made = register(kind, **options)
        made.hosted.redirect_uris |= {callback_url(made.application.key)}
        return made

    return registered


@pytest.fixture
def secret(forge: Forge) -> HostedRepository:
    """A private repository of octo's, with two branches."""
    hosted = forge.repository("octo/secret", private=True)
    hosted.git.commit({"docs/plan.md": "# Plan\n", "notes.txt": "Notes\n"})
    hosted.git.branch("next", at="main")
    return hosted


ENTERED = {
    "repository": "octo/secret",
    "branch": "",
    "include": "docs/",
    "exclude": "",
    "mount_path": "handbook",
    "on_push": "on",
    "token": "ghp_entered-before-and-not-wanted-any-more",
}


def begin(visitor: Visitor, registered: Registered, **entered: str) -> str:
    """Press the button of the form; the address at the forge that it leads to."""
    values = {"forge": registered.application.app.forge, "with": registered.application.key, **ENTERED, **entered}
    answer = visitor.client.post(f"{FORM}with/", values)
    assert answer.status_code == 302
    return visitor.left(visitor.client.get(answer["Location"]))


def connect_with(visitor: Visitor, registered: Registered, button: str = "authorise", **entered: str) -> Any:
    """All the way there and back; the page that they land on."""
    back = visitor.client.get(visitor.decides(begin(visitor, registered, **entered), button))
    assert back.status_code == 302
    return visitor.client.get(back["Location"])

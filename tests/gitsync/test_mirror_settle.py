"""What a person decides where both sides do not agree, on real syncs: each choice, and what is stale."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from catalog.models import Command, EntityRevision, Server
from catalog.portable.model import BadFile
from gitsync.mirror.settling import StaleSettle, seen_of, settle, sides_of
from gitsync.models import AllowedFinding, EntityState, MirroredEntity
from orgs.models import AuditEvent, Membership, User
from tests.conftest import Browse
from tests.gitsync.conftest import of
from tests.gitsync.mirror_world import ALL, Begin, Mirrored, begin, dumps, work
from tests.gitsync.mirrors import SYNC, text_of

__all__ = ["begin"]

pytestmark = pytest.mark.django_db

HELLO = "commands/hello.json"


@pytest.fixture
def made(begin: Begin) -> Mirrored:
    return begin(files=ALL)


@pytest.fixture
def torn(made: Mirrored) -> MirroredEntity:
    """A command that was changed on both sides, in the same place."""
    made.save("command", "hello", prompt="Say hi to {{who}}.", description="From here.")
    made.edit(HELLO, prompt="Say good day to {{who}}.")
    made.sync()
    found = made.entity(HELLO)
    assert found.state == EntityState.CONFLICT
    return found


def decide(found: MirroredEntity, choice: str, by: User, **more: Any) -> None:
    """As the page sends it, and then what the worker does."""
    found = MirroredEntity.objects.select_related("mirror__organization").get(pk=found.pk)
    settle(found, choice, of(by), seen=seen_of(found, sides_of(found)), **more)
    work()


def page(client: Client, found: MirroredEntity) -> str:
    response = client.get(f"{SYNC}entities/{found.pk}/")
    assert response.status_code == 200
    return text_of(response)


def test_both_versions_stand_side_by_side(torn: MirroredEntity, alice: User, browse: Browse) -> None:
    seen = page(browse(alice), torn)
    assert "Say hi to {{who}}." in seen
    assert "Say good day to {{who}}." in seen
    assert "From here." in seen
    assert "Both have the same" in seen
    assert "What is here is overwritten with git’s version." in seen
    assert "Nothing is lost" in seen


def test_theirs_is_taken_and_ours_stays_in_the_history(made: Mirrored, torn: MirroredEntity, bob: User) -> None:
    decide(torn, "theirs", bob)
    row = made.row("command", "hello")
    assert row.prompt == "Say good day to {{who}}."
    assert made.states() == {}
    kept = EntityRevision.objects.filter(entity=row.pk)
    assert "Say hi to {{who}}." in {revision.document["prompt"] for revision in kept}
    event = AuditEvent.objects.get(action="mirror.settled")
    assert (event.actor, event.after["choice"]) == (bob, "theirs")


def test_ours_is_kept_and_theirs_stays_in_gits_history(made: Mirrored, torn: MirroredEntity, bob: User) -> None:
    decide(torn, "ours", bob)
    assert made.json(HELLO)["prompt"] == "Say hi to {{who}}."
    assert "Say good day to {{who}}." in made.log
    made.assert_in_step()


def test_a_merged_version_is_saved_here_and_written_there(made: Mirrored, torn: MirroredEntity, bob: User) -> None:
    document = {**made.json(HELLO), "prompt": "Say hi and good day to {{who}}."}
    decide(torn, "edit", bob, document=dumps(document))
    assert made.row("command", "hello").prompt == "Say hi and good day to {{who}}."
    assert made.json(HELLO)["prompt"] == "Say hi and good day to {{who}}."
    made.assert_in_step()


def test_the_merged_version_that_is_offered_has_what_one_side_alone_changed(
    torn: MirroredEntity, alice: User, browse: Browse
) -> None:
    response = browse(alice).get(f"{SYNC}entities/{torn.pk}/")
    offered = response.context["document"]
    assert '"From here."' in offered
    assert "Say hi to" in offered


def test_a_merged_version_that_cannot_be_taken_is_refused_with_line_and_column(
    torn: MirroredEntity, alice: User, browse: Browse
) -> None:
    with pytest.raises(BadFile):
        decide(torn, "edit", alice, document="{")
    response = browse(alice).post(
        f"{SYNC}entities/{torn.pk}/",
        {"choice": "edit", "seen": seen_of(torn, sides_of(torn)), "document": '{"name": "Hello",}'},
    )
    assert response.status_code == 422
    seen = text_of(response)
    assert "This cannot be saved" in seen
    assert "line 1" in seen
    assert "{&quot;name&quot;: &quot;Hello&quot;,}" in seen
    torn.refresh_from_db()
    assert torn.settle == {}


def test_a_skill_that_was_changed_on_both_sides_is_merged_by_hand(made: Mirrored, bob: User, browse: Browse) -> None:
    made.save("skill", "pdf-forms", instructions="# Here\n")
    made.commit({"skills/pdf-forms/SKILL.md": made.text("skills/pdf-forms/SKILL.md").replace("# How", "# There")})
    made.sync()
    found = made.entity("skills/pdf-forms")
    assert found.state == EntityState.CONFLICT
    offered = browse(bob).get(f"{SYNC}entities/{found.pk}/").context["document"]
    decide(found, "edit", bob, document=offered.replace("# Here", "# Here and there"))
    assert "# Here and there" in made.text("skills/pdf-forms/SKILL.md")
    assert made.row("skill", "pdf-forms").files.filter(path="assets/pixel.png").exists()
    made.assert_in_step()


def test_what_moved_on_since_is_told_and_nothing_is_done(
    made: Mirrored, torn: MirroredEntity, alice: User, browse: Browse
) -> None:
    seen = seen_of(torn, sides_of(torn))
    made.edit(HELLO, prompt="Say good night to {{who}}.")
    made.sync()
    response = browse(alice).post(f"{SYNC}entities/{torn.pk}/", {"choice": "ours", "seen": seen}, follow=True)
    assert "It changed while you were looking at it, so nothing was done." in text_of(response)
    work()
    assert made.json(HELLO)["prompt"] == "Say good night to {{who}}."


def test_a_row_that_was_saved_since_makes_a_decision_stale(made: Mirrored, torn: MirroredEntity, bob: User) -> None:
    seen = seen_of(torn, sides_of(torn))
    made.save("command", "hello", prompt="Say something else to {{who}}.")
    with pytest.raises(StaleSettle):
        settle(torn, "theirs", of(bob), seen=seen)


@pytest.mark.parametrize("choice", ["delete", "restore", "confirm", "allow", "", "no-such"])
def test_only_what_its_state_offers_can_be_chosen(torn: MirroredEntity, alice: User, choice: str) -> None:
    with pytest.raises(StaleSettle):
        decide(torn, choice, alice)


def test_what_was_deleted_in_git_is_put_back(made: Mirrored, bob: User, browse: Browse) -> None:
    made.commit({"toolkits/forecasts.json": None})
    made.sync()
    found = made.entity("toolkits/forecasts.json")
    assert found.state == EntityState.MISSING
    seen = page(browse(bob), found)
    assert "Client “Desk” loses it" in seen
    decide(found, "restore", bob)
    assert "toolkits/forecasts.json" in made.tree()
    made.assert_in_step()


def test_what_was_deleted_in_git_is_deleted_here(made: Mirrored, bob: User) -> None:
    made.commit({HELLO: None})
    made.sync()
    decide(made.entity(HELLO), "delete", bob)
    assert not Command.objects.exists()
    assert EntityRevision.objects.filter(verb="delete", by=bob).exists(), "it can be restored"


def test_a_server_takes_more_than_an_entity_to_delete(made: Mirrored, bob: User, adam: User, browse: Browse) -> None:
    made.commit({"mcp-servers/weather.json": None})
    made.sync()
    found = made.entity("mcp-servers/weather.json")
    seen = page(browse(bob), found)
    assert "servers.delete" in seen
    assert "This cannot be undone." in seen
    with pytest.raises(PermissionDenied, match=r"servers\.delete"):
        decide(found, "delete", bob)
    decide(found, "delete", adam)
    assert not Server.objects.exists()


def test_another_host_waits_for_a_person_who_agrees(made: Mirrored, bob: User, browse: Browse) -> None:
    document = made.json("mcp-servers/weather.json")
    document["providers"][0]["baseUrl"] = "https://elsewhere.example.net/v1"
    made.commit({"mcp-servers/weather.json": document})
    made.sync()
    found = made.entity("mcp-servers/weather.json")
    assert found.state == EntityState.CONFIRM
    seen = page(browse(bob), found)
    assert "elsewhere.example.net" in seen
    assert "api.example.com" in seen
    decide(found, "confirm", bob)
    assert made.row("server", "weather").providers.get().base_url == "https://elsewhere.example.net/v1"
    assert made.states() == {}


def test_what_looks_like_a_secret_is_allowed_by_who_may_assign(
    made: Mirrored, adam: User, bob: User, browse: Browse
) -> None:
    made.save("command", "hello", prompt="Use AKIAIOSFODNN7EXAMPLQ for {{who}}.")
    made.sync()
    found = made.entity(HELLO)
    assert (found.state, found.error["code"]) == (EntityState.ERROR, "SECRET_FOUND")
    assert "AKIAIOSFODNN7EXAMPLQ" not in page(browse(adam), found)
    digest = found.error["findings"][0]["digest"]
    with pytest.raises(PermissionDenied):
        decide(found, "allow", bob, finding=digest)
    with pytest.raises(StaleSettle):
        decide(found, "allow", adam, finding="another")
    decide(found, "allow", adam, finding=digest)
    assert AllowedFinding.objects.get().allowed_by == adam
    assert "AKIAIOSFODNN7EXAMPLQ" in made.text(HELLO)
    made.assert_in_step()


def test_who_lost_the_right_meanwhile_decides_nothing(torn: MirroredEntity, bob: User) -> None:
    membership = of(bob)
    Membership.objects.filter(user=bob).update(denied=["entities.edit"])
    with pytest.raises(PermissionDenied):
        settle(torn, "ours", membership, seen=seen_of(torn, sides_of(torn)))
    torn.refresh_from_db()
    assert torn.settle == {}


def test_an_error_says_what_where_and_what_to_do(made: Mirrored, bob: User, browse: Browse) -> None:
    made.commit({HELLO: '{\n  "name": "Hello"\n  "slug": "hello"\n}\n'})
    made.sync()
    found = made.entity(HELLO)
    seen = page(browse(bob), found)
    for part in ("INVALID_JSON", "HTTP 400", "line 3, column 3", "What to do", "/blob/"):
        assert part in seen, part
    assert "&gt; 3 | &quot;slug&quot;: &quot;hello&quot; | ^ 4 | }" in seen
    assert "excerpt" not in made.row("command", "hello").git_integration

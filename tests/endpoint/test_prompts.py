"""Prompts, commands and skills as clients choose them."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import Server, Skill
from endpoint.serving import prompts
from orgs.models import Organization, User
from tests import factories
from tests.endpoint.configured import admitted, names, refusal, result
from tests.endpoint.live import HANDSHAKE, MODERN

ARGUMENTS = [
    {"name": "city", "description": "Which city.", "required": True},
    {"name": "tone", "description": "", "required": False},
]


def get(server: Any, name: str, arguments: dict[str, str] | None = None, **options: Any) -> Any:
    return result(admitted(server), "prompts/get", {"name": name, "arguments": arguments or {}}, **options)


def texts(answer: Any) -> list[str]:
    return [each["content"]["text"] for each in answer["messages"]]


@pytest.fixture
def greet(docs: Server) -> Server:
    messages = [
        {"role": "user", "text": "How is {{city}}?{{ tone }} {{not a name}}"},
        {"role": "assistant", "text": "{{city}} is fine."},
    ]
    factories.prompt(
        factories.provider(docs),
        "greet",
        title="Greet",
        description="Greets.",
        arguments=ARGUMENTS,
        messages=messages,
    )
    return docs


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
def test_a_prompt_is_listed_with_its_arguments_and_filled_in(greet: Server, era: str) -> None:
    assert result(admitted(greet), "prompts/list", era=era)["prompts"] == [
        {
            "name": "greet",
            "title": "Greet",
            "description": "Greets.",
            "arguments": [
                {"name": "city", "description": "Which city.", "required": True},
                {"name": "tone", "required": False},
            ],
        }
    ]
    answer = get(greet, "greet", {"city": "{{tone}} \\1"}, era=era)
    assert texts(answer) == ["How is {{tone}} \\1? {{not a name}}", "{{tone}} \\1 is fine."]
    assert [each["role"] for each in answer["messages"]] == ["user", "assistant"]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("greet", {}, "The prompt greet needs a value for: city."),
        ("greet", {"city": ""}, "needs a value for: city."),
        ("greet", {"city": "x", "__class__": "SESAME"}, "takes no argument “__class__”. It takes: city, tone."),
        ("greet", {"city": "SESAME" * 500_000}, "longer than 4,000,000 characters"),
        ("Greet", {"city": "x"}, "There is no prompt “Greet” here."),
        ("x\x00", {}, "There is no prompt “x” here."),
        ("y" * 50_000, {}, "There is no prompt “yyy"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(greet: Server, name: str, arguments: dict[str, str], words: str) -> None:
    told = refusal(admitted(greet), "prompts/get", {"name": name, "arguments": arguments})
    assert words in told
    assert "SESAME" not in told
    assert len(told) < 400


def test_commands_and_skills_are_prompts_by_their_slugs(docs: Server, acme: Organization) -> None:
    review = factories.command(acme, "Review", arguments=ARGUMENTS, prompt="Review {{city}}{{tone}}.")
    forms = factories.skill(acme, "PDF forms", {"scripts/fill.py": b"1", "ü.md": b"2"}, instructions="Fill {{city}}.")
    docs.commands.add(review)
    docs.skills.add(forms)
    factories.command(acme, "Another")
    assert names(admitted(docs), "prompts") == ["pdf-forms", "review"]
    assert texts(get(docs, "review", {"city": "Rome"})) == ["Review Rome."]
    told = texts(get(docs, "pdf-forms"))[0]
    assert told.startswith("Fill {{city}}.\n")  # it has no arguments to be filled
    assert "skill://pdf-forms/scripts/fill.py" in told
    assert "skill://pdf-forms/%C3%BC.md" in told
    assert "It takes none." in refusal(admitted(docs), "prompts/get", {"name": "pdf-forms", "arguments": {"city": "x"}})


def test_of_the_same_name_each_has_its_own_in_one_order(docs: Server, acme: Organization) -> None:
    of = factories.provider(docs, visibility="private")
    factories.prompt(of, "review", messages=[{"role": "user", "text": "prompt"}])
    docs.commands.add(factories.command(acme, "Review", prompt="command"))
    docs.skills.add(factories.skill(acme, "Review", instructions="skill"))
    known = {name: texts(get(docs, name)) for name in names(admitted(docs), "prompts")}
    assert known == {"review": ["prompt"], "review_command": ["command"], "review_skill": ["skill"]}
    # They are called the same for who does not see the private provider's.
    assert names(admitted(docs, "anonymous"), "prompts") == ["review_command", "review_skill"]
    assert "no prompt" in refusal(admitted(docs, "anonymous"), "prompts/get", {"name": "review"})


def test_what_is_personal_is_only_on_its_owners_server(acme: Organization, alice: User, bob: User) -> None:
    hers, his = factories.server(acme, "Hers", owner=alice), factories.server(acme, "His", owner=bob)
    ours = factories.server(acme, "Ours")
    for server in (hers, his, ours):  # however it came there
        server.commands.add(factories.command(acme, f"Own {server.slug}", owner=alice))
        server.skills.add(factories.skill(acme, "Private", slug=f"private-{server.slug}", owner=alice))
    assert names(admitted(hers), "prompts") == ["own-hers", "private-hers"]
    assert names(admitted(his), "prompts") == []
    assert names(admitted(ours), "prompts") == []
    for server in (his, ours):
        told = names(admitted(server), "resources", "uri")
        assert not [uri for uri in told if uri.startswith("skill://")]


def test_an_own_one_beside_the_organisations_of_the_same_slug(acme: Organization, alice: User) -> None:
    server = factories.server(acme, "Hers", owner=alice)
    for owner, said in ((None, "ours"), (alice, "hers")):
        server.commands.add(factories.command(acme, f"Review {said}", slug="review", prompt=said, owner=owner))
        server.skills.add(factories.skill(acme, f"Skill {said}", slug="skill", instructions=said, owner=owner))
    assert {name: texts(get(server, name)) for name in names(admitted(server), "prompts")} == {
        "review": ["ours"],
        "review_own": ["hers"],
        "skill": ["ours"],
        "skill_own": ["hers"],
    }
    for slug, said in (("skill", "ours"), ("skill_own", "hers")):
        read = result(admitted(server), "resources/read", {"uri": f"skill://{slug}/SKILL.md"})
        assert read["contents"][0]["text"].endswith(f"{said}\n")


def test_a_toolkit_has_what_it_holds(docs: Server, acme: Organization, alice: User) -> None:
    other = factories.server(acme, "Other", slug="other")
    chosen = [factories.prompt(factories.provider(of), "greet") for of in (docs, other)]
    factories.prompt(chosen[0].provider, "notChosen")
    kit = factories.toolkit(
        acme,
        "Desk",
        *chosen,
        commands=[factories.command(acme, "Review"), factories.command(acme, "Hers", owner=alice)],
        skills=[factories.skill(acme, "Forms"), factories.skill(factories.organization("Foreign"), "Foreign")],
    )
    assert names(admitted(kit), "prompts") == ["docs__greet", "forms", "other__greet", "review"]
    assert texts(get(kit, "other__greet")) == ["Say hello."]
    Server.objects.filter(pk=other.pk).update(owner=alice)
    assert names(admitted(kit), "prompts") == ["docs__greet", "forms", "review"]
    assert "no prompt" in refusal(admitted(kit), "prompts/get", {"name": "other__greet"})


def test_many_come_in_pages(docs: Server, acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "PAGE", 3)
    wanted = [factories.prompt(factories.provider(docs)).name for _ in range(4)]
    for _ in range(4):
        docs.commands.add(factories.command(acme))
    found = names(admitted(docs), "prompts")
    assert len(found) == len(set(found)) == 8
    assert set(wanted) < set(found)
    assert found == sorted(found)


def test_a_skill_without_instructions_says_what_it_is(docs: Server, acme: Organization) -> None:
    docs.skills.add(factories.skill(acme, "Empty", instructions="", description="Does nothing yet."))
    assert texts(get(docs, "empty")) == ["Does nothing yet."]
    assert Skill.objects.count() == 1

"""The guides are facts: what they tell operators to type, the addresses, scopes and numbers in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import uvicorn
from django.conf import settings
from django.urls import resolve
from django.urls.exceptions import Resolver404
from pytest_django import Settings

from catalog.portable.model import Code
from catalog.standing import TITLES
from forges import hooks
from forges.applications import oauth_applications
from forges.clients import FORGES, bitbucket_answers, github_hooks
from forges.clients.permissions import (
    APP_EVENTS,
    APP_PERMISSIONS,
    OAUTH_SCOPES,
    READING_SCOPES,
    Findings,
    Purpose,
    findings,
)
from forges.models import ConnectionStatus, Delivery, HookStatus
from indexing.models import AutoRefresh, Source
from indexing.reasons import Reason, SkipReason
from indexing.states import Standing
from indexing.wording import SKIP_WORDS

ROOT = Path(settings.BASE_DIR)
FORGE_GUIDES = {forge: f"docs/forges/{forge}.md" for forge in FORGES}
GUIDES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md")),
]
"""All of them, those of decisions and measurements too."""
FOR_OPERATORS = ["README.md", "docs/operator-guide.md", "docs/user-guide.md", *FORGE_GUIDES.values()]

PURPOSES: Mapping[str, Purpose] = {"reading": "read", "webhooks": "hooks", "pushes": "write"}
"""Columns of the guides' tables of scopes."""


def text_of(guide: str) -> str:
    return (ROOT / guide).read_text()


def tables(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Heads and rows of each table, as lists of cells."""
    for block in re.findall(r"(?:^ *\|.*\n)+", f"{text}\n", flags=re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        assert all(len(row) == len(rows[0]) for row in rows), f"a table with uneven rows: {rows[0]}"
        yield rows[0], rows[2:]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# -- what is typed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["README.md", "docs/operator-guide.md"])
def test_the_web_process_is_started_without_an_access_log_which_would_keep_the_links_of_invitations(name: str) -> None:
    text = text_of(name)
    starts = re.findall(r"uvicorn config\.asgi:application[^\n`|]*", text)
    assert starts
    assert all("--no-access-log" in start for start in starts)


def defaults() -> dict[str, str]:
    found: dict[str, str] = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text_of(".env.example"), flags=re.MULTILINE))
    return found


@pytest.mark.parametrize("guide", FOR_OPERATORS)
def test_each_setting_that_a_guide_names_can_be_set(guide: str) -> None:
    code = re.findall(r"```.*?```|`[^`\n]+`", text_of(guide), flags=re.DOTALL)
    named = {name for part in code for name in re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", part)}
    assert named <= defaults().keys() | {"TEST_POSTGRES_URL"} | set(Code)


def test_the_defaults_of_settings_are_those_of_the_example() -> None:
    told = [
        (quoted(row[0])[0], row[1].strip("`"))
        for head, rows in tables(text_of("docs/operator-guide.md"))
        if head[:2] == ["setting", "default"]
        for row in rows
    ]
    assert len(told) > 10
    assert told == [(name, defaults()[name]) for name, _ in told]


@pytest.mark.parametrize("guide", ["CONTRIBUTING.md", "docs/adding-a-forge.md"])
def test_each_module_that_a_guide_sends_developers_to_is_there(guide: str) -> None:
    named = {name for part in re.findall(r"`[^`\n]+`", text_of(guide)) for name in re.findall(r"[\w/]+\.py\b", part)}
    packages = [folder for folder in ROOT.iterdir() if (folder / "__init__.py").exists()]
    files = [f"/{path.relative_to(ROOT)}" for package in packages for path in package.rglob("*.py")]
    assert not {name for name in named if not any(path.endswith("/" + name.lstrip("/")) for path in files)}


# -- addresses ---------------------------------------------------------------------------------------------------------


def paths_in(text: str) -> set[str]:
    """Addresses of ours that forges are told: below BASE_URL, or by themselves."""
    return set(re.findall(r"(?:BASE_URL|`)(/(?:connections|hooks|api)/[^`\s]*)`", text))


@pytest.mark.parametrize("guide", FOR_OPERATORS)
def test_each_address_that_is_entered_at_a_forge_leads_somewhere(guide: str) -> None:
    for path in paths_in(text_of(guide)):
        example = path.replace("<id>", "0b9c1a52-6f5e-4a53-9c7d-2f6a8f0f7b11")
        try:
            match = resolve(example)
        except Resolver404:
            pytest.fail(f"{guide} names {path}, where nothing is")
        assert match.view_name.startswith(("oauth:", "inbox:"))


@pytest.mark.parametrize("forge", ["github", "gitlab", "bitbucket"])
def test_each_page_has_all_addresses_of_its_forge(forge: str) -> None:
    named = paths_in(text_of(FORGE_GUIDES[forge]))
    assert {f"/connections/callback/{forge}/", f"/hooks/{forge}/<id>", f"/api/{forge}/webhook"} <= named


def test_the_githubs_page_has_the_addresses_of_the_app() -> None:
    assert {"/connections/callback/app/", "/hooks/github/app"} <= paths_in(text_of(FORGE_GUIDES["github"]))


@pytest.mark.parametrize("guide", FOR_OPERATORS)
def test_the_applications_in_examples_can_be_set_and_have_the_callback_addresses_beside_them(
    guide: str, settings: Settings
) -> None:
    text = text_of(guide)
    for line in re.findall(r"FORGE_OAUTH_APPS=(\S+\|\S.*)", text):
        settings.FORGE_OAUTH_APPS = line.split(",")
        for application in oauth_applications():
            assert f"/{application.key}/" in text


@pytest.mark.parametrize("guide", GUIDES)
def test_links_between_guides_lead_to_a_page_and_a_heading_that_are_there(guide: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(guide)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        page = (ROOT / guide).parent / path if path else ROOT / guide
        assert page.exists(), f"{guide} links to {target}"
        if anchor:
            assert anchor in headings(page.read_text()), f"{guide} links to {target}"


def headings(text: str) -> set[str]:
    """As forges make anchors of them."""
    found = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


# -- scopes and permissions --------------------------------------------------------------------------------------------


def scope_tables(forge: str) -> list[dict[str, set[str]]]:
    """Of each table of scopes: the scopes that are marked, by column."""
    found = []
    for head, rows in tables(text_of(FORGE_GUIDES[forge])):
        if head[0] != "scope":
            continue
        columns = {name: head.index(name) for name in PURPOSES}
        marked = {name: {s for row in rows if row[at] for s in quoted(row[0])} for name, at in columns.items()}
        assert {row[at] for row in rows for at in columns.values()} <= {"", "●"}
        found.append(marked)
    return found


@pytest.mark.parametrize("forge", ["github", "gitlab", "bitbucket"])
def test_each_page_lists_the_scopes_that_oauth_asks_for_and_no_others(forge: str) -> None:
    asked = set(OAUTH_SCOPES[forge]) | set(READING_SCOPES[forge])
    assert asked in [set.union(*table.values()) for table in scope_tables(forge)]


@pytest.mark.parametrize("forge", ["github", "gitlab", "bitbucket"])
@pytest.mark.parametrize("column", PURPOSES)
def test_the_scopes_in_each_table_are_enough_for_what_they_are_listed_for(forge: str, column: str) -> None:
    for table in scope_tables(forge):
        found = findings(forge, method="oauth", scopes=table[column], oauth=True, purpose=PURPOSES[column])
        assert found == Findings(), f"{column} with {table[column]}"


@pytest.mark.parametrize("forge", ["github", "gitlab", "bitbucket"])
def test_a_token_that_reads_has_no_more_than_the_page_says(forge: str) -> None:
    """Nobody who follows it gets the note that less would do, where a forge has less."""
    for table in scope_tables(forge):
        found = findings(forge, method="token", scopes=table["reading"], oauth=False, purpose="read")
        assert not found.missing
        assert bool(found.notes) == (forge == "github")  # it has no scope that reads and no more


def test_the_permissions_of_the_github_app_are_those_that_it_needs() -> None:
    text = text_of(FORGE_GUIDES["github"])
    levels = {"Read and write": "write", "Read-only": "read"}
    (rows,) = (rows for head, rows in tables(text) if head[:2] == ["permission", "level"])
    assert {row[0].lower().replace(" ", "_"): levels[row[1]] for row in rows} == APP_PERMISSIONS
    step = next(line for line in text.split("\n\n") if "**Subscribe to events**" in line)
    events = step[step.index("**Subscribe to events**") : step.index("GitHub tells of installations")]
    assert set(re.findall(r"\(`(\w+)`", events)) == set(APP_EVENTS)


@pytest.mark.parametrize(
    ("forge", "events"), [("github", github_hooks.EVENTS), ("bitbucket", bitbucket_answers.EVENTS)]
)
def test_each_page_names_the_events_of_webhooks(forge: str, events: tuple[str, ...]) -> None:
    text = text_of(FORGE_GUIDES[forge])
    assert all(f"`{event}`" in text[text.index("## Webhooks") :] for event in events)


def test_each_forge_that_has_webhooks_has_a_page_that_says_how_they_are_added_by_hand() -> None:
    for forge, guide in FORGE_GUIDES.items():
        assert ("**By hand**" in text_of(guide)) == hooks.possible(forge)


# -- words -------------------------------------------------------------------------------------------------------------


def first_cells(guide: str, *head: str) -> list[str]:
    (rows,) = (rows for found, rows in tables(text_of(guide)) if found == list(head))
    return [row[0] for row in rows]


def test_the_user_guide_explains_each_status_by_the_word_that_pages_have() -> None:
    text = text_of("docs/user-guide.md")
    explained = [{row[0] for row in rows} for head, rows in tables(text) if head == ["status", "means"]]
    assert set(ConnectionStatus.labels) in explained
    assert {*HookStatus.labels, "Seems not to deliver"} in explained
    assert first_cells("docs/user-guide.md", "outcome", "means") == Delivery.Outcome.labels


def test_the_user_guide_explains_each_error_of_an_entitys_file() -> None:
    cells = first_cells("docs/user-guide.md", "code", "what happened", "what to do")
    assert [quoted(cell)[0] for cell in cells] == list(Code)


def test_the_user_guide_explains_each_way_not_to_be_in_step() -> None:
    explained = [
        {row[0] for row in rows} for head, rows in tables(text_of("docs/user-guide.md")) if head[0] == "it says"
    ]
    assert set(TITLES.values()) in explained


def test_the_user_guide_explains_each_kind_of_source_and_how_sources_stand() -> None:
    added = set(Source.Kind.labels) - {Source.Kind.CONTENT.label}
    assert set(first_cells("docs/user-guide.md", "kind", "enter", "indexed is")) == added
    text = text_of("docs/user-guide.md")
    explained = [{row[0] for row in rows} for head, rows in tables(text) if head == ["status", "means"]]
    assert set(Standing.labels) in explained


def test_the_user_guide_says_what_to_do_about_each_error_of_a_source() -> None:
    cells = first_cells("docs/user-guide.md", "reason", "what happened", "what to do")
    assert [quoted(cell)[0] for cell in cells] == list(Reason)


def test_the_operator_guide_names_errors_of_sources_that_there_are() -> None:
    cells = first_cells("docs/operator-guide.md", "reason", "look at")
    assert {quoted(cell)[0] for cell in cells} <= set(Reason)


def test_the_user_guide_explains_why_each_page_of_a_site_is_skipped() -> None:
    assert first_cells("docs/user-guide.md", "skipped", "means") == [SKIP_WORDS[reason] for reason in SkipReason]


def test_the_user_guide_has_the_time_at_which_sources_are_refreshed_and_what_is_indexed_of_repositories() -> None:
    text = text_of("docs/user-guide.md")
    auto = AutoRefresh()
    assert f"{auto.at:%H:%M} in {auto.time_zone.partition('/')[2]}" in text
    (rows,) = (rows for head, rows in tables(text) if head[0] == "kind")
    (indexed,) = (row[2] for row in rows if row[0] == Source.Kind.REPOSITORY.label)
    assert quoted(indexed) == settings.INDEX_FILE_PATTERNS


def test_uvicorn_believes_the_headers_of_a_proxy_as_the_guide_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    usual = uvicorn.Config("config.asgi:application")
    assert usual.proxy_headers
    assert usual.forwarded_allow_ips == "127.0.0.1,::1"
    told = (ROOT / "docs/operator-guide.md").read_text()
    options = {option for parameter in uvicorn.main.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for option in ("--forwarded-allow-ips", "--no-proxy-headers", "--limit-concurrency", "--timeout-keep-alive"):
        assert option in told
        assert option in options

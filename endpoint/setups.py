"""How a server or a toolkit is served: read, and changed by people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from catalog.checking.names import BadText, check_text
from catalog.checking.problems import Findings
from catalog.models import Server, Tool, Toolkit
from endpoint.models import Setup
from endpoint.serving.names import NAME
from orgs import access, audit
from orgs.models import Membership

BUILT_IN: Mapping[str, str] = {
    "search": "Finds passages by a question or by words, with where each comes from.",
    "fetch": "Reads a document, or a part of it.",
    "list": "Lists folders and files.",
}
"""The tools that Millrace itself offers, and what people are told of each."""
LONGEST_DESCRIPTION = 4000
MOST_REQUESTS = 2_000_000_000
"""Below what the column holds on both databases."""


class Changed(ValueError):
    """Somebody else saved it first; `current` is how it is now."""

    def __init__(self, current: Setup) -> None:
        super().__init__("Somebody else changed these settings while you had them open. Look at them again, and save.")
        self.current = current


def needed(target: Server | Toolkit) -> str:
    """The entitlement that changing its setup takes."""
    return "servers.edit" if isinstance(target, Server) else "entities.edit"


def setup_of(target: Server | Toolkit) -> Setup:
    """What was saved, or the defaults in a row that is not."""
    owner = _owner(target)
    return Setup.objects.filter(**owner).first() or Setup(**owner)


def facts(setup: Setup) -> dict[str, Any]:
    """What people choose of it."""
    return {
        "built_in": setup.built_in,
        "search_contents": setup.search_contents,
        "log_arguments": setup.log_arguments,
        "monthly_quota": setup.monthly_quota,
    }


def state(setup: Setup) -> str:
    """A short text that differs where what was chosen does: a form remembers it."""
    return hashlib.sha256(json.dumps(facts(setup), sort_keys=True).encode()).hexdigest()[:16]


@transaction.atomic
def save_setup(
    target: Server | Toolkit,
    *,
    values: Mapping[str, Any],
    seen: str | None,
    by: Membership,
    request: HttpRequest | None = None,
) -> Setup:
    """Save `values`, any of those that `facts` has; `built_in` is {name: {enabled, name, description}}, in which what
    is empty is as usual. `seen` is the `state` that they were chosen at, None for whichever.

    Raises Invalid, whose fields are `monthly_quota`, `search_name`, `search_description` and so on; Changed; and
    DoesNotExist where the server or toolkit was deleted.
    """
    access.require(by, needed(target))
    type(target)._default_manager.select_for_update().get(pk=target.pk)  # two who save wait for each other
    setup = setup_of(target)
    if seen is not None and seen != state(setup):
        raise Changed(setup)
    before = facts(setup)
    for name, value in _checked(target, values).items():
        setattr(setup, name, value)
    after = facts(setup)
    if after == before:
        return setup
    setup.save()
    audit.record(
        "endpoint.changed",
        organization=by.organization,
        actor=by.user,
        target=target,
        before={name: value for name, value in before.items() if value != after[name]},
        after={name: value for name, value in after.items() if value != before[name]},
        request=request,
    )
    return setup


def clashes(target: Server | Toolkit, setup: Setup) -> dict[str, str]:
    """The built-in tools whose names the server's own tools have, too: {"search": the name}."""
    if not isinstance(target, Server):
        return {}
    named = {tool: name_of(setup.built_in, tool) for tool in BUILT_IN if is_on(setup.built_in, tool)}
    taken = set(Tool.objects.filter(server=target, name__in=named.values()).values_list("name", flat=True))
    return {tool: name for tool, name in named.items() if name in taken}


def is_on(built_in: Mapping[str, Any], tool: str) -> bool:
    return bool(built_in.get(tool, {}).get("enabled", True))


def name_of(built_in: Mapping[str, Any], tool: str) -> str:
    return str(built_in.get(tool, {}).get("name") or tool)


def _owner(target: Server | Toolkit) -> dict[str, Any]:
    return {"server": target} if isinstance(target, Server) else {"toolkit": target}


def _checked(target: Server | Toolkit, values: Mapping[str, Any]) -> dict[str, Any]:
    found = Findings()
    checked = {name: bool(values[name]) for name in ("search_contents", "log_arguments") if name in values}
    if isinstance(target, Server):
        checked.pop("search_contents", None)
    result: dict[str, Any] = {**checked}
    if "monthly_quota" in values:
        quota = values["monthly_quota"]
        if quota is not None and not 1 <= quota <= MOST_REQUESTS:
            found.add("monthly_quota", f"Enter a number from 1 to {MOST_REQUESTS:,}, or nothing for no quota.")
        result["monthly_quota"] = quota
    if "built_in" in values:
        result["built_in"] = _built_in(target, values["built_in"], found)
    found.refuse()
    return result


def _built_in(target: Server | Toolkit, chosen: Mapping[str, Any], found: Findings) -> dict[str, Any]:
    kept = {}
    for tool in BUILT_IN:
        of_it = chosen.get(tool, {})
        entry: dict[str, Any] = {} if of_it.get("enabled", True) else {"enabled": False}
        name = str(of_it.get("name") or "").strip()
        if name and name != tool:
            entry["name"] = found.tried(f"{tool}_name", partial(_checked_name, name), name)
        text = str(of_it.get("description") or "")
        description = found.tried(f"{tool}_description", partial(check_text, text, longest=LONGEST_DESCRIPTION), "")
        if description:
            entry["description"] = description
        if entry:
            kept[tool] = entry
    _refuse_clashes(target, kept, found)
    return kept


def _checked_name(name: str) -> str:
    if not NAME.match(name):
        raise BadText("A name has up to 64 letters (A to Z), digits, hyphens and underscores.")
    return name


def _refuse_clashes(target: Server | Toolkit, kept: dict[str, Any], found: Findings) -> None:
    """Names that people chose; that a tool of the server is called as a built-in one by itself is only told."""
    on = [tool for tool in BUILT_IN if is_on(kept, tool)]
    names = {tool: name_of(kept, tool) for tool in on}
    taken: set[str] = set()
    if isinstance(target, Server):
        taken = set(Tool.objects.filter(server=target, name__in=names.values()).values_list("name", flat=True))
    for tool in on:
        if "name" not in kept.get(tool, {}):
            continue
        if names[tool] in taken:
            found.add(f"{tool}_name", f"A tool of this server is called “{names[tool]}” already.")
        elif any(names[other] == names[tool] for other in on if other != tool):
            found.add(f"{tool}_name", f"Another of these tools is called “{names[tool]}”.")

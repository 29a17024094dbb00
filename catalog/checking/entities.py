"""What toolkits, commands, skills and clients have in common. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.checking.names import check_line, check_text
from catalog.checking.problems import Findings
from catalog.checking.slugs import check_slug


def clean_entity(values: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Name, slug and description as they are kept; what is wrong goes into `findings`."""
    name = findings.tried("name", lambda: check_line(str(values["name"])), "?")
    if not name:
        findings.add("name", "Give it a name.")
    slug = str(values["slug"]).strip()
    findings.tried("slug", lambda: check_slug(slug), "")
    description = findings.tried("description", lambda: check_text(str(values["description"])), "")
    return {"name": name, "slug": slug, "description": description}


def clean_described(values: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """The same of a skill, which cannot do without a description."""
    clean = clean_entity(values, findings)
    if not clean["description"] and "description" not in {error.field for error in findings.errors}:
        findings.add("description", "Say what the skill does and when to use it: agents choose it by this alone.")
    return clean

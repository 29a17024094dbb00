"""The values of a variable, as a form or a document gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from catalog.checking.hosts import check_hosts
from catalog.checking.names import check_text
from catalog.checking.problems import Findings
from catalog.checking.templates import NAME

LONGEST_VALUE = 10_000


def clean_variable(values: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """The values as they are kept; what is wrong goes into `findings`. The `value` may be None, for the one it has."""
    clean = {**values, "name": values["name"].strip()}
    if not re.fullmatch(NAME, clean["name"]):
        findings.add("name", "A name begins with a capital letter, and has up to 64 capitals, digits and _: API_KEY.")
    clean["description"] = findings.tried("description", lambda: check_text(values["description"]), "")
    value = values["value"]
    if value and len(value) > LONGEST_VALUE:
        findings.add("value", f"A value can have {LONGEST_VALUE:,} characters at most.")
    if value and not value.isprintable():  # a line break would begin another header
        findings.add("value", "A value goes into headers and URLs: it has no line breaks and no invisible characters.")
    clean["hosts"] = findings.tried("hosts", lambda: check_hosts(values["hosts"]), None)
    if clean["hosts"] == [] and values["is_secret"]:
        findings.add("hosts", "Name a host at least that the secret may be sent to, such as api.example.com.")
    return clean

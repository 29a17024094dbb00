"""The values of a resource, as a form or a document gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from catalog.checking.names import check_line, check_text
from catalog.checking.problems import Findings
from catalog.checking.uris import check_mime_type, check_upstream_path, check_uri


def clean_resource(
    values: Mapping[str, str], findings: Findings, *, check_content: Callable[[str], object]
) -> dict[str, str]:
    """The values as they are kept; what is wrong goes into `findings`. `check_content` raises a ValueError for a text
    that cannot be kept."""
    clean = dict(values)
    clean["name"] = findings.tried("name", lambda: check_line(values["name"]), "?")
    if not clean["name"]:
        findings.add("name", "A resource needs a name.")
    clean["description"] = findings.tried("description", lambda: check_text(values["description"]), "")
    clean["uri"] = findings.tried("uri", lambda: check_uri(values["uri"]), "")
    clean["mime_type"] = findings.tried("mime_type", lambda: check_mime_type(values["mime_type"]), "")
    clean["upstream_path"] = findings.tried("upstream_path", lambda: check_upstream_path(values["upstream_path"]), "")
    findings.tried("text", lambda: check_content(values["text"]), None)
    if clean["upstream_path"] and values["text"]:
        findings.add("text", "A resource is either a text that is kept here or what the provider answers, not both.")
    return clean

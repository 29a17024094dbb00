"""The values of a tool, as a form or a document gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.checking import headers
from catalog.checking.names import check_identifier, check_line, check_text
from catalog.checking.problems import Findings
from catalog.checking.providers import check_scopes
from catalog.checking.schemas import check_arguments, check_path_arguments, check_schema, path_arguments
from catalog.checking.tool_paths import check_path, places

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
WITHOUT_BODY = ("GET", "HEAD")
"""What a body means there is not defined (RFC 9110, 9.3.1)."""


def clean_tool(values: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """All the values of a tool, as they are kept; what is wrong goes into `findings`. Where the path has arguments and
    nobody wrote their schema, they are texts."""
    clean = dict(values)
    findings.tried("name", lambda: check_identifier(values["name"]), "")
    clean["title"] = findings.tried("title", lambda: check_line(values["title"]), "")
    clean["description"] = findings.tried("description", lambda: check_text(values["description"]), "")
    if values["method"] not in METHODS:
        findings.add("method", f"The method is one of {', '.join(METHODS)}.")
    path = findings.tried("path", lambda: check_path(values["path"]), "")
    clean["path"] = path
    clean["path_schema"] = _path_schema(values["path_schema"], path, findings)
    findings.tried("query_schema", lambda: check_arguments(values["query_schema"]), None)
    if values["body_schema"] is not None:
        findings.tried("body_schema", lambda: check_schema(values["body_schema"]), None)
        if values["method"] in WITHOUT_BODY:
            findings.add("body_schema", f"{values['method']} sends no body. Choose another method, or empty this.")
    findings.errors += headers.problems(values["headers"])
    clean["oauth2_scopes"] = findings.tried("oauth2_scopes", lambda: check_scopes(values["oauth2_scopes"]), None)
    return clean


def _path_schema(schema: Any, path: str, findings: Findings) -> Any:
    """The schema that is kept; whether it fits the path is only asked of a path that is one."""
    if not path:
        findings.tried("path_schema", lambda: check_arguments(schema), None)
        return schema
    if schema == {}:
        return path_arguments(places(path))

    def check() -> None:
        check_arguments(schema)
        check_path_arguments(schema, places(path))

    findings.tried("path_schema", check, None)
    return schema

"""What kind of text a file is, by the ending of its name. Pure."""

from __future__ import annotations

PLAIN, MARKDOWN = "text/plain", "text/markdown"
_TYPES = {
    **dict.fromkeys(("md", "mdx", "markdown", "mdown", "mkd", "mkdn"), MARKDOWN),
    **dict.fromkeys(("rst", "rest"), "text/x-rst"),
    **dict.fromkeys(("adoc", "asciidoc", "asc"), "text/asciidoc"),
    **dict.fromkeys(("html", "htm"), "text/html"),
    **dict.fromkeys(("yaml", "yml"), "application/yaml"),
    **dict.fromkeys(("js", "mjs", "cjs"), "text/javascript"),
    "css": "text/css",
    "csv": "text/csv",
    "json": "application/json",
    "py": "text/x-python",
    "sh": "text/x-shellscript",
    "svg": "image/svg+xml",
    "toml": "application/toml",
    "ts": "text/x-typescript",
    "xml": "application/xml",
}


def mime_type(path: str) -> str:
    """text/plain for what is not known: all content is text."""
    return _TYPES.get(path.rpartition("/")[2].rpartition(".")[2].lower(), PLAIN)

"""Which endings of names say how a text is written; what has none of them is plain text. Pure."""

from __future__ import annotations

from collections.abc import Mapping

ENDINGS: Mapping[str, tuple[str, ...]] = {
    "markdown": (".md", ".mdx", ".markdown", ".mdown", ".mkd", ".mkdn"),
    "rst": (".rst", ".rest"),
    "asciidoc": (".adoc", ".asciidoc", ".asc"),
}
"""By `indexing.models.Format`, in lower case."""

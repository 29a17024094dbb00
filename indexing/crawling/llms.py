"""llms.txt (https://llmstxt.org): a site's own list of what is worth reading, mostly as Markdown twins of its pages."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

MAX_BYTES = 2 << 20
MAX_LINKS = 20_000
_LINK = re.compile(
    r"""\[[^\[\]\n]{0,500}\]\([ ]*(?:<([^<>\n]{1,2048})>|([^()<>\s]{1,2048}))(?:[ ]+["'][^()\n]{0,300})?[ ]*\)"""
)
_MARKDOWN = (".md", ".mdx")


def links(text: str) -> list[str]:
    """The targets of its links, as they stand there, in their order, each once. [] for what is no llms.txt.

    Many sites answer every address with their start page: what begins like HTML is none.
    """
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        return []
    found: dict[str, None] = {}
    for match in _LINK.finditer(text):
        found[match[1] or match[2]] = None
        if len(found) == MAX_LINKS:
            break
    return list(found)


def is_twin(url: str) -> bool:
    """Whether it is the Markdown of a page, by its ending."""
    return urlsplit(url).path.endswith(_MARKDOWN)


def twins(url: str) -> list[str]:
    """Where the Markdown of a page could be: at `page.html.md` as llmstxt.org has it, at `page.md` as most do."""
    parts = urlsplit(url)
    path = parts.path
    if path.endswith(_MARKDOWN):
        return []
    if path.endswith("/"):
        paths = [f"{path}index.html.md", f"{path}index.md", f"{path}llms.md"]
        paths += [f"{path[:-1]}.md", f"{path[:-1]}.mdx"] if path != "/" else []
    else:
        stem = re.sub(r"\.html?$", "", path)
        paths = [f"{stem}.md", f"{path}.md", f"{stem}.mdx", f"{stem}/index.md"]
    return [urlunsplit((parts.scheme, parts.netloc, each, "", "")) for each in dict.fromkeys(paths)]

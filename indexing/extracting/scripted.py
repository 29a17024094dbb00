"""Pages that a script makes in the browser: told from those that merely use scripts. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml.etree import _Element as Element

from indexing.extracting.elements import names, one_line, words

_ROOTS = names(
    """root app __next __nuxt ___gatsby app-root react-root main-app svelte vue-app ember-application q-app quasar
    swagger-ui redoc redoc-container docs-root mount application container-root elements-root"""
)
_ROOT_TAGS = ("app-root", "redoc", "rapi-doc", "elements-api", "my-app", "ng-app", "openapi-explorer", "api-reference")
_SAYS_SO = re.compile(
    r"(?:enable|activate|turn on|requires?|needs?|without|allow|support)\s+(?:\w+\s+){0,4}java\s?script|"
    r"java\s?script\s+(?:\w+\s+){0,4}(?:enabled|required|disabled|needed|to run|is off)",
    re.I,
)
_WAITS = re.compile(r"\W*(?:loading|please wait|redirecting)\b.{0,60}", re.I | re.S)
FEW = 200
"""Characters: a page with more text is read as it is, whatever its scripts do."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What of a page tells so; noted before its scripts are taken out."""

    scripts: bool
    says_so: bool
    """In <noscript>."""
    empty_root: bool
    """An element that a framework fills, and nothing in it."""

    def mean_it(self, text: str) -> bool:
        """Whether a script makes the page's text, where `text` is all that was found on it."""
        if len(text) >= FEW or not self.scripts:
            return False
        shown = one_line(text)
        if _SAYS_SO.search(shown) or _WAITS.fullmatch(shown):
            return True
        return len(shown) <= FEW // 4 and (self.says_so or self.empty_root)


def signs_of(root: Element) -> Signs:
    return Signs(
        scripts=_has_scripts(root),
        says_so=any(_SAYS_SO.search(words(each)) for each in root.iter("noscript")),
        empty_root=any(_is_empty_root(each) for each in root.iter("div", "main", *_ROOT_TAGS)),
    )


def _has_scripts(root: Element) -> bool:
    for element in root.iter("script"):
        kind = (element.get("type") or "text/javascript").lower()
        if "json" not in kind and (element.get("src") or (element.text or "").strip()):
            return True
    return False


def _is_empty_root(element: Element) -> bool:
    if element.tag not in _ROOT_TAGS:
        named = (
            (element.get("id") or "").lower() in _ROOTS
            or "data-reactroot" in element.attrib
            or "ng-app" in element.attrib
        )
        if not named:
            return False
    text = words(element)
    return not text or bool(_WAITS.fullmatch(text))

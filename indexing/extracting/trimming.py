"""What is on a page and not its subject: navigation, banners, footers, controls, marks to copy. Pure."""

from __future__ import annotations

import re

from lxml.etree import _Element as Element

from indexing.extracting.anchors import is_mark, note_anchor
from indexing.extracting.elements import classes, drop, first_words, names, words

_NEVER = names(
    """script style template noscript svg iframe object embed canvas nav button select textarea dialog audio video
    map head link meta noframes applet frameset clipboard-copy datalist progress meter"""
)
_ROLES = names("navigation banner contentinfo search dialog alertdialog toolbar menu menubar tablist")
_NOT_SHOWN = names(
    """sr-only visually-hidden screen-reader-text screenreader-only skip-link skip-to-content cdk-visually-hidden"""
)
_NEVER_NAMED = names(
    """prev-next prevnext prev-next-area pagination-nav pager page-nav page-navigation vpdocfooter doc-footer
    docs-footer theme-doc-footer theme-doc-toc-mobile theme-doc-toc-desktop theme-doc-breadcrumbs
    theme-doc-version-badge rst-footer-buttons rst-versions related relations bottom-of-page related-pages
    sphinxsidebar md-source-file md-content__button md-feedback md-tags md-code__nav headerbtn edit-this-page
    edit-page edit-page-link edit-link page-edit feedback page-feedback feedback--question td-page-meta td-toc
    page-meta page-info last-updated lastupdated last-modified git-revision-date breadcrumbs breadcrumb
    wy-breadcrumbs bd-breadcrumbs article-header-buttons nav-wrapper nav-chapters nav-wide-wrapper
    mobile-nav-chapters menu-bar sidebar-toggle backtotop back-to-top cookie cookies cookie-banner
    cookie-consent cookie-notice cookieconsent cc-window cc-banner gdpr consent-banner onetrust-consent-sdk
    announcement announcement-bar announcementbar newsletter newsletter-signup share social-share share-buttons
    comments disqus_thread giscus utterances toc toctree-mobile tocsidebar toc-mobile table-of-contents bd-toc
    sidebar-toc on-this-page page-toc local-toc toc-drawer contents-sidebar VPDocAside mw-editsection copybtn
    copy-button copy-btn copy-page line-numbers-wrapper src-link srclink was-this-helpful helpful page-actions
    page-metadata likes-and-labels-container comment-container code-toolbar-buttons doc-paginator sub-nav
    sub-nav-list out-of-band mobile-only-nav tabs-nav-hidden expressive-copy page-header-actions"""
)
"""Classes and ids, whole."""
_LOOSELY_NAMED = re.compile(
    r"(?:^|[-_ ])(?:sidebar|sidenav|side-nav|navbar|nav|menu|footer|masthead|topbar|toolbar|cookie\w*|consent|banner|"
    r"promo|advert\w*|ads?|breadcrumbs?|toc|pagination|pager|social|share|newsletter|subscribe|comments?|related|popup|modal|"
    r"search|skip|copyright|widget)(?:$|[-_ ])"
)
"""On pages of no known kind, where nothing says what is the subject."""
_ADMONITION = re.compile(
    r"admonition|callout|alert|aside|note|tip|warning|danger|caution|footnote|topic|sidebar|hint|info"
)
_TAB = re.compile(r"(?:^|[-_ ])tab|tabs?(?:$|[-_ ])|tabpanel")
_MOST_TAB_LISTS = 100
_SAYS_NOTHING = re.compile(
    r"(?:edit|improve|suggest edits?(?: to)?)(?: this)?(?: page)?(?: on \w+)?|view (?:page )?source|show source|"
    r"back to top|skip to (?:main )?content|copy(?: page| code| link)?|was this page helpful\??|"
    r"report an issue|on this page",
    re.I,
)


def trim(part: Element, *, known: bool) -> None:
    """Takes out of a part of a page what is not its subject. `known` says that the part was marked as the subject."""
    for element in list(part.iter()):
        if element is part:
            continue
        if not isinstance(element.tag, str):
            drop(element)
        elif element.tag in ("a", "button") and is_mark(element):
            note_anchor(element)
            drop(element)
        elif _is_idle(element, known=known):
            if element.tag != "pre" and next(element.iter("pre"), None) is not None and not _is_sure(element):
                continue
            drop(element)


def _is_sure(element: Element) -> bool:
    """Whether it goes with the code that is in it."""
    return element.tag in _NEVER or element.tag in ("header", "footer") or element.get("role") in _ROLES


def _is_idle(element: Element, *, known: bool) -> bool:
    tag = element.tag
    if tag in _NEVER or (element.get("role") or "") in _ROLES:
        return True
    if tag == "input":
        return element.get("type") != "checkbox"
    if tag == "footer":
        return True
    of_it = classes(element)
    identity = (element.get("id") or "").lower()
    if tag == "header" and not known and (up := element.getparent()) is not None and up.tag == "body":
        return True
    if tag == "aside" and not _ADMONITION.search(f"{element.get('class') or ''} {identity}".lower()):
        return True
    if tag == "img":
        return False
    if _is_hidden(element, of_it):
        return True
    if identity in _NEVER_NAMED or not _NEVER_NAMED.isdisjoint(of_it) or not _NOT_SHOWN.isdisjoint(of_it):
        return tag not in ("body", "main", "article") and not (tag in ("section", "ul") and "toc" in of_it and known)
    if tag in ("a", "label", "p", "span") and len(element) < 3 and _SAYS_NOTHING.fullmatch(first_words(element, 100)):
        return tag == "a" and element.getparent() is not None
    if not known and tag not in ("body", "main", "article", "pre", "code", "table", "span", "p"):
        return bool(_LOOSELY_NAMED.search(f"{' '.join(of_it)} {identity}"))
    return False


def _is_hidden(element: Element, of_it: list[str]) -> bool:
    """Hidden, and not as the panel of another tab is, or what a click unfolds."""
    attributes = element.attrib
    style = attributes.get("style", "")
    hidden = "hidden" in attributes and attributes["hidden"] != "until-found"
    if not hidden and "display" in style:
        hidden = "display:none" in style.replace(" ", "").lower()
    if not hidden:
        return attributes.get("aria-hidden") == "true" and element.tag in ("span", "div", "a") and "line" not in of_it
    if attributes.get("role") == "tabpanel" or _TAB.search(" ".join(of_it)):
        return False
    return not any(up.tag == "details" for up in element.iterancestors())


def name_tabs(part: Element) -> None:
    """Writes the label of each tab before its panel, before the labels are taken out as controls."""
    for group in list(part.iter("div", "section", "figure", "sl-tabs", "starlight-tabs")):
        of_it = classes(group)
        if "tabbed-set" in of_it:
            _label(_own(group, "tabbed-labels", "label"), _own(group, "tabbed-content", None))
        elif "sd-tab-set" in of_it:
            _label(
                [each for each in group if each.tag == "label"],
                [each for each in group if "sd-tab-content" in classes(each)],
            )
        elif "vp-code-group" in of_it:
            _label(_own(group, "tabs", "label"), _own(group, "blocks", None))
    tab_lists = [each for each in part.iter("div", "ul", "nav", "ol") if each.get("role") == "tablist"]
    for tabs in tab_lists[:_MOST_TAB_LISTS]:
        _label_list(tabs)


def _label_list(tabs: Element) -> None:
    labels = [each for each in tabs.iter() if each.get("role") == "tab"]
    up = tabs.getparent()
    for _ in range(3):
        if up is None or up.tag in ("body", "main", "article"):
            return
        panels = [each for each in up.iter() if isinstance(each.tag, str) and each.get("role") == "tabpanel"]
        if panels:
            _label(labels, panels)
            return
        up = up.getparent()


def _own(group: Element, name: str, tag: str | None) -> list[Element]:
    for each in group:
        if name in classes(each):
            return [child for child in each if isinstance(child.tag, str) and (tag is None or child.tag == tag)]
    return []


def _label(labels: list[Element], panels: list[Element]) -> None:
    if len(labels) != len(panels):
        return
    for label, panel in zip(labels, panels, strict=True):
        text = words(label)
        if not text:
            continue
        paragraph = panel.makeelement("p", {})
        strong = panel.makeelement("strong", {})
        strong.text = text
        paragraph.append(strong)
        if panel.tag == "pre" or "highlight" in classes(panel) or panel.tag == "p":
            panel.addprevious(paragraph)
        else:
            paragraph.tail, panel.text = panel.text, None
            panel.insert(0, paragraph)
    for label in labels:
        drop(label)

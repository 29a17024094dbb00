"""Texts that are served as they were written: Markdown, reStructuredText, AsciiDoc, plain. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from indexing.extracting.addresses import Addresses
from indexing.extracting.charset import decode
from indexing.extracting.elements import one_line
from indexing.extracting.kinds import format_of
from indexing.extracting.model import Extracted, Link, Trouble

_FENCE = re.compile(r" {0,12}(?:[-*+>] {0,3})?(`{3,}|~{3,})")
_INLINE_CODE = re.compile(r"(`+)(?!`)[^`\n]*(?<!`)\1(?!`)")
_TARGET = re.compile(r"(?<=\]\()(<[^<>\n]{1,2000}>|[^\s()<>]{1,2000}(?:\([^\s()]{0,200}\))?)(?=[\s)])")
_DEFINITION = re.compile(r"^( {0,3}\[[^\]\n]{1,200}\]:[ \t]{0,20})(\S{1,2000})")
_AUTOLINK = re.compile(r"<(https?://[^\s<>]{1,2000})>")
_BARE = re.compile(r"https?://[^\s<>\"'`)\]}]{1,2000}")
_FRONT = re.compile(r"\A---\n(.{0,20000}?)\n---[ \t]*(?:\n|\Z)", re.S)
_FRONT_TITLE = re.compile(r"^title:[ \t]*(.{1,500}?)[ \t]*$", re.M)
_FRONT_DESCRIPTION = re.compile(r"^description:[ \t]*(.{1,500}?)[ \t]*$", re.M)
_MARKDOWN_TITLE = re.compile(r"^# +(.{1,500}?)(?: +#+)? *(?:\{#[^}]{1,200}\})?$", re.M)
_ADOC_TITLE = re.compile(r"\A(?:(?://|:).{0,500}\n|\s)*= +(.{1,500})$", re.M)
_RST_TITLE = re.compile(
    r"\A\s*(?:\.\. .{0,500}\n\s*)*(?:([=\-~^\"'#*+])\1{2,}\n)? ?(\S.{0,500})\n([=\-~^\"'#*+])\3{2,}[ \t]*$", re.M
)
_BINARY_SHARE = 0.02
_MOST_LINKS = 20_000


def extract_text(body: bytes, *, url: str, content_type: str) -> Extracted:
    if _is_binary(body):
        return Extracted(trouble=Trouble.NOT_TEXT, detail="It is not text, whatever its type says.")
    text = decode(body, content_type=content_type, markup=False).rstrip()
    if not text:
        return Extracted(trouble=Trouble.EMPTY, detail="The file is empty.")
    text += "\n"
    format_ = format_of(url, content_type)
    addresses = Addresses(url)
    if format_ == "markdown":
        text, links = with_absolute_links(text, addresses)
    else:
        links = _bare(text, addresses)
    front = _FRONT.match(text) if format_ == "markdown" else None
    return Extracted(
        markdown=text,
        format=format_,
        title=_title(text, format_, front[1] if front else ""),
        description=_in_front(_FRONT_DESCRIPTION, front[1] if front else ""),
        links=links,
    )


def with_absolute_links(text: str, addresses: Addresses) -> tuple[str, tuple[Link, ...]]:
    """A Markdown text and where it leads; links outside of code are made absolute, everything else stays as it is."""
    found: dict[str, None] = {}

    def target(match: re.Match[str]) -> str:
        said = match[0]
        inner = said[1:-1] if said.startswith("<") else said
        url = addresses.absolute(inner)
        if (web := addresses.web(inner)) and not inner.startswith("#") and len(found) < _MOST_LINKS:
            found[web] = None
        if not url or inner.startswith("#"):
            return said
        return addresses.in_markdown(inner)

    lines = text.split("\n")
    fence = ""
    for at, line in enumerate(lines):
        opened = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if opened is not None:
            if not fence:
                fence = opened[1]
            elif opened[1].startswith(fence) and not line[opened.end() :].strip("`~ \t"):
                fence = ""
            continue
        if not fence and ("](" in line or "]:" in line or "<http" in line):
            for auto in _AUTOLINK.finditer(line):
                found[addresses.web(auto[1])] = None
            lines[at] = _outside_of_code(line, target)
    found.pop("", None)
    return "\n".join(lines), tuple(Link(each) for each in found)


def _outside_of_code(line: str, target: Callable[[re.Match[str]], str]) -> str:
    parts: list[str] = []
    last = 0
    for span in _INLINE_CODE.finditer(line):
        parts += [_TARGET.sub(target, line[last : span.start()]), span[0]]
        last = span.end()
    whole = "".join([*parts, _TARGET.sub(target, line[last:])])
    return _DEFINITION.sub(lambda match: match[1] + target(re.fullmatch(r"\S+", match[2]) or match), whole)


def _bare(text: str, addresses: Addresses) -> tuple[Link, ...]:
    found: dict[str, None] = {}
    for each in _BARE.finditer(text):
        if url := addresses.web(each[0].rstrip(".,;:!?")):
            found[url] = None
        if len(found) >= _MOST_LINKS:
            break
    return tuple(Link(each) for each in found)


def _title(text: str, format_: str, front: str) -> str:
    start = text[:20_000]
    if format_ == "markdown":
        if said := _in_front(_FRONT_TITLE, front):
            return said
        matched = _MARKDOWN_TITLE.search(start)
    elif format_ == "asciidoc":
        matched = _ADOC_TITLE.match(start)
    elif format_ == "rst":
        rst = _RST_TITLE.match(start)
        return one_line(rst[2]) if rst else ""
    else:
        return ""
    return one_line(matched[1]) if matched else ""


def _in_front(pattern: re.Pattern[str], front: str) -> str:
    found = pattern.search(front)
    return found[1].strip("\"'") if found else ""


def _is_binary(body: bytes) -> bool:
    """Control characters that no text has. UTF-16 is full of zeroes, and is told by them or its mark."""
    sample = body[:8192]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) or not sample:
        return False
    if b"\0" in sample:
        half = max(1, len(sample) // 2)
        shares = sample[0::2].count(0) / half, sample[1::2].count(0) / half
        if max(shares) > 0.6 and min(shares) < 0.1:
            return False
    controls = sum(sample.count(each) for each in (*range(9), *range(14, 27), *range(28, 32)))
    return controls > len(sample) * _BINARY_SHARE

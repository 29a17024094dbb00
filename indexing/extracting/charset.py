"""Bytes of a page as text. Pure.

The order is the HTML standard's (a byte order mark, the header, <meta>), but what is said is believed only as long as
the bytes allow it: UTF-8 beyond ASCII is hardly ever anything else by chance, and a server's default of Latin-1 says
less than the page's own word. https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
"""

from __future__ import annotations

import re

from charset_normalizer import from_bytes
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, resolve_encoding

_SAMPLE = 16_384
_FEW = 16
_ASCII = bytes(range(128))
_WESTERN = frozenset({"cp1252", "iso8859-1", "latin-1", "ascii"})
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n?")


def decode(body: bytes, *, content_type: str = "", markup: bool = True) -> str:
    """The text, with line ends as \\n and without what no database or page takes. Never raises.

    `markup` says whether a declaration inside of the text counts, as in HTML.
    """
    return presentable(_decoded(body, content_type, markup))


def presentable(text: str) -> str:
    """Without NUL, other control characters than tab and line end, byte order marks, and halves of surrogate pairs."""
    text = _LINE_ENDS.sub("\n", text) if "\r" in text else text
    return _UNWANTED.sub(lambda found: "\ufffd" if "\ud800" <= found[0] <= "\udfff" else "", text)


def _decoded(body: bytes, content_type: str, markup: bool) -> str:
    encoding, mark = read_bom(body)
    if encoding and mark:
        return body[len(mark) :].decode(encoding, "replace")
    if wide := _without_mark(body):
        return body.decode(wide, "replace")
    header = _resolved(http_content_type_encoding(content_type) if content_type else None)
    try:
        # ISO-2022-JP is ASCII to the eye.
        if not (header or "").startswith(("iso2022", "hz")):
            return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    meta = _resolved(html_body_declared_encoding(body[:4096])) if markup else None
    said = [each for each in (header, meta) if each]
    if len(said) == 2 and header in _WESTERN and meta not in _WESTERN:
        said.reverse()
    for each in said:
        if (text := _strictly(body, each)) is not None:
            return text
    # Of what fits nowhere: UTF-8 with a broken byte here and there, else what it looks like.
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if broken * 4 <= sum(1 for each in text[:200_000] if each > "\x7f"):
        return text
    return body.decode(_looks_like(body) or "cp1252", "replace")


def _strictly(body: bytes, encoding: str) -> str | None:
    if encoding in _WESTERN:
        return body.decode("cp1252", "replace")  # what browsers take for Latin-1; five of its bytes are nothing
    try:
        return body.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        pass
    text = body.decode(encoding, "ignore") if encoding != "utf-8" else ""
    replaced = body.decode(encoding, "replace").count("\ufffd") if text else 0
    return body.decode(encoding, "replace") if text and replaced <= len(text) // 1000 else None


def _resolved(label: str | None) -> str | None:
    """Python's name of the encoding that browsers take a label for; None for one of something that is not text."""
    if not label:
        return None
    name = resolve_encoding(label.strip())
    if name is None or name.startswith("utf-16"):  # a label that was read as ASCII cannot be right
        return None
    return name


def _without_mark(body: bytes) -> str:
    """UTF-16 without a byte order mark, by where its zeroes are; "" for anything else."""
    sample = body[:1024]
    if len(sample) < 8 or b"\0" not in sample:
        return ""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.6 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.6 and odd < half * 0.1 else ""


def _looks_like(body: bytes) -> str | None:
    """Of what is said nowhere. The sample begins where ASCII ends."""
    start = next((at for at in range(min(len(body), 1 << 20)) if body[at] > 0x7F), 0)
    start = max(0, start - 256)
    sample = body[start : start + _SAMPLE]
    if len(sample.translate(None, _ASCII)) < _FEW:
        return None  # too little to tell by
    best = from_bytes(sample).best()
    return best.encoding if best is not None else None

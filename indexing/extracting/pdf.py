"""The text of a PDF, read by a process with limits of its own. No Django; starts a process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from indexing.extracting.charset import presentable
from indexing.extracting.elements import one_line
from indexing.extracting.marks import escaped
from indexing.extracting.model import Extracted, Trouble

MEMORY = 768 << 20
"""Bytes of address space."""
SECONDS = 20
MOST_PAGES = 1_000
_PROGRAM = str(Path(__file__).with_name("pdf_child.py"))
_BROKEN_WORD = re.compile(r"(?<=[a-z])-\n(?=[a-z])")
_SAID = {
    "encrypted": (Trouble.UNREADABLE, "The PDF is encrypted."),
    "memory": (Trouble.TOO_LARGE, "Reading the PDF would take too much memory."),
    "time": (Trouble.TOO_LARGE, "Reading the PDF would take too long."),
    "broken": (Trouble.UNREADABLE, "The PDF is broken."),
}
_NOTHING = "The PDF has no text. It may be made of pictures."


def extract_pdf(body: bytes, *, max_chars: int, seconds: int = SECONDS, memory: int = MEMORY) -> Extracted:
    """Its text as Markdown, bookmarks as headings where they stand on the page. Reads the first 1,000 pages."""
    answer = _ask(body, max_chars=max_chars, seconds=seconds, memory=memory)
    pages = [presentable(str(each)) for each in answer.get("pages", ())]
    text = _markdown(pages, answer.get("outline") or [])
    trouble = str(answer.get("trouble") or "")
    if trouble and not text:
        what, detail = _SAID[trouble]
        return Extracted(trouble=what, detail=detail)
    if not text:
        return Extracted(trouble=Trouble.EMPTY, detail=_NOTHING)
    title = presentable(one_line(str(answer.get("title") or "")))[:500]
    return Extracted(markdown=text, title=title, modified=str(answer.get("modified") or ""))


def _ask(body: bytes, *, max_chars: int, seconds: int, memory: int) -> dict[str, Any]:
    limits = [str(each) for each in (memory, seconds, MOST_PAGES, max_chars)]
    try:
        done = subprocess.run(
            [sys.executable, "-I", _PROGRAM, *limits],
            input=body,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds * 3,  # the limit is of computing; a busy machine may take longer
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired:
        return {"trouble": "time"}
    if done.returncode < 0:
        return {"trouble": "time"}
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return {"trouble": "memory"}
    return answer if isinstance(answer, dict) else {"trouble": "broken"}


def _markdown(pages: list[str], outline: list[list[Any]]) -> str:
    by_page: dict[int, dict[str, int]] = {}
    for level, title, number in outline:
        if isinstance(number, int) and isinstance(level, int):
            by_page.setdefault(number, {})[one_line(str(title)).casefold()] = max(1, min(level, 6))
    blocks: list[str] = []
    for number, page in enumerate(pages):
        titles = by_page.get(number, {})
        for paragraph in re.split(r"\n[ \t]*\n", _BROKEN_WORD.sub("", page)):
            blocks += _with_headings(paragraph, titles)
    text = "\n\n".join(each for each in blocks if each.strip())
    return f"{text}\n" if text else ""


def _with_headings(paragraph: str, titles: dict[str, int]) -> list[str]:
    blocks: list[str] = []
    run: list[str] = []
    for line in (each.strip() for each in paragraph.split("\n")):
        level = titles.pop(one_line(line).casefold(), 0) if titles else 0
        if level:
            blocks += [escaped("\n".join(run)), f"{'#' * level} {escaped(line)}"]
            run = []
        elif line:
            run.append(line)
    return [*blocks, escaped("\n".join(run))]

"""Run as a program of its own: a PDF on standard input, its text as JSON on standard output.

By itself because a page of a PDF can ask for any time and memory while it is read, and a process has limits that hold.
It imports nothing of this project.
"""

from __future__ import annotations

import io
import json
import logging
import re
import resource
import sys
import time
from typing import Any


def main() -> None:
    memory, seconds, most_pages, most_chars = (int(each) for each in sys.argv[1:5])
    body = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    logging.disable(logging.CRITICAL)
    answer = _answer(body, until=time.monotonic() + seconds * 0.8, most_pages=most_pages, most_chars=most_chars)
    sys.stdout.write(json.dumps(answer))


def _answer(body: bytes, *, until: float, most_pages: int, most_chars: int) -> dict[str, Any]:
    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError

    pages: list[str] = []
    try:
        reader = PdfReader(io.BytesIO(body), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"trouble": "encrypted"}
        count = len(reader.pages)
        chars = 0
        for number in range(min(count, most_pages)):
            if time.monotonic() > until or chars > most_chars:
                break
            pages.append(_page(reader, number)[: most_chars - chars])
            chars += len(pages[-1])
    except FileNotDecryptedError:
        return {"trouble": "encrypted"}
    except MemoryError:
        return {"trouble": "memory", "pages": pages}
    except Exception as error:  # it reads what anybody wrote
        return {"trouble": "encrypted" if "rypt" in str(error) else "broken", "pages": pages}
    return {"pages": pages, "count": count, **_about(reader), "outline": _outline(reader)}


def _page(reader: Any, number: int) -> str:
    try:
        return str(reader.pages[number].extract_text() or "")
    except MemoryError:
        raise
    except Exception:  # one broken page leaves the others
        return ""


def _about(reader: Any) -> dict[str, str]:
    try:
        about = reader.metadata
        changed = about.modification_date if about else None
        return {"title": str((about.title if about else "") or ""), "modified": changed.isoformat() if changed else ""}
    except Exception:
        return {}


def _outline(reader: Any) -> list[list[Any]]:
    """[level from 1, title, page from 0] of each bookmark."""
    found: list[list[Any]] = []
    try:
        entries = [(1, each) for each in reversed(reader.outline)]
        while entries and len(found) < 2_000:
            level, entry = entries.pop()
            if isinstance(entry, list):
                entries += [(level + 1, each) for each in reversed(entry)]
                continue
            title = re.sub(r"\s+", " ", str(entry.title)).strip()[:300]
            found.append([level, title, reader.get_destination_page_number(entry)])
    except Exception:  # bookmarks are an extra
        return found
    return found


if __name__ == "__main__":
    main()

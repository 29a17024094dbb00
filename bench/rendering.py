"""What the worst Markdown costs beside ordinary Markdown of the same length: `python -m bench.rendering`.

A page of a repository that somebody else writes is rendered within a request. So every way to write a text of the
longest length that is rendered has to be within a bound of an ordinary one; the command fails where one is not.
"""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

BOUND = 15.0
"""Times as long as ordinary Markdown."""

ORDINARY = "## A heading\n\nA paragraph with *some* words, a [link](other.md) and `code`.\n\n- one\n- two\n\n"
HOSTILE = {
    "brackets": "[",
    "emphasis": "*a ",
    "quotes": "> ",
    "backticks": "`",
    "lists in HTML": "<ul><li>",
    "images": "![a",
    "open tags": "<b>",
    "open tags with ids": "<b id=1>",
    "a tag without an end": "<b ",
}


def seconds(text: str) -> float:
    """Processor seconds, the least of two."""
    from catalog.rendering import render_markdown

    taken = []
    for _ in range(2):
        before = time.process_time()
        render_markdown(text, path="page.md", link=lambda path: f"/{path}")
        taken.append(time.process_time() - before)
    return min(taken)


def main() -> int:
    django.setup()
    from catalog.rendering import MAX_CHARACTERS

    base = seconds((ORDINARY * MAX_CHARACTERS)[:MAX_CHARACTERS])
    print(f"| {MAX_CHARACTERS:,} characters of | seconds | of ordinary Markdown |\n| --- | --: | --: |")
    print(f"| ordinary Markdown | {base:.2f} | 1.0× |")
    worst = 0.0
    for name, piece in HOSTILE.items():
        ratio = seconds((piece * MAX_CHARACTERS)[:MAX_CHARACTERS]) / base
        worst = max(worst, ratio)
        print(f"| {name} | {ratio * base:.2f} | {ratio:.1f}× |")
    print(f"\nAt most {BOUND:.0f} times as long as ordinary Markdown: {'held' if worst <= BOUND else 'NOT held'}.")
    return 0 if worst <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())

"""What the search for secrets costs before a push: `python -m bench.scanning`.

A server of 2,000 tools (4,006 files) is rendered and scanned, with 500 known secrets and with none. The scan has to be
within a bound of the rendering, whose cost nobody can avoid; the command fails where it is not.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable

from catalog.exchange.model import ProviderConfig, ServerConfig, ToolConfig
from gitsync.layout import render
from gitsync.scanning import KnownSecret, scan

TOOLS = 2_000
SECRETS = 500
BOUND = 5.0
"""Times as long as the rendering."""


def tool(number: int) -> ToolConfig:
    """With a text and schemas of its own, as an API's description brings them."""
    fields = {
        name: {"type": "string", "description": f"The {name} of thing {number}, as https://api.example.com tells it."}
        for name in ("id", "name", "status", "owner", "createdAfter", "createdBefore")
    }
    return ToolConfig(
        name=f"getThing{number}",
        method="POST",
        path=f"/things/{number}/{{id}}",
        description=f"Gets the thing {number}.\n\nIt is found by its id, and told with its owner and status.",
        path_schema={"type": "object", "properties": {"id": fields["id"]}, "required": ["id"]},
        query_schema={"type": "object", "properties": fields},
        body_schema={"type": "object", "properties": {"thing": {"type": "object", "properties": fields}}},
        headers={"Authorization": "Bearer ${API_KEY}"},
    )


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds, the least of three."""
    taken = []
    for _ in range(3):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken)


def main() -> int:
    tools = tuple(sorted(map(tool, range(TOOLS)), key=lambda each: each.name))
    config = ServerConfig("Things", "things", 1, providers=(ProviderConfig("Things API", tools=tools),))
    files = render(config)
    known = [KnownSecret(f"value of the variable V{number}", secrets.token_urlsafe(30)) for number in range(SECRETS)]
    size = sum(map(len, files.values())) / 1_000_000
    rendering = seconds(lambda: render(config))
    plain = seconds(lambda: scan(files, (), key=b"k"))
    compared = seconds(lambda: scan(files, known, key=b"k"))
    leaking = dict(files) | {"export.json": files["export.json"].replace(b"thing 1999,", known[0].value.encode())}
    found = seconds(lambda: scan(leaking, known, key=b"k"))
    print(f"{TOOLS:,} tools, {len(files):,} files, {size:.1f} MB\n")
    print("| work | seconds | of rendering |\n| --- | --: | --: |")
    for name, taken in (
        ("render", rendering),
        ("scan, no known secrets", plain),
        (f"scan, {SECRETS} known secrets", compared),
        (f"scan, {SECRETS} known secrets, one of them found", found),
    ):
        print(f"| {name} | {taken:.2f} | {taken / rendering:.1f}× |")
    held = compared <= BOUND * rendering
    print(f"\nAt most {BOUND:.0f} times as long as rendering: {'held' if held else 'NOT held'}.")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

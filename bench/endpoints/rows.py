"""Two private servers full of documentation, and a key for both: `python -m bench.endpoints.rows SECTIONS`.

Everything of one server says its mark, and nothing of the other's: what is mixed up is seen.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from typing import Any

import django

MARKS = ("millwheel", "weathercock")


def fill(sections: int) -> dict[str, Any]:
    """Says of each server where it answers, what can be searched for and read; and the key."""
    from bench.corpus import Corpus
    from catalog.models import Server
    from endpoint.models import ApiKey
    from tests import factories
    from tests.indexed import index_contents

    acme = factories.organization("Acme", slug="acme")
    corpus = Corpus(servers=len(MARKS))
    servers = []
    for number, mark in enumerate(MARKS):
        made = factories.server(acme, mark.capitalize(), slug=mark, visibility=Server.Visibility.PRIVATE)
        files = list(corpus.files(number, sections))
        for file in files:
            factories.content(made, f"{mark}/{file.path}", file.text.replace(". ", f". The {mark} turns. "))
        index_contents(made)
        api = factories.provider(made, mark.capitalize())
        for tool in range(3):
            factories.tool(api, f"getTide{tool}", description=f"The tide at gauge {tool} of the {mark}.")
        servers.append(
            {
                "path": f"/mcp/{acme.slug}/{made.slug}",
                "mark": mark,
                "queries": [file.title for file in files[:200]],
                "files": [f"{mark}/{file.path}" for file in files[:500]],
            }
        )
    key = f"mr_{secrets.token_urlsafe(32)}"
    ApiKey.objects.create(
        organization=acme,
        name="bench",
        digest=hashlib.sha256(key.encode()).hexdigest(),
        hint=key[:8],
        everything=True,
        may_call=True,
        rate_per_minute=100_000_000,
    )
    return {"servers": servers, "key": key}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(fill(int(sys.argv[1]))))

"""The fixture, in the database of the environment: `python -m tests.conformance.rows <base URL of the upstream>`.

Names are the suite's. Some of them our forms would not take (they have underscores), the endpoint serves what is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys

import django

from tests.conformance import KEY

TOOLS = {
    "test_simple_text": ("/simple-text", "Answers with a simple text."),
    "test_image_content": ("/image", "Answers with a picture."),
    "test_audio_content": ("/audio", "Answers with a sound."),
    "test_error_handling": ("/error", "Always fails."),
    "test_logging_tool": ("/simple-text", "Is called, and nothing is logged to the client."),
    "test_streaming_elicitation": ("/simple-text", "Is called, and nothing is asked of the client."),
}
"""Where each is at the upstream, and what it says of itself."""


def fill(base_url: str) -> dict[str, str]:
    """A server, and the key that the environment names; says the path at which it answers."""
    from catalog.models import Server
    from endpoint.models import ApiKey
    from tests import factories
    from tests.indexed import index_contents

    acme = factories.organization("Acme", slug="acme")
    docs = factories.server(
        acme,
        "Conformance",
        slug="conformance",
        visibility=Server.Visibility.PRIVATE,
        description="What the conformance suite and the Inspector ask.",
        instructions="Search the guides, then fetch what was found.",
    )
    api = factories.provider(docs, "API", base_url=base_url)
    for name, (path, description) in TOOLS.items():
        factories.tool(api, name, path=path, description=description, read_only=True)
    factories.tool(
        api,
        "test_search_cities",
        path="/simple-text",
        description="Takes an argument.",
        query_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    )
    factories.resource(
        api,
        "Static text",
        uri="test://static-text",
        mime_type="text/plain",
        description="A text that is kept here.",
        text="This is the content of the static text resource.",
    )
    factories.resource(
        api,
        "Static binary",
        uri="test://static-binary",
        mime_type="image/png",
        description="A picture that the upstream has.",
        text="",
        upstream_path="/image",
    )
    factories.prompt(
        api,
        "test_simple_prompt",
        description="A prompt without arguments.",
        messages=[{"role": "user", "text": "This is a simple prompt for testing."}],
    )
    factories.prompt(
        api,
        "test_prompt_with_arguments",
        description="A prompt with two arguments.",
        arguments=[
            {"name": "arg1", "description": "The first", "required": True},
            {"name": "arg2", "description": "The second", "required": True},
        ],
        messages=[{"role": "user", "text": "Prompt with arguments: arg1='{{arg1}}', arg2='{{arg2}}'"}],
    )
    for number in range(12):
        factories.content(docs, f"guides/chapter-{number}.md", f"# Chapter {number}\n\nWater turns wheel {number}.\n")
    factories.content(docs, "guides/weir.md", "# The weir\n\nA weir raises the water of the millrace by a foot.\n")
    index_contents(docs)
    key = os.environ[KEY]
    ApiKey.objects.create(
        organization=acme,
        name="Conformance",
        digest=hashlib.sha256(key.encode()).hexdigest(),
        hint=key[:8],
        everything=True,
        may_call=True,
    )
    return {"path": f"/mcp/{acme.slug}/{docs.slug}"}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(fill(sys.argv[1])))  # noqa: T201  # what is said to who started it

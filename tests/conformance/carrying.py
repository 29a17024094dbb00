"""The web process, for clients that cannot be told to carry an API key: it is there as if they did.

Nothing else is different. The Inspector carries the key itself.
"""

from __future__ import annotations

import os

from starlette.types import Receive, Scope, Send

from config.asgi import application as installed
from tests.conformance import KEY


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http" and not any(name == b"authorization" for name, _ in scope["headers"]):
        carried = (b"authorization", f"Bearer {os.environ[KEY]}".encode())
        scope = {**scope, "headers": [*scope["headers"], carried]}
    await installed(scope, receive, send)

"""What the demo tells of connecting an agent."""

from __future__ import annotations

from catalog.models import Server
from endpoint.addresses import Address
from endpoint.snippets import Target, snippets

CLIENTS = ("claude-code", "inspector")


def lines(server: Server | None, address: str) -> list[str]:
    """Commands to paste that work as they are where the server is public, as the demo makes it; else where keys are
    made. `address` is where the demo answers, such as http://127.0.0.1:8000."""
    if server is None:
        return []
    page = f"{address}/o/{server.organization.slug}/servers/{server.slug}/connect/"
    if server.visibility != Server.Visibility.PUBLIC:
        return [f"{page}  (it is private: make a key there)"]
    target = Target(server.slug, address + Address.of(server.organization, server=server).path)
    made = {each.client: each for each in snippets(target)}
    terminal = [part.text for name in CLIENTS for part in made[name].parts if "erminal" in part.where]
    return [*terminal, f"{page}  (other clients, and a Playground)"]

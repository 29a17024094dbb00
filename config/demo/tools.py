"""What a server of the demo offers beside its files: two tools of a public API, a resource, a prompt and a variable."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from catalog.models import Server
from catalog.prompts import create_prompt
from catalog.providers import create_provider
from catalog.resources import create_resource
from catalog.tools import create_tool
from catalog.variables import create_variable
from gitsync import targets
from gitsync.models import PushTarget
from gitsync.targets import Assignment
from orgs.models import Membership, User

PLACE: dict[str, Any] = {
    "latitude": {"type": "number", "minimum": -90, "maximum": 90, "description": "In degrees, such as 59.91."},
    "longitude": {"type": "number", "minimum": -180, "maximum": 180, "description": "In degrees, such as 10.75."},
}
VARIABLE = {
    "name": "WEATHER_HOST",
    "value": "api.open-meteo.com",
    "description": "Where forecasts come from. It asks for no key.",
}
PROVIDER = {
    "name": "Open-Meteo",
    "description": "Forecasts for any place on earth.",
    "base_url": "https://${WEATHER_HOST}/v1",
    "documentation_url": "https://open-meteo.com/en/docs",
}
TOOLS: tuple[dict[str, Any], ...] = (
    {
        "name": "getForecast",
        "title": "Forecast",
        "description": "The highest and lowest temperature of each of the next days at a place.",
        "method": "GET",
        "path": "/forecast",
        "query_schema": {
            "type": "object",
            "properties": {
                **PLACE,
                "forecast_days": {"type": "integer", "minimum": 1, "maximum": 16, "description": "How many days."},
                "daily": {"const": "temperature_2m_max,temperature_2m_min", "description": "What is asked for."},
            },
            "required": ["latitude", "longitude", "daily"],
        },
        "read_only": True,
    },
    {
        "name": "getElevation",
        "title": "Height of a place",
        "description": "Metres above the sea at a place.",
        "method": "GET",
        "path": "/elevation",
        "query_schema": {"type": "object", "properties": PLACE, "required": ["latitude", "longitude"]},
        "read_only": True,
    },
)
RESOURCE = {
    "name": "House style",
    "uri": "acme://style/forecasts",
    "description": "How forecasts are worded. Read it before writing one.",
    "mime_type": "text/markdown",
    "text": "# How we word forecasts\n\nThe day first, then the temperatures, then one piece of advice.\n",
}
PROMPT = {
    "name": "morningReport",
    "title": "Morning report",
    "description": "The day's weather of a town in three sentences.",
    "arguments": [{"name": "town", "description": "Its name.", "required": True}],
    "messages": [{"role": "user", "text": "Write the morning report of {{town}}, in our house style."}],
}


def create_repository(folder: Path) -> None:
    """The repository that is pushed to: bare, as those on forges are, and empty until the first push."""
    if not folder.exists():
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder)], check=True, capture_output=True
        )


def furnish(server: Server, *, by: User) -> None:
    """Make all of it through the services that the pages use."""
    create_variable(server=server, values=VARIABLE, by=by)
    provider = create_provider(server=server, values=PROVIDER, by=by)
    for values in TOOLS:
        create_tool(provider=provider, values=values, by=by)
    create_resource(provider=provider, values=RESOURCE, by=by)
    create_prompt(provider=provider, values=PROMPT, by=by)


def assign(server: Server, folder: Path, membership: Membership) -> PushTarget:
    """Have every save of the server pushed there. The worker makes the first push when it starts."""
    return targets.assign(server=server, values=Assignment(repository=str(folder)), membership=membership)

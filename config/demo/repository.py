"""The demo's git repository: made once with the git program, then the person's to change."""

from __future__ import annotations

import struct
import subprocess
import zlib
from pathlib import Path

GUIDES = {
    "quickstart": "Create a key, call the forecast of your town, and read the answer. It takes five minutes.",
    "authentication": "Every request carries a key in the `Authorization` header. Keys belong to a project.",
    "errors": "An answer other than 2xx holds `code`, `message` and `advice`. Programs read the code, people the rest.",
    "rate-limits": "A key may ask 600 times a minute. What is left is in the header `X-RateLimit-Remaining`.",
    "pagination": "Lists come in pages of 100. `next` holds the address of the following page, and null on the last.",
    "webhooks": "Be told of weather warnings: register an address, and check the signature of what arrives there.",
    "time-zones": "Times are in UTC and end with Z. The zone of a place is in `place.zone`.",
    "units": "Temperatures are in degrees Celsius, wind in metres a second, rain in millimetres an hour.",
    "caching": "Forecasts change every ten minutes. Send `If-None-Match` and a 304 costs nothing of your limit.",
    "sdks": "There are libraries for Python, Go and TypeScript. All of them are thin.",
}
ENDPOINTS = {
    "forecast": ("GET", "/v2/forecast", "The next ten days of a place, hour by hour."),
    "current": ("GET", "/v2/current", "What the nearest stations measure now."),
    "history": ("GET", "/v2/history", "Daily values since 1950."),
    "warnings": ("GET", "/v2/warnings", "Official warnings in force, with their areas."),
    "places": ("GET", "/v2/places", "Find a place by its name or coordinates."),
    "stations": ("GET", "/v2/stations", "The stations and what each of them measures."),
    "air-quality": ("GET", "/v2/air", "Particles, ozone and pollen."),
    "radar": ("GET", "/v2/radar", "Tiles of the rain radar, every five minutes."),
    "keys": ("POST", "/v2/keys", "Make and revoke keys."),
    "hooks": ("POST", "/v2/hooks", "Register an address for warnings."),
}
RUNBOOKS = {
    "deploy": "Deploys go out on weekdays before 15:00. Watch the error rate for ten minutes, then write the note.",
    "rollback": "Roll back first, ask why later: `fleet rollback api --to previous`.",
    "database-failover": "The replica takes over within a minute. Check the lag afterwards.",
    "certificates": "Certificates renew by themselves 30 days before their end; an alert says when one did not.",
    "station-outage": "A silent station is replaced by its neighbours after 20 minutes. Tell the network team.",
    "on-call": "One week each, from Monday noon. Hand over in person, with the open points written down.",
}
LFS_POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 73400320\n"
)


def files() -> dict[str, bytes]:
    """Every regular file of the repository by its path: about forty, most of them Markdown."""
    found: dict[str, bytes] = {
        "README.md": _markdown(
            "Acme Weather",
            "Everything that is written about the Acme Weather API: guides, reference and runbooks.",
            "- [Quickstart](docs/guides/quickstart.md)\n- [Reference](docs/reference/forecast.md)\n"
            "- [Runbooks](runbooks/on-call.md)",
        ),
        "CHANGELOG.md": _markdown(
            "Changes", "## 2.4\n\n- Pollen in `air-quality`.\n\n## 2.3\n\n- Webhooks are signed."
        ),
        "LICENSE": b"Copyright Acme Weather. All rights reserved.\n",
        "docs/guides/caf\u00e9-and-other-names.md": _markdown(
            "Names with accents",
            "Places keep their own spelling: Besan\u00e7on, K\u00f8benhavn, \u0141\u00f3d\u017a, \u6771\u4eac.",
        ),
        "config/limits.yaml": b"requests_per_minute: 600\nburst: 50\n",
        "config/regions.json": b'{"regions": ["eu-north", "eu-west", "us-east"]}\n',
        "examples/forecast.py": b'import requests\n\nprint(requests.get("https://api.example.com/v2/forecast?place=oslo").json())\n',
        "examples/forecast.sh": b"#!/bin/sh\ncurl -s 'https://api.example.com/v2/forecast?place=oslo'\n",
        # What cannot be imported, so that the reasons can be seen:
        "assets/logo.png": _png(),
        "docs/legacy/umlaute.txt": "Gr\u00fc\u00dfe aus M\u00fcnchen\n".encode("latin-1"),
        "assets/radar-archive.tar": LFS_POINTER.encode(),
        "data/stations.csv": b"station,latitude,longitude,height\n" + b"oslo-blindern,59.94,10.72,94\n" * 45_000,
    }
    for name, text in GUIDES.items():
        found[f"docs/guides/{name}.md"] = _markdown(_title(name), text, _steps(name))
    for name, (method, path, text) in ENDPOINTS.items():
        found[f"docs/reference/{name}.md"] = _markdown(_title(name), text, _call(method, path))
    for name, text in RUNBOOKS.items():
        found[f"runbooks/{name}.md"] = _markdown(_title(name), text)
    return found


def create(folder: Path) -> bool:
    """Make the repository with one commit; False, and nothing touched, if it is there already.

    Raises subprocess.CalledProcessError when git fails.
    """
    if (folder / ".git").exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in files().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (folder / "docs" / "latest").symlink_to("guides")
    _git(folder, "init", "--quiet", "--initial-branch=main")
    # Of its own, so that a commit works on a machine where git knows nobody yet.
    _git(folder, "config", "user.name", "Demo")
    _git(folder, "config", "user.email", "demo@example.com")
    _git(folder, "config", "commit.gpgsign", "false")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "Write down what we know")
    return True


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def _markdown(title: str, *paragraphs: str) -> bytes:
    return "\n\n".join([f"# {title}", *(text for text in paragraphs if text)]).encode() + b"\n"


def _title(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _steps(name: str) -> str:
    return (
        "## In short\n\n| Step | What |\n|---|---|\n"
        f"| 1 | Read this page on {_title(name).lower()} |\n| 2 | Try it with a test key |\n| 3 | Use it |"
    )


def _call(method: str, path: str) -> str:
    return (
        f"## Request\n\n```http\n{method} {path} HTTP/1.1\nHost: api.example.com\nAuthorization: Bearer <key>\n```\n\n"
        '## Answer\n\n```json\n{"place": "oslo", "values": [1, 2, 3]}\n```'
    )


def _png() -> bytes:
    """A real picture of 16 by 16 pixels in one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x2f\x6f\xde" * 16 for _ in range(16))
    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

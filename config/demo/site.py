"""The demo's documentation site: a few pages on disk, served on this machine while the demo runs."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"
PORTS = range(8780, 8800)
"""Of which a new demo takes the first that is free."""

PAGES: dict[str, tuple[str, str]] = {
    "index.html": (
        "Weather school",
        "<p>What there is to know about weather before you write about it, in six short lessons.</p>",
    ),
    "wind-chill.html": (
        "Wind chill",
        "<p>Wind takes away the thin layer of air that the skin has warmed, and so a windy day feels colder than the "
        "thermometer says. Below 10 degrees Celsius the difference is worth a sentence.</p>"
        "<h2>The formula</h2><p>With the temperature in degrees and the wind in kilometres an hour:</p>"
        '<pre><code class="language-python">def wind_chill(temperature, wind):\n'
        "    factor = wind**0.16\n"
        "    return 13.12 + 0.6215 * temperature + (0.3965 * temperature - 11.37) * factor\n</code></pre>"
        "<h2>When to warn</h2><table><tr><th>Feels like</th><th>Advice</th></tr>"
        "<tr><td>-10 to -27</td><td>Cover your face.</td></tr>"
        "<tr><td>below -27</td><td>Stay inside.</td></tr></table>",
    ),
    "fog.html": (
        "Fog",
        "<p>Fog is a cloud that lies on the ground. It forms in clear, calm nights, when the ground cools the air "
        "above it to the dew point, and it goes as soon as the sun has warmed the ground again.</p>"
        "<h2>Freezing fog</h2><p>Droplets that are colder than ice stay liquid until they touch something. Roads "
        "become slippery although no rain has fallen.</p>",
    ),
    "thunderstorms.html": (
        "Thunderstorms",
        "<p>A storm needs warm and humid air below, cold air above, and something that lifts one into the other.</p>"
        "<h2>How far away it is</h2><p>Count the seconds between lightning and thunder and divide by three: that is "
        "the distance in kilometres.</p>",
    ),
    "probability-of-rain.html": (
        "Probability of rain",
        "<p>“30 per cent” does not mean that it rains for a third of the day, or on a third of the town. It means that "
        "on three of ten days with such a forecast at least 0.1 millimetres fall at a given place.</p>",
    ),
    "stations.html": (
        "How stations measure",
        "<p>Temperature is measured two metres above short grass, in the shade of a white screen; wind at ten metres, "
        "as the mean of ten minutes.</p>"
        "<h2>Gaps</h2><p>A station that is silent is replaced by its neighbours, and the value is marked as estimated "
        "(<code>quality_flag</code> is <code>E</code>).</p>",
    ),
    "words.html": (
        "Words for forecasts",
        "<dl><dt>Shower</dt><dd>Rain that begins and ends within the hour.</dd>"
        "<dt>Drizzle</dt><dd>Drops smaller than half a millimetre.</dd>"
        "<dt>Gale</dt><dd>A mean wind of 62 kilometres an hour or more.</dd></dl>",
    ),
    "drafts/tornadoes.html": ("Tornadoes", "<p>This lesson is not written yet.</p>"),
}
ROBOTS = "User-agent: *\nDisallow: /drafts/\n"
"""So that a page is skipped, and the reason can be seen."""


def create(folder: Path) -> bool:
    """Write the pages; False, and nothing touched, if the folder is there already."""
    if folder.exists():
        return False
    for path, (title, body) in PAGES.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_page(title, body), encoding="utf-8")
    (folder / "robots.txt").write_text(ROBOTS)
    return True


def _page(title: str, body: str) -> str:
    links = "".join(f'<li><a href="/{path}">{escape(each)}</a></li>' for path, (each, _) in PAGES.items())
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title></head>\n'
        f"<body>\n<nav><ul>{links}</ul></nav>\n<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def to_try(folder: str) -> str:
    """A line for the shell: changes a page."""
    return f"sed -i.bak 's#</main>#<p>Hail is measured with a ruler.</p>&#' {folder}/thunderstorms.html"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The demo's terminal is for people."""


def serve(folder: Path, ports: Iterable[int]) -> ThreadingHTTPServer | None:
    """Serve the folder to this machine alone, as long as the process lives, on the first port that is free."""
    for port in ports:
        try:
            server = ThreadingHTTPServer((HOST, port), partial(_Quiet, directory=str(folder)))
        except OSError:
            continue
        threading.Thread(target=server.serve_forever, name="site", daemon=True).start()
        return server
    return None

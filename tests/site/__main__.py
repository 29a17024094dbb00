"""Serve a handbook by hand or for a bench: `python -m tests.site --pages 1200 --port N --latency MILLISECONDS`.

Says `url http://…` once it answers. A GET of `/.told` is what was asked so far, as JSON, and begins counting anew.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from tests.site.server import Site
from tests.wire.messages import Reply, json_reply


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.site", description=__doc__)
    parser.add_argument("--pages", type=int, default=1200)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, metavar="MILLISECONDS")
    parser.add_argument("--sitemap", action="store_true")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Site(options.pages, sitemap=options.sitemap, port=options.port, latency=options.latency / 1000) as site:
        site.routes["/.told"] = lambda _: _told(site)
        sys.stdout.write(f"url {site.url}\n")
        sys.stdout.flush()
        stop.wait()
        return 1 if site.errors else 0


def _told(site: Site) -> Reply:
    counts = {path: count for path, count in site.counts.items() if not path.startswith("/.told")}
    statuses = {str(status): count for status, count in site.statuses().items() if status}
    told = {"counts": counts, "peak": site.peak, "statuses": statuses}
    site.reset()
    return json_reply(told)


if __name__ == "__main__":
    sys.exit(main())

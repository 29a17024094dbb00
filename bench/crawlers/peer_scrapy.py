"""Scrapy, breadth first. With `"cache": true` it keeps what it read, and asks conditionally the next time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response


class Spider(scrapy.Spider):  # type: ignore[misc]
    name = "handbook"
    seen: dict[str, int] = {"pages": 0, "cached": 0}

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        self.seen["pages"] += 1
        self.seen["cached"] += "cached" in response.flags
        for href in response.css("a::attr(href)").getall():
            yield response.follow(href, callback=self.parse)


def main() -> None:
    asked = json.loads(sys.argv[1])
    process = CrawlerProcess(
        {
            "CONCURRENT_REQUESTS": asked["concurrency"],
            "CONCURRENT_REQUESTS_PER_DOMAIN": asked["concurrency"],
            "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": True,
            "COOKIES_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "LOG_LEVEL": "ERROR",
            "DEPTH_PRIORITY": 1,
            "SCHEDULER_DISK_QUEUE": "scrapy.squeues.PickleFifoDiskQueue",
            "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
            "HTTPCACHE_ENABLED": asked["cache"],
            "HTTPCACHE_POLICY": "scrapy.extensions.httpcache.RFC2616Policy",
            "HTTPCACHE_STORAGE": "scrapy.extensions.httpcache.DbmCacheStorage",
            "HTTPCACHE_DIR": asked["state"],
            # It would not ask at all for what was changed long ago.
            "DEFAULT_REQUEST_HEADERS": {"Cache-Control": "max-age=0"} if asked["cache"] else {},
        }
    )
    process.crawl(Spider, start_urls=[asked["url"]])
    begun = time.perf_counter()
    process.start()
    seconds = time.perf_counter() - begun
    pages, cached = Spider.seen["pages"], Spider.seen["cached"]
    print(json.dumps({"seconds": seconds, "pages": pages, "read": pages - cached}))


if __name__ == "__main__":
    main()

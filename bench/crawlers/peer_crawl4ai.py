"""crawl4ai without a browser, level by level, with its cache. It runs where none of our packages are."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from crawl4ai import AsyncWebCrawler, CacheMode, CrawlerRunConfig, HTTPCrawlerConfig, LXMLWebScrapingStrategy
from crawl4ai.async_crawler_strategy import AsyncHTTPCrawlerStrategy
from crawl4ai.async_dispatcher import SemaphoreDispatcher


async def crawl(url: str, *, concurrency: int) -> dict[str, Any]:
    strategy = AsyncHTTPCrawlerStrategy(browser_config=HTTPCrawlerConfig(), max_connections=concurrency)
    config = CrawlerRunConfig(
        cache_mode=CacheMode.ENABLED,
        check_cache_freshness=True,
        check_robots_txt=True,
        scraping_strategy=LXMLWebScrapingStrategy(),
        mean_delay=0,
        max_range=0,
        verbose=False,
    )
    dispatcher = SemaphoreDispatcher(semaphore_count=concurrency)
    seen, level, pages, read = {url}, [url], 0, 0
    async with AsyncWebCrawler(crawler_strategy=strategy, verbose=False) as crawler:
        begun = time.perf_counter()
        while level:
            following: list[str] = []
            for result in await crawler.arun_many(level, config=config, dispatcher=dispatcher):
                pages += result.success
                read += result.success and result.cache_status != "hit_validated"
                for link in result.links.get("internal", []):
                    address = link["href"].partition("#")[0]
                    if address not in seen:
                        seen.add(address)
                        following.append(address)
            level = following
        return {"seconds": time.perf_counter() - begun, "pages": pages, "read": read}


def main() -> None:
    asked = json.loads(sys.argv[1])
    print(json.dumps(asyncio.run(crawl(asked["url"], concurrency=asked["concurrency"]))))


if __name__ == "__main__":
    main()

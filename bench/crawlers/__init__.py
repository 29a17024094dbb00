"""Crawls of one site by Millrace and by its peers, each a program of its own that is told the same and says the same.

Told as JSON: `url` of the start, `pages` that there are, `concurrency`, `state` (a folder that the second pass finds as
the first left it). Said as JSON on the last line: `seconds` of the crawl itself, `pages` visited, `read` of them anew.
"""

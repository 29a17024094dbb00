"""What was fetched, as a Visit: which statuses are pages, and why the others are none. Pure."""

from __future__ import annotations

from indexing.crawling.asking import Answer
from indexing.crawling.fetching import Fetched
from indexing.crawling.model import Via, Visit
from indexing.reasons import SkipReason

MOST_DETAIL = 254


def visit_of(fetched: Fetched, *, via: Via, url: str = "", modified: str = "", leads_to: str = "") -> Visit:
    """`url` replaces the task's; `leads_to` is set where it redirects to another page of the site."""
    answer, task = fetched.answer, fetched.task
    skip, detail = _skipped(fetched, leads_to)
    headers = {name: answer.headers[name] for name in ("x-robots-tag", "link") if name in answer.headers}
    return Visit(
        url=url or task.url,
        depth=task.depth,
        via=via,
        final_url=answer.url,
        status=answer.status,
        etag=answer.headers.get("ETag", ""),
        last_modified=answer.headers.get("Last-Modified", ""),
        content_type=answer.headers.get("Content-Type", ""),
        headers=headers,
        body=answer.body if skip is None else b"",
        not_modified=answer.status == 304 and skip is None,
        modified=modified,
        skip=skip,
        detail=detail[:MOST_DETAIL],
        leads_to=leads_to or fetched.target,
    )


def _skipped(fetched: Fetched, leads_to: str) -> tuple[SkipReason | None, str]:
    answer = fetched.answer
    if answer.skip is not None:
        return answer.skip, answer.detail
    if leads_to:
        return SkipReason.DUPLICATE, f"It leads to {leads_to}, which is a page of its own."
    if fetched.target:
        return SkipReason.REDIRECTED_AWAY, f"It leads to {fetched.target}, which is not part of what is indexed."
    return _judged(answer, asked_conditionally=fetched.task.known is not None)


def _judged(answer: Answer, *, asked_conditionally: bool) -> tuple[SkipReason | None, str]:
    told = f"The site answered with {answer.status}."
    match answer.status:
        case 200 if not answer.readable:
            return SkipReason.NOT_TEXT, f"It is {answer.headers.get('Content-Type', 'of no type that is known')}."
        case 200:
            return None, ""
        case 304 if asked_conditionally:
            return None, ""
        case 204 | 205:
            return SkipReason.EMPTY, told
        case 401 | 403 | 407:
            return SkipReason.AUTH_REQUIRED, told
        case 404 | 410:
            return SkipReason.NOT_FOUND, told
        case _:
            return SkipReason.SERVER_ERROR, told

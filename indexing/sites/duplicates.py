"""Pages that say what another page says: one is in the index, the others remember which (`meta["duplicate_of"]`).

By text (`meta["duplicate_by"]`): the texts are equal. By address: the page names the other as canonical, or redirects
to it (`meta["stands_for"]`). When the one that is kept goes or says something else, another comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexing.models import Page, Source, Text
from indexing.reasons import SkipReason
from indexing.sites.frontier import asked_at, batches, key_of

TEXT, ADDRESS = "text", "address"
HOPS = 5
"""Of pages that name pages that name pages as their own."""
DETAIL = 254
"""Characters of a reason's detail."""
FIELDS = ("text", "skip_reason", "skip_detail", "meta")
"""What `show` and `hide` change."""


def show(page: Page, text_id: int) -> None:
    """It is in the index with this text; not saved."""
    page.text_id = text_id
    page.skip_reason = page.skip_detail = ""
    page.meta = _without(page.meta, "duplicate_of", "duplicate_by", "held", "digest")


def hide(page: Page, of: str, by: str, *, digest: str = "") -> None:
    """Another page is kept in its place; not saved. `digest` (SHA-256) of the text that both have, where they do."""
    page.text_id = None
    page.meta = _without(page.meta, "held", "digest")
    mark(page, of, by)
    if digest:
        page.meta["digest"] = digest


def mark(page: Page, of: str, by: str) -> None:
    """The same while that is not certain: what is in the index of it stays; not saved."""
    page.skip_reason = SkipReason.DUPLICATE
    page.skip_detail = f"The same as {of}"[:DETAIL]
    page.meta = {**page.meta, "duplicate_of": of, "duplicate_by": by}


def _without(meta: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if name not in names}


def release(source: Source, left: Mapping[str, int]) -> int:
    """Give the texts that pages have left to the first page that said the same; how many came so.

    `left`: address of the page -> the Text that it had. Call it in the transaction in which they left, last.
    """
    waiting: list[Page] = []
    for some in batches(list(left)):
        waiting += Page.objects.filter(
            source=source, skip_reason=SkipReason.DUPLICATE, text=None, meta__duplicate_of__in=some
        ).order_by("depth", "pk")
    # Who names the other as its own address never had to say the same: `settle` sees to it.
    waiting = [page for page in waiting if page.meta.get("duplicate_by") == TEXT]
    if not waiting:
        return 0
    texts = Text.objects.filter(pk__in=left.values())
    digests = dict(texts.values_list("pk", "blob__sha256"))
    others = Page.objects.filter(source=source, text__blob__in=texts.values("blob")).exclude(
        skip_reason=SkipReason.DUPLICATE
    )
    found = others.values_list("text__blob__sha256", "url", "meta__asked")
    kept = {digest: asked or url for digest, url, asked in found}
    came = 0
    for page in waiting:
        text_id = left[page.meta["duplicate_of"]]
        digest = digests[text_id]
        if page.meta.get("digest") != digest:
            continue  # it says what the page says by now
        holder = kept.setdefault(digest, asked_at(page))
        if holder == asked_at(page):
            show(page, text_id)
            came += 1
        else:
            mark(page, holder, TEXT)
        page.save(update_fields=FIELDS)
    return came


def settle(source: Source) -> list[int]:
    """Hide each page that stands for one that is in the index, and show each that does so for one that is not.

    For the end of a crawl, in a transaction. Returns pages whose own text nobody remembers: they are to be asked again.
    """
    pages = Page.objects.filter(source=source, meta__has_key="stands_for").order_by("depth", "pk")
    standing = {asked_at(page): page for page in pages}
    if not standing:
        return []
    return _Settling(source, standing).settle()


class _Settling:
    def __init__(self, source: Source, standing: Mapping[str, Page]) -> None:
        self._source, self._standing = source, standing
        named = {page.meta["stands_for"] for page in standing.values()} - set(standing)
        self._indexed: set[str] = set()
        for keys in batches([key_of(url) for url in named]):
            found = Page.objects.filter(source=source, key__in=keys, text__isnull=False)
            self._indexed |= {asked or url for url, asked in found.values_list("url", "meta__asked")}
        held = {page.meta["held"] for page in standing.values() if "held" in page.meta}
        self._texts = set(Text.objects.filter(pk__in=held).values_list("pk", flat=True))

    def settle(self) -> list[int]:
        left: dict[str, int] = {}
        again: list[int] = []
        for url, page in self._standing.items():
            before = page.text_id
            of = self._kept(page.meta["stands_for"], seen={url})
            if of:
                if before is None and page.meta.get("duplicate_of") == of and "held" not in page.meta:
                    continue
                hide(page, of, ADDRESS)
            elif page.meta.get("duplicate_by") != ADDRESS or page.meta.get("redirects"):
                continue
            elif (own := self._own(page)) is None:
                again.append(page.pk)
                continue
            else:
                show(page, own)
            if before is not None and before != page.text_id:
                left[url] = before
            page.save(update_fields=FIELDS)
        release(self._source, left)
        return again

    def _kept(self, url: str, *, seen: set[str]) -> str:
        """The page in the index that this one leads to, itself perhaps; "" where there is none."""
        page = self._standing.get(url)
        if page is None:
            return url if url in self._indexed else ""
        if url in seen or len(seen) > HOPS:
            return ""  # two pages that name each other, or ever so many
        further = self._kept(page.meta["stands_for"], seen={*seen, url})
        return further or (url if self._own(page) else "")

    def _own(self, page: Page) -> int | None:
        """The text that it has for itself."""
        if page.meta.get("redirects"):
            return None
        held: int | None = page.meta.get("held")
        return held if held in self._texts else page.text_id

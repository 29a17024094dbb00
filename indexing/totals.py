"""How much of a source is in the index."""

from __future__ import annotations

from django.db.models import Count, Q, Sum

from indexing.models import Page, Source, Text


def counted(source: Source) -> dict[str, int]:
    """`pages`, `chunks` and `skipped` of a source that has pages; a text that two of them share counts once."""
    known = Page.objects.filter(source=source).aggregate(
        pages=Count("pk", filter=Q(text__isnull=False)), skipped=Count("pk", filter=~Q(skip_reason=""))
    )
    texts = Page.objects.filter(source=source, text__isnull=False).values("text")
    return {**known, "chunks": Text.objects.filter(pk__in=texts).aggregate(chunks=Sum("chunks"))["chunks"] or 0}

"""Tables as the query string asks for them."""

from __future__ import annotations

from django.core.paginator import EmptyPage, PageNotAnInteger
from django.http import HttpRequest
from django_tables2 import RequestConfig, Table


def configure(request: HttpRequest, table: Table, *, per_page: int) -> None:
    """Sort a table and choose its page, the nearest if there is no such page.

    `RequestConfig` alone would also take the number of rows of a page from whoever asks: a million of them, or none.
    """
    RequestConfig(request, paginate=False).configure(table)
    try:
        table.paginate(page=request.GET.get(table.prefixed_page_field, 1), per_page=per_page)
    except PageNotAnInteger:
        table.page = table.paginator.page(1)
    except EmptyPage:
        table.page = table.paginator.page(table.paginator.num_pages)

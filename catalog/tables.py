"""The table of servers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import django_tables2 as tables
from django.db.models import Count

from catalog.models import Content, Server

NUMBER = {"cell": {"class": "num"}}


class ServerTable(tables.Table):  # type: ignore[misc]  # publishes no types
    """Files are counted for the rows of the page that is shown, in one query."""

    region_id = "servers"
    noun = "servers"

    name = tables.TemplateColumn(
        template_name="catalog/_server_name.html", order_by="name", attrs={"cell": {"class": "cell-lead"}}
    )
    visibility = tables.TemplateColumn(template_name="catalog/_visibility.html")
    files = tables.Column(empty_values=(), orderable=False, attrs=NUMBER)
    served = tables.TemplateColumn(
        verbose_name="Agents get", template_name="catalog/_served.html", orderable=False, empty_values=()
    )
    updated_at = tables.TemplateColumn(
        verbose_name="Content changed",
        accessor="content_changed_at",
        order_by="content_changed_at",
        template_code='{% include "components/_time.html" with value=record.content_changed_at only %}',
    )

    class Meta:
        attrs = {"aria-label": "Servers"}
        order_by = "name"

    _counts: dict[UUID, int] | None = None

    def render_files(self, record: Server) -> str:
        if self._counts is None:
            self._counts = _files_of(row.record for row in self.paginated_rows)
        return f"{self._counts.get(record.pk, 0):,}"


def _files_of(servers: Iterable[Any]) -> dict[UUID, int]:
    rows = Content.objects.filter(server__in=list(servers)).order_by().values("server").annotate(files=Count("pk"))
    return {row["server"]: row["files"] for row in rows}

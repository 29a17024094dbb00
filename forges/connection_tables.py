"""The table of an organisation's connections."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.urls import reverse

from forges.connection_rows import Row, rows
from forges.models import Connection
from orgs.models import Membership


class _Cell(tables.TemplateColumn):  # type: ignore[misc]  # publishes no types
    """Its template gets `row`, a `forges.connection_rows.Row`."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(template_name=f"forges/_connection_{name}.html", extra_context=self._facts, **options)

    @staticmethod
    def _facts(record: Connection, table: ConnectionsTable) -> dict[str, Any]:
        return {"row": table.facts[record.pk], "org": table.viewer.organization.slug, "csrf_token": table.csrf_token}


class ConnectionsTable(tables.Table):  # type: ignore[misc]
    """Call `load` once the page is known, then render."""

    account = _Cell(
        "account",
        verbose_name="Account",
        order_by=("account", "name", "forge", "base_url", "created_at"),
        attrs={"cell": {"class": "cell-lead"}},
    )
    method = _Cell("method")
    status = _Cell("status")
    expires_at = _Cell("expiry", verbose_name="Expires", empty_values=())
    user = _Cell("maker", verbose_name="Made by", empty_values=(), order_by="user__email")
    uses = _Cell("uses", verbose_name="Used by", empty_values=(), orderable=False)
    actions = _Cell("actions", verbose_name="", empty_values=(), orderable=False, attrs={"cell": {"class": "actions"}})

    noun = "connections"
    region_id = "connections"
    empty_title = "No connection yet"
    empty_label = "Add a connection"

    class Meta:
        order_by = ("account",)
        attrs = {"aria-label": "Connections"}
        empty_text = (
            "A connection is an account at GitHub, GitLab or Bitbucket that repositories are read and pushed with, so "
            "that nobody has to enter a token for each."
        )

    def __init__(self, *args: Any, viewer: Membership, csrf_token: str, **kwargs: Any) -> None:
        self.viewer, self.csrf_token = viewer, csrf_token
        self.facts: dict[object, Row] = {}
        self.empty_url = reverse("forges:connection_add", args=[viewer.organization.slug])
        super().__init__(*args, **kwargs)

    def load(self) -> ConnectionsTable:
        self.facts = rows([row.record for row in self.paginated_rows], self.viewer)
        return self

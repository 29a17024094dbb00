"""The tables of clients that were let in."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.urls import reverse

from endpoint.models import Grant
from endpoint.oauth import clients
from orgs.models import Organization

_TIME = "{{% include 'components/_time.html' with value=record.{0} fallback=\"{1}\" only %}}"
_LEAD = {"cell": {"class": "cell-lead"}}


def _trust(record: Grant) -> dict[str, Any]:
    """What stands for the client's name: the host of its document, or nobody."""
    kind = clients.kind_of(record.client)
    return {"client_host": clients.host_of(record.client), "registered_itself": kind == clients.REGISTERED}


class GrantsTable(tables.Table):  # type: ignore[misc]  # publishes no types
    client = tables.TemplateColumn(
        template_name="endpoint/oauth/_client_cell.html",
        order_by="client__name",
        attrs=_LEAD,
        extra_context=_trust,
    )
    person = tables.Column(accessor="user", order_by="user__email")
    target = tables.TemplateColumn(
        template_name="endpoint/oauth/_target_cell.html",
        verbose_name="Server or toolkit",
        order_by=("server__name", "toolkit__name"),
    )
    organization = tables.Column(verbose_name="Organisation", order_by="organization__name")
    may_call = tables.Column(verbose_name="May")
    allowed_at = tables.TemplateColumn(_TIME.format("allowed_at", "never"), verbose_name="Allowed")
    last_used_at = tables.TemplateColumn(_TIME.format("last_used_at", "not yet"), verbose_name="Last used")
    actions = tables.TemplateColumn(
        template_name="endpoint/oauth/_grant_actions.html",
        verbose_name="",
        orderable=False,
        attrs={"cell": {"class": "actions"}},
        extra_context=lambda record, table: {"revoke_url": table.url(record)},
    )

    noun = "clients"
    empty_title = "No connected clients"

    class Meta:
        order_by = ("-allowed_at",)
        attrs = {"aria-label": "Connected clients"}
        empty_text = (
            "When an editor or agent asks to use a private server, and it is allowed to in the browser, it is here. "
            "The Connect tab of a server says how."
        )

    def __init__(self, *args: Any, revoke: str, org: Organization | None = None, **kwargs: Any) -> None:
        self._revoke = revoke
        self._org = org
        super().__init__(*args, **kwargs)

    def url(self, grant: Grant) -> str:
        place = {"org": self._org.slug} if self._org else {}
        return reverse(self._revoke, kwargs={**place, "pk": grant.pk})

    def render_may_call(self, value: bool) -> str:
        return "search, read and call tools" if value else "search and read"

"""The tables of members, invitations and the audit log."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.db.models import Case, IntegerField, QuerySet, Value, When

from orgs.members import RANK, may_touch
from orgs.models import AuditEvent, Membership

_ACTIONS = {"cell": {"class": "actions"}}
_LEAD = {"cell": {"class": "cell-lead"}}


class MembersTable(tables.Table):  # type: ignore[misc]  # publishes no types
    person = tables.TemplateColumn(template_name="orgs/_member_cell.html", order_by="user__email", attrs=_LEAD)
    role = tables.Column()
    entitlements = tables.TemplateColumn(template_name="orgs/_member_entitlements.html", orderable=False)
    joined_at = tables.TemplateColumn(
        "{% include 'components/_time.html' with value=record.joined_at only %}", verbose_name="Joined"
    )
    actions = tables.TemplateColumn(
        template_name="orgs/_member_actions.html",
        verbose_name="",
        orderable=False,
        attrs=_ACTIONS,
        extra_context=lambda record, table: {"manageable": may_touch(table.viewer, record)},
    )

    noun = "members"

    class Meta:
        order_by = ("person",)
        attrs = {"aria-label": "Members"}

    def __init__(self, *args: Any, viewer: Membership, **kwargs: Any) -> None:
        self.viewer = viewer
        super().__init__(*args, **kwargs)

    def order_role(self, rows: QuerySet[Membership], descending: bool) -> tuple[QuerySet[Membership], bool]:
        rank = Case(
            *(When(role=role, then=Value(number)) for role, number in RANK.items()), output_field=IntegerField()
        )
        return rows.annotate(rank=rank).order_by("-rank" if descending else "rank", "user__email"), True

    def render_role(self, record: Membership) -> str:
        return record.get_role_display()


class InvitationsTable(tables.Table):  # type: ignore[misc]
    role = tables.Column(attrs=_LEAD, orderable=False)
    email = tables.Column(verbose_name="For", default="anybody with the link", orderable=False)
    status = tables.TemplateColumn(template_name="orgs/_invitation_status.html", orderable=False)
    created_by = tables.Column(verbose_name="Made by", default="a deleted account", orderable=False)
    created_at = tables.TemplateColumn(
        "{% include 'components/_time.html' with value=record.created_at only %}", verbose_name="Made"
    )
    expires_at = tables.TemplateColumn(
        "{% include 'components/_time.html' with value=record.expires_at only %}", verbose_name="Expires"
    )
    actions = tables.TemplateColumn(
        template_name="orgs/_invitation_actions.html", verbose_name="", orderable=False, attrs=_ACTIONS
    )

    noun = "invitations"

    class Meta:
        order_by = ("-created_at",)
        empty_text = "Links that you make are listed here, with who used them."
        attrs = {"aria-label": "Invitations"}

    empty_title = "No invitations yet"

    def __init__(self, *args: Any, viewer: Membership, **kwargs: Any) -> None:
        self.viewer = viewer
        super().__init__(*args, **kwargs)


class AuditTable(tables.Table):  # type: ignore[misc]
    at = tables.TemplateColumn(
        "<time datetime=\"{{ record.at|date:'c' }}\" title=\"{{ record.at|date:'j F Y, H:i:s T' }}\">"
        "{{ record.at|date:'j M Y, H:i:s' }}</time>",
        verbose_name="When",
        attrs={"cell": {"class": "shrink"}},
    )
    actor_label = tables.Column(verbose_name="Who", orderable=False)
    action = tables.TemplateColumn(
        '<span class="cell-title" title="{{ record.action }}">{{ record.words }}</span>', orderable=False, attrs=_LEAD
    )
    target_label = tables.TemplateColumn(template_name="orgs/_audit_target.html", verbose_name="What", orderable=False)
    changes = tables.TemplateColumn(template_name="orgs/_audit_changes.html", orderable=False)
    address = tables.Column(verbose_name="From", default="", orderable=False)

    noun = "events"
    empty_title = "No events"

    class Meta:
        order_by = ("-at",)
        empty_text = "Nothing happened that fits these filters."
        attrs = {"aria-label": "Events"}

    def order_at(self, rows: QuerySet[AuditEvent], descending: bool) -> tuple[QuerySet[AuditEvent], bool]:
        return rows.order_by(*(("-at", "-id") if descending else ("at", "id"))), True

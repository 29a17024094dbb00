"""The organisation's API keys, as its page lists them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.utils import timezone

from endpoint.keys import RELATIONS
from endpoint.models import ApiKey
from orgs.models import Membership

KEPT_DAYS = 90
"""So long are keys listed that can be used no more."""
_ACTIONS = {"cell": {"class": "actions"}}
_LEAD = {"cell": {"class": "cell-lead"}}


def listed(membership: Membership) -> QuerySet[ApiKey]:
    """Those of the organisation, but for those that ended long ago."""
    long_ago = timezone.now() - timedelta(days=KEPT_DAYS)
    ended = Q(revoked_at__lt=long_ago) | Q(expires_at__lt=long_ago)
    return ApiKey.objects.for_org(membership.organization).exclude(ended).select_related("created_by")


@dataclass
class Facts:
    """What a row shows beside the key's own fields."""

    names: list[str] = field(default_factory=list)
    personal: int = 0
    """Personal things of others that it names."""
    maker_left: bool = False


def facts_of(keys: list[ApiKey], viewer: Membership) -> dict[UUID, Facts]:
    """By primary key, in three queries."""
    found: dict[UUID, Facts] = defaultdict(Facts)
    for name, model in RELATIONS.items():
        rows = model._default_manager.filter(api_keys__in=keys).order_by("name")
        for label, owner, key in rows.values_list("name", "owner", "api_keys"):
            if owner in (None, viewer.user_id):
                found[key].names.append(label if name == "servers" else f"{label} (toolkit)")
            else:
                found[key].personal += 1
    makers = {key.created_by_id for key in keys if key.created_by_id}
    here = set(
        Membership.objects.filter(
            organization=viewer.organization_id, user__in=makers, user__is_active=True
        ).values_list("user", flat=True)
    )
    for key in keys:
        found[key.pk].maker_left = key.created_by_id not in here
    return found


class _Cell(tables.TemplateColumn):  # type: ignore[misc]  # publishes no types
    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(
            template_name=f"endpoint/keys/_{name}.html",
            extra_context=lambda record, table: {"facts": table.facts[record.pk], "org": table.org},
            **options,
        )


class KeysTable(tables.Table):  # type: ignore[misc]
    name = _Cell("name", order_by="name", attrs=_LEAD)
    reaches = _Cell("reaches", empty_values=(), orderable=False)
    permissions = tables.TemplateColumn(
        "{% if record.may_call %}reads, calls tools{% else %}reads{% endif %}"
        "{% if record.rate_per_minute %}"
        '<span class="cell-detail">{{ record.rate_per_minute }} a minute</span>{% endif %}',
        verbose_name="May do",
        empty_values=(),
        orderable=False,
    )
    status = _Cell("status", empty_values=(), orderable=False)
    last_used_at = tables.TemplateColumn(
        "{% if value %}{% include 'components/_time.html' with value=value only %}"
        '{% else %}<span class="muted">never</span>{% endif %}',
        verbose_name="Last used",
        empty_values=(),
    )
    created_at = _Cell("made", verbose_name="Made")
    actions = _Cell("actions", verbose_name="", empty_values=(), orderable=False, attrs=_ACTIONS)

    region_id = "keys"
    noun = "keys"
    empty_title = "No API keys yet"

    class Meta:
        order_by = ("-created_at",)
        attrs = {"aria-label": "API keys"}
        empty_text = (
            "Clients that cannot sign in by themselves, such as scripts and services, carry a key to reach what is "
            "private. Make one for each, so that it can be revoked alone."
        )

    def __init__(self, *args: Any, viewer: Membership, **kwargs: Any) -> None:
        self.viewer, self.org = viewer, viewer.organization.slug
        self.facts: dict[UUID, Facts] = {}
        super().__init__(*args, **kwargs)

    def load(self) -> KeysTable:
        """What the rows of the page show; once it is known which they are."""
        self.facts = facts_of([row.record for row in self.paginated_rows], self.viewer)
        return self

"""What the audit log can be narrowed to."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from orgs.models import AuditEvent

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]  # publishes no types
    """Days begin at midnight in the person's zone, and `until` includes its day."""

    actor = django_filters.CharFilter(
        label="Who", field_name="actor_label", lookup_expr="icontains", widget=forms.TextInput(attrs={"type": "search"})
    )
    action = django_filters.ChoiceFilter(label="Action", empty_label="All actions")
    target = django_filters.CharFilter(
        label="What", method="filter_target", widget=forms.TextInput(attrs={"type": "search"})
    )
    since = django_filters.DateFilter(label="From", method="filter_since", widget=_DAY)
    until = django_filters.DateFilter(label="To", method="filter_until", widget=_DAY)

    class Meta:
        model = AuditEvent
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        actions = self.queryset.order_by("action").values_list("action", flat=True).distinct()
        self.filters["action"].extra["choices"] = [(name, AuditEvent(action=name).words) for name in actions]

    def filter_target(self, events: QuerySet[AuditEvent], _name: str, text: str) -> QuerySet[AuditEvent]:
        return events.filter(Q(target_label__icontains=text) | Q(target_id=text) | Q(scope=text))

    def filter_since(self, events: QuerySet[AuditEvent], _name: str, day: date) -> QuerySet[AuditEvent]:
        return events.filter(at__gte=_midnight(day))

    def filter_until(self, events: QuerySet[AuditEvent], _name: str, day: date) -> QuerySet[AuditEvent]:
        return events.filter(at__lt=_midnight(day + timedelta(days=1)))

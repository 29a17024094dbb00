"""What the list of Runs can be narrowed to."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms

from jobs import registry
from jobs.models import Run, Status, Trigger


class RunFilter(django_filters.FilterSet):  # type: ignore[misc]  # publishes no types
    """`scope` has no field to fill in: other pages link with it, to the Runs of one server for example."""

    subject = django_filters.CharFilter(
        label="About",
        field_name="subject_label",
        lookup_expr="icontains",
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    status = django_filters.ChoiceFilter(label="Status", choices=Status.choices, empty_label="Any status")
    kind = django_filters.ChoiceFilter(label="Kind", empty_label="Any kind")
    trigger = django_filters.ChoiceFilter(label="Trigger", choices=Trigger.choices, empty_label="Any trigger")
    scope = django_filters.CharFilter(widget=forms.HiddenInput)

    class Meta:
        model = Run
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["kind"].extra["choices"] = [(kind.name, kind.label) for kind in registry.kinds()]

"""What every page of the Django admin shares: each change is in the audit log, and no secret is shown.

class ServerAdmin(AuditedAdmin):
    list_display = ["name", "organization"]

class PageAdmin(ReadOnlyAdmin):  # history: looked at, never changed
    organization_path = "server__organization"
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import ModelAdmin
from django.db import transaction
from django.db.models import BinaryField, Field, Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest

from orgs import audit
from orgs.models import Organization, User

if TYPE_CHECKING:
    AnyModelAdmin = ModelAdmin[Any]
else:
    AnyModelAdmin = ModelAdmin

_SNAPSHOT = "_audited_before"
Action = Callable[[Any, HttpRequest, QuerySet[Any]], Any]


def is_secret(field: Field[Any, Any]) -> bool:
    """Whether a field's value is never shown: bytes, and every field whose name speaks of a secret."""
    return isinstance(field, BinaryField) or audit.names_a_secret(field.name)


def snapshot(obj: Model, secret: Collection[str] = ()) -> dict[str, Any]:
    """The row's values by field name, for the log: secrets masked, long texts cut, related rows by their key.

    `secret` names the fields that are secret although their names do not say so.
    """
    values: dict[str, Any] = {}
    for field in obj._meta.concrete_fields:
        value = field.value_from_object(obj)
        if is_secret(field) or field.name in secret:
            values[field.name] = audit.MASK if value not in (None, "", b"", {}, []) else ""
        else:
            values[field.name] = value
    for related in obj._meta.many_to_many:
        values[related.name] = sorted(str(one) for one in related.value_from_object(obj)) if obj.pk else []
    return audit.masked(values)


class AuditedAdmin(AnyModelAdmin):
    """A ModelAdmin whose every addition, change, deletion and action is one event of the audit log.

    The event is named `<model>.created_by_support` (`changed`, `deleted`, or the action's name) and is written in the
    transaction of the change. Fields that hold secrets have no input and no column, whatever a subclass lists.
    """

    organization_path = "organization"
    """The way from a row to its organisation (`server__organization`); "" for rows that belong to none."""

    secret_fields: Sequence[str] = ()
    """Fields that hold secrets although their names do not say so."""

    show_full_result_count = False  # counting a million rows for a caption is slow

    def organization_of(self, obj: Model) -> Organization | None:
        """Whose audit log shows what is done to this row."""
        if isinstance(obj, Organization):
            return obj
        found: Any = obj
        for name in filter(None, self.organization_path.split("__")):
            found = getattr(found, name, None)
        return found if isinstance(found, Organization) else None

    def record(
        self,
        request: HttpRequest,
        verb: str,
        obj: Model,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """Write one event about this row. An organisation takes its log with it: its own deletion is kept apart."""
        deleted = isinstance(obj, Organization) and verb == "deleted"
        audit.record(
            f"{obj._meta.model_name}.{verb}_by_support"[:64],
            organization=None if deleted else self.organization_of(obj),
            actor=cast("User", request.user),
            target=obj,
            before=before,
            after=after,
            request=request,
        )

    # ------------------------------------------------------------------------------------ no secrets

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*(super().get_exclude(request, obj) or ()), *self._hidden()]

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._without_secrets(super().get_list_display(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self._without_secrets(super().get_readonly_fields(request, obj))

    def get_search_fields(self, request: HttpRequest) -> Any:
        return self._without_secrets(super().get_search_fields(request))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Not for secrets: whoever filters by how a value begins can guess it letter by letter."""
        field, _, asked = lookup.partition(LOOKUP_SEP)
        if field in self._hidden() and asked not in ("isempty", "isnull"):
            return False
        return super().lookup_allowed(lookup, value, request)

    def _hidden(self) -> set[str]:
        return {field.name for field in self.opts.concrete_fields if is_secret(field)} | set(self.secret_fields)

    def _without_secrets(self, names: Iterable[Any]) -> list[Any]:
        hidden = self._hidden()
        return [name for name in names if not (isinstance(name, str) and name.lstrip("^=@").split("__")[0] in hidden)]

    # ------------------------------------------------------------------------------------ changes

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        stored = type(obj)._base_manager.filter(pk=obj.pk).first() if change else None
        setattr(obj, _SNAPSHOT, self._snapshot(stored) if stored else None)
        super().save_model(request, obj, form, change)

    def save_related(
        self, request: HttpRequest, form: ModelForm[Any], formsets: Iterable[BaseModelFormSet[Any, Any]], change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        self._record_difference(request, form.instance)

    def save_formset(
        self, request: HttpRequest, form: ModelForm[Any], formset: BaseModelFormSet[Any, Any], change: bool
    ) -> None:
        """Rows edited inside another row's page are events of their own."""
        kept = {
            row.pk: snapshot(row) for row in formset.get_queryset().model._base_manager.filter(pk__in=_keys(formset))
        }
        super().save_formset(request, form, formset, change)
        for row in formset.new_objects:
            self.record(request, "created", row, after=snapshot(row))
        for row, _fields in formset.changed_objects:
            setattr(row, _SNAPSHOT, kept.get(row.pk))
            self._record_difference(request, row)
        for row in formset.deleted_objects:
            self.record(request, "deleted", row, before=kept.get(row.pk))

    def _snapshot(self, obj: Model) -> dict[str, Any]:
        return snapshot(obj, self.secret_fields if isinstance(obj, self.model) else ())

    def _record_difference(self, request: HttpRequest, obj: Model) -> None:
        before: dict[str, Any] | None = obj.__dict__.pop(_SNAPSHOT, None)
        after = self._snapshot(obj)
        if before is None:
            self.record(request, "created", obj, after=after)
            return
        changed = [name for name in after if before.get(name) != after[name]]
        self.record(
            request,
            "changed",
            obj,
            before={name: before.get(name) for name in changed},
            after={name: after[name] for name in changed},
        )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            self.record(request, "deleted", obj, before=self._snapshot(obj))
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                self.record(request, "deleted", obj, before=self._snapshot(obj))
            super().delete_queryset(request, queryset)

    # ------------------------------------------------------------------------------------ actions

    def get_actions(self, request: HttpRequest) -> Any:
        # Deleting asks first and ends in `delete_queryset`, which writes the events.
        return {
            name: (function if name == "delete_selected" else self._audited(name, function), label, description)
            for name, (function, label, description) in cast(
                "dict[str, tuple[Any, str, str]]", super().get_actions(request)
            ).items()
        }

    def _audited(self, name: str, function: Action) -> Action:
        @wraps(function)
        def run(admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
            # Written before the action: it may call out to the network, which no transaction waits for.
            with transaction.atomic():
                for obj in queryset:
                    self.record(request, name, obj)
            return function(admin, request, queryset)

        return run


class ReadOnlyAdmin(AuditedAdmin):
    """For history: it can be searched and looked at, but not added to, changed or deleted."""

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        return False


def _keys(formset: BaseModelFormSet[Any, Any]) -> Sequence[Any]:
    return [form.instance.pk for form in formset.forms if form.instance.pk]

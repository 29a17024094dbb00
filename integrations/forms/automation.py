"""How an integration refreshes by itself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from catalog.views.page import permission
from forges import fields, hooks
from forges.forms import option
from integrations import timing
from integrations.automation import Automation, automation_of
from integrations.models import AfterRefresh, Integration, Schedule
from orgs.forms import time_zone_choices
from orgs.models import Membership

PRUNE, KEEP = "prune", "keep"
NOTHING = "nothing"
_NO_WEBHOOKS = "Plain git has no webhooks: let it refresh by the clock."


class AutomationForm(fields.ServiceForm):
    """What somebody has no right to choose is disabled, and stays as it is when it is not sent."""

    on_push = forms.BooleanField(
        label="Refresh on push",
        required=False,
        help_text="A webhook tells of pushes; in case it fails, the repository is looked at now and then, too.",
    )
    schedule = forms.ChoiceField(
        label="By the clock", choices=[(value or NOTHING, label) for value, label in Schedule.choices]
    )
    cron = fields.conditional(
        fields.text(
            "Cron expression",
            "0 6 * * 1-5",
            required=False,
            max_length=100,
            help_text="Minute, hour, day of the month, month, day of the week.",
            attrs={"class": "mono"},
        )
    )
    time_zone = forms.ChoiceField(help_text="Of the cron expression.")
    prune = fields.conditional(forms.ChoiceField(label="Files that vanished in git", required=False))
    after_refresh = fields.conditional(
        forms.ChoiceField(label="After a refresh that changed something", required=False)
    )

    def __init__(self, data: Any = None, *, integration: Integration, membership: Membership) -> None:
        self.stored = automation_of(integration)
        zone = self.stored.time_zone or integration.server.organization.time_zone
        initial = {
            "on_push": self.stored.on_push,
            "schedule": self.stored.schedule or NOTHING,
            "cron": self.stored.cron,
            "time_zone": zone,
            "prune": PRUNE if self.stored.prune else KEEP,
            "after_refresh": self.stored.after_refresh or NOTHING,
        }
        super().__init__(data, initial=initial)
        self.may_delete = permission(membership, "contents.can_delete")
        self.may_publish = permission(membership, "versions.publish")
        if not hooks.possible(integration.forge):
            self.fields["on_push"].disabled = True
            self.fields["on_push"].initial = self.initial["on_push"] = False
            self.fields["on_push"].help_text = _NO_WEBHOOKS
        self._choices("time_zone", time_zone_choices(current=zone))
        self._choices("prune", self._prunings(), {} if self.may_delete else {PRUNE: self.may_delete.reason})
        cuts = (AfterRefresh.CUT, AfterRefresh.ACTIVATE)
        disabled = {} if self.may_publish else dict.fromkeys(cuts, self.may_publish.reason)
        self._choices("after_refresh", self._cuts(), disabled)

    def _choices(self, name: str, choices: list[Any], disabled: dict[Any, str] | None = None) -> None:
        field: Any = self.fields[name]
        if disabled is not None:
            field.widget = fields.Options(attrs={"class": "radio-list"}, disabled=disabled)
        field.choices = choices

    def _prunings(self) -> list[Any]:
        reason = "" if self.may_delete else f" {self.may_delete.reason}"
        return [
            option(KEEP, "Keep them", "They stay, and are marked stale."),
            option(PRUNE, "Prune them", f"They are removed here; large removals wait for a confirmation.{reason}"),
        ]

    def _cuts(self) -> list[Any]:
        reason = "" if self.may_publish else self.may_publish.reason
        return [
            option(NOTHING, AfterRefresh.NOTHING.label, "Somebody cuts one when it is time."),
            option(AfterRefresh.CUT, AfterRefresh.CUT.label, reason or "It is served once somebody activates it."),
            option(AfterRefresh.ACTIVATE, AfterRefresh.ACTIVATE.label, reason or "Clients get each change by itself."),
        ]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("schedule") == Schedule.CRON and "time_zone" in values and "cron" in values:
            try:
                timing.check_cron(values.get("cron", ""), values["time_zone"], now=timezone.now())
            except timing.BadCron as error:
                self.add_error("cron", str(error))
        return values

    def chosen_schedule(self) -> tuple[str, str, str]:
        """Schedule, cron expression and time zone of a valid form, as an integration keeps them."""
        values = self.cleaned_data
        schedule = _plain(values["schedule"])
        return schedule, values["cron"] if schedule == Schedule.CRON else "", values["time_zone"]

    def chosen(self) -> Automation:
        """What is on a valid form. Who may choose that, `integrations.automation.configure` knows."""
        values, stored = self.cleaned_data, self.stored
        schedule, cron, zone = self.chosen_schedule()
        prune = values["prune"] == PRUNE if values["prune"] else stored.prune
        after = _plain(values["after_refresh"]) if values["after_refresh"] else stored.after_refresh
        return Automation(
            on_push=values["on_push"],
            schedule=schedule,
            cron=cron,
            time_zone=zone,
            prune=prune,
            after_refresh=after,
        )


def _plain(value: str) -> str:
    return "" if value == NOTHING else value

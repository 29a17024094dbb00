"""Long work: a Run is the truth about one piece of it, whatever the queue beneath believes."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone

from jobs import registry
from orgs.models import Membership, Organization


class Status(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    HELD = "held", "Needs confirmation"
    SUCCEEDED = "succeeded", "Succeeded"
    PARTIAL = "partial", "Partial"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE = (Status.QUEUED, Status.RUNNING)
LIVE = (Status.QUEUED, Status.RUNNING, Status.WAITING)
FINISHED = (Status.SUCCEEDED, Status.PARTIAL, Status.FAILED, Status.CANCELLED)


class Trigger(models.TextChoices):
    MANUAL = "manual", "Manual"
    CONNECT = "connect", "Connect"
    WEBHOOK = "webhook", "Webhook"
    SCHEDULE = "schedule", "Schedule"
    SAVE = "save", "Save"


class RunQuerySet(models.QuerySet["Run"]):
    def for_org(self, organization: Organization) -> RunQuerySet:
        return self.filter(organization=organization)

    def visible_to(self, membership: Membership) -> RunQuerySet:
        """The organisation's, but for those about personal things of others."""
        mine = models.Q(private_to=None) | models.Q(private_to=membership.user_id)
        return self.filter(mine, organization=membership.organization_id)

    def about(self, subject: models.Model) -> RunQuerySet:
        """The Runs of one subject, newest first."""
        return self.filter(
            subject_type=ContentType.objects.get_for_model(subject), subject_id=str(subject.pk)
        ).order_by("-created_at")


class Run(models.Model):
    """One piece of long work on one subject.

    At most one running Run for a subject, and one queued for the same subject, kind and options: the database keeps
    it. A running Run is owned through a lease: whose `lease_until` has passed, a worker was killed, and the sweeper
    takes it up again. `lease` is the owner's token; every write of the owner is conditional on it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=64)
    subject_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    subject_id = models.CharField(max_length=64)
    subject = GenericForeignKey("subject_type", "subject_id")
    subject_label = models.CharField(max_length=254, blank=True)
    scope = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="Id of the larger thing it belongs to, such as the server."
    )
    private_to = models.UUIDField(
        null=True, editable=False, help_text="Id of the member whose personal thing it is about: nobody else sees it."
    )
    options: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    options_key = models.CharField(max_length=64, editable=False, help_text="Digest of the options.")
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.MANUAL)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    joined_by: models.JSONField[list[str]] = models.JSONField(default=list, blank=True, editable=False)
    """Ids of the people who asked for the same while it was queued; it runs as long as one of them still may."""
    unattended = models.BooleanField(
        default=False, editable=False, help_text="Millrace itself asked for it: a webhook or a schedule."
    )
    joined_to = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="The run that does it."
    )

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    stage = models.CharField(max_length=80, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    counts: models.JSONField[dict[str, int]] = models.JSONField(default=dict, blank=True)
    result: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    """What the kind wants remembered: requests spent, rate limit left, warnings, a plan that is held."""
    error_code = models.CharField(max_length=40, blank=True)
    error_text = models.TextField(blank=True, help_text="What happened and what to do, for a person.")

    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often it was started.")
    lost_leases = models.PositiveSmallIntegerField(default=0, help_text="How often its worker vanished meanwhile.")
    lease = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    wait_until = models.DateTimeField(null=True, blank=True)
    waiting_for = models.CharField(max_length=254, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    enqueued_at = models.DateTimeField(null=True, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id"], condition=models.Q(status="running"), name="one_running_run"
            ),
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "kind", "options_key"],
                condition=models.Q(status="queued"),
                name="one_queued_run_per_options",
            ),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="run_status_known"),
        ]
        indexes = [
            models.Index(fields=["finished_at"], condition=models.Q(finished_at__isnull=False), name="run_by_end"),
            models.Index(fields=["organization", "-created_at"], name="run_by_organization"),
            models.Index(fields=["subject_type", "subject_id", "-created_at"], name="run_by_subject"),
            models.Index(
                fields=["status", "created_at"],
                condition=models.Q(status__in=["queued", "running", "waiting"]),
                name="run_live",
            ),
        ]

    def __str__(self) -> str:
        return f"{registry.label_of(self.kind)}: {self.subject_label}"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def duration(self) -> timedelta | None:
        """From the start to the end, or until now while it runs; None for one that does neither.

        The time that it was held or waited does not count: it starts anew when it goes on.
        """
        if self.started_at is None or not (self.finished_at or self.status == Status.RUNNING):
            return None
        return max((self.finished_at or timezone.now()) - self.started_at, timedelta())


class LogLine(models.Model):
    class Level(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="log_lines")
    at = models.DateTimeField(default=timezone.now)
    level = models.CharField(max_length=7, choices=Level.choices, default=Level.INFO)
    text = models.TextField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text


class Heartbeat(models.Model):
    """Written by what runs in the background; a stale one means that nothing is being worked on."""

    name = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField()
    detail = models.CharField(max_length=254, blank=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"

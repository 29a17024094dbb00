"""What was asked of the endpoint: each request for some weeks, and sums by the hour for a year.

Rows of the log and the sums are written a moment after the request, when what they are about may be gone: their
foreign keys are no constraints of the database. What is left over goes with time.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from catalog.models import Server, Toolkit
from endpoint.models.keys import ApiKey
from orgs.models import Organization

NOBODY = uuid.UUID(int=0)
"""The target of requests for what does not exist."""


def _loose(to: type[models.Model], **options: Any) -> Any:
    return models.ForeignKey(to, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False, **options)


class RequestLogQuerySet(models.QuerySet["RequestLog"]):
    def for_org(self, organization: Organization) -> RequestLogQuerySet:
        return self.filter(organization=organization)


class RequestLog(models.Model):
    """One request. Kept for `MCP_LOG_DAYS`."""

    class Outcome(models.TextChoices):
        OK = "ok", "OK"
        TOOL_ERROR = "tool_error", "Tool error"
        ERROR = "error", "Error"
        REFUSED = "refused", "Refused"
        LIMITED = "limited", "Over the limit"

    id = models.BigAutoField(primary_key=True)
    organization = _loose(Organization, db_index=False)
    server = _loose(Server, db_index=False)
    toolkit = _loose(Toolkit, db_index=False)
    version = models.PositiveIntegerField(null=True, help_text="Number of the version; empty for the live content.")
    at = models.DateTimeField(default=timezone.now)
    caller = models.CharField(max_length=254, blank=True, help_text="Name of the key or person.")
    key = models.ForeignKey(
        ApiKey, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False, db_index=False
    )
    client = models.CharField(max_length=120, blank=True, help_text="What the client says that it is.")
    method = models.CharField(max_length=80, blank=True)
    subject = models.CharField(max_length=500, blank=True, help_text="The tool, prompt or resource.")
    arguments = models.TextField(blank=True, help_text="JSON, cut; only where the server says so.")
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.OK)
    code = models.CharField(max_length=40, blank=True)
    milliseconds = models.FloatField(default=0)
    bytes_in = models.PositiveIntegerField(default=0)
    bytes_out = models.PositiveIntegerField(default=0)

    objects: ClassVar[Any] = RequestLogQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "request"
        indexes = [
            models.Index(fields=["at"], name="request_by_time"),
            models.Index(fields=["organization", "at", "id"], name="request_of_organization"),
            models.Index(
                fields=["server", "at", "id"], condition=models.Q(server__isnull=False), name="request_of_server"
            ),
            models.Index(
                fields=["toolkit", "at", "id"], condition=models.Q(toolkit__isnull=False), name="request_of_toolkit"
            ),
            models.Index(fields=["key", "at", "id"], condition=models.Q(key__isnull=False), name="request_of_key"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.subject}".strip()


class _Sum(models.Model):
    """Something counted in one hour of one target."""

    id = models.BigAutoField(primary_key=True)
    organization = _loose(Organization, db_index=False)
    server = _loose(Server)
    toolkit = _loose(Toolkit)
    target = models.UUIDField(default=NOBODY, help_text="Id of the server or toolkit; nil for what does not exist.")
    hour = models.DateTimeField(help_text="Its beginning, UTC.")

    class Meta:
        abstract = True


class Hour(_Sum):
    """Requests of one sort."""

    method = models.CharField(max_length=80)
    tool = models.CharField(max_length=128, blank=True, help_text="Of tools/call, where there is such a tool.")
    calls = models.PositiveIntegerField(default=0, help_text="All, however they ended.")
    tool_errors = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    limited = models.PositiveIntegerField(default=0)
    milliseconds = models.FloatField(default=0, help_text="Sum, of those that were answered.")
    bytes_in = models.PositiveBigIntegerField(default=0)
    bytes_out = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = "hour of requests"
        verbose_name_plural = "hours of requests"
        constraints = [models.UniqueConstraint(fields=["target", "hour", "method", "tool"], name="hour_once")]
        indexes = [
            models.Index(fields=["hour"], name="hour_by_time"),
            models.Index(fields=["organization", "hour"], name="hour_of_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.method} {self.tool}".strip()


class LatencyHour(_Sum):
    """Requests that were answered within the bounds of one bucket (`endpoint.recording.buckets`)."""

    bucket = models.PositiveSmallIntegerField()
    calls = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "latency in an hour"
        verbose_name_plural = "latencies in an hour"
        constraints = [models.UniqueConstraint(fields=["target", "hour", "bucket"], name="latency_once")]
        indexes = [
            models.Index(fields=["hour"], name="latency_by_time"),
            models.Index(fields=["organization", "hour"], name="latency_of_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h bucket {self.bucket}"


class QueryHour(_Sum):
    """What was searched for, without who asked."""

    query = models.CharField(max_length=200, blank=True, help_text="Folded, and cut; empty for all others together.")
    times = models.PositiveIntegerField(default=0)
    empty = models.PositiveIntegerField(default=0, help_text="Of these, how often nothing was found.")

    class Meta:
        verbose_name = "query in an hour"
        verbose_name_plural = "queries in an hour"
        constraints = [models.UniqueConstraint(fields=["target", "hour", "query"], name="query_hour_once")]
        indexes = [
            models.Index(fields=["hour"], name="query_by_time"),
            models.Index(fields=["organization", "hour"], name="query_of_organization"),
        ]

    def __str__(self) -> str:
        return self.query

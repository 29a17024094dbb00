"""Git to content: which repository's files become which server's content."""

from __future__ import annotations

import hashlib
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from catalog.models import Blob, Content, Server
from forges.models import Connection
from forges.reading import PathFilter
from jobs.models import Run
from lib.crypto import Secret


def source_key(*, forge: str, base_url: str, repository_id: str, branch: str, mount_path: str) -> str:
    """The identity of what a Track brings, 64 hex digits: it outlives the integration, so that connecting the same
    repository again adopts its rows."""
    parts = "\0".join((forge, base_url, repository_id, branch, mount_path))
    return hashlib.sha256(parts.encode()).hexdigest()


class Schedule(models.TextChoices):
    """How often an integration refreshes by the clock; the values of the fixed ones are minutes."""

    NEVER = "", "Not by the clock"
    QUARTER = "15", "Every 15 minutes"
    HALF = "30", "Every 30 minutes"
    HOURLY = "60", "Every hour"
    SIX_HOURS = "360", "Every 6 hours"
    DAILY = "1440", "Every day"
    WEEKLY = "10080", "Every week"
    CRON = "cron", "At times of a cron expression"


class AfterRefresh(models.TextChoices):
    """What becomes of the server's versions once a refresh changed something."""

    NOTHING = "", "Leave versions alone"
    CUT = "cut", "Cut a version"
    ACTIVATE = "activate", "Cut a version and activate it"


class Integration(models.Model):
    """A repository connected to a server.

    Its credential is a Connection, its own token, or none for a public repository. When its connection went away
    `credential_lost` says why, and it does nothing more until a person gives it another credential or none.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="integrations")
    forge = models.CharField(max_length=20)
    base_url = models.CharField(max_length=255, help_text="The forge's API address, empty for plain git.", blank=True)
    repository_id = models.CharField(max_length=512, help_text="The forge's permanent id, which survives renames.")
    repository = models.CharField(max_length=512, help_text="owner/name, or the URL for plain git.")
    web_url = models.CharField(max_length=1024, blank=True)
    private = models.BooleanField(default=False)
    username = models.CharField(max_length=255, blank=True, help_text="For plain git with a password or token.")
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="integrations"
    )
    credential_lost = models.TextField(blank=True, help_text="Why its connection is gone, for a person.")
    token = Secret()
    token_account = models.CharField(max_length=255, blank=True, help_text="Who the token speaks for.")
    token_expires_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    on_push = models.BooleanField(default=False, help_text="Refresh when a push is told by a webhook, or found.")
    schedule = models.CharField(max_length=5, blank=True, choices=Schedule.choices, default=Schedule.NEVER)
    cron = models.CharField(max_length=100, blank=True, help_text="Five fields, where the schedule is cron.")
    time_zone = models.CharField(max_length=64, blank=True, help_text="Of the schedule.")
    next_refresh_at = models.DateTimeField(null=True, blank=True, help_text="By its schedule.")
    next_poll_at = models.DateTimeField(null=True, blank=True, help_text="When it is looked at although no push came.")
    automatic_prune = models.BooleanField(default=False, help_text="Whether automatic refreshes prune.")
    prune_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who chose that: it is done for as long as they may."""
    after_refresh = models.CharField(max_length=8, blank=True, choices=AfterRefresh.choices, default="")
    publish_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who chose what comes after a refresh, likewise."""
    version_due = models.BooleanField(default=False, help_text="A refresh changed something since a version was cut.")
    notice = models.TextField(blank=True, help_text="What became of the repository at the forge, for a person.")

    class Meta:
        ordering = ["repository"]
        constraints = [
            models.UniqueConstraint(
                fields=["server", "forge", "base_url", "repository_id"], name="repository_connected_once_to_a_server"
            )
        ]
        indexes = [
            models.Index(fields=["forge", "repository_id"], name="integration_by_repository"),
            models.Index(
                fields=["next_refresh_at"],
                condition=models.Q(next_refresh_at__isnull=False),
                name="integration_by_schedule",
            ),
            models.Index(
                fields=["next_poll_at"], condition=models.Q(next_poll_at__isnull=False), name="integration_by_poll"
            ),
        ]

    def __str__(self) -> str:
        return self.short_name

    @property
    def short_name(self) -> str:
        """`owner/name`; of a plain git address what comes after the host, of a folder its name."""
        if self.repository.startswith("file://"):
            return self.repository.rsplit("/", 1)[-1]
        return self.repository.partition("://")[2].partition("/")[2] or self.repository

    @property
    def credential_missing(self) -> bool:
        """A private repository without a credential cannot be read; public and local ones need none."""
        return self.private and self.connection_id is None and not Integration.token.is_set(self)


class Track(models.Model):
    """A branch of an integration, with its filter and the path its files are mounted at."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="tracks")
    branch = models.CharField(max_length=255)
    include = models.TextField(blank=True, help_text="gitignore-style patterns, one a line; empty means every file.")
    exclude = models.TextField(blank=True, help_text="gitignore-style patterns, one a line.")
    mount_path = models.CharField(max_length=255, blank=True, help_text="Folder on the server, without slashes around.")
    source_key = models.CharField(max_length=64, editable=False, db_index=True)

    last_commit = models.CharField(max_length=64, blank=True)
    last_commit_url = models.CharField(max_length=1024, blank=True)
    last_fingerprint = models.CharField(max_length=64, blank=True, help_text="Of the filter and limits last applied.")
    last_complete = models.BooleanField(default=False, help_text="Whether the last run saw and applied everything.")
    files = models.PositiveIntegerField(default=0, help_text="Rows it has on the server, stale ones apart.")
    stale_files = models.PositiveIntegerField(default=0)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    notice = models.TextField(blank=True, help_text="What became of the branch at the forge, for a person.")

    class Meta:
        ordering = ["branch", "mount_path"]
        constraints = [
            models.UniqueConstraint(fields=["integration", "branch", "mount_path"], name="track_unique_on_integration")
        ]

    def __str__(self) -> str:
        return f"{self.integration} ({self.branch})"

    def save(self, *args: object, **kwargs: object) -> None:
        self.source_key = source_key(
            forge=self.integration.forge,
            base_url=self.integration.base_url,
            repository_id=self.integration.repository_id,
            branch=self.branch,
            mount_path=self.mount_path,
        )
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def path_filter(self) -> PathFilter:
        return PathFilter.parse(self.include, self.exclude)

    @property
    def fingerprint(self) -> str:
        """Changes with whatever a person or the operator can change about what is brought."""
        parts = (self.branch, self.path_filter.fingerprint, self.mount_path, str(settings.CONTENT_MAX_FILE_BYTES))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class ImportedFile(models.Model):
    """Which Track brought a Content row, and from which blob.

    Its Track is gone once the integration is deleted; (server, source_key) stays, by which a later Track adopts it.
    A detached one belongs to a person now: refreshes pass it over for as long as its content exists.
    """

    id = models.BigAutoField(primary_key=True)
    content = models.OneToOneField(Content, on_delete=models.CASCADE, related_name="imported_file")
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="+")
    track = models.ForeignKey(Track, null=True, on_delete=models.SET_NULL, related_name="imported_files")
    source_key = models.CharField(max_length=64)
    path = models.CharField(max_length=1024, help_text="In the repository.")
    oid = models.CharField("blob id", max_length=64)
    commit = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    stale_since = models.DateTimeField(null=True, blank=True, help_text="Vanished in git, kept here.")
    detached_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["server", "source_key", "path"], name="imported_path_unique_in_source")
        ]

    def __str__(self) -> str:
        return self.path


class SkippedFile(models.Model):
    """A file of the last complete listing that was not imported, and why."""

    id = models.BigAutoField(primary_key=True)
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="skipped_files")
    path = models.TextField()
    oid = models.CharField("blob id", max_length=64, blank=True)
    reason = models.CharField(max_length=20)
    detail = models.CharField(max_length=254, blank=True)
    blocked = models.BooleanField(default=False, help_text="Other content of the server holds its path.")

    class Meta:
        ordering = ["path"]

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class FileChange(models.Model):
    """What one Run did to one file, with the texts before and after as long as they are kept."""

    class Action(models.TextChoices):
        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        MOVED = "moved", "Moved"
        REMOVED = "removed", "Removed"
        STALE = "stale", "Kept, gone in git"
        REVIVED = "revived", "Back in git"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="file_changes")
    action = models.CharField(max_length=7, choices=Action.choices)
    path = models.CharField(max_length=1024, help_text="On the server.")
    old_path = models.CharField(max_length=1024, blank=True)
    before = models.ForeignKey(Blob, null=True, on_delete=models.SET_NULL, related_name="+")
    after = models.ForeignKey(Blob, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["path"]

    def __str__(self) -> str:
        return f"{self.action} {self.path}"

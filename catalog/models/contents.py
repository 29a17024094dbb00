"""What a server holds: its live content, and the versions cut from it."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from catalog.fields import PathField
from catalog.models.servers import Server


class Blob(models.Model):
    """A text, known by its SHA-256: stored once, whoever uses it. Unused ones are collected later."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveIntegerField(help_text="Bytes of the text in UTF-8.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    stored_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    """When somebody last asked to store this text (within an hour or so): what is unused since long is collected."""
    # The text is the last column: SQLite reads a row from its beginning, through a long text to what comes after it.
    text = models.TextField()

    def __str__(self) -> str:
        return self.sha256[:12]

    @classmethod
    def of(cls, text: str) -> Blob:
        """An unsaved Blob holding `text`."""
        return cls(sha256=cls.digest(text), text=text, size=len(text.encode()))

    @staticmethod
    def digest(text: str) -> str:
        """The `sha256` of the Blob that holds `text`."""
        return hashlib.sha256(text.encode()).hexdigest()


class Origin(models.TextChoices):
    TYPED = "typed", "Typed"
    UPLOADED = "uploaded", "Uploaded"
    IMPORTED = "imported", "Imported"


class Content(models.Model):
    """A file of a server's live content. Imported ones are read-only until they are detached."""

    id = models.BigAutoField(primary_key=True)
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="contents")
    path = PathField(max_length=1024)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.TYPED)
    provenance: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    """Where it came from, written by whoever brought it, so that no list asks a query a row: `repository`, `branch`,
    `commit`, `oid`, `path`, `url`, `commit_url`, `stale_since` (ISO 8601) once its file vanished, and `detached_at`
    once a person made it their own."""
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["path"]
        verbose_name = "file"
        constraints = [models.UniqueConstraint(fields=["server", "path"], name="content_path_unique_on_server")]
        # A search finds texts, and asks where they are.
        indexes = [models.Index(fields=["server", "blob"], name="content_by_blob")]

    def __str__(self) -> str:
        return self.path

    @property
    def is_stale(self) -> bool:
        """Its file vanished from the repository, and the content was kept."""
        return bool(self.provenance.get("stale_since"))


class Version(models.Model):
    """An immutable, numbered snapshot of a server's content."""

    id = models.BigAutoField(primary_key=True)
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    note = models.CharField(max_length=254, blank=True)
    content_revision = models.PositiveBigIntegerField()
    files = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes of all its texts.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["server", "number"], name="version_number_unique_on_server")]

    def __str__(self) -> str:
        return f"v{self.number}"


class VersionFile(models.Model):
    """A path of a Version. Rows are written by one INSERT … SELECT and never changed."""

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="entries")
    path = PathField(max_length=1024)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=8, choices=Origin.choices)
    provenance: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["path"]
        verbose_name = "file of a version"
        verbose_name_plural = "files of versions"
        constraints = [models.UniqueConstraint(fields=["version", "path"], name="version_path_unique")]
        indexes = [models.Index(fields=["version", "blob"], name="version_file_by_blob")]

    def __str__(self) -> str:
        return self.path

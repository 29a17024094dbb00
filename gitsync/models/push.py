"""Configuration to git: which server is pushed to which repository, and what was written there."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from catalog.fields import PathField
from catalog.models import Server
from forges.models import Connection
from gitsync.models.destination import Destination, SavedChange
from orgs.models import Organization


class PushTarget(Destination):
    """The repository that a server's configuration is pushed to.

    It outlives its server (`server` is None then) until the server's files are removed from the repository. Whether it
    is pending, pushing or waiting `gitsync.states` derives from its Runs and from `pushed_revision`.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="push_targets")
    server = models.OneToOneField(Server, null=True, blank=True, on_delete=models.SET_NULL, related_name="push_target")
    server_name = models.CharField(max_length=120, help_text="Also once the server is deleted.")
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="push_targets"
    )
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    directory_follows = models.BooleanField(default=True, help_text="The directory is the server's slug.")
    pushed_revision = models.PositiveIntegerField(
        null=True, blank=True, help_text="The server's config_revision that the repository holds; none yet when empty."
    )
    foreign: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    """Files below its directory that are not ours and in nobody's way: {path: blob id}, the first of them."""
    foreign_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["repository", "branch", "directory"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "forge", "base_url", "repository_id", "branch", "directory"],
                condition=models.Q(server__isnull=False),
                name="directory_pushed_to_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.server_name} to {self.repository}"


class PushedFile(models.Model):
    """A file that we wrote, or were about to write: what lies at another path, or was never ours, is left alone."""

    id = models.BigAutoField(primary_key=True)
    target = models.ForeignKey(PushTarget, on_delete=models.CASCADE, related_name="files")
    path = PathField(max_length=1024, help_text="Repository-relative.")
    oid = models.CharField(max_length=64, blank=True, help_text="The blob id there; empty until the first arrived.")
    intended = models.CharField(max_length=64, blank=True, help_text="The blob id that a push is about to write.")

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["target", "path"], name="pushed_path_unique")]

    def __str__(self) -> str:
        return self.path


class PendingChange(SavedChange):
    """Of a server that is pushed."""

    target = models.ForeignKey(PushTarget, on_delete=models.CASCADE, related_name="changes")

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["target"], condition=models.Q(asked=False), name="change_to_ask_for")]


class AllowedFinding(models.Model):
    """Something that looks like a secret and is none, by a person's word: known by a keyed digest, not by its text."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    where = models.CharField(max_length=1200, help_text="The file and field where it was first allowed.")
    allowed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "digest"], name="finding_allowed_once")]

    def __str__(self) -> str:
        return self.where


class PushSettings(models.Model):
    """What an organisation chose for all its pushes."""

    organization = models.OneToOneField(
        Organization, primary_key=True, on_delete=models.CASCADE, related_name="push_settings"
    )
    message_template = models.TextField(blank=True, help_text="Empty for Millrace's own.")

    class Meta:
        verbose_name_plural = "push settings"

    def __str__(self) -> str:
        return f"Push settings of {self.organization}"

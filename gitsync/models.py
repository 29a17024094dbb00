"""Configuration to git: which server is pushed to which repository, and what was written there."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from catalog.fields import PathField
from catalog.models import Server
from forges.models import Connection
from lib.crypto import Secret
from orgs.models import Organization


class Mode(models.TextChoices):
    COMMIT = "commit", "Commit to the branch"
    PULL_REQUEST = "pull_request", "Open a pull request"


class Problem(models.TextChoices):
    """Why the last push did not arrive; the first four block until a person acts."""

    NONE = "", "None"
    SECRET = "secret", "A secret was found"
    PROTECTED = "protected", "The branch is protected"
    CONFLICT = "conflict", "Files of others are in the way"
    CREDENTIAL = "credential", "Its connection is gone"
    FAILED = "failed", "Failed"


class PushTarget(models.Model):
    """The repository that a server's configuration is pushed to.

    Its credential is a Connection, or its own token for plain git. It outlives its server (`server` is None then)
    until the server's files are removed from the repository. Whether it is pending, pushing or waiting is not kept
    here: `gitsync.states` derives it from its Runs and from `pushed_revision`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="push_targets")
    server = models.OneToOneField(Server, null=True, blank=True, on_delete=models.SET_NULL, related_name="push_target")
    server_name = models.CharField(max_length=120, help_text="Also once the server is deleted.")
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="push_targets"
    )
    credential_lost = models.TextField(blank=True, help_text="Why its connection is gone, for a person.")
    username = models.CharField(max_length=255, blank=True, help_text="For plain git with a password or token.")
    token = Secret()

    forge = models.CharField(max_length=20)
    base_url = models.CharField(max_length=255, blank=True, help_text="The forge's API address, empty for plain git.")
    repository_id = models.CharField(max_length=512, help_text="The forge's permanent id, which survives renames.")
    repository = models.CharField(max_length=512, help_text="owner/name, or the URL for plain git.")
    web_url = models.CharField(max_length=1024, blank=True)
    branch = models.CharField(max_length=255)
    directory = PathField(max_length=512, blank=True, help_text="Where its files go; empty for the repository's root.")
    directory_follows = models.BooleanField(default=True, help_text="The directory is the server's slug.")
    mode = models.CharField(max_length=12, choices=Mode.choices, default=Mode.COMMIT)

    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    revision = models.PositiveIntegerField(default=1, editable=False, help_text="Counts the changes of the assignment.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    pushed_revision = models.PositiveIntegerField(
        null=True, blank=True, help_text="The server's config_revision that the repository holds; none yet when empty."
    )
    last_commit = models.CharField(max_length=64, blank=True, help_text="The head at which it was found or made so.")
    last_commit_url = models.CharField(max_length=1024, blank=True)
    last_pushed_at = models.DateTimeField(null=True, blank=True, help_text="When a commit of ours last arrived.")
    side_branch = models.CharField(max_length=255, blank=True, help_text="Of the open pull request.")
    pull_request = models.CharField(max_length=40, blank=True, help_text="Its number.")
    pull_request_url = models.CharField(max_length=1024, blank=True)

    problem = models.CharField(max_length=10, choices=Problem.choices, blank=True, default=Problem.NONE)
    problem_text = models.TextField(blank=True, help_text="For a person; what to do is in it.")
    problem_details: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    """secret: `findings` [{path, field, line, kind, digest}]; conflict: `files` {path: blob id}."""
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


class PendingChange(models.Model):
    """A save that no push has told of yet: what its commit message is made of."""

    id = models.BigAutoField(primary_key=True)
    target = models.ForeignKey(PushTarget, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(default=timezone.now)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    verb = models.CharField(max_length=10)
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=254)
    former = models.CharField(max_length=254, blank=True)
    asked = models.BooleanField(default=False, help_text="A Run was asked for that tells of it.")

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["target"], condition=models.Q(asked=False), name="change_to_ask_for")]

    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.name}"


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

"""A branch of a repository that is written to, and saves that it lacks: what a server's pushes and an organisation's
mirror share."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from catalog.fields import PathField
from lib.crypto import Secret


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


class Destination(models.Model):
    """Where files go, with what, and how that stands.

    Its credential is a Connection, or its own token for plain git. Whether it is pending, working or waiting is not
    kept here: that is derived from its Runs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
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
    mode = models.CharField(max_length=12, choices=Mode.choices, default=Mode.COMMIT)

    revision = models.PositiveIntegerField(default=1, editable=False, help_text="Counts the changes of the assignment.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

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

    class Meta:
        abstract = True


class SavedChange(models.Model):
    """A save that no Run has told git of yet: what a commit message is made of."""

    id = models.BigAutoField(primary_key=True)
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
        abstract = True

    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.name}"

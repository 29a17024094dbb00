"""Where content comes from: connections to forges, the webhooks that we have there, and what they delivered."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from jobs.models import Run
from lib.crypto import Secret
from orgs.models import Membership, Organization

NAME_LENGTH = 80
"""Of a connection's own name."""


class Method(models.TextChoices):
    OAUTH = "oauth", "OAuth"
    TOKEN = "token", "Access token"
    GITHUB_APP = "github_app", "GitHub App"
    CONSUMER = "consumer", "OAuth consumer"


class ConnectionStatus(models.TextChoices):
    CONNECTED = "connected", "Connected"
    DISCONNECTED = "disconnected", "Disconnected"
    ERROR = "error", "Error"


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def for_org(self, organization: Organization) -> ConnectionQuerySet:
        return self.filter(organization=organization)

    def usable_by(self, membership: Membership) -> ConnectionQuerySet:
        """What a member may choose as a credential: their own, and those that are shared with their organisation."""
        return self.filter(Q(user=membership.user) | Q(shared=True), organization=membership.organization)


class Connection(models.Model):
    """An account at a forge, connected by a person for an organisation. It is not a way to sign in.

    Connected: the token is valid. Disconnected: by hand, by its maker's leaving, or the token expired or was revoked.
    Error: the authorisation failed. `reason` says which, in a sentence. A GitHub App's connection has an installation
    id and no token: those of an hour are made when needed and never stored.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="connections")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="connections"
    )
    """Who made it; it disconnects when they leave the organisation, unless it is an App's or a consumer's."""
    shared = models.BooleanField(default=False, help_text="Whether other members see it and may use it.")
    forge = models.CharField(max_length=20)
    base_url = models.CharField(max_length=255, help_text="The forge's API address.")
    method = models.CharField(max_length=10, choices=Method.choices)
    name = models.CharField(max_length=NAME_LENGTH, blank=True, help_text="What people call it, if they named it.")
    account_id = models.CharField(max_length=255, blank=True, help_text="The forge's permanent id of the account.")
    account = models.CharField(max_length=255, blank=True)
    avatar_url = models.CharField(max_length=1024, blank=True)
    username = models.CharField(max_length=255, blank=True, help_text="E-mail address that an API token goes with.")
    installation_id = models.CharField(max_length=40, blank=True)
    consumer_key = models.CharField(max_length=255, blank=True)
    scopes = models.CharField(max_length=1024, blank=True, help_text="As the forge reported them, by spaces.")

    token = Secret()
    refresh_token = Secret()
    consumer_secret = Secret()
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Of the token that is stored.")
    renew_at = models.DateTimeField(null=True, blank=True, help_text="When to refresh it: a while before it expires.")
    generation = models.PositiveIntegerField(default=0, help_text="Grows with each new token.")
    renewer = models.UUIDField(null=True, blank=True, editable=False, help_text="Who is refreshing it now.")
    renewing_until = models.DateTimeField(null=True, blank=True, editable=False)

    rate_limit = models.PositiveIntegerField(null=True, blank=True, help_text="Requests an hour, as last told.")
    rate_remaining = models.PositiveIntegerField(null=True, blank=True)
    rate_reset_at = models.DateTimeField(null=True, blank=True)

    status = models.CharField(max_length=12, choices=ConnectionStatus.choices, default=ConnectionStatus.CONNECTED)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.TextField(blank=True, help_text="Why it is not connected, and what to do, for a person.")
    notes = models.TextField(blank=True, help_text="What its permissions lack, or have too much of; a line each.")
    connected_at = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True, help_text="When its expiry was last warned of.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["forge", "account", "created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user", "forge", "base_url", "account_id"],
                condition=Q(method="oauth", user__isnull=False) & ~Q(account_id=""),
                name="account_connected_once_by_a_person",
            ),
            models.UniqueConstraint(
                fields=["organization", "base_url", "installation_id"],
                condition=Q(method="github_app"),
                name="installation_connected_once",
            ),
            models.CheckConstraint(condition=Q(status__in=ConnectionStatus.values), name="connection_status_known"),
        ]

    def __str__(self) -> str:
        return self.name or self.account or self.get_method_display()

    @property
    def is_connected(self) -> bool:
        return self.status == ConnectionStatus.CONNECTED

    @property
    def renews(self) -> bool:
        """Whether its tokens are renewed without a person, so that `expires_at` is nobody's concern."""
        return self.method in (Method.GITHUB_APP, Method.CONSUMER) or type(self).refresh_token.is_set(self)


class HookStatus(models.TextChoices):
    PENDING = "pending", "Being set up"
    ACTIVE = "active", "Active"
    MANUAL = "manual", "To be added by hand"
    FAILED = "failed", "Failed"


class Hook(models.Model):
    """A webhook of one repository for one organisation. Its id is in the address that the forge posts to.

    Made by us where a credential allows it (`remote_id`), else a person pastes address and secret at the forge. While a
    new secret takes the place of an old one, both verify until `previous_until`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="hooks")
    forge = models.CharField(max_length=20)
    base_url = models.CharField(max_length=255)
    repository_id = models.CharField(max_length=512)
    repository = models.CharField(max_length=512)
    secret = Secret()
    previous_secret = Secret()
    previous_until = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(default=timezone.now)
    remote_id = models.CharField(max_length=255, blank=True, help_text="The forge's id of it, if we made it.")
    status = models.CharField(max_length=8, choices=HookStatus.choices, default=HookStatus.PENDING)
    reason = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True, help_text="When the last verified delivery came.")
    silent_since = models.DateTimeField(
        null=True, blank=True, help_text="When polling first found a push that it had not told."
    )
    refused = models.PositiveIntegerField(default=0, help_text="Deliveries that did not verify.")
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_reason = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["forge", "repository"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "forge", "base_url", "repository_id"], name="one_hook_for_a_repository"
            ),
            models.CheckConstraint(condition=~Q(secret_key=""), name="hook_has_a_secret"),
        ]
        indexes = [models.Index(fields=["forge", "repository_id"], name="hook_by_repository")]

    def __str__(self) -> str:
        return self.repository

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """Those that verify a delivery now: the current one, and the one before it while they overlap."""
        found = [self.secret]
        if self.previous_until is not None and now < self.previous_until:
            found.append(self.previous_secret)
        return tuple(secret for secret in found if secret)


class Delivery(models.Model):
    """A verified delivery of a webhook: of a repository's own, or of the GitHub App's by way of a connection.

    It only means “look”: what changed is always read from the forge. What did not verify is counted on its Hook and
    kept nowhere, so that nobody can fill this table who does not know a secret.
    """

    class Outcome(models.TextChoices):
        RECEIVED = "received", "Received"
        ACCEPTED = "accepted", "Accepted"
        IGNORED = "ignored", "Ignored"
        DUPLICATE = "duplicate", "Processed before"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="deliveries")
    hook = models.ForeignKey(Hook, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries")
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    event = models.CharField(max_length=80, help_text="The forge's own name of it.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the body.")
    size = models.PositiveIntegerField(default=0, help_text="Bytes of the body.")
    headers: models.JSONField[dict[str, str]] = models.JSONField(default=dict, blank=True)
    facts: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    """What was understood of the body: a `forges.clients.webhooks.Event`. The body itself is not kept."""
    outcome = models.CharField(max_length=9, choices=Outcome.choices, default=Outcome.RECEIVED)
    detail = models.TextField(blank=True)
    runs: models.JSONField[list[str]] = models.JSONField(default=list, blank=True)
    """Ids of the Runs that it asked for."""
    received_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(null=True, blank=True)
    redelivered_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-received_at"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["hook", "digest"], name="delivery_by_digest"),
            models.Index(fields=["hook", "-received_at"], name="delivery_by_hook"),
            models.Index(fields=["connection", "-received_at"], name="delivery_by_connection"),
        ]

    def __str__(self) -> str:
        return f"{self.event} at {self.received_at:%Y-%m-%d %H:%M:%S}"


class Turn(models.Model):
    """A place among the Runs that may read from one forge, or through one connection, at the same moment.

    It is its Run's for as long as that is running: the place of a Run that ended, or lost its worker, is free.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=300, help_text="The forge's server, or the connection.")
    slot = models.PositiveSmallIntegerField()
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "slot"], name="one_run_in_a_slot")]

    def __str__(self) -> str:
        return f"{self.key}, {self.slot}"

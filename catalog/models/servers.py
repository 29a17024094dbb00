"""A server, and which of its versions it serves."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models

from orgs.models import Membership, Organization

if TYPE_CHECKING:
    from catalog.models.contents import Version


class ServerQuerySet(models.QuerySet["Server"]):
    def for_org(self, organization: Organization) -> ServerQuerySet:
        """All of them, whoever may see them: what works for the organisation by itself goes by this."""
        return self.filter(organization=organization)

    def visible_to(self, membership: Membership) -> ServerQuerySet:
        """The organisation's, and the member's own: what pages show goes by this."""
        return self.filter(
            models.Q(owner=None) | models.Q(owner=membership.user_id), organization=membership.organization_id
        )


class Server(models.Model):
    class Visibility(models.TextChoices):
        PUBLIC = "public", "Public"
        PRIVATE = "private", "Private"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="servers")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,  # with nobody's name on it, it would be everybody's
        related_name="+",
        help_text="Personal: only this member sees it, and it never leaves the database.",
    )
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=63)
    description = models.TextField(blank=True)
    instructions = models.TextField(blank=True, help_text="What an agent is told about this server when it connects.")
    visibility = models.CharField(max_length=7, choices=Visibility.choices, default=Visibility.PRIVATE)
    config_revision = models.PositiveIntegerField(default=1, editable=False)
    content_revision = models.PositiveBigIntegerField(default=0, editable=False)
    """Counts the changes of the live content; a version remembers the count it was cut at."""
    content_changed_at = models.DateTimeField(null=True, editable=False)
    last_version_number = models.PositiveIntegerField(default=0, editable=False)
    """The highest number that a version ever had: the number of a deleted version is not given again."""
    active_version = models.ForeignKey(
        "Version", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="What is served."
    )
    default_version = models.ForeignKey(
        "Version",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="What is served when no version is active.",
    )
    git_integration: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True, editable=False)
    """How its file in git stands, written from above for lists to show; empty for nothing to tell."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = ServerQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="server_slug_unique_in_organization")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def served_version(self) -> Version | None:
        """What agents get: the Active version, else the Default one; None means the live content."""
        return self.active_version or self.default_version

    @property
    def live_is_newer(self) -> bool:
        """Whether the live content changed since the served version was cut."""
        served = self.served_version
        return served is not None and served.content_revision < self.content_revision

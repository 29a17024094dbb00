"""Keys that clients carry."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from catalog.models import Server, Toolkit
from orgs.models import Membership, Organization


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def for_org(self, organization: Organization) -> ApiKeyQuerySet:
        return self.filter(organization=organization)

    def visible_to(self, membership: Membership) -> ApiKeyQuerySet:
        """Those that reach something the member sees, and what they made: the name of one that is only for what is
        personal to somebody else may tell of it."""
        reaches = Q(everything=True) | Q(created_by=membership.user_id)
        for model in (Server, Toolkit):
            seen = model._default_manager.visible_to(membership).filter(api_keys=OuterRef("pk"))
            reaches |= Q(Exists(seen))
        return self.for_org(membership.organization).filter(reaches)


class ApiKey(models.Model):
    """A key of an organisation. It is shown once; what is kept is its SHA-256, which is enough for 256 random bits."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=16, editable=False, help_text="Its first characters, to know it by.")
    everything = models.BooleanField(
        default=False,
        help_text="All servers and toolkits of the organisation, also later ones, except personal ones.",
    )
    servers = models.ManyToManyField(Server, blank=True, related_name="api_keys")
    toolkits = models.ManyToManyField(Toolkit, blank=True, related_name="api_keys")
    may_call = models.BooleanField(
        default=False, help_text="It may call the tools that reach upstream APIs, and not only search and read."
    )
    rate_per_minute = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Requests; empty for the usual limit."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    """To within a minute or so."""

    objects: ClassVar[Any] = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["name", "created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.name

    @property
    def is_usable(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

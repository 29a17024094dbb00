"""What people allowed OAuth clients to do."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from allauth.idp.oidc.models import Client
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalog.models import Server, Toolkit
from orgs.models import Membership, Organization


class GrantQuerySet(models.QuerySet["Grant"]):
    def for_org(self, organization: Organization) -> GrantQuerySet:
        return self.filter(organization=organization)

    def visible_to(self, membership: Membership) -> GrantQuerySet:
        """Those in the member's organisation, except for what is personal to somebody else."""
        own = membership.user_id
        return self.for_org(membership.organization).filter(
            Q(server__owner=None, toolkit__owner=None) | Q(server__owner=own) | Q(toolkit__owner=own)
        )


class Grant(models.Model):
    """A person lets a client use one server or toolkit as them. Its tokens are rows of allauth that name it in `data`.

    They are good as long as this row is there, so that deleting it revokes all of them at once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="grants")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    server = models.ForeignKey(Server, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    toolkit = models.ForeignKey(Toolkit, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    resource = models.CharField(max_length=500, help_text="The address that its tokens are good for.")
    may_call = models.BooleanField(default=False, help_text="Also the tools that reach upstream APIs.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    allowed_at = models.DateTimeField(default=timezone.now, help_text="When the person was asked last.")
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To within a minute or so.")

    objects: ClassVar[Any] = GrantQuerySet.as_manager()

    class Meta:
        ordering = ["-allowed_at"]
        constraints = [
            models.UniqueConstraint(fields=["user", "client", "resource"], name="grant_once"),
            models.CheckConstraint(
                condition=Q(server=None, toolkit__isnull=False) | Q(server__isnull=False, toolkit=None),
                name="grant_is_for_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client.name} for {self.target}"

    @property
    def target(self) -> Server | Toolkit:
        found = self.server or self.toolkit
        assert found is not None  # noqa: S101  # one of the two is set
        return found

"""How a server or a toolkit is served."""

from __future__ import annotations

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models

from catalog.models import Server, Toolkit


class Setup(models.Model):
    """One row for a server or toolkit that is not served in the usual way; without a row the defaults hold."""

    id = models.BigAutoField(primary_key=True)
    server = models.OneToOneField(
        Server, null=True, blank=True, on_delete=models.CASCADE, related_name="endpoint_setup"
    )
    toolkit = models.OneToOneField(
        Toolkit, null=True, blank=True, on_delete=models.CASCADE, related_name="endpoint_setup"
    )
    built_in: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    """{search | fetch | list: {enabled, name, description}}; what is not said is as usual."""
    search_contents = models.BooleanField(
        default=False, help_text="Of a toolkit: it also searches and reads the content of the servers it chose from."
    )
    log_arguments = models.BooleanField(
        default=False, help_text="Keep what tools were called with, and prompts asked for, in the request log."
    )
    monthly_quota = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Requests in a calendar month (UTC)."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(server=None, toolkit__isnull=False) | models.Q(server__isnull=False, toolkit=None),
                name="setup_is_of_one_thing",
            )
        ]

    def __str__(self) -> str:
        return str(self.server or self.toolkit)

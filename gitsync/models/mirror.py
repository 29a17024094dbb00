"""Two ways: an organisation's entities and the files of one repository, and what both last agreed on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.db import models

from catalog.fields import OrderedJSONField, PathField
from catalog.models import EntityKind
from forges.models import Connection
from gitsync.models.destination import Destination, SavedChange
from orgs.models import Organization


class Mirror(Destination):
    """The repository with which an organisation's toolkits, commands, servers, clients and skills are kept the same."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="mirror")
    connection = models.ForeignKey(Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="mirrors")
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    apply_deletions = models.BooleanField(
        default=False, help_text="What is deleted in git is deleted here without asking; servers never are."
    )
    poll_minutes = models.PositiveIntegerField(
        default=15, help_text="How often to look where no webhook told; 0: never."
    )

    synced_at = models.DateTimeField(null=True, blank=True, help_text="When both sides were last compared whole.")
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When the forge was last asked for the head.")
    counts: models.JSONField[dict[str, int]] = models.JSONField(default=dict, blank=True)
    """Of the last sync: entities, written, read, unchanged, failed."""
    summary = models.TextField(blank=True, help_text="The last sync in a sentence.")

    class Meta:
        ordering = ["repository"]

    def __str__(self) -> str:
        return f"{self.organization} and {self.repository}"

    @property
    def base(self) -> str:
        """What the paths of its files begin with in the repository."""
        return f"{self.directory}/" if self.directory else ""


class EntityState(models.TextChoices):
    """How one of them stands."""

    IN_STEP = "in_step", "In step"
    PROPOSED = "proposed", "In a pull request"
    ERROR = "error", "Error"
    CONFLICT = "conflict", "Conflict"
    MISSING = "missing", "Missing in git"
    CONFIRM = "confirm", "Needs confirmation"


WELL = (EntityState.IN_STEP, EntityState.PROPOSED)
"""States in which nothing wants a person."""


class MirroredEntity(models.Model):
    """One entity, or one path where there is no entity yet: what was agreed on, and what keeps it from agreeing now.

    `files` and `digest` are the merge base, of git and of the database: a side that differs from its own has changed.
    """

    id = models.BigAutoField(primary_key=True)
    mirror = models.ForeignKey(Mirror, on_delete=models.CASCADE, related_name="entities")
    kind = models.CharField(max_length=8, choices=EntityKind.choices)
    entity = models.UUIDField(null=True, blank=True, help_text="The row's id; none yet for a file that cannot be read.")
    file_id = models.CharField(max_length=64, blank=True, help_text="The stable id in its file.")
    name = models.CharField(max_length=120, blank=True, help_text="For people, also where there is no row (any more).")
    path = PathField(max_length=1024, help_text="Below the mirror's directory: toolkits/weather.json, skills/pdf-forms")

    files: models.JSONField[dict[str, str]] = models.JSONField(default=dict, blank=True)
    """What git had when both agreed: path below the mirror's directory -> blob id. Empty: they never did."""
    document = OrderedJSONField(default=dict, blank=True)
    """Its file then, whole: with what Millrace does not know."""
    digest = models.CharField(max_length=64, blank=True, help_text="Of what the database had then.")
    entity_revision = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of the row when both were last compared; none: it was gone."
    )
    agreed_commit = models.CharField(max_length=64, blank=True)
    agreed_at = models.DateTimeField(null=True, blank=True)
    proposed: models.JSONField[dict[str, str]] = models.JSONField(default=dict, blank=True)
    """What our last commit was about to hold of it, or the open pull request does: path -> blob id, "" for what goes.
    In git it is ours, although that may never have been noted."""

    state = models.CharField(max_length=8, choices=EntityState.choices, default=EntityState.IN_STEP)
    error: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    """code ("" of what is missing), status (400 or 500), message, advice, path, line, column, fields, commit, at (ISO
    8601); others: further problems, [{code, message, path, line, column}]; excerpt: the lines around, see
    `gitsync.mirror.excerpts`; of SECRET_FOUND findings, of HOST_CHANGED hosts."""
    seen_files: models.JSONField[dict[str, str]] = models.JSONField(default=dict, blank=True)
    """What git had when `state` was found: as long as it is the same, nobody looks into it again."""
    seen_digest = models.CharField(max_length=64, blank=True, help_text="What the database had then.")
    theirs = OrderedJSONField(default=dict, blank=True)
    """Of a conflict: git's file, whole, for a person to compare."""
    settle: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    """What a person decided and the next sync is to do: {choice, seen_files, seen_digest, by (id), at}."""
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["kind", "path"]
        verbose_name_plural = "mirrored entities"
        constraints = [
            models.UniqueConstraint(
                fields=["mirror", "kind", "entity"],
                condition=models.Q(entity__isnull=False),
                name="entity_mirrored_once",
            ),
            models.UniqueConstraint(
                fields=["mirror", "kind", "file_id"], condition=~models.Q(file_id=""), name="file_id_mirrored_once"
            ),
        ]
        indexes = [models.Index(fields=["mirror", "state"], name="mirrored_by_state")]

    _decided = False
    """Whether somebody had decided about it when it was read."""

    def __str__(self) -> str:
        return self.name or self.path

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """A sync that was under way when somebody decided leaves that to the next, and does not write over it."""
        if update_fields is None and not (self._state.adding or self.settle or self._decided):
            update_fields = {field.name for field in self._meta.concrete_fields} - {"id", "settle"}
        super().save(update_fields=update_fields, **options)

    @classmethod
    def from_db(cls, *read: Any, **options: Any) -> Self:
        row = super().from_db(*read, **options)
        row._decided = bool(row.__dict__.get("settle"))
        return row


class MirrorChange(SavedChange):
    """Of an entity that is mirrored."""

    mirror = models.ForeignKey(Mirror, on_delete=models.CASCADE, related_name="changes")
    entity = models.UUIDField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["mirror"], condition=models.Q(asked=False), name="mirror_change_to_ask_for")]

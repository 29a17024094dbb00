"""What an organisation keeps beside its servers: toolkits, commands, skills and client applications, and their history.

Each belongs to the organisation, or to one member of it (`owner`), who alone sees it then: a personal one never leaves
the database. Clients have no owner.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from catalog.checking import slugs
from catalog.fields import OrderedJSONField, PathField
from catalog.models.servers import Server
from catalog.models.tools import Prompt, Resource, Tool
from orgs.models import Membership, Organization

SLUG = RegexValidator(rf"\A{slugs.PATTERN}\Z", f"A slug has {slugs.RULE}.")


class EntityQuerySet(models.QuerySet[Any]):
    def for_org(self, organization: Organization) -> EntityQuerySet:
        """What is the organisation's, and nobody's own: this is what goes to git."""
        return self.filter(organization=organization, **self._unowned())

    def visible_to(self, membership: Membership) -> EntityQuerySet:
        """The organisation's, and the member's own."""
        rows = self.filter(organization=membership.organization_id)
        return rows.filter(Q(owner=None) | Q(owner=membership.user_id)) if self._unowned() else rows

    def _unowned(self) -> dict[str, None]:
        return {"owner": None} if any(each.name == "owner" for each in self.model._meta.fields) else {}


class OrganizationEntity(models.Model):
    """What all of them have. Its slug is its file's name in git."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="%(class)ss")
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=slugs.LONGEST, validators=[SLUG])
    description = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    """Counts its changes; a form that was opened at another one is stale."""
    git_integration: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True, editable=False)
    """How it stands in git, written from above for lists to show; empty for nothing to tell. See `catalog.standing`."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = EntityQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Owned(models.Model):
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,  # with nobody's name on it, it would be everybody's
        related_name="+",
        help_text="Personal: only this member sees it, and it never leaves the database.",
    )

    class Meta:
        abstract = True


def _slug_constraints(name: str) -> list[models.BaseConstraint]:
    return [
        models.UniqueConstraint(
            fields=["organization", "slug"], condition=Q(owner=None), name=f"{name}_slug_unique_in_organization"
        ),
        models.UniqueConstraint(
            fields=["organization", "owner", "slug"],
            condition=Q(owner__isnull=False),
            name=f"{name}_slug_unique_of_owner",
        ),
    ]


class Command(Owned, OrganizationEntity):
    """A reusable prompt with arguments filled into `{{name}}`. It reaches clients through a toolkit or a server."""

    arguments = OrderedJSONField(default=list, blank=True)
    """[{name, description, required}]"""
    prompt = models.TextField()
    servers = models.ManyToManyField(Server, blank=True, related_name="commands")
    """Those that it is attached to; it stands in their files."""

    class Meta:
        ordering = [Lower("name"), "slug"]
        constraints = _slug_constraints("command")


class Skill(Owned, OrganizationEntity):
    """A folder of instructions and files (https://agentskills.io/specification): SKILL.md and what it refers to.

    `name` and `description` are in the front matter of SKILL.md.
    """

    front_matter = OrderedJSONField(default=dict, blank=True)
    """What else stands there: license, compatibility, metadata, allowed-tools, and whatever others put in."""
    instructions = models.TextField(blank=True, help_text="SKILL.md below its front matter.")
    servers = models.ManyToManyField(Server, blank=True, related_name="skills")
    """Those that it is attached to; it stands in their files."""

    class Meta:
        ordering = [Lower("name"), "slug"]
        constraints = _slug_constraints("skill")


class FileBlob(models.Model):
    """The bytes of a skill's file, kept once for an organisation, and as long as a skill or its history has them."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    oid = models.CharField(max_length=40, help_text="git's blob id: the SHA-1 of its header and bytes.")
    size = models.PositiveIntegerField(help_text="Bytes.")
    data = models.BinaryField()
    stored_at = models.DateTimeField(default=timezone.now, help_text="When it was last asked to be stored.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "oid"], name="file_blob_stored_once")]

    def __str__(self) -> str:
        return self.oid


class SkillFile(models.Model):
    """A file of a skill beside SKILL.md, such as `scripts/fill.py`."""

    id = models.BigAutoField(primary_key=True)
    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="files")
    path = PathField(max_length=512, help_text="Below the skill's folder.")
    blob = models.ForeignKey(FileBlob, on_delete=models.RESTRICT, related_name="skill_files")

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["skill", "path"], name="skill_file_path_unique")]

    def __str__(self) -> str:
        return self.path


class Toolkit(Owned, OrganizationEntity):
    """A named choice of tools, prompts and resources of servers, and of commands and skills."""

    commands = models.ManyToManyField(Command, blank=True, related_name="toolkits")
    skills = models.ManyToManyField(Skill, blank=True, related_name="toolkits")

    class Meta:
        ordering = [Lower("name"), "slug"]
        constraints = _slug_constraints("toolkit")


class ToolkitItem(models.Model):
    """One thing of a server that a toolkit has chosen; it goes with that thing."""

    id = models.BigAutoField(primary_key=True)
    toolkit = models.ForeignKey(Toolkit, on_delete=models.CASCADE, related_name="items")
    tool = models.ForeignKey(Tool, null=True, blank=True, on_delete=models.CASCADE, related_name="toolkit_items")
    prompt = models.ForeignKey(Prompt, null=True, blank=True, on_delete=models.CASCADE, related_name="toolkit_items")
    resource = models.ForeignKey(
        Resource, null=True, blank=True, on_delete=models.CASCADE, related_name="toolkit_items"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["toolkit", "tool"], name="toolkit_has_tool_once"),
            models.UniqueConstraint(fields=["toolkit", "prompt"], name="toolkit_has_prompt_once"),
            models.UniqueConstraint(fields=["toolkit", "resource"], name="toolkit_has_resource_once"),
            models.CheckConstraint(
                condition=Q(tool__isnull=False, prompt=None, resource=None)
                | Q(tool=None, prompt__isnull=False, resource=None)
                | Q(tool=None, prompt=None, resource__isnull=False),
                name="toolkit_item_is_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return str(self.tool or self.prompt or self.resource)


class Client(OrganizationEntity):
    """An application that speaks MCP, and what it may reach. It grants nothing by itself."""

    class Kind(models.TextChoices):
        AGENT = "agent", "Agent"
        ASSISTANT = "assistant", "Chat assistant"
        EDITOR = "editor", "Editor"
        COMMAND_LINE = "command-line", "Command line"
        SERVICE = "service", "Service"
        OTHER = "other", "Other"

    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.OTHER)
    servers = models.ManyToManyField(Server, blank=True, related_name="clients")
    toolkits = models.ManyToManyField(Toolkit, blank=True, related_name="clients")

    class Meta:
        ordering = [Lower("name"), "slug"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="client_slug_unique_in_organization")
        ]


class EntityKind(models.TextChoices):
    TOOLKIT = "toolkit", "Toolkit"
    COMMAND = "command", "Command"
    SERVER = "server", "Server"
    CLIENT = "client", "Client"
    SKILL = "skill", "Skill"


class EntityRevision(models.Model):
    """What an entity was after one change of it, so that any change, and its deletion, can be undone.

    Of servers only what git changed is kept, as it was before and after.
    """

    class Source(models.TextChoices):
        PAGE = "page", "In the pages"
        GIT = "git", "From git"

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=EntityKind.choices)
    entity = models.UUIDField(help_text="The row's id, also of one that is gone.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    """Whose it was at that moment: what is personal, is so in its history."""
    number = models.PositiveIntegerField()
    verb = models.CharField(max_length=10, help_text="create, update, rename, delete, restore")
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=slugs.LONGEST)
    document = OrderedJSONField(default=dict)
    """As in its file (`catalog.portable`); of a deleted one, what it was last."""
    source = models.CharField(max_length=4, choices=Source.choices, default=Source.PAGE)
    commit = models.CharField(max_length=64, blank=True)
    commit_url = models.CharField(max_length=1024, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "entity", "number"], name="entity_revision_number_unique")
        ]
        indexes = [models.Index(fields=["organization", "kind", "entity", "-number"], name="revisions_of_entity")]

    def __str__(self) -> str:
        return f"{self.name}, revision {self.number}"


class RevisionFile(models.Model):
    """A file that a skill had then."""

    id = models.BigAutoField(primary_key=True)
    revision = models.ForeignKey(EntityRevision, on_delete=models.CASCADE, related_name="files")
    path = PathField(max_length=512)
    blob = models.ForeignKey(FileBlob, on_delete=models.RESTRICT, related_name="revision_files")

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["revision", "path"], name="revision_file_path_unique")]

    def __str__(self) -> str:
        return self.path

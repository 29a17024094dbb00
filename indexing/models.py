"""Where a server's knowledge comes from beside its files, what was found there, and the index of all of it."""

from __future__ import annotations

import hashlib
import uuid
from datetime import time
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from catalog.models import Blob, Server
from forges.models import Connection
from lib.crypto import Secret
from orgs.models import Membership, Organization, check_time_zone

CHUNK_BITS = 32
"""A chunk's id is `(number of its server's index << 32) | n`, so that a server is a range of ids."""


class ServerIndex(models.Model):
    """A server's place in the index, made when something of it is indexed first."""

    number = models.BigAutoField(primary_key=True)
    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="search_index")
    last_chunk = models.PositiveIntegerField(default=0, editable=False, help_text="The n given last to a chunk.")

    class Meta:
        verbose_name = "index of a server"
        verbose_name_plural = "indexes of servers"

    def __str__(self) -> str:
        return f"index {self.number}"


class SourceQuerySet(models.QuerySet["Source"]):
    def for_org(self, organization: Organization) -> SourceQuerySet:
        return self.filter(server__organization=organization)

    def visible_to(self, membership: Membership) -> SourceQuerySet:
        """Those of servers that the member may see."""
        return self.filter(server__in=Server.objects.visible_to(membership))


class Source(models.Model):
    """What is indexed for a server: its own content, a web site, a repository, or another MCP server that is asked.

    Whether it is being indexed is what its Run says (`indexing.states`); here is what came of the last ones.
    """

    class Kind(models.TextChoices):
        CONTENT = "content", "This server's content"
        SITE = "site", "Web site"
        REPOSITORY = "repository", "Repository"
        MCP = "mcp", "MCP server"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=200, help_text="What people call it.")
    url = models.CharField(max_length=2048, blank=True, help_text="Its address, normalised.")
    key = models.CharField(max_length=64, editable=False, help_text="Digest of what may be added to a server once.")
    include = models.TextField(blank=True, help_text="gitignore-style patterns of paths, one a line; empty means all.")
    exclude = models.TextField(blank=True, help_text="gitignore-style patterns of paths, one a line.")

    # Web sites
    max_pages = models.PositiveIntegerField(null=True, blank=True, help_text="Empty for the operator's cap.")
    max_depth = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Links from the first page.")

    # Repositories
    forge = models.CharField(max_length=20, blank=True)
    base_url = models.CharField(max_length=255, blank=True, help_text="The forge's API address, empty for plain git.")
    repository_id = models.CharField(max_length=512, blank=True, help_text="The forge's permanent id.")
    repository = models.CharField(max_length=512, blank=True, help_text="owner/name, or the URL for plain git.")
    branch = models.CharField(max_length=255, blank=True, help_text="Empty for the default branch.")
    private = models.BooleanField(default=False)
    connection = models.ForeignKey(Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="sources")
    credential_lost = models.TextField(blank=True, help_text="Why its connection is gone, for a person.")
    username = models.CharField(max_length=255, blank=True, help_text="That goes with a token, for plain git.")
    default_branch = models.CharField(max_length=255, blank=True, help_text="The forge's, as last told.")
    default_branch_at = models.DateTimeField(null=True, blank=True, help_text="When it was last asked for.")
    last_commit = models.CharField(max_length=64, blank=True, help_text="The one that is in the index completely.")
    held_commit = models.CharField(
        max_length=64, blank=True, help_text="The one that lacks so much that only a person's Refresh takes it out."
    )

    # MCP servers, and plain git
    token = Secret()
    """Sent as a bearer token to an MCP server that wants one, and as the password to a server of plain git."""
    search_tool = models.CharField(max_length=128, blank=True, help_text="Its tool that is called; empty: found out.")

    # State
    paused_at = models.DateTimeField(null=True, blank=True, help_text="Neither refreshed nor asked until it goes on.")
    auto_refresh = models.BooleanField(default=True, help_text="Refreshed at the organisation's time.")
    next_refresh_at = models.DateTimeField(null=True, blank=True)
    indexed_at = models.DateTimeField(null=True, blank=True, help_text="When it was last indexed completely.")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When it was last tried.")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="Of the choices and limits last applied.")
    error_code = models.CharField(max_length=40, blank=True)
    error_text = models.TextField(blank=True)
    error_reference = models.CharField(max_length=32, blank=True, help_text="By which support finds it in the log.")
    notice = models.TextField(blank=True, help_text="Worth knowing and no error: traps, a cap that was reached.")
    pages = models.PositiveIntegerField(default=0, help_text="Pages or files in the index.")
    chunks = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    noted_at = models.DateTimeField(null=True, blank=True, editable=False)
    """Of a server's content: when it changed and no Run was asked for yet."""
    crawl = models.PositiveIntegerField(default=0, editable=False, help_text="The number of the crawl begun last.")
    crawl_open = models.BooleanField(default=False, editable=False, help_text="That crawl is not at its end.")
    crawl_counts: models.JSONField[dict[str, int]] = models.JSONField(default=dict, blank=True, editable=False)
    """What that crawl did so far: `indexed`, `changed` and `removed` pages. A worker may be killed between."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["name", "created_at"]
        constraints = [
            models.UniqueConstraint(fields=["server", "key"], name="source_added_once_to_server"),
        ]
        indexes = [
            models.Index(
                fields=["next_refresh_at"],
                condition=models.Q(next_refresh_at__isnull=False),
                name="source_by_refresh",
            ),
            models.Index(fields=["forge", "repository_id"], name="source_by_repository"),
            models.Index(fields=["noted_at"], condition=models.Q(noted_at__isnull=False), name="source_by_news"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        # An index over addresses themselves would have rows longer than PostgreSQL takes.
        parts = (self.kind, self.url, self.branch)
        self.key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Format(models.TextChoices):
    """How a text is cut into chunks."""

    MARKDOWN = "markdown", "Markdown"
    RST = "rst", "reStructuredText"
    ASCIIDOC = "asciidoc", "AsciiDoc"
    PLAIN = "plain", "Plain text"


class Text(models.Model):
    """A text that is indexed on a server, once, wherever it occurs there.

    `name` is what it is called from outside (a page's title, a file's name), empty for a text with a title of its own.
    A page refers to its text; a file of the server's content or of a version has it by its blob.
    """

    id = models.BigAutoField(primary_key=True)
    # No index of its own: the constraint's begins with it, and PostgreSQL without statistics would choose this one.
    index = models.ForeignKey(ServerIndex, on_delete=models.CASCADE, related_name="texts", db_index=False)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    format = models.CharField(max_length=10, choices=Format.choices)
    name = models.CharField(max_length=300, blank=True)
    title = models.CharField(max_length=300, help_text="Its own, or else its name.")
    chunks = models.PositiveIntegerField(default=0)
    chunker = models.PositiveSmallIntegerField(help_text="The version of the rules by which it was cut.")
    stored_at = models.DateTimeField(default=timezone.now, editable=False)
    """When somebody last brought it (within some minutes): what is unused and was brought long ago is deleted."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["index", "blob", "format", "name"], name="text_indexed_once_on_server")
        ]

    def __str__(self) -> str:
        return self.title


class Chunk(models.Model):
    """A piece of a text: what a search finds.

    The index of words is made from `title`, `heading`, `body` and `parts` by the database's engine
    (`indexing.search.engines`), which notices when a row comes or goes. Rows are never changed.
    """

    id = models.BigIntegerField(primary_key=True)
    text = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="pieces")
    ordinal = models.PositiveIntegerField(help_text="From 0, in the order of the text.")
    start = models.PositiveIntegerField(help_text="Where it begins in the text, in characters.")
    end = models.PositiveIntegerField(help_text="Where it ends, exclusive.")
    start_line = models.PositiveIntegerField(help_text="From 1.")
    end_line = models.PositiveIntegerField(help_text="Inclusive.")
    anchor = models.CharField(max_length=255, blank=True, help_text="Of the heading it stands under.")
    title = models.CharField(max_length=300, help_text="Its text's.")
    heading = models.TextField(blank=True, help_text="The headings it stands under, one a line, outermost first.")
    parts = models.TextField(blank=True, help_text="Its identifiers, split and joined (indexing.search.identifiers).")
    body = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text", "ordinal"], name="chunk_ordinal_unique_in_text")]

    def __str__(self) -> str:
        return f"{self.title} #{self.ordinal}"


class Word(models.Model):
    """A word of a server's titles, headings or identifiers, with what finds it when it is mistyped
    (`indexing.search.vocabulary`)."""

    id = models.BigAutoField(primary_key=True)
    index = models.ForeignKey(ServerIndex, on_delete=models.CASCADE, related_name="words", db_index=False)
    word = models.CharField(max_length=64)
    first = models.CharField(max_length=24, help_text="Its length and its first third.")
    middle = models.CharField(max_length=24)
    last = models.CharField(max_length=24)
    chunk_id = models.BigIntegerField(help_text="A chunk that has it, or had it when it was last looked at.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "word"], name="word_once_on_server")]
        indexes = [
            models.Index(fields=["index", "first"], name="word_by_first"),
            models.Index(fields=["index", "middle"], name="word_by_middle"),
            models.Index(fields=["index", "last"], name="word_by_last"),
        ]

    def __str__(self) -> str:
        return self.word


class Page(models.Model):
    """A page of a site, or a file of a repository, that a source knows of: also those not asked for yet, or left out.

    Together the rows of a site are its crawl's memory: what `reached` in the open crawl and not `fetched` in it is
    still to do, so that a crawl goes on where it was. `key` is the SHA-256 of the address (of the path, for files).
    """

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="known_pages")
    key = models.CharField(max_length=64, editable=False)
    url = models.CharField(max_length=2048, help_text="Canonical; where a person sees it.")
    path = models.CharField(max_length=1024, blank=True, help_text="In the repository, or of the address.")
    title = models.CharField(max_length=300, blank=True)
    text = models.ForeignKey(Text, null=True, blank=True, on_delete=models.RESTRICT, related_name="pages")
    """What is in the index of it: also while a new attempt fails."""
    skip_reason = models.CharField(max_length=20, blank=True)
    skip_detail = models.CharField(max_length=254, blank=True)
    meta: models.JSONField[dict[str, Any]] = models.JSONField(default=dict, blank=True)
    """`description`, `breadcrumbs` (a list), `modified` (ISO 8601), `duplicate_of` (an address); and of sites `asked`
    (the address of its Markdown, where that is read), `stands_for` (the address that it names as its own, or redirects
    to), and what else `indexing.sites` has to remember."""

    # Sites
    depth = models.PositiveSmallIntegerField(default=0)
    reached = models.PositiveIntegerField(default=0, help_text="The number of the crawl that last came upon it.")
    fetched = models.PositiveIntegerField(default=0, help_text="The number of the crawl that last asked for it.")
    missed = models.PositiveSmallIntegerField(default=0, help_text="Complete crawls in a row that did not reach it.")
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status of the last answer.")
    etag = models.CharField(max_length=254, blank=True)
    last_modified = models.CharField(max_length=64, blank=True, help_text="The header as it was sent.")

    # Repositories
    oid = models.CharField("blob id", max_length=64, blank=True)
    size = models.PositiveIntegerField(null=True, blank=True)

    fetched_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True, help_text="When its text last became another.")

    class Meta:
        ordering = ["path", "url"]
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="page_known_once_in_source")]
        indexes = [
            models.Index(fields=["source", "reached", "fetched"], name="page_by_crawl"),
            models.Index(fields=["source", "path"], name="page_by_path"),
        ]

    def __str__(self) -> str:
        return self.url or self.path


class PageLinks(models.Model):
    """Where a page's links led when it was last read: an answer of 304 shows none, and what they reach is reached."""

    page = models.OneToOneField(Page, on_delete=models.CASCADE, primary_key=True, related_name="links")
    targets: models.JSONField[list[int]] = models.JSONField(default=list)
    """Ids of pages of the same source, ascending; some may be gone."""

    class Meta:
        verbose_name_plural = "page links"

    def __str__(self) -> str:
        return f"links of page {self.pk}"


class AutoRefresh(models.Model):
    """When an organisation's sources are refreshed by themselves; without a row as the defaults say."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="auto_refresh")
    enabled = models.BooleanField(default=True)
    at = models.TimeField(default=time(7, 0))
    time_zone = models.CharField(max_length=64, default="America/Chicago", validators=[check_time_zone])

    def __str__(self) -> str:
        return f"{self.at:%H:%M} {self.time_zone}" if self.enabled else "off"


class EmptyQuery(models.Model):
    """A query that found nothing on a server, and how often."""

    id = models.BigAutoField(primary_key=True)
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="empty_queries")
    query = models.CharField(max_length=200, help_text="Folded, and cut.")
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(default=timezone.now, editable=False)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-last_at"]
        verbose_name_plural = "empty queries"
        constraints = [models.UniqueConstraint(fields=["server", "query"], name="empty_query_once_on_server")]

    def __str__(self) -> str:
        return self.query

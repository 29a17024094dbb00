"""What a server offers beside its content: tools of upstream HTTP APIs, resources, prompts, and the variables in them.

Each row counts its own changes in `revision`, which a form remembers (`catalog.saving`). Secrets are only ever
`${NAME}` references to a Variable.
"""

from __future__ import annotations

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from catalog.fields import OrderedJSONField
from catalog.models.servers import Server
from lib.crypto import Secret

TOOL_NAME = RegexValidator(
    r"\A[a-z][a-zA-Z0-9]{0,63}\Z", "A name begins with a small letter, and has up to 64 letters and digits: getWeather."
)
PROMPT_NAME = TOOL_NAME
VARIABLE_NAME = RegexValidator(
    r"\A[A-Z][A-Z0-9_]{0,63}\Z",
    "A name begins with a capital letter, and has up to 64 capitals, digits and _: API_KEY.",
)


class Method(models.TextChoices):
    GET = "GET", "GET"
    HEAD = "HEAD", "HEAD"
    POST = "POST", "POST"
    PUT = "PUT", "PUT"
    PATCH = "PATCH", "PATCH"
    DELETE = "DELETE", "DELETE"


class Configured(models.Model):
    """What all of them have."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    description = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    """Counts its changes; a form that was opened at another one is stale."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Provider(Configured):
    """An upstream HTTP API whose endpoints are tools; without a base URL, a folder of prompts and texts."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="providers")
    name = models.CharField(max_length=120)
    base_url = models.CharField(max_length=1024, blank=True)
    documentation_url = models.CharField(max_length=1024, blank=True)
    icon_url = models.CharField(max_length=1024, blank=True)
    visibility = models.CharField(
        max_length=7,
        choices=Server.Visibility.choices,
        default=Server.Visibility.PUBLIC,
        help_text="On a public server, a private provider is offered only to who holds a key or is a member.",
    )
    oauth2_token_url = models.CharField(max_length=1024, blank=True)
    oauth2_client_id = models.CharField(max_length=512, blank=True, help_text="Itself, or ${NAME}.")
    oauth2_client_secret = models.CharField(max_length=80, blank=True, help_text="${NAME} of a secret variable.")
    oauth2_scopes = OrderedJSONField(default=list, blank=True)
    """Names, asked for with every token; a tool's own come on top."""

    class Meta:
        ordering = [Lower("name"), "name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), "server", name="provider_name_unique_on_server_ignoring_case")
        ]

    def __str__(self) -> str:
        return self.name


class Tool(Configured):
    """An endpoint of a provider: where arguments go in the request, as JSON Schemas (draft 2020-12) of objects.

    `{name}` in `path` is filled from the path's arguments. An empty schema takes no arguments; `body_schema` can be of
    any type, and None is no body.
    """

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="tools")
    """Its provider's; agents see the tools of a server side by side, so that names are unique there."""
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="tools")
    name = models.CharField(max_length=64, validators=[TOOL_NAME])
    title = models.CharField(max_length=120, blank=True)
    enabled = models.BooleanField(default=True, help_text="Offered to agents.")
    method = models.CharField(max_length=6, choices=Method.choices, default=Method.GET)
    path = models.CharField(max_length=1024, help_text="Below the provider's base URL, such as /cities/{city}.")
    path_schema = OrderedJSONField(default=dict, blank=True)
    query_schema = OrderedJSONField(default=dict, blank=True)
    body_schema = OrderedJSONField(null=True, default=None, blank=True)
    headers = OrderedJSONField(default=dict, blank=True)
    """{name: value}; a value can hold `${NAME}`. Those that carry credentials hold nothing else of a secret."""
    oauth2_scopes = OrderedJSONField(default=list, blank=True)
    read_only = models.BooleanField(null=True, blank=True, help_text="It changes nothing upstream.")
    destructive = models.BooleanField(null=True, blank=True, help_text="What it changes may be lost.")
    idempotent = models.BooleanField(null=True, blank=True, help_text="Calling it again changes nothing more.")
    open_world = models.BooleanField(null=True, blank=True, help_text="It reaches things outside the upstream.")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["server", "name"], name="tool_name_unique_on_server")]

    def __str__(self) -> str:
        return self.name


class Resource(Configured):
    """Something that agents can read by its URI: a text that is kept here, or what the provider answers at a path."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="resources")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="resources")
    name = models.CharField(max_length=120)
    uri = models.CharField(max_length=1024)
    mime_type = models.CharField(max_length=120, blank=True)
    text = models.TextField(blank=True)
    upstream_path = models.CharField(
        max_length=1024, blank=True, help_text="Below the provider's base URL; empty for a text that is kept here."
    )

    class Meta:
        ordering = [Lower("name"), "name"]
        constraints = [
            models.UniqueConstraint(fields=["server", "uri"], name="resource_uri_unique_on_server"),
            models.UniqueConstraint(fields=["provider", "name"], name="resource_name_unique_in_provider"),
        ]

    def __str__(self) -> str:
        return self.name


class Prompt(Configured):
    """Messages that a person of a client chooses, with arguments filled into `{{name}}`."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="prompts")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="prompts")
    name = models.CharField(max_length=64, validators=[PROMPT_NAME])
    title = models.CharField(max_length=120, blank=True)
    arguments = OrderedJSONField(default=list, blank=True)
    """[{name, description, required}]"""
    messages = OrderedJSONField(default=list)
    """[{role: user | assistant, text}]"""

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["server", "name"], name="prompt_name_unique_on_server")]

    def __str__(self) -> str:
        return self.name


class Variable(Configured):
    """What `${NAME}` stands for in base URLs, headers and OAuth2 settings of one server."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="variables")
    name = models.CharField(max_length=64, validators=[VARIABLE_NAME])
    is_secret = models.BooleanField(default=False)
    value = models.TextField(blank=True, help_text="Of a plain one.")
    secret = Secret()
    hosts = OrderedJSONField(default=list, blank=True)
    """The hosts (`api.example.com`, or with a port `api.example.com:8443`) that a secret one may be sent to over https;
    `http://api.example.com` over plain http."""

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["server", "name"], name="variable_name_unique_on_server"),
            models.CheckConstraint(
                condition=models.Q(is_secret=False) | models.Q(value=""), name="secret_variable_has_no_plain_value"
            ),
        ]

    def __str__(self) -> str:
        return self.name

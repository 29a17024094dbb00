"""What people fill in about providers and tools."""

from __future__ import annotations

from typing import Any

from django import forms

from catalog.checking.problems import Findings
from catalog.checking.tools import clean_tool
from catalog.forms.entity import EntityForm
from catalog.forms.fields import HeadersField, HintField, JsonField, ListField, MonoField
from catalog.models import Server
from catalog.models.tools import Method


class ProviderForm(EntityForm):
    name = forms.CharField(max_length=120, help_text="What the API is called, such as Weather.")
    description = forms.CharField(max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    base_url = MonoField(
        label="Base URL",
        max_length=1024,
        required=False,
        help_text="What the paths of tools go behind, such as https://api.example.com/v1. It can hold ${NAME} of plain "
        "variables. Empty for a provider of prompts and texts alone.",
    )
    documentation_url = MonoField(label="Documentation URL", max_length=1024, required=False)
    icon_url = MonoField(label="Icon URL", max_length=1024, required=False)
    visibility = forms.ChoiceField(
        choices=[
            (Server.Visibility.PUBLIC, "Public: offered to whoever may call the server"),
            (Server.Visibility.PRIVATE, "Private: on a public server, only to who holds a key or is a member"),
        ],
        initial=Server.Visibility.PUBLIC,
        widget=forms.RadioSelect,
    )
    oauth2_token_url = MonoField(
        label="Token URL",
        max_length=1024,
        required=False,
        help_text="Where access tokens are asked for with client credentials; empty for an API that needs none.",
    )
    oauth2_client_id = MonoField(label="Client id", max_length=512, required=False, help_text="Itself, or ${NAME}.")
    oauth2_client_secret = MonoField(
        label="Client secret", max_length=80, required=False, help_text="${NAME} of a secret variable."
    )
    oauth2_scopes = ListField(label="Scopes", help_text="One a line. The scopes of a tool come on top.")


class ToolForm(EntityForm):
    name = MonoField(
        max_length=64, help_text="What agents call it by: letters and digits, a small letter first, such as getWeather."
    )
    title = forms.CharField(max_length=120, required=False, help_text="For people, such as Current weather.")
    description = forms.CharField(
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="For agents: what it does, and when to use it.",
    )
    enabled = forms.BooleanField(required=False, initial=True, help_text="Offered to agents.")
    method = forms.ChoiceField(choices=Method.choices)
    path = MonoField(
        max_length=1024, help_text="Behind the base URL, with {name} where arguments go, such as /cities/{city}."
    )
    path_schema = JsonField(
        nothing={},
        label="Path arguments",
        help_text="JSON Schema (draft 2020-12) of an object: a required property for each {name} of the path. Left "
        "empty, each is taken for a text.",
    )
    query_schema = JsonField(
        nothing={},
        label="Query arguments",
        help_text="JSON Schema of an object whose properties go behind the ? of the address. Empty for none.",
    )
    body_schema = JsonField(
        label="Body", help_text="JSON Schema of what is sent as JSON. Empty for a request without a body."
    )
    headers = HeadersField(
        help_text="One a line, Name: value. Credentials are never written here, but as ${NAME} of a secret variable: "
        "Authorization: Bearer ${TOKEN}.",
    )
    oauth2_scopes = ListField(label="OAuth2 scopes", help_text="One a line, beside those of the provider.")
    read_only = HintField(label="Read-only", help_text="It changes nothing upstream.")
    destructive = HintField(help_text="What it changes may be lost.")
    idempotent = HintField(help_text="Calling it again changes nothing more.")
    open_world = HintField(label="Open world", help_text="It reaches things outside the upstream.")

    def clean(self) -> dict[str, Any]:
        """Where something is wrong already, say at once what else is; else the service does."""
        cleaned = super().clean()
        if self.errors:
            findings = Findings()
            clean_tool({**_NOTHING, **cleaned}, findings)
            self.refuse([error for error in findings.errors if error.field not in self.errors])
        return cleaned


_NOTHING: dict[str, Any] = {
    "name": "",
    "title": "",
    "description": "",
    "method": "POST",
    "path": "",
    "path_schema": {},
    "query_schema": {},
    "body_schema": None,
    "headers": {},
    "oauth2_scopes": [],
}


class ToolFilter(forms.Form):
    q = forms.CharField(required=False, label="Name or path contains", max_length=200, widget=forms.SearchInput)
    state = forms.ChoiceField(
        required=False, label="State", choices=[("", "Any"), ("enabled", "Enabled"), ("disabled", "Disabled")]
    )

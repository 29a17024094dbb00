"""What is asked of people about sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings

from forges import fields
from forges.connections import may_use
from forges.credential_fields import connection_of, credential_field, usable
from forges.models import Connection
from forges.reading import InvalidPattern, PathFilter
from indexing.models import AutoRefresh, Source
from orgs.forms import time_zone_choices
from orgs.models import Membership

WITHOUT, KEEP = "none", "keep"
_ADDED = (Source.Kind.SITE, Source.Kind.REPOSITORY, Source.Kind.MCP)


def when(auto: AutoRefresh) -> str:
    """When sources of an organisation are refreshed, in a sentence."""
    if not auto.enabled:
        return "The organisation has switched this off."
    return f"At {auto.at:%H:%M}, {auto.time_zone.replace('_', ' ')}, or a little later."


class AddressForm(fields.ServiceForm):
    """The first step of adding a source."""

    url = fields.text(
        "Address",
        "https://docs.example.com/",
        max_length=2048,
        attrs={"inputmode": "url", "autocapitalize": "none", "autofocus": True},
        help_text="Of a web site, a repository, another MCP server, or an llms.txt.",
        error_messages={"required": "Enter an address."},
    )
    kind = fields.conditional(
        forms.ChoiceField(
            label="What it is",
            required=False,
            choices=[("", "Find out"), *((kind.value, kind.label) for kind in _ADDED)],
        )
    )


class SourceForm(fields.ServiceForm):
    """What people choose of a source: the fields that mean something for its kind."""

    name = fields.text("Name", max_length=200)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        source: Source,
        membership: Membership,
        auto: AutoRefresh,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        """`source` is the one that is edited, or one that is not saved yet; `auto` says when it is refreshed."""
        super().__init__(data)
        self.source = source
        self.connections: list[Connection] = []
        if source.kind == Source.Kind.SITE:
            self._about_a_site()
        elif source.kind == Source.Kind.REPOSITORY:
            self._about_a_repository(membership)
        elif source.kind == Source.Kind.MCP:
            self._about_an_mcp_server()
        self.fields["auto_refresh"] = forms.BooleanField(
            label="Refresh daily", required=False, disabled=not auto.enabled, help_text=when(auto)
        )
        stored = {name: getattr(source, name) for name in self.fields if name not in ("credential", "token")}
        self.initial = {**stored, **self.initial, **(initial or {})}

    def _about_a_site(self) -> None:
        self.fields["include"] = fields.patterns(
            "Only these paths", "guide/**", "One pattern a line, as in .gitignore. Empty means all below the address."
        )
        self.fields["exclude"] = fields.patterns("Not these paths", "guide/old/**", "Likewise.")
        self.fields["max_pages"] = forms.IntegerField(
            label="Pages at most",
            required=False,
            min_value=1,
            max_value=settings.INDEX_MAX_PAGES,
            help_text=f"Empty means {settings.INDEX_MAX_PAGES:,}.",
        )
        self.fields["max_depth"] = forms.IntegerField(
            label="Links to follow from the first page",
            required=False,
            min_value=0,
            max_value=1000,
            help_text="Empty means any number.",
        )

    def _about_a_repository(self, membership: Membership) -> None:
        if self.source.forge == fields.PLAIN_GIT:
            self._with_a_token()
        else:
            self._with_a_connection(membership)
        self.fields["branch"] = fields.text(
            "Branch", required=False, max_length=255, help_text="Empty means the default branch."
        )
        patterns = " ".join(settings.INDEX_FILE_PATTERNS)
        self.fields["include"] = fields.patterns(
            "Only these files", "docs/**/*.md", f"One pattern a line, as in .gitignore. Empty means {patterns}."
        )
        self.fields["exclude"] = fields.patterns("Not these files", "docs/old/**", "Likewise.")

    def _with_a_token(self) -> None:
        """Plain git knows no accounts that could be connected."""
        self.fields["username"] = fields.text(
            "User name",
            required=False,
            max_length=255,
            help_text="That goes with the token, if the server asks for one.",
        )
        self._token("For a repository that not anyone can read.")

    def _with_a_connection(self, membership: Membership) -> None:
        place = (self.source.forge, self.source.base_url)
        self.connections = [each for each in usable(membership) if (each.forge, each.base_url) == place]
        kept = self.source.connection
        others = [(WITHOUT, "None", "For repositories that anyone can read.")]
        if kept is not None and kept not in self.connections:
            shown = str(kept) if may_use(membership, kept) else f"A connection of {kept.user or 'somebody who left'}"
            others.insert(0, (KEEP, shown, "As it is now."))
        self.fields["credential"] = credential_field(self.connections, membership, others=others)
        self.initial["credential"] = WITHOUT if kept is None else str(kept.pk) if kept in self.connections else KEEP

    def _about_an_mcp_server(self) -> None:
        self._token("Sent as a bearer token, if it wants one.")
        self.fields["search_tool"] = fields.text(
            "Search tool", required=False, max_length=128, help_text="Its tool that is called. Empty means find out."
        )

    def _token(self, help_text: str) -> None:
        stored = Source.token.is_set(self.source)
        self.fields["token"] = fields.token(
            "Access token", help_text="One is stored. Empty keeps it." if stored else help_text
        )

    def clean_include(self) -> str:
        return self._patterns("include")

    def clean_exclude(self) -> str:
        return self._patterns("exclude")

    def _patterns(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        try:
            PathFilter.parse(text)
        except InvalidPattern as error:
            raise forms.ValidationError(str(error)) from error
        return text

    def clean_credential(self) -> str:
        chosen: str = self.cleaned_data["credential"] or str(self.initial["credential"])
        connection_of(chosen, self.connections)
        return chosen

    def values(self) -> dict[str, Any]:
        """What was chosen, as `indexing.sources` takes it."""
        found = dict(self.cleaned_data)
        chosen = found.pop("credential", KEEP)
        if chosen == WITHOUT:
            found["connection"] = None
        elif chosen != KEEP:
            found["connection"] = connection_of(chosen, self.connections)
        return found


class AutoRefreshForm(forms.Form):
    """When an organisation's sources are refreshed by themselves."""

    enabled = forms.BooleanField(
        label="Refresh sources daily", required=False, help_text="Those that do not say otherwise themselves."
    )
    at = forms.TimeField(label="At", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    time_zone = forms.ChoiceField(label="Time zone")

    def __init__(self, data: Mapping[str, Any] | None = None, *, stored: AutoRefresh) -> None:
        super().__init__(data, initial={name: getattr(stored, name) for name in ("enabled", "at", "time_zone")})
        zone: Any = self.fields["time_zone"]
        zone.choices = time_zone_choices(current=stored.time_zone)


class SearchForm(forms.Form):
    """What is searched for on the Search page."""

    q = fields.conditional(
        forms.CharField(label="Search for", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    )
    path = fields.conditional(fields.text("Path begins with", "guide/", required=False, max_length=1024))
    source = fields.conditional(forms.ChoiceField(required=False))
    kind = fields.conditional(forms.ChoiceField(required=False, choices=[("", "Any kind"), *Source.Kind.choices]))
    version = fields.conditional(forms.ChoiceField(required=False))

    def __init__(
        self, data: Mapping[str, Any] | None, *, sources: list[tuple[str, str]], versions: list[tuple[str, str]]
    ) -> None:
        super().__init__(data)
        for name, choices in (("source", [("", "Any source"), *sources]), ("version", versions)):
            field: Any = self.fields[name]
            field.choices = choices

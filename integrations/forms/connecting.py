"""Connecting a repository to a server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django import forms
from django.core.exceptions import ImproperlyConfigured
from django.core.validators import URLValidator

from forges import fields, hooks
from forges.clients import FORGES
from forges.credential_fields import Other, connection_of, credential_field, usable
from forges.forms import api_address, bitbucket_base_url, only_an_address, option
from forges.models import Connection
from integrations.forms.branches import BranchForm
from integrations.forms.credentials import (
    NONE,
    TOKEN,
    WITHOUT,
    check_token,
)
from integrations.probing import Entered
from integrations.wording import FORGE_HELP
from orgs.models import Membership

WITH_SERVER = ("github", "gitlab")
"""Forges that people run themselves, too."""


class ConnectForm(BranchForm):
    """Each forge has a choice of credentials of its own: `credential_github` and so on; that of the chosen one counts.

    What belongs to other forges is in the page all the same, hidden, and is not looked at.
    """

    forge = forms.ChoiceField(
        label="Forge",
        choices=[option(forge.key, forge.label, FORGE_HELP.get(forge.key, "")) for forge in FORGES.values()],
        widget=forms.RadioSelect(attrs={"class": "radio-cards"}),
    )
    base_url = fields.text(
        "Server address",
        "https://git.example.com",
        required=False,
        max_length=200,
        validators=[URLValidator(schemes=["https", "http"]), only_an_address],
        help_text="As you open it in the browser. Empty means the public one.",
        attrs={"inputmode": "url"},
    )
    username = fields.text("User name", required=False, max_length=255, help_text="If the server asks for one.")
    email = fields.text(
        "E-mail address of the Atlassian account",
        required=False,
        max_length=255,
        help_text="For an API token, which goes with it. A repository’s or workspace’s access token needs none.",
        attrs={"inputmode": "email"},
    )
    token = fields.token("Access token")
    repository = fields.text(
        "Repository",
        "owner/name or its address",
        max_length=1000,
        attrs={"list": "repository-choices"},
        error_messages={"required": "Enter the repository as owner/name, or its address."},
    )
    on_push = forms.BooleanField(
        label="Refresh on push",
        required=False,
        help_text="A webhook tells of pushes; Millrace adds it where the credential allows that.",
    )

    field_order = (
        "forge",
        "base_url",
        *(f"credential_{forge}" for forge in FORGES),
        "username",
        "email",
        "token",
        "repository",
        "branch",
        "include",
        "exclude",
        "mount_path",
        "on_push",
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, membership: Membership, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial={"forge": next(iter(FORGES)), "on_push": True, **(initial or {})})
        self.connections: dict[str, list[Connection]] = {key: [] for key in FORGES}
        for connection in usable(membership):
            self.connections[connection.forge].append(connection)
        for key, offered in self.connections.items():
            name = f"credential_{key}"
            self.fields[name] = credential_field(offered, membership, others=_without_connection(key))
            best = next((str(each.pk) for each in offered if each.is_connected), TOKEN)
            self.initial.setdefault(name, best)
        self.order_fields(self.field_order)

    @property
    def chosen_forge(self) -> str:
        chosen = self["forge"].value()
        return chosen if chosen in FORGES else next(iter(FORGES))

    @property
    def credential_name(self) -> str:
        return f"credential_{self.chosen_forge}"

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        forge = values.get("forge")
        if forge is None:
            return values
        for other in FORGES:
            if other != forge:
                self.errors.pop(f"credential_{other}", None)
        chosen = values.get(f"credential_{forge}") or (TOKEN if values.get("token") else NONE)
        values["credential"] = chosen
        try:
            values["connection"] = connection_of(chosen, self.connections[forge])
        except forms.ValidationError as error:
            self.add_error(f"credential_{forge}", error)
        if chosen == TOKEN and "token" not in self.errors:
            if values.get("token"):
                check_token(self, forge, values["token"], self._username(values))
            else:
                self.add_error("token", "Enter an access token, or choose another credential or none.")
        return values

    def _username(self, values: Mapping[str, Any]) -> str:
        name = {"bitbucket": "email", fields.PLAIN_GIT: "username"}.get(values.get("forge") or self.chosen_forge)
        return values.get(name, "") if name else ""

    def _base_url(self, forge: str, values: Mapping[str, Any]) -> str:
        if forge == "bitbucket":
            with suppress(ImproperlyConfigured):  # the Connections page says so
                return bitbucket_base_url()
        return api_address(forge, values.get("base_url", "")) if forge in WITH_SERVER else ""

    def entered(self) -> Entered:
        """The values so far, also of a form that is not complete: the pickers ask with what there is."""
        values = self.cleaned_data
        forge = values.get("forge") or self.chosen_forge
        # Without an address it would be the public server that is told another one's token, and its repository's name.
        known = not self.wrong_address
        with_token = values.get("credential") == TOKEN and known
        return Entered(
            forge=forge,
            repository=values.get("repository", "") if known else "",
            base_url=self._base_url(forge, values),
            username=self._username(values) if with_token else "",
            token=values.get("token", "") if with_token else "",
            branch=values.get("branch", ""),
            include=values.get("include", ""),
            exclude=values.get("exclude", ""),
            mount_path=values.get("mount_path", ""),
            connection=values.get("connection"),
        )

    @property
    def wrong_address(self) -> str:
        """What is wrong with the server's address, where it counts."""
        if self.chosen_forge not in WITH_SERVER or self.cleaned_data.get("connection") is not None:
            return ""
        return " ".join(map(str, self.errors.get("base_url", ())))

    @property
    def refreshes_on_push(self) -> bool:
        """What is chosen about pushes, where the forge can tell of them."""
        return bool(self.cleaned_data.get("on_push")) and hooks.possible(self.chosen_forge)


def _without_connection(forge: str) -> list[Other]:
    label = "A token or password" if forge == fields.PLAIN_GIT else "An access token"
    return [(TOKEN, label, "Kept with this integration alone."), (NONE, "None", WITHOUT)]

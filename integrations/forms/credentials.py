"""With what an integration speaks to its forge: a connection, a token of its own, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from forges import connecting
from forges.connection_rows import tone_of
from forges.forms import option
from forges.keeping import ConnectionRefused
from forges.models import Connection, Method
from forges.standing import where
from integrations.forms import fields
from integrations.models import Integration
from orgs.models import Membership

TOKEN, NONE, KEEP = "token", "none", "keep"

Other = tuple[str, str, str]
"""What can be chosen instead of a connection: its value, its name, and what it means."""

MANY = 8
"""Up to so many connections are radio buttons: each takes some lines of a telephone's page."""

WITHOUT = "For repositories that anyone can read."
NOT_OFFERED = "Choose one of the connections that you may use, an access token, or none."


def usable(membership: Membership) -> list[Connection]:
    """The connections that a member may choose, their own first."""
    found = Connection.objects.usable_by(membership).select_related("user")
    return sorted(found, key=lambda each: (each.user_id != membership.user_id, not each.is_connected))


def _facts(connection: Connection, membership: Membership) -> str:
    if connection.shared:
        whose = "shared with the organisation"
    else:
        whose = "your own" if connection.user_id == membership.user_id else f"of {connection.user}"
    account = f"{connection.account}, " if connection.name and connection.account else ""
    facts = f"{account}{connection.get_method_display()}, {whose}"
    if connection.method == Method.TOKEN:  # an account can have several, each for other repositories
        facts = f"{facts}, added {date_format(localtime(connection.created_at), 'j F Y, H:i')}"
    if not connection.is_connected:
        facts = f"{facts}. {connection.get_status_display()}: {connection.reason}"
    return facts


def _connection_option(connection: Connection, membership: Membership) -> tuple[str, SafeString]:
    facts = _facts(connection, membership)
    words = (
        '<span><strong>{}</strong> at {} <span class="status small tone-{}">{}</span>'
        '<span class="choice-help">{}</span></span>'
    )
    shown = format_html(
        words, connection, where(connection), tone_of(connection), connection.get_status_display(), facts
    )
    return str(connection.pk), shown


def credential_field(
    connections: Iterable[Connection], membership: Membership, *, others: Sequence[Other]
) -> forms.ChoiceField:
    """A choice among connections and `others`. One that is not connected is shown, and cannot be chosen."""
    offered = list(connections)
    disabled = {str(each.pk): each.reason for each in offered if not each.is_connected}
    choices: list[Any]
    widget: forms.Widget
    if len(offered) > MANY:
        named = [(str(each.pk), f"{each} at {where(each)}. {_facts(each, membership)}") for each in offered]
        choices = [*((value, f"{label}. {means}".strip()) for value, label, means in others), ("Connections", named)]
        widget = fields.Dropdown(disabled=disabled)
    else:
        choices = [*(_connection_option(each, membership) for each in offered), *(option(*each) for each in others)]
        widget = fields.Options(attrs={"class": "radio-list"}, disabled=disabled)
    field = forms.ChoiceField(
        label="Credential",
        required=False,
        choices=choices,
        widget=widget,
        error_messages={"invalid_choice": NOT_OFFERED},
    )
    fields.conditional(field)
    return field


def connection_of(chosen: str, connections: Iterable[Connection]) -> Connection | None:
    """The connection that was chosen. ValidationError when it is not connected."""
    found = next((each for each in connections if str(each.pk) == chosen), None)
    if found is not None and not found.is_connected:
        raise forms.ValidationError(f"{found} is not connected. {found.reason} Connect it again, or choose another.")
    return found


def check_token(form: forms.Form, forge: str, token: str, username: str) -> None:
    """Say what can be seen of a token without asking the forge, beside its field."""
    if forge == fields.PLAIN_GIT:
        return
    try:
        connecting.check_entered(forge, token, username)
    except ConnectionRefused as error:
        name = {"username": "email" if "email" in form.fields else "username"}.get(error.field, error.field)
        form.add_error(name if name in form.fields else None, str(error))


class CredentialForm(fields.ServiceForm):
    """The credential of an integration that is there."""

    username = fields.text("User name", required=False, max_length=255)
    token = fields.token("New access token")

    field_order = ("credential", "username", "token")

    def __init__(self, data: Any = None, *, integration: Integration, membership: Membership, chosen: str = "") -> None:
        """`chosen` is the connection that is offered as chosen, when somebody has just made it."""
        super().__init__(data, initial={"username": integration.username})
        self.integration = integration
        self.has_token = Integration.token.is_set(integration)
        fits = {"forge": integration.forge, "base_url": integration.base_url}
        others = [
            each
            for each in usable(membership)
            if each.pk != integration.connection_id and all(getattr(each, name) == fits[name] for name in fits)
        ]
        self.connections = others
        self.fields["credential"] = credential_field(others, membership, others=self._without_connection())
        if chosen not in {str(each.pk) for each in others}:
            chosen = KEEP if self.has_token or integration.connection_id else NONE
        self.initial["credential"] = chosen
        if integration.forge == "bitbucket":
            self.fields["username"].label = "E-mail address of the Atlassian account"
        elif integration.forge != fields.PLAIN_GIT:
            del self.fields["username"]
        if not self.has_token:
            self.fields["token"].label = "Access token"
        self.order_fields(self.field_order)

    def _without_connection(self) -> list[Other]:
        kept: list[Other] = []
        if self.has_token or self.integration.connection_id:
            kept.append((KEEP, "As it is", "What it has now stays."))
        token = "Another access token" if self.has_token else "An access token of its own"
        return [*kept, (TOKEN, token, ""), (NONE, "None", WITHOUT)]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        chosen = values.get("credential") or (TOKEN if values.get("token") else KEEP)
        values["credential"] = chosen
        if "credential" in self.errors:
            return values
        try:
            values["connection"] = connection_of(chosen, self.connections)
        except forms.ValidationError as error:
            self.add_error("credential", error)
        if chosen == TOKEN:
            if values.get("token"):
                check_token(self, self.integration.forge, values["token"], values.get("username", ""))
            elif "token" not in self.errors:
                self.add_error("token", "Enter an access token, or choose another credential.")
        return values

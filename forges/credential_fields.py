"""Form fields in which one of an organisation's connections is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from forges import fields
from forges.connection_rows import tone_of
from forges.forms import option
from forges.models import Connection, Method
from forges.standing import where
from orgs.models import Membership

Other = tuple[str, str, str]
"""What can be chosen instead of a connection: its value, its name, and what it means."""

MANY = 8
"""Up to so many connections are radio buttons: each takes some lines of a telephone's page."""

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

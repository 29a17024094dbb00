"""With what an integration speaks to its forge: a connection, a token of its own, or nothing."""

from __future__ import annotations

from typing import Any

from django import forms

from forges import connecting, fields
from forges.credential_fields import Other, connection_of, credential_field, usable
from forges.keeping import ConnectionRefused
from integrations.models import Integration
from lib.forms import tell
from orgs.models import Membership

TOKEN, NONE, KEEP = "token", "none", "keep"
WITHOUT = "For repositories that anyone can read."


def check_token(form: forms.Form, forge: str, token: str, username: str) -> None:
    """Say what can be seen of a token without asking the forge, beside its field."""
    if forge == fields.PLAIN_GIT:
        return
    try:
        connecting.check_entered(forge, token, username)
    except ConnectionRefused as error:
        name = {"username": "email" if "email" in form.fields else "username"}.get(error.field, error.field)
        tell(form, name, str(error))


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

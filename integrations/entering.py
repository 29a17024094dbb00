"""What is entered about an integration that is there: its own repository, with the credential that it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forges.picking import FieldError
from integrations import probing
from integrations.models import Integration, Track
from integrations.probing import Entered, Probe
from lib.crypto import CryptoError


def entered(integration: Integration, values: Mapping[str, Any]) -> Entered:
    """What is on a form: branch, filter and mount path, and a credential only where a new one is."""
    return Entered(
        forge=integration.forge,
        repository=integration.repository,
        base_url=integration.base_url,
        repository_id=integration.repository_id,
        username=values.get("username", ""),
        token=values.get("token", ""),
        branch=values.get("branch", ""),
        include=values.get("include", ""),
        exclude=values.get("exclude", ""),
        mount_path=values.get("mount_path", ""),
        connection=values.get("connection"),
    )


def with_stored_credential(integration: Integration, asked: Entered) -> Entered:
    """The same with the credential that the integration has. Raises FieldError when its token cannot be decrypted."""
    if integration.connection is not None:
        return replace(asked, connection=integration.connection)
    try:
        return replace(asked, token=integration.token, username=integration.username)
    except CryptoError as error:
        raise FieldError("token", str(error)) from error


def probe_branch(integration: Integration, asked: Entered) -> Probe:
    """What the forge says of a branch, through the stored credential. Raises FieldError."""
    try:
        return probing.probe(with_stored_credential(integration, asked))
    except FieldError as error:
        if error.field == "branch":
            raise
        raise FieldError("", f"{error} Its credential is another form.") from error


def probe_credential(track: Track, asked: Entered, *, without: bool) -> Probe:
    """What the forge says of a new credential, or of none. Raises FieldError on the field of the form."""
    try:
        return probing.probe(replace(asked, branch=track.branch))
    except FieldError as error:
        if error.field == "branch":
            raise FieldError("", str(error)) from error
        if without:
            reason = "Without a credential this repository cannot be read, so the one that it has stays."
            raise FieldError("connection", reason) from error
        raise FieldError("token" if asked.token else "connection", str(error)) from error

"""Whose a GitLab token is, what it may do and how long."""

from __future__ import annotations

from datetime import datetime

from forges.clients.answers import id_of, name_of, picture_of
from forges.clients.base import Account
from forges.clients.errors import Forbidden, NotFound
from forges.clients.gitlab_answers import ends_in, expiry_of, scopes_of
from forges.clients.gitlab_session import GitLabSession


# https://docs.gitlab.com/api/users/#retrieve-the-current-user
def read_account(session: GitLabSession) -> Account:
    """Project and group access tokens speak for a bot, whose login says so: `project_42_bot_…`.

    `login` is None for a token whose scopes do not let it see its own account.
    """
    scopes, expires_at, account_id = _read_token(session)
    with session.understood("this account") as what:
        try:
            found = session.get("/user", what)
        except Forbidden:
            if scopes is None:
                raise
            return Account(login=None, scopes=scopes, expires_at=expires_at, id=account_id)
        return Account(
            login=name_of(found["username"]),
            scopes=scopes,
            expires_at=expires_at,
            avatar_url=picture_of(found.get("avatar_url")),
            id=id_of(found["id"]),
        )


# https://docs.gitlab.com/api/personal_access_tokens/#self-inform
# https://docs.gitlab.com/api/oauth2/#retrieve-the-token-information
def _read_token(session: GitLabSession) -> tuple[frozenset[str] | None, datetime | None, str]:
    """Scopes, end and account of the token, as far as GitLab tells; any token may ask about itself."""
    with session.understood("this token") as what:
        try:
            if session.source and session.source.current().oauth:
                found = session.get(f"{session.web_url}/oauth/token/info", what)
                owner = found.get("resource_owner_id")
                scopes, end = scopes_of(found.get("scope")), ends_in(found.get("expires_in"))
            else:
                found = session.get("/personal_access_tokens/self", what)
                owner = found.get("user_id")
                scopes, end = scopes_of(found.get("scopes")), expiry_of(found.get("expires_at"))
        except (Forbidden, NotFound):  # servers from before 15.5
            return None, None, ""
        return scopes, end, "" if owner is None else id_of(owner)

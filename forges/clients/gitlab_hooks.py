"""Webhooks of a GitLab project, which take the Maintainer role and the scope `api`.

https://docs.gitlab.com/api/project_webhooks/

A project's webhook hears of pushes; renames, transfers and deletions are told to the server's own system hooks alone,
so that these are noticed when the project is asked for by its number.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, suppress
from typing import Any

from forges.clients.base import RemoteHook
from forges.clients.errors import Forbidden, ForgeError, NotFound
from forges.clients.gitlab_answers import hook_of
from forges.clients.gitlab_session import PAGE, GitLabSession

# https://docs.gitlab.com/user/project/integrations/webhooks/#signing-tokens: 32 bytes in base64.
_SIGNING_TOKEN = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


def list_hooks(session: GitLabSession, project: Any, name: str) -> tuple[RemoteHook, ...]:
    found: dict[str, RemoteHook] = {}
    with _administering(session, f"the webhooks of {name}"):
        for item in session.pages(project.hooks.list(iterator=True, per_page=PAGE)):
            hook = hook_of(item.attributes)
            if hook.id in found:
                break
            found[hook.id] = hook
    return tuple(found.values())


def create_hook(session: GitLabSession, project: Any, name: str, *, url: str, secret: str) -> RemoteHook:
    with _administering(session, f"a webhook of {name}"):
        return hook_of(project.hooks.create(_wanted(url, secret)).attributes)


def update_hook(session: GitLabSession, project: Any, name: str, hook_id: str, *, url: str, secret: str) -> RemoteHook:
    """Switched off hooks are healed by a test delivery that succeeds; nothing else that the API has does it.

    https://docs.gitlab.com/user/project/integrations/webhooks/#re-enable-disabled-webhooks
    """
    with _administering(session, f"a webhook of {name}"):
        hook = hook_of(project.hooks.update(hook_id, _wanted(url, secret)))
        if not hook.active:
            # A project without a commit has nothing to test with, and five tests a minute are allowed: another time.
            with suppress(ForgeError):
                project.hooks.get(hook_id, lazy=True).test("push_events")
                hook = hook_of(project.hooks.get(hook_id).attributes)
    return hook


def delete_hook(session: GitLabSession, project: Any, name: str, hook_id: str) -> None:
    with _administering(session, f"a webhook of {name}"), suppress(NotFound):
        project.hooks.delete(hook_id)


def _wanted(url: str, secret: str) -> dict[str, Any]:
    wanted = {
        "url": url,
        "token": secret,
        "push_events": True,
        "push_events_branch_filter": "",
        "enable_ssl_verification": True,
    }
    if _SIGNING_TOKEN.fullmatch(secret):
        # Beside the token, which is all that servers from before 19 know: they ignore what they do not know.
        wanted["signing_token"] = secret
    return wanted


def _administering(session: GitLabSession, what: str) -> AbstractContextManager[str]:
    def judge(status: int, _reasons: frozenset[str]) -> ForgeError | None:
        if status != 403:
            return None
        return Forbidden(
            f"{session.host} shows {what} to Maintainers of the project alone, with a token that has the scope “api”.",
            advice="Use a token of a Maintainer, or ask one to add the webhook by hand.",
        )

    return session.understood(what, judge)

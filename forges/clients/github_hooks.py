"""A repository's webhooks at GitHub. https://docs.github.com/en/rest/repos/webhooks"""

from __future__ import annotations

from typing import Any

from forges.clients.answers import MAX_URL, id_of, name_of
from forges.clients.base import RemoteHook
from forges.clients.errors import Conflict, Forbidden, ForgeError, NotFound
from forges.clients.github_api import PAGE, GitHubApi, Judge

EVENTS = ("push", "repository", "delete")
"""Pushes, what becomes of the repository, and branches that were deleted."""


class GitHubHooks:
    def __init__(self, api: GitHubApi) -> None:
        self._api = api

    # https://docs.github.com/en/rest/repos/webhooks#list-repository-webhooks
    def all(self, name: str) -> tuple[RemoteHook, ...]:
        api = self._api
        found: dict[str, RemoteHook] = {}
        with api.understood(f"the webhooks of {name}") as what:
            for page in range(1, api.limits.max_pages + 1):
                answer = self._send("GET", name, f"?per_page={PAGE}&page={page}", what)
                hooks = [_hook(item) for item in answer]
                found |= {hook.id: hook for hook in hooks}
                if len(hooks) < PAGE:
                    break
        return tuple(found.values())

    # https://docs.github.com/en/rest/repos/webhooks#create-a-repository-webhook
    def create(self, name: str, *, url: str, secret: str) -> RemoteHook:
        with self._api.understood(f"a webhook of {name}") as what:
            return _hook(self._send("POST", name, "", what, {"name": "web"} | _wanted(url, secret)))

    # https://docs.github.com/en/rest/repos/webhooks#update-a-repository-webhook
    def update(self, name: str, hook_id: str, *, url: str, secret: str) -> RemoteHook:
        with self._api.understood(f"the webhook of {name}") as what:
            if not _is_id(hook_id):
                raise NotFound(f"{self._api.host} has no such webhook of {name}.")
            return _hook(self._send("PATCH", name, f"/{hook_id}", what, _wanted(url, secret)))

    # https://docs.github.com/en/rest/repos/webhooks#delete-a-repository-webhook
    def delete(self, name: str, hook_id: str) -> None:
        path, what = f"{self._api.path(name)}/hooks/{hook_id}", f"the webhook of {name}"
        if _is_id(hook_id):
            self._api.send("DELETE", path, what, ok=(204, 404), judge=self._judge(name, what))

    def _send(self, method: str, name: str, rest: str, what: str, body: dict[str, Any] | None = None) -> Any:
        api, path = self._api, self._api.path(name)
        try:
            judge = self._judge(name, what)
            return api.json(api.send(method, f"{path}/hooks{rest}", what, body=body, ok=(200, 201), judge=judge))
        except NotFound:
            # It is said of a repository's hooks to those who see the repository and do not administer it.
            if method == "PATCH":
                self.all(name)
                raise
            api.get(path, f"the repository {name}")
            raise _not_let(api, name) from None

    def _judge(self, name: str, what: str) -> Judge:
        host = self._api.host

        def judge(status: int, _message: str) -> ForgeError | None:
            if status == 403:
                return _not_let(self._api, name)
            if status == 422:
                return Conflict(
                    f"{host} does not take this address for {what}: it has one with the same address already, or it "
                    "could not reach this one.",
                    advice="Look at the repository's webhooks at the forge.",
                )
            return None

        return judge


def _not_let(api: GitHubApi, name: str) -> Forbidden:
    return Forbidden(
        f"{api.host} does not let this credential manage the webhooks of {name}: that takes the permission for "
        "webhooks (admin:repo_hook), and an account that administers the repository.",
        advice="Give the credential that permission, or add the webhook by hand.",
    )


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _wanted(url: str, secret: str) -> dict[str, Any]:
    config = {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
    return {"active": True, "events": list(EVENTS), "config": config}


def _hook(item: Any) -> RemoteHook:
    config, events = item["config"], set(item["events"])
    return RemoteHook(
        id=id_of(item["id"]),
        url=name_of(config.get("url") or "", most=MAX_URL),
        active=item["active"] is True,
        complete=(
            bool(events.issuperset(EVENTS) or "*" in events)
            and config.get("content_type") == "json"
            and str(config.get("insecure_ssl", "0")) == "0"
            and bool(config.get("secret"))
        ),
    )

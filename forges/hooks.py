"""Webhooks of repositories: wanted, made at the forge, healed, given a new secret, removed.

Who wants one, and with which credentials it may be managed, apps above register: this one may not ask them by import.
A repository that is read through a GitHub App needs none, because the App's own webhook tells of its pushes.

The status says whether deliveries arrive: active once the forge has the webhook with its current secret, or once a
delivery came that was signed with it; to be added by hand where no credential may manage webhooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Protocol

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from forges.clients import FORGES, webhooks
from forges.clients.base import Client, RemoteHook
from forges.clients.errors import Conflict, Forbidden, ForgeError, NotFound
from forges.models import Hook, HookStatus
from forges.signals import repository_changed
from forges.usage import Use
from jobs import runs
from jobs.models import Trigger
from orgs import audit
from orgs.models import Organization, User

CHECK = "forges.hook"
"""The kind of Run that makes or heals one."""

_POSSIBLE = ("github", "gitlab", "bitbucket")
PERMISSION: dict[str, str] = {
    "github": "the permission “Webhooks: Read and write” (of classic tokens the scope admin:repo_hook) and an account "
    "that is an admin of the repository",
    "gitlab": "the scope api and an account with the role Maintainer in the project",
    "bitbucket": "the permissions to read and write webhooks (of OAuth the scope webhook) and an account that is an "
    "admin of the repository",
}
"""What it takes to manage webhooks there."""
SECONDS = 30.0
"""For one request about webhooks: a server that trickles holds no worker."""


class Clients(Protocol):
    """Clients that may be able to manage a webhook, the likeliest first; entering one may raise what it likes."""

    def __call__(self, hook: Hook, *, seconds: float | None) -> Iterable[AbstractContextManager[Client]]: ...


_clients: list[Clients] = []
_followers: list[Callable[[Hook], list[Use]]] = []


def register_clients(function: Clients) -> None:
    """Apps do it in their `ready()`."""
    if function not in _clients:
        _clients.append(function)


def register_followers(function: Callable[[Hook], list[Use]]) -> None:
    """What in the app its deliveries are for. A webhook that is for nothing is removed at night."""
    if function not in _followers:
        _followers.append(function)


def clients_for(hook: Hook) -> Iterable[AbstractContextManager[Client]]:
    for function in _clients:
        yield from function(hook, seconds=SECONDS)


def followers(hook: Hook) -> list[Use]:
    return [use for function in _followers for use in function(hook)]


def is_needed(hook: Hook) -> bool:
    return bool(followers(hook))


def possible(forge: str) -> bool:
    """Whether repositories there can have webhooks: plain git has none."""
    return forge in _POSSIBLE


def address(hook: Hook) -> str:
    """Where the forge posts to."""
    return f"{settings.BASE_URL}/hooks/{hook.forge}/{hook.pk}"


def label(hook: Hook) -> str:
    """The forge's name."""
    return FORGES[hook.forge].label


# -- what is here ------------------------------------------------------------------------------------------------------


@transaction.atomic
def want(
    organization: Organization,
    *,
    forge: str,
    base_url: str,
    repository_id: str,
    repository: str,
    secret: str = "",
) -> Hook:
    """The organisation's webhook of a repository, which is made unless it is there; a Run sees to it at the forge.

    `secret` is one that a person chose, and takes the place of another one that it has.
    """
    key: dict[str, Any] = {
        "organization": organization,
        "forge": forge,
        "base_url": base_url,
        "repository_id": repository_id,
    }
    hook = _locked(**key)
    if hook is None:
        hook = Hook(**key, repository=repository)
        hook.secret = secret or webhooks.new_secret(forge)
        try:
            with transaction.atomic():
                hook.save(force_insert=True)
        except IntegrityError:  # one_hook_for_a_repository
            return want(**key, repository=repository, secret=secret)
    elif secret and secret != hook.secret:
        _give(hook, secret)
    if hook.status != HookStatus.ACTIVE:
        request_check(hook, trigger=Trigger.CONNECT)
    return hook


def _locked(**key: Any) -> Hook | None:
    """Locked, so that nobody removes it meanwhile as one that is not needed."""
    return Hook.objects.select_for_update(of=("self",)).select_related("organization").filter(**key).first()


def request_check(hook: Hook, *, by: User | None = None, trigger: str = Trigger.SCHEDULE) -> runs.Requested:
    """Ask for a look at the forge, where it is made or healed as it needs."""
    return runs.request_run(kind=CHECK, subject=hook, organization=hook.organization, trigger=trigger, requested_by=by)


def release(hook: Hook | None, *, by: User) -> None:
    """A person took away what followed it. Unless something else does, a Run removes it, with what they may use."""
    if hook is not None and not is_needed(hook):
        request_check(hook, by=by, trigger=Trigger.MANUAL)


def rotate(hook: Hook, *, by: User | None = None, request: HttpRequest | None = None) -> Hook:
    """Give it a new secret. The one that the forge has verifies for HOOK_SECRET_OVERLAP_HOURS more.

    A Run takes the new one to the forge, if any credential may; otherwise a person has to.
    """
    with transaction.atomic():
        found = _locked(pk=hook.pk)
        if found is None:
            raise Hook.DoesNotExist
        hook = found
        _give(hook, webhooks.new_secret(hook.forge))
        audit.record("hook.rotated", organization=hook.organization, actor=by, target=hook, request=request)
        request_check(hook, by=by, trigger=Trigger.MANUAL)
    return hook


def _give(hook: Hook, secret: str) -> None:
    now = timezone.now()
    # One that was never in use at the forge need not verify; what is in use there is the one before it.
    if hook.status == HookStatus.ACTIVE or hook.previous_until is None or hook.previous_until <= now:
        hook.previous_secret = hook.secret
    hook.previous_until = now + timedelta(hours=settings.HOOK_SECRET_OVERLAP_HOURS)
    hook.secret, hook.rotated_at = secret, now
    hook.status = HookStatus.PENDING if hook.remote_id else HookStatus.MANUAL
    hook.reason = "" if hook.remote_id else f"It has a new secret, which has to be entered at {label(hook)}."
    hook.save()


def reveal(hook: Hook, *, by: User, request: HttpRequest | None = None) -> str:
    """Its secret, for a person who enters it at the forge. Who saw it is in the audit log."""
    audit.record("hook.secret_shown", organization=hook.organization, actor=by, target=hook, request=request)
    return hook.secret


def note_silent(hook: Hook) -> bool:
    """A push was found by looking that should have been told; False if that is known. The forge is asked why."""
    if not Hook.objects.filter(pk=hook.pk, silent_since=None).update(silent_since=timezone.now()):
        return False
    hook.refresh_from_db(fields=["silent_since"])
    request_check(hook)
    return True


def forget_old_secret(hook: Hook) -> None:
    """The one before the current one, once it does not verify any more."""
    if hook.previous_until is not None and hook.previous_until <= timezone.now():
        hook.previous_secret, hook.previous_until = "", None
        hook.save(update_fields=[*Hook.previous_secret.columns, "previous_until"])


# -- at the forge ------------------------------------------------------------------------------------------------------


class _Hidden(NotFound):
    """The repository itself is not shown to the credential."""


def put(hook: Hook, client: Client) -> None:
    """See to it that the forge has the webhook, switched on, with all its events and the current secret.

    Made again when it was deleted there; surplus ones of ours go. Every ForgeError is raised: `note_trouble` says what
    only a person can change.
    """
    name = _follow(hook, client)
    url, secret = address(hook), hook.secret
    ours = [each for each in client.hooks(name) if each.url == url or each.id == hook.remote_id]
    ours.sort(key=lambda each: each.id != hook.remote_id)
    for surplus in ours[1:]:
        client.delete_hook(name, surplus.id)
    if not ours:
        remote = client.create_hook(name, url=url, secret=secret)
    elif _is_well(hook, ours[0]):
        remote = ours[0]
    else:
        remote = client.update_hook(name, ours[0].id, url=url, secret=secret)
    off = f"{label(hook)} has switched it off, because deliveries failed. Look at its log of deliveries there."
    fields = {
        "status": HookStatus.ACTIVE if remote.active else HookStatus.FAILED,
        "reason": "" if remote.active else off,
        "remote_id": remote.id,
        "checked_at": timezone.now(),
    }
    # Not if it was given another secret meanwhile: then the next Run, which was asked for with that, goes on.
    if Hook.objects.filter(pk=hook.pk, rotated_at=hook.rotated_at).update(**fields):
        _take(hook, fields)


def _follow(hook: Hook, client: Client) -> str:
    """The repository's name now. Another one is news: GitLab tells nobody, and others' deliveries get lost."""
    try:
        name = client.find(hook.repository_id).full_name
    except NotFound as error:
        raise _Hidden(str(error)) from error
    if name != hook.repository:
        _save(hook, repository=name)
        repository_changed.send(
            sender=Hook,
            organization=hook.organization,
            forge=hook.forge,
            base_url=hook.base_url,
            repository_id=hook.repository_id,
            kind="renamed",
            repository=name,
            branches=(),
        )
    return name


def _is_well(hook: Hook, remote: RemoteHook) -> bool:
    """Whether the forge's is as it should be, and known to have the current secret."""
    told = hook.checked_at is not None and hook.checked_at > hook.rotated_at and hook.remote_id == remote.id
    return told and remote.active and remote.complete and remote.url == address(hook)


def note_trouble(hook: Hook, error: ForgeError | None) -> None:
    """Say why it is not managed by us; None where no credential here could be asked with."""
    by_hand = error is None or (isinstance(error, Forbidden | NotFound) and not isinstance(error, _Hidden))
    name, forge = hook.repository, label(hook)
    if by_hand:
        whose = "No credential here may" if error is None else "The credential may not"
        reason = f"{whose} manage webhooks of {name}: that takes {PERMISSION[hook.forge]}."
    elif isinstance(error, _Hidden):
        reason = f"{forge} does not show {name} to the credential, or the repository is gone."
    elif isinstance(error, Conflict):
        reason = (
            f"{forge} did not accept the webhook: {error} It has to reach this server at {settings.BASE_URL}, and a "
            "repository can have a limited number of webhooks."
        )
    else:
        reason = f"{error} {error.advice if error else ''}".strip()
    if hook.status == HookStatus.ACTIVE and hook.silent_since is None:
        # Deliveries signed with its secret do come.
        _save(hook, reason=f"It could not be checked. {reason}" if hook.remote_id else "")
    else:
        _save(hook, status=HookStatus.MANUAL if by_hand else HookStatus.FAILED, reason=reason)


def remove(hook: Hook, client: Client | None) -> bool:
    """Delete it, at the forge too if we made it there. False, and nothing done, if it is wanted again meanwhile.

    Without `client` the forge keeps its own, whose deliveries are refused from then on. Every ForgeError is raised.
    """
    if client is not None and hook.remote_id:
        client.delete_hook(_follow(hook, client), hook.remote_id)
        _save(hook, remote_id="", status=HookStatus.PENDING)
    with transaction.atomic():
        found = _locked(pk=hook.pk)
        if found is None:
            return True
        if is_needed(found):
            return False
        audit.record("hook.removed", organization=found.organization, actor=None, target=found)
        found.delete()
    return True


def _save(hook: Hook, **fields: Any) -> None:
    Hook.objects.filter(pk=hook.pk).update(**fields)
    _take(hook, fields)


def _take(hook: Hook, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(hook, name, value)

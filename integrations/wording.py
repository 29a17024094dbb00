"""How pages speak of integrations: what came of a run, what to do next, why files are skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timeuntil

from forges.clients import FORGES
from forges.clients.base import Account
from forges.clients.permissions import findings
from forges.hooks import PERMISSION
from forges.models import Hook, HookStatus
from integrations.models import Integration, Track
from jobs.models import Run, Status
from jobs.wording import waiting_words

EXPIRES_SOON = timedelta(days=14)

FORGE_HELP: dict[str, str] = {
    "github": "github.com or a GitHub Enterprise server",
    "gitlab": "gitlab.com or a GitLab server of your own",
    "bitbucket": "Bitbucket Cloud, at bitbucket.org",
    "git": "Any repository that can be cloned over https",
}


TOKEN_HELP: dict[str, str] = {
    "github": "A fine-grained token with the permission “Contents: read”, or a classic one with the scope “repo”. "
    f"Adding webhooks takes {PERMISSION['github']}.",
    "gitlab": "A personal, group or project access token with the scope “read_api”. "
    f"Adding webhooks takes {PERMISSION['gitlab']}.",
    "bitbucket": "An API token with the permission “read:repository:bitbucket” and the e-mail address of its Atlassian "
    "account, or an access token of the repository or workspace. There are no app passwords any more: Bitbucket "
    f"removed them on 28 July 2026. Adding webhooks takes {PERMISSION['bitbucket']}.",
    "git": "A token or password that may read the repository.",
}
"""What a token has to be allowed to do, for each forge."""


def about_token(forge: str, account: Account, *, on_push: bool) -> tuple[tuple[str, str], ...]:
    """(level of a message, sentence) on what a token lacks, or could do without; none where the forge does not tell."""
    reading = findings(forge, method="token", scopes=account.scopes, oauth=False, purpose="read")
    if not on_push:
        return (*(("warning", each) for each in reading.missing), *(("info", each) for each in reading.notes))
    hooking = findings(forge, method="token", scopes=account.scopes, oauth=False, purpose="hooks")
    return tuple(("warning", each) for each in dict.fromkeys((*reading.missing, *hooking.missing)))


def forge_label(key: str) -> str:
    forge = FORGES.get(key)
    return forge.label if forge else key


def web_url(integration: Integration) -> str:
    """Where people see the repository, if that is a web address: it is what the forge said, and anyone can run one."""
    return integration.web_url if integration.web_url.startswith(("https://", "http://")) else ""


def track_label(track: Track) -> str:
    """The branch, with the mount path where it has one."""
    return f"{track.branch} → {track.mount_path}/" if track.mount_path else track.branch


def filter_label(track: Track) -> str:
    """The path filter in a few words; "" when all files are meant."""
    include, exclude = _patterns(track.include), _patterns(track.exclude)
    words = [_few(include)] if include else []
    if exclude:
        words.append(f"not {_few(exclude)}")
    return ", ".join(words)


def _patterns(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _few(patterns: list[str], most: int = 2) -> str:
    shown = ", ".join(pattern if len(pattern) <= 24 else f"{pattern[:23]}…" for pattern in patterns[:most])
    return shown if len(patterns) <= most else f"{shown} + {len(patterns) - most}"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a person should know or do about an integration."""

    tone: str
    """Of the interface: ok, info, warn, error."""
    text: str
    label: str = ""
    url: str = ""
    """Where it is done; "" when nothing is to be done, or not by this person."""


_NO_CREDENTIAL = {
    "auth_failed": "Its credential is not accepted any more.",
    "credential_missing": "It is private and has no credential here.",
    "forbidden": "Its credential may not read its contents.",
}
_LOOK_AT_BRANCH = {
    "empty_listing": ("There is nothing to import any more. Nothing was changed.", "Check branch and filter"),
    "empty_repository": ("The repository or branch has no commit.", "Check the branch"),
    "invalid_name": ("Its branch cannot be read.", "Check the branch"),
    "too_large": ("It is larger than this installation reads.", "Narrow the filter"),
}


def next_steps(
    integration: Integration,
    *,
    tracks: Sequence[Track],
    run: Run | None,
    held: Run | None,
    credential: Step | None,
    hook: Hook | None,
    edited: bool,
    worker_missing: bool,
    may_import: bool,
    may_delete: bool,
) -> tuple[Step, ...]:
    """What a row says beneath its last run, the most pressing first.

    `credential` is what is wrong with that, `hook` the webhook that it waits for the deliveries of.
    """
    steps = []
    if held is not None:
        number = held_count(held)
        if may_import and may_delete:
            steps.append(Step("warn", "", f"Confirm {number:,} removals", run_url(held)))
        else:
            steps.append(Step("warn", f"{number:,} removals wait for somebody to confirm them.", "See", run_url(held)))
    if run is not None and run.status == Status.QUEUED and worker_missing:
        steps.append(Step("warn", "No worker is running. It begins when one is started.", "Details", run_url(run)))
    if run is not None and run.status == Status.FAILED:
        if credential is None or run.error_code not in _NO_CREDENTIAL:
            steps.append(_after_failure(integration, tracks, run, may_import=may_import))
    elif run is not None and run.status == Status.PARTIAL:
        steps.append(Step("warn", "Not everything could be read.", "See what is missing", run_url(run)))
    if credential is not None:
        steps.append(credential)
    if integration.notice:
        steps.append(Step("warn", integration.notice))
    steps += [Step("warn", f"{track.branch}: {track.notice}") for track in tracks if track.notice]
    if edited and not (run and (run.is_live or run.status == Status.FAILED)):
        steps.append(Step("info", "Edited since. Refresh to apply it."))
    if step := _expiry(integration, _edit_url(integration) if may_import else ""):
        steps.append(step)
    if hook is not None and (step := _about_hook(integration, hook, may_import=may_import)):
        steps.append(step)
    return tuple(steps)


def _edit_url(integration: Integration) -> str:
    return reverse("integrations:edit", args=[integration.server.organization.slug, integration.pk])


def _branch_url(integration: Integration, tracks: Sequence[Track]) -> str:
    """Where the branch is edited; of several, where one chooses."""
    where = [integration.server.organization.slug, integration.pk]
    if len(tracks) == 1:
        return reverse("integrations:branch_edit", args=[*where, tracks[0].pk])
    return reverse("integrations:integration", args=where)


def _after_failure(integration: Integration, tracks: Sequence[Track], run: Run, *, may_import: bool) -> Step:
    code = run.error_code
    if run.finished_at and integration.updated_at > run.finished_at:
        return Step("info", "Edited since. Refresh to try again.")
    if code in _NO_CREDENTIAL:
        label = "Enter a new token" if Integration.token.is_set(integration) else "Choose a credential"
        return Step("error", _NO_CREDENTIAL[code], label, _edit_url(integration) if may_import else "")
    if code == "not_found":
        label = "Check repository and credential"
        return Step("error", "It cannot be found any more.", label, _edit_url(integration) if may_import else "")
    if code in _LOOK_AT_BRANCH:
        text, label = _LOOK_AT_BRANCH[code]
        return Step("error", text, label, _branch_url(integration, tracks) if may_import else "")
    if code == "unavailable":
        return Step("error", "The forge could not be reached. Refresh to try again.", "Details", run_url(run))
    return Step("error", _first_sentence(run.error_text), "Details", run_url(run))


def _first_sentence(text: str) -> str:
    sentence = text.partition(". ")[0].strip()
    return f"{sentence.rstrip('.')}." if sentence else "It failed."


def _about_hook(integration: Integration, hook: Hook, *, may_import: bool) -> Step | None:
    url = reverse("forges:hook", args=[integration.server.organization.slug, hook.pk]) if may_import else ""
    if hook.silent_since is not None and hook.status != HookStatus.FAILED:
        return Step("warn", "Its webhook seems not to deliver.", "Look at it", url)
    if hook.status == HookStatus.FAILED:
        return Step("warn", "Its webhook does not work.", "See why", url)
    if hook.status == HookStatus.MANUAL and hook.delivered_at is None:
        return Step("info", "Its webhook has to be added by hand.", "See how", url)
    return None


def _expiry(integration: Integration, edit: str) -> Step | None:
    expires = integration.token_expires_at
    if expires is None or not Integration.token.is_set(integration):
        return None
    now = timezone.now()
    if expires <= now:
        return Step("error", "Its token has expired.", "Enter a new token", edit)
    if expires - now < EXPIRES_SOON:
        return Step("warn", f"Its token expires in {timeuntil(expires, now, depth=1)}.", "Enter a new token", edit)
    return None


def run_url(run: Run) -> str:
    return reverse("jobs:run", args=[run.organization.slug, run.pk])


def held_count(run: Run) -> int:
    return sum(report["held"]["count"] for report in run.result.get("tracks", []) if report.get("held"))


_COUNTED = ("added", "changed", "moved", "removed", "stale", "revived")
_COUNT_WORDS = {"stale": "kept though gone in git", "revived": "back in git"}


def counted(counts: dict[str, Any]) -> str:
    """“2 added, 1 changed”; “nothing changed” when nothing did."""
    words = [f"{counts[name]:,} {_COUNT_WORDS.get(name, name)}" for name in _COUNTED if counts.get(name)]
    return ", ".join(words) if words else "nothing changed"


def outcome(run: Run, integration: Integration) -> tuple[str, str]:
    """(level of a message, sentence) on how a refresh stands or ended."""
    name = integration.short_name
    match run.status:
        case Status.SUCCEEDED:
            return "success", f"{name}: {counted(run.counts)}."
        case Status.PARTIAL:
            return "warning", f"{name}: {counted(run.counts)}, but not everything could be read. Nothing was pruned."
        case Status.HELD:
            return "warning", f"{name}: {held_count(run):,} files would go. Look at the list and confirm it."
        case Status.FAILED:
            return "error", f"{name}: {run.error_text}"
        case Status.CANCELLED:
            return "info", f"{name}: the refresh was cancelled."
        case Status.WAITING:
            return "info", f"{name}: the refresh waits {waiting_words(run)}."
    return "info", f"{name}: the refresh goes on in the background."

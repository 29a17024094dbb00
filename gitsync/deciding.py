"""What a person decides where a push is blocked: take files over, allow what looks like a secret, use pull requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from forges.picking import FieldError
from gitsync.models import AllowedFinding, Mode, PendingChange, Problem, PushedFile, PushTarget
from gitsync.probing import opens_pull_requests
from gitsync.requesting import ASSIGN, request_push
from jobs.models import Run, Trigger
from orgs import access, audit
from orgs.models import Membership


def digest_of(files: Mapping[str, str]) -> str:
    """Names a list of files as they are: {path: blob id}."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def take_over(target: PushTarget, digest: str, membership: Membership, request: HttpRequest | None = None) -> Run:
    """Make files that others wrote ours, as the person saw them: those in the way are overwritten by the next push,
    those left beside ours are removed. `digest` is `digest_of` the list. Raises FieldError when it is another by now.
    """
    access.require(membership, ASSIGN)
    with transaction.atomic():
        target = _locked(target, membership)
        in_the_way = target.problem_details.get("files", {}) if target.problem == Problem.CONFLICT else {}
        lists = {digest_of(files): files for files in (in_the_way, target.foreign) if files}
        if (files := lists.get(digest)) is None:
            raise FieldError("", "The list of these files has changed meanwhile. Look at it again.")
        PushedFile.objects.bulk_create(
            [PushedFile(target=target, path=path, intended=oid) for path, oid in files.items()],
            update_conflicts=True,
            unique_fields=["target", "path"],
            update_fields=["intended"],
        )
        if files is target.foreign:
            target.foreign, target.foreign_count = {}, 0
        target.last_commit = ""  # compare anew
        PendingChange.objects.create(
            target=target, person=membership.user, verb="take over", kind="files", name=str(len(files))
        )
        return _go_on(target, "target.files_taken_over", membership, request, after={"files": sorted(files)[:50]})


def allow_finding(target: PushTarget, digest: str, membership: Membership, request: HttpRequest | None = None) -> Run:
    """Say that what a push found is no secret, here and wherever it turns up in the organisation, and push. Raises
    FieldError when nothing of that digest is found."""
    access.require(membership, ASSIGN)
    with transaction.atomic():
        target = _locked(target, membership)
        findings = target.problem_details.get("findings", []) if target.problem == Problem.SECRET else []
        found = next((each for each in findings if each["digest"] == digest), None)
        if found is None:
            raise FieldError("", "This was not found by the last push. Look at what it found.")
        if not all(each.get("allowable", True) for each in findings if each["digest"] == digest):
            raise FieldError("", f"This is the {found['kind']}, which Millrace keeps secret. Take it out of there.")
        where = f"{found['path']}: {found['field']}" if found.get("field") else str(found["path"])
        AllowedFinding.objects.get_or_create(
            organization=target.organization,
            digest=digest,
            defaults={"where": where[:1200], "allowed_by": membership.user},
        )
        return _go_on(
            target, "target.finding_allowed", membership, request, after={"where": where, "kind": found["kind"]}
        )


def use_pull_requests(target: PushTarget, membership: Membership, request: HttpRequest | None = None) -> Run:
    """Push to a side branch with a pull request from now on. Raises FieldError where the forge has none."""
    access.require(membership, ASSIGN)
    if not opens_pull_requests(target.forge):
        raise FieldError("mode", "Plain git has no pull requests: let the account push to the branch.")
    with transaction.atomic():
        target = _locked(target, membership)
        before, target.mode = target.mode, Mode.PULL_REQUEST
        after = {"mode": target.mode}
        return _go_on(target, "target.changed", membership, request, before={"mode": before}, after=after)


def _locked(target: PushTarget, membership: Membership) -> PushTarget:
    return PushTarget.objects.select_for_update().get(pk=target.pk, organization=membership.organization)


def _go_on(
    target: PushTarget,
    action: str,
    membership: Membership,
    request: HttpRequest | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any],
) -> Run:
    target.revision += 1
    target.save()
    audit.record(
        action,
        organization=target.organization,
        actor=membership.user,
        target=target,
        scope=target.server,
        before=before,
        after=after,
        request=request,
    )
    return request_push(target, trigger=Trigger.MANUAL, by=membership.user)

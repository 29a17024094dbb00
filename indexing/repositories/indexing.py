"""A repository into the index: head -> unchanged? stop -> list -> compare -> read -> write -> take out.

Every difference is derived by comparing what is here with what is there, so a Run that was stopped anywhere is repaired
by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from django.conf import settings

from catalog import blobs as blob_store
from catalog.models import Blob
from forges.clients.base import Client, Entry
from forges.clients.errors import Conflict, ForgeError, NotFound
from forges.holding import client_of, turn_of_reader
from forges.reading import InvalidPattern, Skip, SkipReason, read_texts
from forges.reading.gates import Verdict
from forges.standing import ConnectionLost
from indexing import texts
from indexing.chunking.model import CHUNKER
from indexing.models import Source
from indexing.reasons import Reason
from indexing.reasons import SkipReason as PageSkip
from indexing.repositories.choice import Choice, front_first
from indexing.repositories.comparing import Plan, Row, Unfit, compare
from indexing.repositories.endings import ending_of
from indexing.repositories.finding import head_of
from indexing.repositories.pages import Writer, take_picture
from jobs.context import RunContext
from jobs.models import Status
from jobs.outcomes import Failure, Outcome, Waiting

BATCH = 100
"""Texts in memory at a time, if they are small."""
BATCH_CHARACTERS = 2 << 20
TRIES = 3
"""Times to begin anew when the branch moved under the Run."""
_STAGE = "Indexing files"


class _Rewritten(Exception):
    """The commit disappeared under the Run, and the branch has another head now."""


def choice_of(source: Source) -> Choice:
    return Choice(
        branch=source.branch,
        include=source.include,
        exclude=source.exclude,
        kinds=tuple(settings.INDEX_FILE_PATTERNS),
        max_bytes=settings.INDEX_FILE_MAX_BYTES,
        chunker=CHUNKER,
    )


def index(context: RunContext, source: Source) -> Outcome:
    """The Indexer of repositories. Failure with a Reason; Waiting for a turn, a rate limit or a connection."""
    choice = choice_of(source)
    try:
        fingerprint = choice.fingerprint
    except InvalidPattern as error:
        raise Failure(Reason.EMPTY, f"The patterns cannot be read. {error}") from error
    try:
        with turn_of_reader(context, source), _client(context, source) as client:
            for _ in range(TRIES):
                try:
                    return _once(context, client, source, choice, fingerprint)
                except _Rewritten:
                    context.log("The branch was rewritten while it was being read; starting again at its new head.")
    except ForgeError as error:
        raise ending_of(context, source, error) from error
    except Waiting as waiting:
        if isinstance(waiting.__cause__, ConnectionLost):
            # It goes on by itself; until then the page says why, and offers to connect it.
            Source.objects.filter(pk=source.pk).update(
                error_code=Reason.AUTH_REQUIRED, error_text=str(waiting.__cause__), error_reference=""
            )
        raise
    raise Failure(Reason.NETWORK, "The repository changes faster than it is read.")


def _client(context: RunContext, source: Source) -> AbstractContextManager[Client]:
    if source.credential_lost:
        raise Failure(Reason.AUTH_REQUIRED, source.credential_lost)
    return client_of(
        source,
        choose="Choose another one.",
        seconds=context.budget.seconds if context.budget else None,
        max_blob_bytes=settings.INDEX_FILE_MAX_BYTES,
    )


def _once(context: RunContext, client: Client, source: Source, choice: Choice, fingerprint: str) -> Outcome:
    context.progress("Asking for the head of the branch")
    branch, commit = head_of(client, source)
    same_choice = source.fingerprint == fingerprint
    confirmed = context.requested_by is not None and source.held_commit == commit
    if same_choice and source.last_commit == commit and not confirmed:
        return Outcome(result={"requests": client.usage.requests, "commit": commit, "unchanged_head": True})
    rows = take_picture(source)  # before the listing: what is written meanwhile must not look vanished
    try:
        context.progress(f"Listing {branch}")
        plan = compare(client.tree(source.repository, commit), rows, choice, same_choice=same_choice)
        # Whoever chose other files, or saw what would go and asked again, wants just that.
        may_drop = confirmed or not choice.chosen_alike(source.fingerprint)
        if not may_drop and plan.verdict() is Verdict.ABORT:
            raise _emptied(branch, plan)
        work = _Work(context, client, source, plan, rows)
        work.read()
    except (Conflict, NotFound) as error:
        if head_of(client, source)[1] == commit:
            raise
        raise _Rewritten from error
    return _finish(work, may_drop=may_drop, fingerprint=fingerprint, branch=branch)


def _emptied(branch: str, plan: Plan) -> Failure:
    return Failure(
        Reason.EMPTY,
        f"The branch {branch} has no file to index any more. What was indexed, {plan.indexed:,} files, stays. If it is "
        "meant to be empty, delete the source; otherwise check the branch.",
    )


def _stored(batch: Sequence[tuple[Entry, str]]) -> list[tuple[Entry, int]]:
    blobs = blob_store.store_texts([text for _, text in batch])
    return [(entry, blobs[Blob.digest(text)]) for entry, text in batch]


@dataclass
class _Work:
    """Reading what has to be read, with one batch of it in memory."""

    context: RunContext
    client: Client
    source: Source
    plan: Plan
    rows: dict[str, Row]
    skipped: list[Unfit] = field(default_factory=list)
    """What the bytes told; those that have a text in the index until now are left for the end."""
    done: int = 0

    def __post_init__(self) -> None:
        self.writer = Writer(self.context, self.source, texts.index_of(self.source.server), url_of=self._url_of)

    def _url_of(self, path: str) -> str:
        return self.client.file_url(self.source.repository, self.plan.commit, path)

    def read(self) -> None:
        plan = self.plan
        self._write([(entry, plan.here[entry.oid]) for entry in plan.to_read if entry.oid in plan.here])
        for entries in front_first([entry for entry in plan.to_read if entry.oid not in plan.here]):
            self._write(self._fetch(entries))

    def _fetch(self, entries: Sequence[Entry]) -> list[tuple[Entry, int]]:
        """Store the texts, which is quick: a forge does not wait for as long as it takes to index them."""
        fetched: list[tuple[Entry, int]] = []
        batch: list[tuple[Entry, str]] = []
        held = 0
        if entries:
            self.context.progress("Fetching files", done=0, total=len(entries))
        found = read_texts(
            self.client,
            self.source.repository,
            self.plan.commit,
            entries,
            max_bytes=settings.INDEX_FILE_MAX_BYTES,
            total=self.plan.listed,
        )
        for entry, text in found:
            if isinstance(text, Skip):
                self.skipped.append(Unfit.of(text))
            elif not text.strip():
                self.skipped.append(Unfit(entry.path, PageSkip.EMPTY, "The file is empty.", entry.oid))
            else:
                batch.append((entry, text))
                held += len(text)
            if len(batch) >= BATCH or held >= BATCH_CHARACTERS:
                fetched += _stored(batch)
                batch.clear()
                held = 0
                self.context.check()
            self.context.progress("Fetching files", done=len(fetched) + len(batch), total=len(entries))
        return fetched + _stored(batch)

    def _write(self, files: Sequence[tuple[Entry, int]]) -> None:
        for start in range(0, len(files), BATCH):
            self.context.progress(_STAGE, done=self.done, total=len(self.plan.to_read))
            self.done += self.writer.write(files[start : start + BATCH])
            self.context.check()

    @property
    def lost(self) -> int:
        """Files whose bytes became such as cannot be indexed."""
        return sum(skip.reason != SkipReason.UNREADABLE and self._is_indexed(skip.path) for skip in self.skipped)

    def _is_indexed(self, path: str) -> bool:
        row = self.rows.get(path)
        return row is not None and row.text is not None

    def take_out(self, *, drop: bool) -> None:
        """Rows of files that moved go; with `drop` also those that vanished, and the texts of what cannot be taken."""
        skips = [*self.plan.unfit, *self.skipped]
        if not drop:
            skips = [skip for skip in skips if skip.reason == SkipReason.UNREADABLE or not self._is_indexed(skip.path)]
        self.writer.skip(skips)
        self.writer.remove((*self.plan.left, *(self.plan.gone if drop else ())))


def _finish(work: _Work, *, may_drop: bool, fingerprint: str, branch: str) -> Outcome:
    plan, context = work.plan, work.context
    unreadable = sum(skip.reason == SkipReason.UNREADABLE for skip in work.skipped)
    verdict = plan.verdict(lost=work.lost, skipped=len(work.skipped))
    drop = may_drop or verdict is Verdict.GO
    work.take_out(drop=drop)
    if verdict is Verdict.ABORT and not drop:
        raise _emptied(branch, plan)
    whole = plan.complete and not unreadable and work.done + len(work.skipped) == len(plan.to_read)
    empty = plan.complete and drop and plan.wanted == len(work.skipped)
    notices = list(_notices(plan, unreadable, held=0 if drop else plan.dropped + work.lost))
    for text in notices:
        context.log(text, level="warning")
    Source.objects.filter(pk=work.source.pk).update(
        last_commit=plan.commit if whole and not empty else "",
        held_commit="" if drop else plan.commit,
        fingerprint=fingerprint,
        notice=" ".join(notices),
    )
    if empty:
        raise Failure(Reason.EMPTY, f"The branch {branch} has no file that could be indexed.")
    return Outcome(
        status=Status.SUCCEEDED if whole else Status.PARTIAL,
        counts=_counts(work, removed=len(plan.gone) if drop else 0),
        result={"requests": work.client.usage.requests, "commit": plan.commit, "complete": plan.complete},
    )


def _notices(plan: Plan, unreadable: int, *, held: int) -> Iterator[str]:
    if held:
        yield (
            f"{held:,} of {plan.indexed:,} files are gone from the repository, more than half. They stay in the index; "
            "Refresh takes them out."
        )
    if not plan.complete:
        yield f"The listing is incomplete: {plan.reason} Nothing was taken out."
    if unreadable:
        yield f"{unreadable:,} files could not be read this time; they stay as they were."


def _counts(work: _Work, *, removed: int) -> dict[str, int]:
    plan = work.plan
    return {
        "indexed": work.done,
        "unchanged": plan.unchanged,
        "removed": removed,
        "skipped": len(plan.unfit) + len(work.skipped),
    }

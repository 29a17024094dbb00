"""What a repository has of entities at one commit: listed, not yet read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from catalog.portable import paths
from catalog.portable.model import FOLDERS, SKILL_FILE, Code, Kind, Problem, Unit
from forges.clients.base import Client, Entry, EntryKind
from forges.clients.errors import EmptyRepository, Moved, NotFound
from gitsync.models import Mirror
from jobs.models import FINISHED, Run
from jobs.outcomes import Waiting

_KINDS = {folder: kind for kind, folder in FOLDERS.items()}
CATCHES_UP = timedelta(minutes=2)
_FILES = (EntryKind.FILE, EntryKind.EXECUTABLE)


@dataclass(frozen=True, slots=True)
class Found:
    """The files of one entity, or what looks as if it was meant to be one."""

    kind: Kind
    slug: str
    path: str
    """Of the unit: toolkits/weather.json, skills/pdf-forms"""
    files: Mapping[str, str]
    """Path below the mirror's directory -> blob id."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with it before anything of it is read."""

    @property
    def main(self) -> str:
        """Of its files the one that says what it is."""
        return f"{self.path}/{SKILL_FILE}" if self.kind is Kind.SKILL else self.path

    @property
    def unit(self) -> Unit:
        return Unit(self.kind, self.slug, self.path, self.files)


@dataclass(frozen=True, slots=True)
class There:
    """The repository at one commit."""

    name: str
    commit: str
    """"" for an empty repository."""
    complete: bool = True
    reason: str = ""
    """Why it is not listed whole, for a person."""
    tree: Mapping[str, str] = field(default_factory=dict)
    """All of it: path in the repository -> blob id."""
    entries: Mapping[str, Entry] = field(default_factory=dict)
    """Those below the mirror's directory, by their paths there."""
    found: Mapping[str, Found] = field(default_factory=dict)
    """By the paths of their units, sorted."""
    doubted: frozenset[Kind] = frozenset()
    """Of which entities may be there that are not found: no wish to delete them follows from that."""


def head_of(client: Client, mirror: Mirror) -> tuple[str, str]:
    """The repository's name and the branch's head, "" for an empty one. One request, unless it has another name now."""
    try:
        return mirror.repository, client.head(mirror.repository, mirror.branch, repository_id=mirror.repository_id)
    except EmptyRepository:
        return mirror.repository, ""
    except NotFound:
        name = client.find(mirror.repository_id).full_name
        if name == mirror.repository:
            raise NotFound(
                f"There is no branch {mirror.branch} in {name} (any more).",
                advice="Choose another branch in the settings, or make it at the forge.",
            ) from None
        return name, client.head(name, mirror.branch, repository_id=mirror.repository_id)


def check_seen(mirror: Mirror, head: str) -> None:
    """Waiting where the branch is shown as it was before a commit of ours: forges answer from copies, and what a copy
    lacks as yet was neither edited nor deleted by anybody. Who forces a branch back is believed after that."""
    since = timezone.now() - CATCHES_UP
    if head == mirror.last_commit or mirror.last_pushed_at is None or mirror.last_pushed_at < since:
        return
    ended = Run.objects.about(mirror).filter(status__in=FINISHED, finished_at__gte=since)
    results = ended.values_list("result", flat=True)
    if head in {found["parent"] for found in results if found.get("commit") and found.get("branch") == mirror.branch}:
        raise Waiting(until=mirror.last_pushed_at + CATCHES_UP, for_what="the forge to show Millrace's last commit")


def list_there(client: Client, mirror: Mirror, name: str, commit: str) -> There:
    """Everything at the commit. Moved where that is gone, EmptyRepository where there is none any more."""
    if not commit and mirror.entities.exclude(files={}).exists():
        raise EmptyRepository(
            "The repository has no commit any more, so nothing was deleted here or written there.",
            advice="Bring its files back; or disconnect it and connect it again, and it begins anew.",
        )
    if not commit:
        return There(name, "")
    try:
        listing = client.tree(name, commit, sizes=False)
    except (Moved, NotFound):
        known_as, name = name, client.find(mirror.repository_id).full_name
        if name == known_as:
            raise
        # Its former name is another repository's by now, which has other commits.
        listing = client.tree(name, commit, sizes=False)
    base = mirror.base
    below = {entry.path.removeprefix(base): entry for entry in listing.entries if entry.path.startswith(base)}
    return There(
        name,
        commit,
        listing.complete,
        listing.reason,
        {entry.path: entry.oid for entry in listing.entries},
        below,
        found_in(below, complete=listing.complete),
        _doubted(listing.entries, below, base),
    )


def _doubted(entries: Iterable[Entry], below: Mapping[str, Entry], base: str) -> frozenset[Kind]:
    """Those whose folder, or one around it, is a file, a link or a submodule now; all where more is wrong than is
    told."""
    plain = {path: entry.oid for path, entry in below.items() if entry.kind in _FILES}
    if len(paths.units(plain).problems) >= paths.MOST_PROBLEMS:
        return frozenset(Kind)
    there = {entry.path for entry in entries}
    found = set()
    for folder, kind in _KINDS.items():
        steps = f"{base}{folder}".split("/")
        if any("/".join(steps[:depth]) in there for depth in range(1, len(steps) + 1)):
            found.add(kind)
    return frozenset(found)


def found_in(entries: Mapping[str, Entry], *, complete: bool = True) -> dict[str, Found]:
    """The entities of these files. Of a listing with holes no skill is among them: what it lacks is not known."""
    plain = {path: entry.oid for path, entry in entries.items() if entry.kind in _FILES}
    read = paths.units(plain)
    links = {path: entry for path, entry in entries.items() if entry.kind not in _FILES}
    in_skill, links_in = _by_skill(plain), _by_skill(links)
    found = {
        unit.path: _strange(unit) or _with_links(unit, links, links_in.get(unit.path, ()))
        for unit in read.units.values()
    }
    for problem in read.problems:
        if problem.path not in found and (wrong := _wrong(problem, plain, in_skill)) is not None:
            found[problem.path] = wrong
    for path, entry in links.items():
        kind = _kind(path)
        meant = kind is not None and path.count("/") == 1 and (kind is Kind.SKILL or path.endswith(".json"))
        if kind is not None and meant and path not in found:
            shown = paths.presentable(path)
            found[shown] = Found(kind, _slug(shown), shown, {shown: entry.oid}, (_link(path),))
    return {path: each for path, each in sorted(found.items()) if complete or each.kind is not Kind.SKILL}


def _kind(path: str) -> Kind | None:
    return _KINDS.get(path.partition("/")[0])


def _slug(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")


def _by_skill(tree: Iterable[str]) -> dict[str, list[str]]:
    """Skills' folders -> paths of what is in them."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in tree:
        if _kind(path) is Kind.SKILL and path.count("/") > 1:
            found["/".join(path.split("/", 2)[:2])].append(path)
    return found


def _wrong(problem: Problem, plain: Mapping[str, str], in_skill: Mapping[str, list[str]]) -> Found | None:
    """What a problem of the listing is about."""
    kind = _kind(problem.path)
    if kind is None:
        return None
    its = in_skill.get(problem.path, []) if kind is Kind.SKILL else [problem.path] if problem.path in plain else []
    files = {paths.presentable(path): plain[path] for path in its}
    # Under a name that cannot be shown it is the name that tells whether it is the same file again.
    return Found(kind, _slug(problem.path), problem.path, files or {problem.path: ""}, (problem,))


def _with_links(unit: Unit, links: Mapping[str, Entry], within: Iterable[str]) -> Found:
    """Also with those in a skill's folder, which keep it from being read."""
    among = sorted(within)
    files = {**unit.files, **{paths.presentable(path): links[path].oid for path in among}}
    return Found(unit.kind, unit.slug, unit.path, files, tuple(_link(path) for path in among))


def _strange(unit: Unit) -> Found | None:
    """Where a file has a name that cannot be kept in a database, nor shown."""
    shown = {paths.presentable(path): oid for path, oid in unit.files.items()}
    names = [name for name in shown if name not in unit.files]
    if not names:
        return None
    text = "Its name has characters that cannot be shown. Rename the file."
    problems = tuple(Problem(Code.VALIDATION_FAILED, text, name) for name in sorted(names))
    return Found(unit.kind, unit.slug, unit.path, shown, problems)


def _link(path: str) -> Problem:
    shown = paths.presentable(path)
    return Problem(
        Code.VALIDATION_FAILED,
        f"{shown} is a symbolic link or a submodule, and those are not followed. Put the file itself there.",
        shown,
    )

"""A random session of two-way editing, beside a model of what has to come of it.

The model is told of each edit and knows one table (`Model.after_sync`): what both sides agreed on last, against what
each has now. After every sync both sides have to be what it says; at the end, with everything mended and settled, they
have to be the same, and whatever anybody wrote has to be there or in a history.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from catalog.models import EntityRevision
from gitsync.models import EntityState, MirroredEntity
from orgs.models import Role
from tests import factories
from tests.gitsync.mirror_model import Document, Entity, Model
from tests.gitsync.mirror_world import Mirrored, connect, dumps
from tests.wire.forge import Forge

pytestmark = pytest.mark.django_db

STEPS = 50
EXAMPLES, FEWER = 12, 4
"""Six hundred steps on SQLite; what they try is no database's own, so on others as many as time allows."""
FOLDERS = {"command": "commands", "client": "mcp-clients", "skill": "skills"}
FIELDS = {
    "command": ("name", "description", "prompt"),
    "client": ("name", "description"),
    "skill": ("description", "instructions", "notes.md", "scripts/run.py"),
}
"""What is edited; of skills the last two are files."""
TEXT = {"skill": {"notes.md", "scripts/run.py"}}

_number = itertools.count(1)


class Session(RuleBasedStateMachine):
    """`forge` and `key` are given by the test."""

    forge: Forge
    key: str
    syncs = 0

    @initialize()
    def begin(self) -> None:
        number = next(_number)
        organization = factories.organization(f"Session {number}")
        person = factories.user(name="Ada")
        factories.membership(person, organization, Role.OWNER)
        hosted = self.forge.repository(f"octo/session-{number}", private=True)
        hosted.git.commit({"README.md": "# Ours\n"}, "Begin")
        self.made: Mirrored = connect(self.forge, self.key, hosted, organization, person)
        self.model = Model()
        self.values: set[str] = set()
        self.names = itertools.count(1)

    # -- what people do ------------------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from(sorted(FOLDERS)))
    def create_here(self, kind: str) -> None:
        document = self._new(kind)
        self.values.update(document.values())
        self.made.create(kind, **_values(kind, document))
        self.model.entities.append(Entity(kind, here=document, moved=True))

    @rule(kind=st.sampled_from(sorted(FOLDERS)), with_id=st.booleans())
    def create_there(self, kind: str, with_id: bool) -> None:
        document = self._new(kind)
        it = Entity(kind, there=document, where=document["slug"], moved=True)
        it.file_id = f"id-{document['slug']}" if with_id else ""
        self.values.update(document.values())
        self.made.commit(self._files(it, document))
        self.model.entities.append(it)

    @precondition(lambda self: self.model.living)
    @rule(
        pick=st.integers(0, 99), which=st.integers(0, 3), where=st.sampled_from(["here", "there", "both", "the same"])
    )
    def edit(self, pick: int, which: int, where: str) -> None:
        it = self._pick(pick, self.model.living)
        name = FIELDS[it.kind][which % len(FIELDS[it.kind])]
        value = self._value()
        if where != "there" and it.here is not None:
            self._save(it, {name: value})
        if where != "here" and it.there is not None and not it.broken:
            self._commit(it, {**it.there, name: value if where == "the same" else self._value()})

    @precondition(lambda self: self.model.living)
    @rule(pick=st.integers(0, 99), here=st.booleans())
    def rename(self, pick: int, here: bool) -> None:
        it = self._pick(pick, self.model.living)
        slug = f"{it.kind}-{next(self.names)}"
        if here and it.here is not None:
            self._save(it, {"slug": slug})
        elif not here and it.there is not None and not it.broken and (it.file_id or it.agreed is not None):
            self._commit(it, {**it.there, "slug": slug})

    @precondition(lambda self: self.model.living)
    @rule(pick=st.integers(0, 99), here=st.booleans())
    def delete(self, pick: int, here: bool) -> None:
        it = self._pick(pick, self.model.living)
        if here and it.here is not None:
            self.made.delete(it.kind, it.here["slug"])
            it.here, it.moved = None, True
        elif not here and it.there_at_all:
            self.made.commit(dict.fromkeys(self._paths(it)))
            it.there, it.broken, it.moved = None, 0, True

    @precondition(lambda self: any(each.there is not None for each in self.model.living))
    @rule(pick=st.integers(0, 99))
    def break_the_file(self, pick: int) -> None:
        it = self._pick(pick, [each for each in self.model.living if each.there is not None])
        it.broken, it.there, it.moved = next(_number), None, True
        self.made.commit({self._main(it): f"{{ broken {it.broken}\n"})

    @precondition(lambda self: any(each.broken for each in self.model.living))
    @rule(pick=st.integers(0, 99))
    def mend_the_file(self, pick: int) -> None:
        self._mend(self._pick(pick, [each for each in self.model.living if each.broken]))

    # -- what Millrace does --------------------------------------------------------------------------------------------

    @rule()
    def sync(self) -> None:
        self.made.sync()
        self.model.after_sync()
        self._compare()

    @precondition(lambda self: self._open())
    @rule(pick=st.integers(0, 99), ours=st.booleans())
    def settle(self, pick: int, ours: bool) -> None:
        self._settle(self._pick(pick, self._open()), ours)

    def teardown(self) -> None:
        if not hasattr(self, "made"):
            return
        for it in self.model.living:
            if it.broken:
                self._mend(it)
        self.sync()
        while left := self._open():
            self._settle(left[0], ours=len(left) % 2 == 0)
        self.made.assert_in_step()
        self._assert_nothing_is_lost()

    # -- the steps of these --------------------------------------------------------------------------------------------

    def _pick(self, pick: int, among: list[Entity]) -> Entity:
        return among[pick % len(among)]

    def _value(self) -> str:
        return f"value-{next(_number)}-end"

    def _new(self, kind: str) -> Document:
        slug = f"{kind}-{next(self.names)}"
        return {"slug": slug, "name": slug, "description": self._value()} | (
            {"prompt": self._value()} if kind == "command" else {}
        )

    def _open(self) -> list[Entity]:
        """What waits for a person, as they see it: since the last sync nobody has changed anything about it."""
        waiting = (EntityState.CONFLICT, EntityState.MISSING)
        return [each for each in self.model.living if each.state in waiting and not each.moved]

    def _settle(self, it: Entity, ours: bool) -> None:
        choices = {EntityState.CONFLICT: ("theirs", "ours"), EntityState.MISSING: ("delete", "restore")}
        choice = choices[EntityState(it.state)][ours]
        found = self._mirrored(it)
        self.made.settle(found.path, choice)
        self.model.after_sync(it, choice)
        self._compare()

    def _mirrored(self, it: Entity) -> MirroredEntity:
        """By the slug that it has on either side, or had when they agreed."""
        slugs = [document["slug"] for document in (it.here, it.there, it.agreed) if document]
        paths = [f"{FOLDERS[it.kind]}/{slug}{'' if it.kind == 'skill' else '.json'}" for slug in slugs]
        found = MirroredEntity.objects.filter(mirror=self.made.mirror, path__in=paths).first()
        assert found, paths
        return found

    def _save(self, it: Entity, values: Document) -> None:
        assert it.here is not None
        self.values.update(values.values())
        self.made.save(it.kind, it.here["slug"], **_values(it.kind, values))
        it.here, it.moved = {**it.here, **values}, True

    def _commit(self, it: Entity, document: Document) -> None:
        """Write it whole, and away from where it was."""
        self.values.update(document.values())
        files = {**dict.fromkeys(self._paths(it)), **self._files(it, document)}
        self.made.commit(files)
        it.there, it.broken, it.where, it.moved = document, 0, document["slug"], True

    def _mend(self, it: Entity) -> None:
        """As it was agreed on or is here, with something new."""
        good = it.agreed or it.here or {"slug": it.where, "name": it.where, "prompt": "Again."}
        kept = {name: value for name, value in good.items() if name in ("slug", "name", *FIELDS[it.kind])}
        if it.kind != "command":
            kept.pop("prompt", None)
        self._commit(it, {**kept, "slug": it.where, "description": self._value()})

    def _main(self, it: Entity) -> str:
        return f"{FOLDERS[it.kind]}/{it.where}" + ("/SKILL.md" if it.kind == "skill" else ".json")

    def _paths(self, it: Entity) -> list[str]:
        """All its files in git."""
        if it.kind != "skill":
            return [self._main(it)]
        return [path for path in self.made.tree() if path.startswith(f"skills/{it.where}/")]

    def _files(self, it: Entity, document: Document) -> dict[str, str]:
        """As somebody writes them by hand; the id is in them, where there is one."""
        file_id = self._id(it)
        if it.kind != "skill":
            extra = {"kind": "other"} if it.kind == "client" else {}
            with_id = {"id": file_id} if file_id else {}
            return {f"{FOLDERS[it.kind]}/{document['slug']}.json": dumps({**with_id, **document, **extra})}
        folder = f"skills/{document['slug']}/"
        head = f"name: {document['name']}\ndescription: {document['description']}\n"
        head += f"metadata:\n  millrace-id: {file_id}\n" if file_id else ""
        files = {f"{folder}SKILL.md": f"---\n{head}---\n\n{document.get('instructions', '')}\n"}
        return files | {f"{folder}{name}": text for name, text in document.items() if name in TEXT["skill"]}

    def _id(self, it: Entity) -> str:
        """The one that was given by hand, or by us once it had been synced."""
        if not it.file_id and it.agreed is not None:
            it.file_id = self._mirrored(it).file_id
        return it.file_id

    # -- what has to be true -------------------------------------------------------------------------------------------

    def _compare(self) -> None:
        type(self).syncs += 1
        living = self.model.living
        here = {_key(it.kind, it.here["slug"]): _plain(it.here) for it in living if it.here is not None}
        assert _seen(self.made.here()) == here
        there = {_key(it.kind, it.where): _plain(it.there) for it in living if it.there is not None}
        assert self._there([_key(it.kind, it.where) for it in living if it.broken]) == there
        wanting = sorted(it.state for it in living if it.state != EntityState.IN_STEP)
        assert sorted(self.made.states().values()) == wanting

    def _there(self, broken: Iterable[str]) -> dict[str, Document]:
        """What git has, read by hand: not by what is to be tested."""
        tree, found = self.made.tree(), {}
        for path in tree:
            folder, _, name = path.partition("/")
            if folder == "skills" and name.endswith("/SKILL.md"):
                key = path.removesuffix("/SKILL.md")
            elif folder in ("commands", "mcp-clients"):
                key = path
            else:
                continue
            if key in broken:
                continue
            found[key] = self._read(key, tree)
        return found

    def _read(self, key: str, tree: Iterable[str]) -> Document:
        if key.endswith(".json"):
            return _plain({k: v for k, v in json.loads(self.made.text(key)).items() if k in _KNOWN})
        head, body = self.made.text(f"{key}/SKILL.md").removeprefix("---\n").split("\n---\n", 1)
        facts = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line and not line.startswith(" "))
        files = {path.removeprefix(f"{key}/"): self.made.text(path) for path in tree if path.startswith(f"{key}/")}
        files.pop("SKILL.md")
        document = {"slug": key.partition("/")[2], "instructions": body, **files}
        return _plain({**document, **{k: facts[k] for k in ("name", "description") if k in facts}})

    def _assert_nothing_is_lost(self) -> None:
        kept = self.made.log + json.dumps(
            list(EntityRevision.objects.filter(organization=self.made.organization).values_list("document", flat=True))
        )
        for revision in EntityRevision.objects.filter(organization=self.made.organization, kind="skill"):
            kept += " ".join(bytes(each.blob.data).decode() for each in revision.files.select_related("blob"))
        lost = {value for value in self.values if value not in kept}
        assert not lost


_KNOWN = ("slug", "name", "description", "prompt")


def _key(kind: str, slug: str) -> str:
    return f"{FOLDERS[kind]}/{slug}" + ("" if kind == "skill" else ".json")


def _plain(document: Document) -> Document:
    return {name: value.strip() for name, value in document.items() if value.strip()}


def _seen(here: dict[str, dict[str, Any]]) -> dict[str, Document]:
    """What the database has, with a skill's files by their blob ids turned into texts."""
    from catalog.models import FileBlob

    texts = {}
    oids = {oid for document in here.values() for oid in document.get("files", {}).values()}
    if oids:
        texts = {
            oid: bytes(data).decode() for oid, data in FileBlob.objects.filter(oid__in=oids).values_list("oid", "data")
        }
    return {
        path: _plain(
            {name: value for name, value in document.items() if name in (*_KNOWN, "instructions")}
            | {name: texts[oid] for name, oid in document.get("files", {}).items()}
        )
        for path, document in here.items()
    }


def _values(kind: str, document: Document) -> dict[str, Any]:
    """As the service takes them."""
    values: dict[str, Any] = {name: value for name, value in document.items() if name not in TEXT.get(kind, ())}
    if files := {name: document[name].encode() for name in TEXT.get(kind, ()) if name in document}:
        values["files"] = files
    return values


def test_whatever_people_do_both_sides_agree_in_the_end_and_nothing_is_lost(forge: Forge) -> None:
    class Here(Session):
        pass

    Here.forge, Here.key = forge, "github"
    examples = EXAMPLES if connection.vendor == "sqlite" else FEWER
    run_state_machine_as_test(
        Here,
        settings=hypothesis_settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],  # a failure is told at once: to shrink it would take minutes
        ),
    )
    assert Here.syncs > examples

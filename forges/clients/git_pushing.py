"""Moving a branch of a git repository to a new commit, if it is where it is thought to be: over HTTP, or in a folder.

What a server says when it refuses is judged and never repeated: it holds addresses, and whatever its hooks print.
https://git-scm.com/docs/gitprotocol-pack#_pushing_data_to_a_server
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from dulwich.errors import SendPackError
from dulwich.file import FileLocked
from dulwich.objects import ObjectID
from dulwich.pack import UnpackedObject
from dulwich.refs import Ref
from dulwich.repo import Repo

from forges.clients.errors import Conflict, Forbidden, ForgeError, Moved, Protected, TooLarge, Unavailable
from forges.clients.git_transport import Transport

_HEADS = b"refs/heads/"
_MOST_SAID = 64 << 10
_OF_RACES = (
    *("fetch first", "non-fast-forward", "stale info", "failed to lock", "cannot lock ref", "but expected"),
    *("failed to update ref", "reference already exists", "incorrect old value"),
)
_OF_PROTECTION = (
    *("protected", "gh006", "gh013", "rule violation", "must be made through", "not allowed to push"),
    *("permission denied to update branch", "branch restriction", "hook declined"),
)


@dataclass(frozen=True, slots=True)
class Push:
    """One new commit for one branch, which is made where there is none."""

    branch: str
    parent: str
    """"" for the first commit of all."""
    commit: str
    count: int
    objects: Callable[[], Iterator[UnpackedObject]]
    """The commit, and whatever of it the repository does not have; each a moment in memory."""

    @property
    def ref(self) -> Ref:
        return Ref(_HEADS + self.branch.encode())

    def check(self, refs: Mapping[Ref, ObjectID]) -> None:
        """Moved if the branch has another head than `parent` in a repository with these refs."""
        branches = {ref for ref in refs if ref.startswith(_HEADS)}
        if self.ref in branches:
            if refs[self.ref] != self.parent.encode():
                raise self.moved()
        elif not self.parent and branches:
            raise self.moved()
        for other in branches:
            if other.startswith(self.ref + b"/") or self.ref.startswith(other + b"/"):
                raise Conflict(
                    f"There can be no branch {self.branch} beside those that there are: git keeps branches like files "
                    "in folders, and one of them would be both.",
                    advice="Choose another name for the branch.",
                )

    def moved(self) -> Moved:
        return Moved(f"Somebody pushed to {self.branch} of the repository meanwhile.")


def push_over(client: Transport, url: str, push: Push) -> None:
    """Two requests: what there is, and the commit for it. The server compares once more as it moves the branch."""
    host = urlsplit(url).hostname or ""
    said = bytearray()

    def listen(message: bytes) -> None:
        said.extend(message[: _MOST_SAID - len(said)])

    def wanted(refs: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
        push.check(refs)
        return {push.ref: ObjectID(push.commit.encode())}

    def generate(_have: object, _want: object, **_options: object) -> tuple[int, Iterator[UnpackedObject]]:
        return push.count, push.objects()

    try:
        result = client.send_pack(url, wanted, cast("Any", generate), progress=listen)
    except SendPackError as error:
        if "exceed" in str(error) or "too large" in str(error):
            raise TooLarge(f"{host} does not take as much at once as there is to push.") from None
        raise Unavailable(f"{host} could not take in what was pushed to it.") from None
    status = result.ref_status or {}
    if push.ref not in status:
        raise Unavailable(f"{host} did not say whether it took what was pushed to it.")
    if reason := status[push.ref]:
        raise _judge(host, push, reason.lower(), said.decode("utf-8", "replace").lower())


def _judge(host: str, push: Push, reason: str, said: str) -> ForgeError:
    """What a refused push means: `reason` is git's own or the forge's word for it, `said` what hooks print, for one
    https://docs.github.com/en/code-security/secret-scanning/working-with-secret-scanning-and-push-protection
    """
    if "secret" in said and ("detected" in said or "contain" in said):
        return Forbidden(
            f"{host} found a secret in what was to be pushed, and refused it.",
            advice="Take the secret out, then try again.",
        )
    if any(words in reason for words in _OF_RACES):
        return push.moved()
    if "checked out" in reason:
        return _checked_out(push)
    if any(words in text for words in _OF_PROTECTION for text in (reason, said)):
        return Protected(
            f"{host} protects the branch {push.branch}, or a hook there refuses the push.",
            advice="Let this account push to the branch at the forge, or choose another branch. Where the forge is one "
            "that Millrace knows, connect the repository as such: then it can open pull requests.",
        )
    return Conflict(f"{host} did not take the push to {push.branch}.")


def _checked_out(push: Push) -> Conflict:
    return Conflict(
        f"The branch {push.branch} is checked out in the repository's own working copy, which a push would contradict.",
        advice="Push to a bare repository, or to another branch.",
    )


def push_into(repo: Repo, push: Push) -> None:
    """The same in a folder of this machine. Its hooks are not run: whoever can write there could run anything here."""
    ref = push.ref
    push.check(repo.get_refs())
    if not repo.bare and repo.refs.get_symrefs().get(Ref(b"HEAD")) == ref:
        raise _checked_out(push)
    commit = ObjectID(push.commit.encode())
    try:
        repo.object_store.add_pack_data(push.count, push.objects())
        if ref in repo.refs:
            moved = repo.refs.set_if_equals(ref, ObjectID(push.parent.encode()), commit)
        else:
            moved = repo.refs.add_if_new(ref, commit)
    except FileLocked:
        moved = False
    except OSError:
        raise not_writable() from None
    if not moved:
        raise push.moved()


def not_writable() -> Forbidden:
    return Forbidden(
        "The repository's folder cannot be written to by this server.",
        advice="Ask the operator to let the server's account write to it.",
    )

"""Hooks: who listens to what, and real deliveries over loopback, signed by the forge's own rules.

What a delivery looks like is each forge's own: its speaker registers how to `dress` one (headers and signature) and
what it says about a `Change` (its `payloads`).
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.wire.messages import Headers

if TYPE_CHECKING:
    from tests.wire.installations import Installation
    from tests.wire.world import HostedRepository, World

NO_COMMIT = "0" * 40
PATIENCE = 10.0
"""Seconds that forges wait for an answer."""


@dataclass(slots=True)
class HostedHook:
    id: int
    forge: str
    repository_id: int | None
    """None for an App's own hook."""
    url: str
    secret: str = ""
    """What signs the body; GitLab's plain token."""
    signing_token: str = ""
    """GitLab's newer way: `whsec_…`."""
    events: frozenset[str] = frozenset()
    """The forge's own words for what it listens to, such as push, push_events or repo:push."""
    active: bool = True
    failures: int = 0
    """Deliveries in a row that were not answered with 2xx."""
    app_id: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    """What else the forge keeps about it, in its own words."""
    made_at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a repository or an installation, in no forge's words."""

    kind: str
    """Of a repository: push, branch_deleted, renamed, transferred, deleted; of an installation: installed, uninstalled,
    suspended, unsuspended, repositories_changed.
    """
    hosted: HostedRepository | None
    branch: str = ""
    before: str = NO_COMMIT
    """NO_COMMIT where the branch was made."""
    after: str = NO_COMMIT
    """NO_COMMIT where the branch was deleted."""
    forced: bool = False
    with_commits: bool = True
    """Whether the payload lists the commits: a push made by moving a ref can have none."""
    old_name: str = ""
    """The full name before a rename or a transfer."""
    actor: str = ""
    installation: Installation | None = None
    added: tuple[HostedRepository, ...] = ()
    removed: tuple[HostedRepository, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What a forge says about a change."""

    event: str
    """The forge's name of it, as its header says it."""
    listens: str
    """What has to be among a hook's events; empty: it comes to all."""
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivered:
    number: int
    """One for each delivery."""
    id: str
    """One for each event: a redelivery has the same."""
    hook: HostedHook
    event: str
    headers: Headers
    """What was sent."""
    body: bytes
    status: int
    """What was answered; 0 where nobody did."""
    answer: bytes
    attempt: int
    at: float
    took: float
    """Seconds."""

    @property
    def payload(self) -> Any:
        return json.loads(self.body)


Dress = Callable[[HostedHook, str, bytes, str, int], dict[str, str]]
"""(hook, event, body, id, attempt) -> the headers of a delivery, signature and content type included."""
Payloads = Callable[[Change, "HostedHook", str], list[Message]]
"""(change, hook, origin of the forge) -> what this forge tells this hook; nothing where it has no event for it."""


Encode = Callable[[HostedHook, dict[str, Any]], bytes]


def _as_json(_hook: HostedHook, payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, separators=(",", ":")).encode()


class HookServer:
    """`world.hooks`: hooks of all forges, and the deliveries made so far."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.origin = ""
        """`http://host:port` of the forge, for the addresses in payloads."""
        self.deliveries: list[Delivered] = []
        self.dress: dict[str, Dress] = {}
        self.payloads: dict[str, Payloads] = {}
        self.encode: dict[str, Encode] = {}
        """Only of forges whose hooks can ask for something else than JSON."""
        self.tries: dict[str, int] = {}
        """How often a forge sends what is answered with 5xx or not at all; once where it is not named."""
        self.largest: dict[str, int] = {}
        """Bytes above which a forge sends nothing, and tells nobody."""
        self.held: list[tuple[HostedHook, str, bytes]] | None = None
        """Set by `hold`: what waits for `release`, and may be put in another order or changed until then."""
        self._hooks: dict[int, HostedHook] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    # -- who listens ---------------------------------------------------------------------------------------------------

    def add(
        self,
        forge: str,
        hosted: HostedRepository | None,
        url: str,
        *,
        secret: str = "",
        signing_token: str = "",
        events: Iterable[str] = (),
        active: bool = True,
        app_id: int | None = None,
        **options: Any,
    ) -> HostedHook:
        made = HostedHook(
            self.world.new_id(),
            forge,
            hosted.id if hosted else None,
            url,
            secret=secret,
            signing_token=signing_token,
            events=frozenset(events),
            active=active,
            app_id=app_id,
            options=options,
        )
        self._hooks[made.id] = made
        return made

    def of(self, hosted: HostedRepository, forge: str | None = None) -> list[HostedHook]:
        """A repository's hooks (of one forge, where it is named), in the order they were made."""
        return [h for h in list(self._hooks.values()) if h.repository_id == hosted.id and forge in {None, h.forge}]

    def find(self, number: int) -> HostedHook | None:
        return self._hooks.get(number)

    def update(self, hook: HostedHook, **changes: Any) -> HostedHook:
        for name, value in changes.items():
            setattr(hook, name, value)
        return hook

    def remove(self, hook: HostedHook) -> None:
        self._hooks.pop(hook.id, None)

    # -- what happens --------------------------------------------------------------------------------------------------

    def happened(self, change: Change) -> list[Delivered]:
        """Deliver a change to every hook that listens to it, one after the other; those that were made (not held)."""
        made = []
        for hook in list(self._hooks.values()):
            tell = self.payloads.get(hook.forge)
            if tell is None or not self._concerns(hook, change):
                continue
            for message in tell(change, hook, self.origin):
                if not message.listens or hook.events & {message.listens, "*"}:
                    delivered = self.deliver(hook, message.event, message.payload)
                    made += [delivered] if delivered else []
        return made

    def _concerns(self, hook: HostedHook, change: Change) -> bool:
        if not hook.active:
            return False
        if hook.app_id is None:
            return change.hosted is not None and hook.repository_id == change.hosted.id
        return True  # the App's speaker knows what it is installed on

    def deliver(self, hook: HostedHook, event: str, payload: dict[str, Any]) -> Delivered | None:
        """POST one event to its hook and wait for the answer; None where it is held, or too large to be sent."""
        body = self.encode.get(hook.forge, _as_json)(hook, payload)
        if len(body) > self.largest.get(hook.forge, len(body)):
            return None
        if self.held is not None:
            self.held.append((hook, event, body))
            return None
        return self._send_until_taken(hook, event, body)

    def _send_until_taken(self, hook: HostedHook, event: str, body: bytes) -> Delivered:
        """The last of as many attempts as the forge makes."""
        made = self.send(hook, event, body)
        while (made.status >= 500 or made.status == 0) and made.attempt < self.tries.get(hook.forge, 1):
            made = self.redeliver(made)
        return made

    def hold(self) -> None:
        """Keep what happens from now on until `release`, as a forge in trouble does."""
        self.held = []

    def release(self) -> list[Delivered]:
        """Send what was held, in the order in which it stands in `held`."""
        waiting, self.held = self.held or [], None
        return [self._send_until_taken(hook, event, body) for hook, event, body in waiting]

    def redeliver(self, delivered: Delivered) -> Delivered:
        """The same body and id again, dressed anew (with the secret that the hook has now)."""
        attempt = 1 + max(d.attempt for d in list(self.deliveries) if d.id == delivered.id)
        return self.send(delivered.hook, delivered.event, delivered.body, id=delivered.id, attempt=attempt)

    def send(
        self,
        hook: HostedHook,
        event: str,
        body: bytes,
        *,
        id: str = "",  # noqa: A002 - the word of the forges
        attempt: int = 1,
        headers: dict[str, str] | None = None,
    ) -> Delivered:
        """POST these bytes as the forge does. `headers` replaces what it would say: a test's forgeries."""
        number = next(self._numbers)
        name = id or str(uuid.uuid4())
        fields = {**self.dress[hook.forge](hook, event, body, name, attempt), **(headers or {})}
        started = time.time()
        status, answer = post(hook.url, body, fields)
        hook.failures = 0 if 200 <= status < 300 else hook.failures + 1
        made = Delivered(
            number,
            name,
            hook,
            event,
            Headers(fields.items()),
            body,
            status,
            answer,
            attempt,
            started,
            time.time() - started,
        )
        with self._lock:
            self.deliveries.append(made)
        return made

    def last(self, hook: HostedHook | None = None) -> Delivered:
        return [d for d in self.deliveries if hook is None or d.hook is hook][-1]


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body of the answer, redirects not followed; (0, b"") where there was none."""
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        connection.request("POST", parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(1 << 20)
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()

"""What a commit says: what changed and who saved it. Pure: values in, text out.

Names are people's and are trusted with nothing: none can begin a line, or a trailer, of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from forges.clients.base import Author

SUBJECT = 72
"""Characters of the first line at most."""
LISTED = 50
"""Changes that the body lists at most."""
PLACEHOLDERS = {
    "summary": "what changed and who saved it, in a line",
    "server": "the server's name",
    "organization": "the organisation's name",
    "people": "who saved it",
    "changes": "each change, in a line of its own",
}
"""What a template may hold in braces."""
DEFAULT = "{summary}\n\n{changes}"
_PLACEHOLDER = re.compile(r"\{([^{}\n]*)\}")
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff<>]+")
_LONGEST_TEMPLATE = 4000


class InvalidTemplate(ValueError):
    """The text is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Told:
    """One save."""

    verb: str
    """create, update, rename and so on; give: its id."""
    kind: str
    name: str
    former: str = ""
    person: Author | None = None


@dataclass(frozen=True, slots=True)
class Message:
    subject: str
    body: str
    author: Author | None
    """Who saved last; None for Millrace itself."""
    trailers: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "\n\n".join(part for part in (self.subject, self.body, "\n".join(self.trailers)) if part) + "\n"


def author_of(name: str, email: str) -> Author:
    """A person as a commit names them."""
    email = clean(email)
    return Author(clean(name) or email.partition("@")[0], email)


def clean(text: str) -> str:
    """In one line, and with nothing that a commit's header or a trailer takes for its own."""
    return " ".join(_UNFIT.sub(" ", text).split())


def check_template(template: str) -> str:
    """The template without blank ends. Raises InvalidTemplate, with what is wrong."""
    template = template.replace("\r\n", "\n").strip()
    if len(template) > _LONGEST_TEMPLATE:
        raise InvalidTemplate(f"A template has at most {_LONGEST_TEMPLATE:,} characters.")
    for name in _PLACEHOLDER.findall(template):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            raise InvalidTemplate(f"There is no placeholder {{{clean(name)[:40]}}}. There are {known}.")
    if template and not template.split("\n", 1)[0].strip():
        raise InvalidTemplate("The first line is the subject: write something there.")
    return template


def compose(
    changes: Sequence[Told], *, organization: str, server: str = "", initial: bool = False, template: str = ""
) -> Message:
    """The message for what was saved, in the order of saving. `initial`: nothing of the server was there before.
    Without a `server` they are changes of the organisation's own things."""
    people = _people(changes)
    net = net_changes(changes)
    named = ", ".join(person.name for person in people)
    summary = _summary(net, clean(server), people, initial=initial)
    listed = [f"- {_one(change, '')}{_by(change.person)}" for change in net]
    if len(listed) > LISTED:
        listed = [*listed[:LISTED], f"- and {len(listed) - LISTED} more"]
    values = {
        "summary": summary,
        "server": clean(server),
        "organization": clean(organization),
        "people": named,
        "changes": "\n".join(listed) if len(listed) > 1 or template else "",
    }
    filled = _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template or DEFAULT)
    subject, _, body = filled.strip().partition("\n")
    author = next((change.person for change in reversed(changes) if change.person), None)
    others = [person for person in people if author is None or person.email != author.email]
    trailers = tuple(f"Co-authored-by: {person.name} <{person.email}>" for person in others)
    return Message(cut(subject.strip() or summary), body.strip(), author, trailers)


def cut(text: str) -> str:
    """No longer than a subject may be."""
    return text if len(text) <= SUBJECT else text[: SUBJECT - 1].rstrip() + "…"


def net_changes(changes: Iterable[Told]) -> list[Told]:
    """What the saves come to: a tool that was saved three times changed once, one that came and went did not."""
    found: dict[tuple[str, str], Told] = {}
    for change in changes:
        key = (change.kind, change.former if change.verb == "rename" else change.name)
        earlier = found.get(key)
        merged = change if earlier is None else _merged(earlier, change)
        if merged is None or key != (merged.kind, merged.name):
            found.pop(key, None)
        if merged is not None:
            found[(merged.kind, merged.name)] = merged  # in its place, if it has one
    return list(found.values())


def _merged(earlier: Told, later: Told) -> Told | None:
    match earlier.verb, later.verb:
        case "create", "delete":
            return None
        case "rename", "delete":
            return replace(later, name=earlier.former)
        case "delete", "create":
            return replace(later, verb="update")
        case ("create", _):
            return replace(later, verb="create", former="")
        case ("rename", _):
            return replace(later, verb="rename", former=earlier.former)
        case ("add" | "move" | "import", "update"):
            return replace(earlier, person=later.person)
        case _:
            return later


_VERBS = {"create": "add"}


def _one(change: Told, of: str) -> str:
    """“Update tool `getWeather` of weather”."""
    verb = _VERBS.get(change.verb, change.verb).capitalize()
    if change.kind == "files":
        return f"{verb} {_count(int(change.name), 'file')}{of and of.replace(' of ', ' in ', 1)}"
    name, former = _named(change.kind, change.name), _named(change.kind, change.former)
    of = "" if change.kind == "server" else of
    if change.kind == "configuration":
        return f"{verb} the configuration{of}"
    if change.verb == "rename":
        return f"Rename {change.kind} {former} to {name}{of}"
    if change.verb == "give":
        return f"Give {change.kind} {name} its id{of}"
    if change.verb == "move":
        return f"Move {change.kind} {name} from {former}"
    return f"{verb} {change.kind} {name}{of}"


def _named(kind: str, name: str) -> str:
    return f"`{clean(name)}`" if kind in ("tool", "prompt") else clean(name)


def _by(person: Author | None) -> str:
    return f" ({person.name})" if person else ""


def _people(changes: Iterable[Told]) -> list[Author]:
    """Each once, in the order of saving."""
    return list({change.person.email: change.person for change in changes if change.person}.values())


def _summary(net: Sequence[Told], server: str, people: Sequence[Author], *, initial: bool) -> str:
    """The most telling line of those that fit."""
    of = f" of {server}" if server else ""
    if initial:
        said = [f"Add server {server}"]
    elif not net:
        said = [f"Update server {server}" if server else "Update entities"]
    elif len(net) == 1:
        said = [_one(net[0], of), _one(net[0], "")]
    else:
        said = [f"{_together(net)}{of}", f"Change {len(net)} things{of}" if server else _counted(net)]
    names = [person.name for person in people]
    ends = [f" ({', '.join(names)})"] if names else []
    if len(names) > 1:
        ends.append(f" ({names[0]} and {_count(len(names) - 1, 'other')})")
    fitting = (line + end for line in said for end in [*ends, ""] if len(line + end) <= SUBJECT)
    return next(fitting, cut(said[-1]))


def _together(net: Sequence[Told]) -> str:
    """“Update 3 tools and add provider X”, “Give 3 commands and 2 skills their ids”."""
    groups: dict[tuple[str, str], list[Told]] = {}
    for change in net:
        groups.setdefault((_VERBS.get(change.verb, change.verb), change.kind), []).append(change)
    parts, last = [], ""
    given = [(verb, kind) for verb, kind in sorted(groups) if verb == "give"]
    for (verb, kind), those in sorted(groups.items(), key=lambda group: (group[0][0] != "update", group[0])):
        if kind == "files":
            what = _count(sum(int(each.name) for each in those), "file")
        elif kind == "configuration":
            what = "the configuration"
        elif len(those) == 1:
            what = f"{kind} {_named(kind, those[0].name)}"
        else:
            what = _count(len(those), kind)
        if given and (verb, kind) == given[-1]:
            what += " its id" if len(given) == len(those) == 1 else " their ids"
        parts.append(what if verb == last else f"{verb} {what}")
        last = verb
    return _sentence(parts)


def _counted(net: Sequence[Told]) -> str:
    """“Update 2 entities and add 6”, whatever they are."""
    verbs = Counter(_VERBS.get(change.verb, change.verb) for change in net)
    parts: list[str] = []
    for verb, number in sorted(verbs.items(), key=lambda item: (item[0] != "update", item[0])):
        noun = "" if parts else " entity" if number == 1 else " entities"
        given = "" if verb != "give" else " its id" if number == 1 else " their ids"
        parts.append(f"{verb} {number:,}{noun}{given}")
    return _sentence(parts)


def _sentence(parts: Sequence[str]) -> str:
    text = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
    return text[:1].upper() + text[1:]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

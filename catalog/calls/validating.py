"""Whether arguments fit a JSON Schema, told within a bounded time whatever the schema and the arguments are.

People write the schemas and agents the arguments, while many calls share one process. So regular expressions run with
a time limit (`regex`), each keyword looks at the clock, items are compared by their digests, and nothing is fetched
that a `$ref` names.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry

from catalog.checking.patterns import BadPattern, compiled
from catalog.checking.validators import Keyword, replacing, unique_items

SECONDS = 2.0
MOST_ERRORS = 5
LONGEST_SHOWN = 120
"""Characters of what a schema says that a sentence repeats."""

_END: ContextVar[float] = ContextVar("validation_end")


class TooSlow(Exception):
    """The time is over."""


class BadSchema(Exception):
    """The schema cannot be worked with; the text is a sentence about why."""


def problems(schema: Mapping[str, Any], arguments: Any, *, seconds: float = SECONDS) -> list[str]:
    """What is wrong with the arguments, as sentences that name them and repeat no value; at most MOST_ERRORS.

    Raises BadSchema, and TooSlow when it is not told within `seconds`.
    """
    return Checker(schema).problems(arguments, seconds=seconds)


class Checker:
    """A schema that arguments are held against many times, from many threads. Raises BadSchema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        if _mixes_patterns(schema):
            raise BadSchema("It has “patternProperties” together with “unevaluatedProperties”, which is not supported.")
        with _understood():
            self._validator = _Bounded(schema, registry=Registry())

    def problems(self, arguments: Any, *, seconds: float = SECONDS) -> list[str]:
        """As the function of this name."""
        token = _END.set(time.monotonic() + seconds)
        try:
            with _understood():
                found = list(islice(self._validator.iter_errors(arguments), MOST_ERRORS + 1))
                told = [_sentence(error) for error in found[:MOST_ERRORS]]
        finally:
            _END.reset(token)
        return [*told, *(["There is more that does not fit."] if len(found) > MOST_ERRORS else [])]


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (TooSlow, BadSchema):
        raise
    except TimeoutError:
        raise TooSlow from None
    except RecursionError:
        raise BadSchema("It, or what was given, is nested too deeply.") from None
    except Exception as error:  # a schema that is none makes the library fail in any way
        raise BadSchema(f"It is not a valid JSON Schema ({type(error).__name__}).") from None


def _left() -> float:
    left = _END.get() - time.monotonic()
    if left <= 0:
        raise TooSlow
    return left


def _timed(keyword: Keyword) -> Keyword:
    def look_at_the_clock(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        _left()
        for error in keyword(validator, value, instance, schema) or ():
            _left()
            yield error

    return look_at_the_clock


def _found(pattern: str, text: str) -> bool:
    try:
        return compiled(pattern).search(text, timeout=_left(), concurrent=True) is not None
    except BadPattern as error:
        raise BadSchema(str(error)) from None


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _found(pattern, instance):
        yield ValidationError("does not match")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, subschema in patterns.items():
        for name, value in instance.items():
            if _found(pattern, name):
                yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in known or any(_found(pattern, name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError("is not known", path=[name])
        else:
            yield from validator.descend(value, allowed, path=name)


def _required(validator: Any, names: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        yield from (ValidationError("is missing", path=[name]) for name in names if name not in instance)


_OURS: dict[str, Keyword] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "required": _required,
    "uniqueItems": unique_items,
}
_Bounded = replacing({name: _timed(keyword) for name, keyword in {**Draft202012Validator.VALIDATORS, **_OURS}.items()})


def _mixes_patterns(schema: Any) -> bool:
    """Whether the library would match patterns with its own engine, that has no time limit."""
    names: set[str] = set()
    waiting = [schema]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            names |= current.keys() & {"patternProperties", "unevaluatedProperties"}
            waiting += current.values()
        elif isinstance(current, list):
            waiting += current
    return len(names) == 2


_LIMITS = {
    "minimum": "has to be {} or more",
    "maximum": "has to be {} or less",
    "exclusiveMinimum": "has to be more than {}",
    "exclusiveMaximum": "has to be less than {}",
    "multipleOf": "has to be a multiple of {}",
    "minLength": "needs {} characters or more",
    "maxLength": "can have {} characters at most",
    "minItems": "needs {} items or more",
    "maxItems": "can have {} items at most",
    "minProperties": "needs {} members or more",
    "maxProperties": "can have {} members at most",
    "pattern": "does not match the pattern {}",
    "const": "has to be {}",
    "enum": "has to be one of {}",
    "type": "has to be of the type {}",
    "format": "has to be of the format {}",
}
_PLAIN = {
    "required": "is missing",
    "uniqueItems": "has the same item twice",
    "additionalProperties": "is not known",
    "unevaluatedProperties": "holds a member that is not known",
    "unevaluatedItems": "holds an item too many",
    "anyOf": "fits none of the allowed forms",
    "oneOf": "has to fit exactly one of the allowed forms",
    "not": "has a form that is not allowed",
    "contains": "lacks an item that it needs",
}


def _sentence(error: ValidationError) -> str:
    """Of our own words: the library's repeat what was given."""
    where, keyword, wanted = _place(error.absolute_path), str(error.validator), error.validator_value
    if keyword in _LIMITS:
        return f"{where} {_LIMITS[keyword].format(_said(wanted))}."
    return f"{where} {_PLAIN.get(keyword, 'does not fit the schema')}."


def _place(path: Iterable[str | int]) -> str:
    names = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return f"“{_short(names.lstrip('.'))}”" if names else "What was given"


def _said(wanted: Any) -> str:
    if isinstance(wanted, list):
        return _short(", ".join(_said(each) for each in wanted[:20]))
    return _short(wanted if isinstance(wanted, str) else json.dumps(wanted, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"

"""JSON Schema's draft 2020-12 as jsonschema checks it, but for keywords that are replaced."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

Keyword = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]


def unique_items(validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """The library holds each item against each other where it cannot sort them: minutes for some thousands."""
    if wanted is True and validator.is_type(instance, "array"):
        seen = {json.dumps(_plain(item), sort_keys=True) for item in instance}
        if len(seen) < len(instance):
            yield ValidationError("has the same item twice")


def replacing(keywords: Mapping[str, Keyword]) -> Callable[..., Validator]:
    """Draft 2020-12 with these keywords instead of the library's, everywhere: at a subschema with a `$schema` the
    library would go on with a validator of its own."""
    made: Any = extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]
    evolve = made.evolve

    def evolved(self: Any, **changes: Any) -> Any:
        schema = changes.get("schema", self.schema)
        if isinstance(schema, Mapping) and "$schema" in schema:
            changes["schema"] = {name: value for name, value in schema.items() if name != "$schema"}
        return evolve(self, **changes)

    made.evolve = evolved
    return cast("Callable[..., Validator]", made)


def _plain(value: Any) -> Any:
    """With 1.0 as 1: to JSON Schema they are the same."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value

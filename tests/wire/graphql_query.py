"""A parser for the part of GraphQL that reading blobs needs: fields, aliases, arguments, variables, inline fragments.

https://spec.graphql.org/October2021/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(
    r"""[\s,\ufeff]+|\#[^\n]*
    |(?P<token>\.\.\.|[!$():=@\[\]{}|]|[A-Za-z_]\w*|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|"(?:[^"\\\n]|\\.)*")""",
    re.VERBOSE,
)


class QueryError(Exception):
    """What the query says is no GraphQL that this server takes; the text is for the client."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    alias: str
    arguments: Mapping[str, Any]
    fields: tuple[Field | Fragment, ...] = ()


@dataclass(frozen=True, slots=True)
class Fragment:
    """`... on Blob { … }`"""

    on: str
    fields: tuple[Field | Fragment, ...]


@dataclass(slots=True)
class _Parser:
    tokens: list[str]
    variables: Mapping[str, Any]
    position: int = 0
    declared: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise QueryError(f"Expected {expected or 'something'}, actual: {token or 'end of the document'}")
        self.position += 1
        return token

    def name(self) -> str:
        token = self.take()
        if not re.fullmatch(r"[A-Za-z_]\w*", token):
            raise QueryError(f"Expected a name, actual: {token}")
        return token

    def document(self) -> tuple[Field | Fragment, ...]:
        if self.peek() != "{":
            self.take("query")
            if self.peek() not in {"(", "{"}:
                self.name()
            if self.peek() == "(":
                self.declarations()
        fields = self.selection()
        if self.peek():
            raise QueryError(f"Expected the end of the document, actual: {self.peek()}")
        if unused := self.declared.keys() - self.used:
            raise QueryError(f"Variable ${min(unused)} is declared by the query but not used")
        return fields

    def declarations(self) -> None:
        self.take("(")
        while self.peek() != ")":
            self.take("$")
            name = self.name()
            self.take(":")
            self.name()
            required = self.peek() == "!"
            if required:
                self.take()
            default = None
            if self.peek() == "=":
                self.take()
                default = self.value()
            value = self.variables.get(name, default)
            if required and value is None:
                raise QueryError(f"Variable ${name} was provided invalid value")
            self.declared[name] = value
        self.take(")")

    def selection(self) -> tuple[Field | Fragment, ...]:
        self.take("{")
        fields: list[Field | Fragment] = []
        while self.peek() != "}":
            if self.peek() == "...":
                self.take()
                self.take("on")
                fields.append(Fragment(self.name(), self.selection()))
            else:
                fields.append(self.field())
        self.take("}")
        if not fields:
            raise QueryError("Expected a field, actual: }")
        return tuple(fields)

    def field(self) -> Field:
        alias = name = self.name()
        if self.peek() == ":":
            self.take()
            name = self.name()
        arguments = {}
        if self.peek() == "(":
            self.take()
            while self.peek() != ")":
                argument = self.name()
                self.take(":")
                arguments[argument] = self.value()
            self.take(")")
        return Field(name, alias, arguments, self.selection() if self.peek() == "{" else ())

    def value(self) -> Any:
        token = self.take()
        if token == "$":
            name = self.name()
            if name not in self.declared:
                raise QueryError(f"Variable ${name} is used by the query but not declared")
            self.used.add(name)
            return self.declared[name]
        if token.startswith('"'):
            return json.loads(token)
        if token in {"true", "false", "null"} or re.fullmatch(r"-?\d.*", token):
            return json.loads(token)
        raise QueryError(f"Expected a value, actual: {token}")


def parse(query: str, variables: Mapping[str, Any]) -> tuple[Field | Fragment, ...]:
    """The fields of the only operation in `query`, variables filled in; QueryError where it is not well-formed."""
    tokens, position = [], 0
    while position < len(query):
        found = TOKEN.match(query, position)
        if found is None:
            raise QueryError(f'Unexpected character "{query[position]}" at {position}')
        if found["token"]:
            tokens.append(found["token"])
        position = found.end()
    return _Parser(tokens, variables).document()

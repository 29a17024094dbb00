"""Headers of the requests that a tool makes: names, values, and where credentials may be in them.

Secrets are only ever `${NAME}` references: a header that carries credentials holds nothing that an export would mask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from catalog.checking.problems import FieldError
from catalog.checking.templates import BadTemplate, check_template
from catalog.exchange.masking import mask_headers

MOST_HEADERS = 50
LONGEST_VALUE = 4_096
# RFC 9110, 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}")
# What belongs to one connection (RFC 9110, 7.6.1), frames the message, or says whom it is for.
_OURS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_SPEAKS_OF_CREDENTIALS = re.compile(r"key|token|secret|auth|password|credential|session|\Acookie\Z", re.IGNORECASE)


class BadHeader(ValueError):
    """The text is a sentence for a person."""


def carries_credentials(name: str) -> bool:
    """Whether a header of this name is one whose value is a secret."""
    return bool(_SPEAKS_OF_CREDENTIALS.search(name))


def check_header(name: str, value: str) -> None:
    """Raises BadHeader for a header that may not be sent or kept."""
    if not _TOKEN.fullmatch(name):
        raise BadHeader(f"“{name[:40]}” is no header’s name: it has letters, digits and hyphens, such as X-Request-Id.")
    if name.lower() in _OURS:
        raise BadHeader(f"{name} is set by each request itself. Leave it out.")
    if len(value) > LONGEST_VALUE:
        raise BadHeader(f"The value of {name} is longer than {LONGEST_VALUE:,} characters.")
    if not value.isascii() or not value.isprintable():  # a line break would begin another header
        raise BadHeader(f"The value of {name} holds a line break or another character that headers cannot have.")
    if not value.strip():
        raise BadHeader(f"{name} has no value. Write it behind the colon, or remove the line.")
    try:
        check_template(value)
    except BadTemplate as error:
        raise BadHeader(f"The value of {name} is not right. {error}") from error
    if carries_credentials(name) and mask_headers({name: value}) != {name: value}:
        form = "session=${SESSION}" if name.lower() == "cookie" else "${TOKEN} or Bearer ${TOKEN}"
        raise BadHeader(
            f"{name} carries a credential, which is never written here. Make a secret variable on the Variables tab, "
            f"and refer to it as {form}."
        )


def problems(headers: Mapping[str, str], field: str = "headers") -> list[FieldError]:
    """All that is wrong with the headers of one tool."""
    found = []
    if len(headers) > MOST_HEADERS:
        found.append(FieldError(field, f"A tool can have {MOST_HEADERS} headers at most."))
    seen: set[str] = set()
    for name, value in headers.items():
        if name.lower() in seen:
            found.append(FieldError(field, _twice(name)))
        seen.add(name.lower())
        try:
            check_header(name, value)
        except BadHeader as error:
            found.append(FieldError(field, str(error)))
    return found


def parse_lines(text: str) -> dict[str, str]:
    """{name: value} of lines `Name: value`. Raises BadHeader with the number of the line that is none."""
    headers: dict[str, str] = {}
    seen: set[str] = set()
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            raise BadHeader(f"Line {number} has no colon. Write each header as Name: value.")
        if name.lower() in seen:
            raise BadHeader(f"Line {number}: {_twice(name)}")
        seen.add(name.lower())
        headers[name] = value
    return headers


def as_lines(headers: Mapping[str, str]) -> str:
    """The other way round."""
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _twice(name: str) -> str:
    return f"{name[:40]} is there twice. Put both values in one line, parted by a comma, where the API takes several."

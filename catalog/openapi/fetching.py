"""A document read from an address that somebody entered: without credentials, capped, and not for long."""

from __future__ import annotations

import requests
import urllib3

from catalog.openapi.reading import MOST_BYTES
from lib.egress import BodyTooLarge, DeadlineExceeded, EgressError, GuardedSession, Policy

SECONDS = 15.0
_ACCEPT = "application/json, application/yaml, application/vnd.oai.openapi+json, text/yaml, */*;q=0.5"


class Unreachable(ValueError):
    """The text is a sentence for a person."""


def fetch(url: str, *, policy: Policy) -> bytes:
    """What is at the address. Raises Unreachable."""
    try:
        with GuardedSession(
            policy, timeout=SECONDS, total_timeout=SECONDS, max_bytes=MOST_BYTES, max_redirects=3
        ) as session:
            response = session.get(url, headers={"Accept": _ACCEPT})
            content = response.content
    except BodyTooLarge as error:
        raise Unreachable(f"The document is larger than {MOST_BYTES >> 20} MB, the most that is read.") from error
    except (DeadlineExceeded, requests.Timeout) as error:
        raise Unreachable("The address took too long to answer. Try again, or paste the document.") from error
    except EgressError as error:
        raise Unreachable(str(error)) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
        raise Unreachable("The address could not be read. Check it, or paste the document.") from error
    if response.status_code != 200:
        words = f"The address answered HTTP {response.status_code} instead of a document."
        raise Unreachable(f"{words} Where it needs a login, download the document and choose the file.")
    return content

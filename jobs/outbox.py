"""What apps note in passing, and want done soon: a save that a person waits for writes one row and asks for no Run.

An app registers who looks for such rows and asks for the Runs. `manage.py worker` calls them every two seconds; what it
misses, the app's own schedule finds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)

_posters: dict[str, Callable[[], int]] = {}


def register(name: str, post: Callable[[], int]) -> None:
    """Add one, or replace the one of this name; apps do it in their `ready()`.

    `post` asks for the Runs that are due and returns how many. It has to be cheap when there are none, and harmless
    when two workers call it at the same moment.
    """
    _posters[name] = post


def post_due() -> int:
    """Call them all; how many Runs were asked for. One that fails does not keep the others from theirs."""
    asked = 0
    for name, post in _posters.items():
        try:
            asked += post()
        except Exception:
            logger.exception("What was noted for %s cannot be asked for now; the next look tries again", name)
    return asked

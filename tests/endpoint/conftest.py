"""What the tests of the endpoint share."""

from tests.endpoint.live import _served, live

__all__ = ["_served", "live"]

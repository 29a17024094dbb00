"""What the tests of the endpoint share."""

from tests.catalog.calling import api, weather
from tests.endpoint.live import _served, live, standing

__all__ = ["_served", "api", "live", "standing", "weather"]

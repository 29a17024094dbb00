"""What the tests of the endpoint share."""

from tests.catalog.calling import api, weather
from tests.endpoint.live import _database, _served, live, standing

__all__ = ["_database", "_served", "api", "live", "standing", "weather"]

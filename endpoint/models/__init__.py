"""Who may use the endpoint, how it is set up, and what was asked of it."""

from endpoint.models.keys import ApiKey
from endpoint.models.setup import Setup

__all__ = ["ApiKey", "Setup"]

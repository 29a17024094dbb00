"""Who may use the endpoint, how it is set up, and what was asked of it."""

from endpoint.models.grants import Grant
from endpoint.models.keys import ApiKey
from endpoint.models.log import Hour, LatencyHour, QueryHour, RequestLog
from endpoint.models.setup import Setup

__all__ = ["ApiKey", "Grant", "Hour", "LatencyHour", "QueryHour", "RequestLog", "Setup"]

"""What was asked of the endpoint, noted without making anybody wait, and counted."""

from endpoint.recording.events import Event
from endpoint.recording.flushing import flush, record, start, stop

__all__ = ["Event", "flush", "record", "start", "stop"]

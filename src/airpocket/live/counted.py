"""Venues that number every message of a connection: a number passed over is a message that never came."""

from airpocket.ingest.log.records import Record
from airpocket.ingest.peek import message_number


class Counted:
    """Owner of the last number of each connection."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], int] = {}

    def lost(self, record: Record) -> int:
        """How many messages are missing before this one; 0 where the venue numbers none."""
        number = message_number(record.venue, record.body)
        if number is None:
            return 0
        key = (record.venue, record.connection)
        last = self._last.get(key)
        self._last[key] = number if last is None else max(number, last)
        return 0 if last is None else max(number - last - 1, 0)

    def ended(self, venue: str, connection: str) -> None:
        """A connection is over; the next begins to count anew."""
        self._last.pop((venue, connection), None)

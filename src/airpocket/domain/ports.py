"""Clock as a Protocol: the edges take one, the middle gets time as data."""

from typing import Protocol

from airpocket.domain.units import TimeNs


class Clock(Protocol):
    """Where the present moment comes from."""

    def now(self) -> TimeNs:
        """The present, UTC ns."""
        ...

    def monotonic(self) -> int:
        """Nanoseconds that never run backwards, for timers and durations."""
        ...

"""The real clock: the only implementation of the ports."""

import time

from airpocket.domain.units import TimeNs


class SystemClock:
    """The machine's clock."""

    def now(self) -> TimeNs:
        return TimeNs(time.time_ns())

    def monotonic(self) -> int:
        return time.monotonic_ns()

"""The real clock: the only implementation of the ports."""

import time

from airpocket.domain.units import TimeNs


class SystemClock:
    """The machine's clock."""

    def now(self) -> TimeNs:
        return TimeNs(time.time_ns())

    def monotonic(self) -> int:
        return time.monotonic_ns()


def asleep_ns() -> int:
    """How long the machine has slept since it was started, ns; 0 where the system does not tell.

    Linux leaves sleep out of the monotonic clock and counts it in the one since boot (clock_gettime(2)).
    """
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    if boot is None:
        return 0
    return time.clock_gettime_ns(boot) - time.clock_gettime_ns(time.CLOCK_MONOTONIC)

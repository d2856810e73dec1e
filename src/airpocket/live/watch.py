"""Is this machine itself at fault? A loop held up, a clock that stepped, a machine that slept."""

from collections import deque
from dataclasses import dataclass

from airpocket.domain.units import SECOND_NS

_STEP_S = 0.05  # NTP slews by half a millisecond a second at most: more is a step
_SLEPT_S = 1.0
_LATE_TICKS = 3.0
_PATIENCE_S = 10.0  # after being held up, nobody is judged for so long
_NOTES_KEPT = 50
_TOLD_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found, s: how late it came, by how much the wall clock jumped, how long the machine slept."""

    late_s: float
    stepped_s: float
    slept_s: float


class Watch:
    """Looked at once a tick. The wall clock is only compared, never waited by.

    A wall clock that moves against the monotonic one, less what the machine slept (which the monotonic
    clock leaves out), has been set.
    """

    def __init__(self, tick_s: float) -> None:
        self._tick_s = tick_s
        self._last: tuple[int, int, int] | None = None  # monotonic, wall, asleep
        self._patient_until = 0
        self._notes: deque[tuple[int, str]] = deque(maxlen=_NOTES_KEPT)
        self.worst_late_s = 0.0
        self.steps = 0

    def look(self, monotonic: int, wall: int, asleep: int) -> Look:
        """Compare the clocks with the last look; all in ns."""
        last, self._last = self._last, (monotonic, wall, asleep)
        if last is None:
            return Look(0.0, 0.0, 0.0)
        passed, slept = monotonic - last[0], asleep - last[2]
        late_s = max(passed / SECOND_NS - self._tick_s, 0.0)
        stepped_s = (wall - last[1] - passed - slept) / SECOND_NS
        look = Look(
            late_s if late_s > (_LATE_TICKS - 1.0) * self._tick_s else 0.0,
            stepped_s if abs(stepped_s) >= _STEP_S else 0.0,
            slept / SECOND_NS if slept > _SLEPT_S * SECOND_NS else 0.0,
        )
        self._heed(look, monotonic, late_s)
        return look

    def patient(self, monotonic: int) -> bool:
        """Whether silence may be our own doing: then no venue is called anew for it."""
        return monotonic < self._patient_until

    def notes(self, monotonic: int) -> tuple[str, ...]:
        """What was found within the last hour, in words, the newest last."""
        since = monotonic - int(_TOLD_S * SECOND_NS)
        return tuple(text for at, text in self._notes if at >= since)

    def _heed(self, look: Look, monotonic: int, late_s: float) -> None:
        self.worst_late_s = max(self.worst_late_s, late_s)
        if look.late_s:
            self._patient_until = monotonic + int(_PATIENCE_S * SECOND_NS)
            self._notes.append((monotonic, f"this process was held up for {look.late_s:,.1f} s"))
        if look.stepped_s:
            self.steps += 1
            self._notes.append((monotonic, f"the clock was set by {look.stepped_s:+,.3f} s"))
        if look.slept_s:
            self._notes.append((monotonic, f"the machine slept for {look.slept_s:,.0f} s"))

"""What makes a channel untrustworthy although it speaks: books that lost their thread, frames not understood."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from airpocket.live.refusals import Refusals
from airpocket.market.pulse import Pulse, PulseStatus


class Judged(Protocol):
    """State that knows where it can't be trusted."""

    def faults(self, now: int) -> Mapping[tuple[str, str, str], str]: ...

    def delisted(self) -> Iterable[tuple[str, str]]: ...


class Faults:
    """Tells the pulse which channels are degraded, and when they no longer are."""

    def __init__(self, pulse: Pulse, state: Judged, refusals: Refusals) -> None:
        self._pulse, self._state, self._refusals = pulse, state, refusals

    def tell(self, statuses: Iterable[PulseStatus], now: int, wall: int) -> None:
        """Judge by what the pulse says of every channel at `now` (ns of the clock that never steps).

        Args: wall: the time of the day now, ns, by which markets know when they heard something.
        """
        known = list(statuses)
        refused = self._refusals.judge(known, now)
        found = {
            (status.venue, status.symbol, status.channel): refused[status.venue, status.channel]
            for status in known
            if (status.venue, status.channel) in refused
        }
        found.update(self._state.faults(wall))
        self._pulse.distrust(found)
        for venue, symbol in self._state.delisted():
            self._pulse.delisted(venue, symbol)

"""How far our clock is from each venue's, kept up while recording: asked now and then, bounded by every tick."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.units import SECOND_NS
from airpocket.ingest.connection import World
from airpocket.ingest.dial import Refused
from airpocket.ingest.feed import Feed
from airpocket.ingest.skew import TIMES, Sample, Skew, SkewEstimate, server_time
from airpocket.market.pulse import Pulse

_SOON_S = 5.0  # until the first good answers, and after our clock was set
_MOVED_NS = SECOND_NS // 4  # less is not worth a word in the log
_FIRST = 3  # exchanges in quick succession: the best of them counts


class Clocks:
    """Owns the estimates. `stepped` has them measured anew soon."""

    def __init__(self, feeds: Mapping[str, Feed], world: World, every_s: float) -> None:
        """Args: every_s: how often each venue is asked; 0: never."""
        self._world, self._every_s = world, every_s
        self._estimates = {name: SkewEstimate(name) for name in feeds if name in TIMES}
        self._told: dict[str, int] = {}  # what the log knows of each: as `listen` gives it
        self._silent: set[str] = set()  # asked in vain, for good
        self._quick = _FIRST
        self._hurry = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; at once where nobody is to be asked."""
        while self._every_s and self._estimates:
            for name in self._estimates:
                if name not in self._silent:
                    await self._ask(name)
            self._quick = max(self._quick - 1, 0)
            pause_s = min(_SOON_S, self._every_s) if self._quick else self._every_s
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), pause_s)
            self._hurry.clear()

    def listen(self, pulse: Pulse, now: int) -> list[tuple[str, int]]:
        """Bound the estimates by what just came in. Of venues whose clock is not where the log has it: what
        makes a time of the venue's day of our steady clock's reading (ns)."""
        moved: list[tuple[str, int]] = []
        base = self._world.clock.now() - self._world.clock.monotonic()
        for name, estimate in self._estimates.items():
            lag_s = pulse.least_lag_s(name, base)
            if lag_s is not None:
                estimate.message(lag_s, now)
            skew = estimate.at(now)
            if skew is not None:
                theirs = base + int(skew.offset_ms * 1e6)
                known = self._told.get(name, pulse.base)  # ours, until something else is told
                if known is not None and abs(theirs - known) >= _MOVED_NS:
                    self._told[name] = theirs
                    moved.append((name, theirs))
        return moved

    def stepped(self, by_s: float) -> None:
        """Our clock was set."""
        for estimate in self._estimates.values():
            estimate.stepped(by_s)
        self._quick = _FIRST
        self._hurry.set()

    def skews(self) -> tuple[Skew, ...]:
        """The venues whose clock is known, in their order of names."""
        now = self._world.clock.monotonic()
        found = (self._estimates[name].at(now) for name in sorted(self._estimates))
        return tuple(skew for skew in found if skew is not None)

    async def _ask(self, name: str) -> None:
        clock = self._world.clock
        sent, started = clock.now(), clock.monotonic()
        try:
            body = await self._world.ask(TIMES[name])
            ended = clock.monotonic()
            sample = Sample(sent, sent + ended - started, server_time(body))
        except Refused as refused:
            if refused.for_good:
                self._silent.add(name)
            return
        except UndecodableFrame:
            return  # the next answer may be better; without one the estimate stays unknown
        self._estimates[name].add(sample, ended)

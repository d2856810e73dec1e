"""What four-hour closes have done to a zone since it was known: untouched, tested, broken, reclaimed, retested."""

from msgspec.structs import replace

from airpocket.domain.units import DAY_NS
from airpocket.levels.roadmap import Change, Track, Zone, ZoneState
from airpocket.market.bars import Bars

_TRACKED_NS = 90 * DAY_NS


def tracked(bars: Bars, low: float, high: float, since: int) -> Track:
    """Run the zone's machine over the closed bars from `since` (ns) on, 90 days back at most.

    A side is where price last closed outside the zone. A visit that closes out on the same side is a test (after
    a break: a retest); a close beyond the other edge is a break, or, of a zone broken before, a reclaim. A zone
    that price was in from the first bar on has no side yet and is `inside`.
    """
    if len(bars) == 0:
        return Track(state="untouched", state_since=since, tests=0, changes=[])
    seen = bars.since(max(since, int(bars.end[-1]) - _TRACKED_NS))
    start = int(seen.ts[0]) if len(seen) else since
    machine = _Machine(start)
    rows = zip(
        seen.end.tolist(), seen.high.tolist(), seen.low.tolist(), seen.close.tolist(), strict=True
    )
    for end, top, bottom, close in rows:
        place = 1 if close > high else -1 if close < low else 0
        machine.step(end, place, met=bottom <= high and top >= low)
    return Track(
        state=machine.state, state_since=machine.at, tests=machine.tests, changes=machine.changes
    )


def followed(bars: Bars, zone: Zone) -> Zone:
    """A zone with its track since the first of its levels was known."""
    since = min(level.confirmed_at for level in zone.confluence)
    return replace(zone, track=tracked(bars, zone.low, zone.high, since))


class _Machine:
    """side: where price last closed outside. met: whether the running visit began."""

    def __init__(self, start: int) -> None:
        self.state: ZoneState = "untouched"
        self.at = start
        self.side = 0
        self.tests = 0
        self.broken = False
        self.visiting = False
        self.changes: list[Change] = []

    def step(self, end: int, place: int, *, met: bool) -> None:
        """One closed bar: `place` of its close (+1 above, −1 below, 0 inside), `met`: it touched the zone."""
        if self.side == 0:
            if place == 0 and self.state != "inside":
                self._to("inside", end)
            elif place != 0:
                self.side = place
                if self.state == "inside":
                    self._to("tested", end)
            return
        if place == -self.side:
            self.side = place
            reclaimed = self.broken
            self.broken = not reclaimed
            self.visiting = False
            self._to("reclaimed" if reclaimed else "broken", end)
        elif place == 0:
            self.visiting = True
        elif met or self.visiting:
            self.visiting = False
            self.tests += 1
            state: ZoneState = (
                "retested" if self.state in ("broken", "reclaimed", "retested") else "tested"
            )
            self._to(state, end)

    def _to(self, state: ZoneState, end: int) -> None:
        if state != self.state:
            self.changes.append(Change(came_at=end, state=state))
        self.state, self.at = state, end

"""What one perpetual's own figures contradict: a silent liquidation channel, and a jump of open interest."""

from collections import deque

from airpocket.domain.events import OpenInterest
from airpocket.domain.units import MINUTE_NS, SECOND_NS

# A tenth within a minute while a sixth of all positions closes does not happen without liquidations:
# on 2025-10-10 every venue that fell so far reported thousands. Silence then means a dead channel.
_MOVE, _MOVE_NS = 0.10, MINUTE_NS
_FALL, _FALL_NS = 0.15, 5 * MINUTE_NS
_TOGETHER_NS = 2 * MINUTE_NS  # open interest is polled, and told after the price moved
_SUSPECT_NS = 60 * MINUTE_NS
_JUMP = 10.0
_ALIKE = 2.0  # a second sample within this factor confirms the first


class Watch:
    """Takes prices, open interest and forced closes as heard (ns); `reasons` says what can't be trusted."""

    def __init__(self) -> None:
        self._prices: deque[tuple[int, float]] = deque()
        self._interests: deque[tuple[int, float]] = deque()
        self._kept: OpenInterest | None = None
        self._held: OpenInterest | None = None
        self._moved = (0, 0, 0.0)  # when seen, since when, how far
        self._forced = 0
        self._suspect: tuple[int, str] | None = None

    def price(self, at: int, price: float) -> None:
        """A mark or last price; one a second is enough."""
        prices = self._prices
        if prices and at - prices[-1][0] < SECOND_NS:
            return
        prices.append((at, price))
        while at - prices[0][0] > _MOVE_NS:
            prices.popleft()
        for since, before in (min(prices, key=_second), max(prices, key=_second)):
            move = price / before - 1.0
            if abs(move) >= _MOVE:
                self._moved = (at, since, move)

    def forced(self, at: int) -> None:
        """A forced close was reported: the channel speaks."""
        self._forced = at
        self._suspect = None

    def interest(self, event: OpenInterest) -> OpenInterest | None:
        """The sample to go on with; None while one that jumped tenfold waits for a second like it."""
        before, held = self._kept, self._held
        if (
            before is not None
            and before.unit == event.unit
            and _jumped(before.amount, event.amount)
        ):
            if held is None or not _alike(held.amount, event.amount):
                self._held = event
                return None
            self._interests.clear()  # a new level, not a fall
        self._held, self._kept = None, event
        self._interests.append((event.usable_from, event.amount))
        while event.usable_from - self._interests[0][0] > _FALL_NS:
            self._interests.popleft()
        return event

    def reasons(self, now: int) -> dict[str, str]:
        """Channel → why it can't be trusted now."""
        found: dict[str, str] = {}
        held, kept = self._held, self._kept
        if held is not None and kept is not None:
            found["open_interest"] = (
                f"a jump from {kept.amount:,.6g} to {held.amount:,.6g} {held.unit} awaits a second sample"
            )
        silent = self._silent(now)
        if silent:
            self._suspect = (now, silent)
        if self._suspect is not None and now - self._suspect[0] <= _SUSPECT_NS:
            found["liquidations"] = self._suspect[1]
        return found

    def _silent(self, now: int) -> str:
        seen, since, move = self._moved
        if not seen or now - seen > _TOGETHER_NS or self._forced >= since or not self._interests:
            return ""
        most, last = max(amount for _, amount in self._interests), self._interests[-1][1]
        fall = 1.0 - last / most if most > 0.0 else 0.0
        if fall < _FALL:
            return ""
        return (
            f"no liquidation while the price moved {100.0 * move:+.0f} % within a minute"
            f" and open interest fell {100.0 * fall:.0f} %"
        )


def _second(pair: tuple[int, float]) -> float:
    return pair[1]


def _jumped(before: float, now: float) -> bool:
    if before <= 0.0 or now <= 0.0:
        return before != now
    return not 1.0 / _JUMP < now / before < _JUMP


def _alike(first: float, second: float) -> bool:
    if first <= 0.0 or second <= 0.0:
        return first == second
    return 1.0 / _ALIKE <= second / first <= _ALIKE

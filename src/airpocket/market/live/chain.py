"""The live option chain of one asset, of what each venue says of an option in one message or in several."""

from dataclasses import dataclass, field

import msgspec

from airpocket.domain.units import HOUR_NS
from airpocket.domain.wire import OptionTick

FRESH_NS = HOUR_NS // 4
_SLACK = 1.05  # index, forward and mark are not of the same instant
_MOST = 50_000  # all venues together list a few thousand of one coin


@dataclass(slots=True)
class Chain:
    """Owner of the options of one asset. An option's message replaces what it speaks for and nothing else.

    `implausible`: marks that no volatility can give, left out of snapshots; `crowded`: options that were
    not taken because far more came than there are.
    """

    implausible: int = 0
    crowded: int = 0
    _parts: dict[tuple[str, str], dict[tuple[str, ...], OptionTick]] = field(
        default_factory=dict[tuple[str, str], dict[tuple[str, ...], OptionTick]]
    )

    def __len__(self) -> int:
        return len(self._parts)

    def apply(self, tick: OptionTick) -> None:
        """Take one message."""
        key = (tick.venue, tick.symbol)
        parts = self._parts.get(key)
        if parts is None:
            if len(self._parts) >= _MOST:
                self.crowded += 1
                return
            parts = self._parts[key] = {}
        # the newest last, so that laying them over one another in order is right
        parts.pop(tick.says, None)
        parts[tick.says] = tick

    def snapshot(self, now: int) -> dict[str, list[OptionTick]]:
        """By venue: every unexpired option with what was said of it in the last quarter of an hour, by name.

        What was not said of late is unknown. Expired options are forgotten.
        """
        found: dict[str, list[OptionTick]] = {}
        for key in sorted(self._parts):
            parts = self._parts[key]
            if next(iter(parts.values())).expiry <= now:
                del self._parts[key]
                continue
            fresh = [tick for tick in parts.values() if now - tick.usable_from < FRESH_NS]
            if fresh:
                found.setdefault(key[0], []).append(self._plausible(_laid_over(fresh)))
        return found

    def _plausible(self, tick: OptionTick) -> OptionTick:
        """Without its mark, where that lies outside what any volatility can give.

        In coin a call is worth between 1 − K/F and 1, a put between K/F − 1 and K/F. It tells dollars from
        coin: OKX's marks are documented in coin, and one recorded frame of 2021 holds a call at 3.8.
        """
        price = tick.forward or tick.index
        if tick.mark is None or price is None:
            return tick
        coin = tick.mark if tick.price_unit == "coin" else tick.mark / price
        ratio = tick.strike / price
        least, most = (1.0 - ratio, 1.0) if tick.call else (ratio - 1.0, ratio)
        if max(least, 0.0) / _SLACK - 0.02 <= coin <= most * _SLACK:
            return tick
        self.implausible += 1
        return msgspec.structs.replace(tick, mark=None)


def _laid_over(parts: list[OptionTick]) -> OptionTick:
    """The fields each message speaks for, the newest last; ts and usable_from are the newest message's."""
    newest = parts[-1]
    if len(parts) == 1:
        return newest
    told: dict[str, float | None] = {}
    for tick in parts:
        names = tick.says or _FIGURES
        told.update({name: getattr(tick, name) for name in names})
    unsaid = dict.fromkeys(_FIGURES)
    return msgspec.structs.replace(newest, says=(), **{**unsaid, **told})


_FIGURES = (
    "bid", "bid_size", "ask", "ask_size", "mark", "bid_iv", "ask_iv", "mark_iv", "forward", "index", "delta",
    "gamma", "vega", "theta", "open_interest",
)  # fmt: skip

"""What takers buy and sell in a minute on some contracts, in USD: what a push of dollars is held against."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from airpocket.domain.estimates import USD, Estimate, known
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.market.health import ill
from airpocket.market.state import Contract, Market
from airpocket.signals.tape import TAPE


@dataclass(frozen=True, slots=True)
class TakerSettings:
    """Fixed before any result was seen. window_min: minutes a rate is the mean of; back_min: minutes back for
    which rates are given; fresh_min: how old the newest minute may be; least_share: of a window's minutes, that
    must be there.
    """

    window_min: int = 5
    back_min: int = 15
    fresh_min: int = 5
    least_share: float = 0.6


@dataclass(frozen=True, slots=True)
class TakerRate:
    """USD a minute that takers bought and sold: means of the minutes up to each of `end` (n,), newest last."""

    end: IntArray
    bought: FloatArray
    sold: FloatArray
    source: str

    def estimate(self, now: int, *, up: bool) -> Estimate:
        """The newest rate of one side."""
        values = self.bought if up else self.sold
        return known(float(values[-1]), USD, as_of=int(self.end[-1]), now=now, source=self.source)


def taker_rate(
    market: Market, keys: tuple[str, ...], settings: TakerSettings | None = None
) -> TakerRate | str:
    """Of the contracts named, added up; or why not, which is so as soon as one of them is not known.

    Each by its tape, else by its minute bars, else the mean minute of its last hour.
    """
    s = settings or TakerSettings()
    found = [_rate(market, key, s) for key in keys]
    rates = [rate for rate in found if isinstance(rate, TakerRate)]
    if len(rates) < len(found) or not rates:
        return "; ".join(rate for rate in found if isinstance(rate, str)) or "no contract is named"
    if len(rates) == 1:
        return rates[0]
    end = reduce(np.intersect1d, [rate.end for rate in rates])
    source = " and ".join(rate.source for rate in rates)
    if len(end) == 0:  # of unlike grids only the newest can be added up
        end = np.array([min(int(rate.end[-1]) for rate in rates)])
        at = [np.array([-1]) for _ in rates]
    else:
        at = [np.searchsorted(rate.end, end) for rate in rates]
    bought, sold = (
        np.sum([values[rows] for values, rows in zip(side, at, strict=True)], axis=0)
        for side in ([rate.bought for rate in rates], [rate.sold for rate in rates])
    )
    return TakerRate(end, bought, sold, source)


def _rate(market: Market, key: str, s: TakerSettings) -> TakerRate | str:
    contract = next((c for c in market.contracts if c.key == key), None)
    if contract is None:
        return f"nothing is known of {key}"
    for found in (_of_tape(contract, market.now, s), _of_bars(contract, market.now, s)):
        if found is not None:
            return found
    return _of_hour(contract, market.now)


def _of_tape(contract: Contract, now: int, s: TakerSettings) -> TakerRate | None:
    table = contract.table(TAPE)
    if table is None or len(table) == 0 or ill(contract, "trades"):
        return None
    ends = table.ints("ts") + MINUTE_NS
    bought, sold = table.floats("buy_usd"), table.floats("sell_usd")
    return _means(ends, bought, sold, now, s, f"{contract.key}, tape")


def _of_bars(contract: Contract, now: int, s: TakerSettings) -> TakerRate | None:
    recent = contract.base.since(now - (s.window_min + s.back_min + s.fresh_min) * MINUTE_NS)
    minutes = recent.end - recent.ts == MINUTE_NS
    if not minutes.any():
        return None
    bought, sold = _sides(recent.taker_buy, recent.volume, recent.close)
    return _means(
        recent.end[minutes], bought[minutes], sold[minutes], now, s, f"{contract.key}, minute bars"
    )


def _of_hour(contract: Contract, now: int) -> TakerRate | str:
    hours = contract.hours
    if len(hours) == 0 or now - int(hours.end[-1]) > 2 * HOUR_NS:
        return f"no tape, minute or hour of {contract.key} is here that says what takers bought"
    bought, sold = _sides(hours.taker_buy[-1:], hours.volume[-1:], hours.close[-1:])
    if not np.isfinite(bought).all():
        return f"the source of {contract.key} does not publish taker volume"
    return TakerRate(
        hours.end[-1:], bought / 60.0, sold / 60.0, f"{contract.key}, mean minute of the last hour"
    )


def _sides(
    taker_buy: FloatArray, volume: FloatArray, close: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(n,) USD bought and sold by takers; NaN where not published."""
    return taker_buy * close, (volume - taker_buy) * close


def _means(
    ends: IntArray, bought: FloatArray, sold: FloatArray, now: int, s: TakerSettings, source: str
) -> TakerRate | None:
    """Trailing means at each of the last minutes; None where the newest is too old or too few are there."""
    known_rows = np.isfinite(bought) & np.isfinite(sold) & (ends <= now)
    ends, bought, sold = ends[known_rows], bought[known_rows], sold[known_rows]
    if len(ends) == 0 or now - int(ends[-1]) > s.fresh_min * MINUTE_NS:
        return None
    at = np.unique(ends[ends > int(ends[-1]) - s.back_min * MINUTE_NS])
    first = np.searchsorted(ends, at - s.window_min * MINUTE_NS, side="right")
    last = np.searchsorted(ends, at, side="right")
    enough = last - first >= s.least_share * s.window_min
    if not enough[-1]:
        return None
    totals = [np.concatenate([[0.0], np.cumsum(side)]) for side in (bought, sold)]
    count = np.maximum(last - first, 1)
    buys, sells = ((total[last] - total[first]) / count for total in totals)
    return TakerRate(at[enough], buys[enough], sells[enough], source)

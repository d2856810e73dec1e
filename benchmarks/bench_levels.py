"""The roadmap: of four years of hours and of a million minutes, and on every day of four years."""

from collections.abc import Iterator

import numpy as np

from airpocket.domain.events import Batch
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, TimeNs
from airpocket.levels.find import find_levels
from airpocket.market.state import MarketState
from benchmarks.harness import Figure, seconds

_START = 1_577_836_800_000_000_000  # 2020-01-01
_HOURS = 4 * 365 * 24
_MINUTES = 1_000_000
_DAYS_SHOWN = 60  # the last of the four years; the costliest


def made(n: int, step: int) -> Batch:
    """n bars of a walk without gaps, with daily volatility of about 4 %."""
    rng = np.random.default_rng(0)
    spread = 0.04 * np.sqrt(step / DAY_NS)
    close = 3_000.0 * np.exp(np.cumsum(spread * rng.standard_normal(n)))
    opened = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opened, close) * (1 + rng.uniform(0, spread / 2, n))
    low = np.minimum(opened, close) * (1 - rng.uniform(0, spread / 2, n))
    volume = rng.gamma(2.0, 500.0, n)
    ts = _START + step * np.arange(n, dtype=np.int64)
    columns = {
        "ts": ts, "usable_from": ts + step, "open": opened, "high": high, "low": low, "close": close,
        "volume": volume, "volume_usd": volume * close, "taker_buy": volume / 2,
    }  # fmt: skip
    kind = "bar_1h" if step == HOUR_NS else "bar_1m"
    return Batch(kind, "binance_usdm", "ETHUSDT", columns, ("made",))


def whole(batch: Batch) -> None:
    """From facts to the roadmap at their end."""
    state = MarketState("ETH")
    state.apply(batch)
    now = TimeNs(int(batch.ints("usable_from")[-1]))
    assert find_levels(state.snapshot(now).reference, now).zones


def figures() -> Iterator[Figure]:
    """Wall time on one core, after one warm-up."""
    hours, minutes = made(_HOURS, HOUR_NS), made(_MINUTES, MINUTE_NS)
    whole(hours)
    yield Figure("levels_of_4_years_of_hours", "s", round(seconds(lambda: whole(hours)), 3))
    yield Figure("levels_of_1m_minutes", "s", round(seconds(lambda: whole(minutes)), 3))
    state = MarketState("ETH")
    state.apply(hours)
    end = int(hours.ints("usable_from")[-1])
    contract = state.snapshot(TimeNs(end)).reference

    def every_day() -> None:
        for day in range(_DAYS_SHOWN):
            find_levels(contract, TimeNs(end - day * DAY_NS))

    took = seconds(every_day) / _DAYS_SHOWN
    yield Figure("levels_of_one_more_day_after_4_years", "ms", round(1e3 * took, 1))

"""From trades to bars: nothing is lost, nothing is looked ahead at, holes stay holes."""

import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from airpocket.cascade.calibrate.tape import Tape, tape_of_minutes, tape_of_trades
from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS, TimeNs
from airpocket.market.state import MarketState


@given(
    gaps=st.lists(st.integers(0, 3 * SECOND_NS), min_size=3, max_size=60), seed=st.integers(0, 999)
)
def test_bars_hold_every_dollar_of_their_whole_seconds_and_the_last_price(gaps, seed):
    ts = 5 * SECOND_NS + 1 + np.cumsum(gaps)
    rng = np.random.default_rng(seed)
    price, usd = np.exp(rng.normal(0, 0.01, len(ts))), rng.normal(0, 1e5, len(ts))
    bars = tape_of_trades(ts, price, usd, 1.0)
    for k, end in enumerate(bars.end):
        inside = (ts >= end - SECOND_NS) & (ts < end)
        assert bars.flow_usd[k] == pytest.approx(usd[inside].sum(), abs=1e-6)
        assert bars.log_price[k] == np.log(price[ts < end][-1])
    whole = (ts // SECOND_NS > ts[0] // SECOND_NS) & (ts // SECOND_NS < ts[-1] // SECOND_NS)
    assert bars.traded_usd.sum() == pytest.approx(np.abs(usd[whole]).sum())


def test_longer_bars_are_sums_and_skip_what_has_a_hole():
    end = np.array([1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12], dtype=np.int64) * SECOND_NS
    joined = np.concatenate([[False], np.diff(end) == SECOND_NS])
    one = np.arange(11.0)
    found = Tape(1.0, end, one, one, one, joined).coarser(4.0)
    assert found.end.tolist() == [4 * SECOND_NS, 12 * SECOND_NS]
    assert found.flow_usd.tolist() == [0 + 1 + 2 + 3, 7 + 8 + 9 + 10]
    assert found.joined.tolist() == [False, False]  # the bar between them was not whole


def test_moves_of_longer_bars_add_up():
    n = 120
    end = np.arange(1, n + 1, dtype=np.int64) * SECOND_NS
    price = np.random.default_rng(1).normal(size=n).cumsum()
    fine = Tape(1.0, end, price, price, np.abs(price), np.arange(n) > 0)
    coarse = fine.coarser(10.0)
    assert coarse.joined.tolist() == [False] + [True] * 11
    assert coarse.moves[1:].sum() == pytest.approx(fine.moves[10:].sum())
    with pytest.raises(ValueError, match="no multiple"):
        fine.coarser(1.5)


def minute_bars(hours, **columns):
    """Made minute bars of one perpetual, with takers' buying where given."""
    n = 60 * hours
    ts = samples.START + MINUTE_NS * np.arange(n, dtype=np.int64)
    flat = np.full(n, 3_000.0)
    base = {
        "ts": ts, "usable_from": ts + MINUTE_NS, "open": flat, "high": flat, "low": flat, "close": flat,
        "volume": np.full(n, 10.0), "volume_usd": np.full(n, 30_000.0), "taker_buy": np.full(n, np.nan),
    }  # fmt: skip
    return Batch("bar_1m", "binance_usdm", "ETHUSDT", base | columns, ("made",))


def contract(*batches, hours):
    state = MarketState("ETH")
    for batch in batches:
        state.apply(batch)
    return state.snapshot(TimeNs(samples.START + hours * HOUR_NS)).reference


def test_takers_flow_comes_of_the_bars_else_of_the_recorded_tape():
    n = 60
    told = contract(minute_bars(1, taker_buy=np.full(n, 7.5)), hours=1)
    assert tape_of_minutes(told).flow_usd.tolist() == [15_000.0] * n
    ts = samples.START + MINUTE_NS * np.arange(n, dtype=np.int64)
    recorded = {
        "ts": ts, "usable_from": ts + MINUTE_NS, "prints": np.ones(n, np.int64),
        "buy_usd": np.full(n, 20_000.0), "sell_usd": np.full(n, 12_000.0), "spread_bps": np.full(n, 1.0),
        "reloads": np.full(n, np.nan), "retreats": np.full(n, np.nan), "refill_s": np.full(n, np.nan),
    }  # fmt: skip
    tape = Batch("tape_1m", "binance_usdm", "ETHUSDT", recorded, ("made",))
    assert tape_of_minutes(contract(minute_bars(1), tape, hours=1)).flow_usd.tolist() == [8e3] * n
    assert tape_of_minutes(contract(minute_bars(1), hours=1)) is None

"""Taker flow a minute: from the tape, else minute bars, else the last hour; trailing means, never stale ones."""

import numpy as np
import pytest
import samples

from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.market.state import MarketState
from airpocket.signals.taker import TakerRate, TakerSettings, taker_rate

KEY = "binance_usdm:ETHUSDT"
HOURS = 48
NOW = samples.START + HOURS * HOUR_NS


def tape(bought, sold, *, until=NOW):
    """One row a minute, the last one ending at `until`."""
    n = len(bought)
    ts = until - MINUTE_NS * np.arange(n, 0, -1, dtype=np.int64)
    numbers = {"buy_usd": np.array(bought, float), "sell_usd": np.array(sold, float)}
    counts = {name: np.full(n, -1, np.int64) for name in ("prints", "reloads", "retreats")}
    rest = {"spread_bps": np.full(n, np.nan), "refill_s": np.full(n, np.nan)}
    columns = {"ts": ts, "usable_from": ts + MINUTE_NS, **counts, **numbers, **rest}
    return Batch("tape_1m", "binance_usdm", "ETHUSDT", columns, ("made",))


def market(*batches, now=NOW):
    state = MarketState("ETH")
    for batch in batches:
        state.apply(samples.cut(batch, now))
    return state.snapshot(now)


def test_the_tape_gives_means_of_the_five_minutes_up_to_each():
    found = taker_rate(
        market(samples.bars(HOURS), tape(np.arange(1.0, 31.0), np.full(30, 4.0))), (KEY,)
    )
    assert isinstance(found, TakerRate)
    assert found.bought[-1] == pytest.approx(np.mean([26, 27, 28, 29, 30]))
    assert found.bought[-2] == pytest.approx(np.mean([25, 26, 27, 28, 29]))
    assert len(found.bought) == TakerSettings().back_min
    assert found.sold.tolist() == [4.0] * TakerSettings().back_min
    assert found.end[-1] == NOW
    assert found.estimate(NOW, up=True).value == pytest.approx(28.0)


def test_minute_bars_stand_in_for_a_tape():
    bars = samples.bars(60, step=HOUR_NS // 60, start=NOW - HOUR_NS)
    found = taker_rate(market(bars), (KEY,))
    bought = bars.floats("taker_buy") * bars.floats("close")
    sold = (bars.floats("volume") - bars.floats("taker_buy")) * bars.floats("close")
    assert found.bought[-1] == pytest.approx(bought[-5:].mean())
    assert found.sold[-3] == pytest.approx(sold[-7:-2].mean())
    assert "minute bars" in found.source


def test_else_the_mean_minute_of_the_last_hour():
    bars = samples.bars(HOURS)
    found = taker_rate(market(bars), (KEY,))
    assert found.bought.tolist() == [
        pytest.approx(float(bars.floats("taker_buy")[-1] * bars.floats("close")[-1]) / 60.0)
    ]
    assert "last hour" in found.source


def test_an_old_tape_is_not_the_present():
    old = tape(np.full(30, 9e6), np.full(30, 9e6), until=NOW - 10 * MINUTE_NS)
    found = taker_rate(market(samples.bars(HOURS), old), (KEY,))
    assert "last hour" in found.source


def test_no_taker_volume_is_unknown_with_a_reason():
    bars = samples.bars(HOURS)
    bars.columns["taker_buy"][:] = np.nan
    assert "does not publish taker volume" in taker_rate(market(bars), (KEY,))
    assert "nothing is known of okx:X" in taker_rate(market(bars), (KEY, "okx:X"))
    stale = market(samples.bars(HOURS), now=NOW)
    late = MarketState("ETH")
    late.apply(samples.bars(HOURS))
    assert isinstance(taker_rate(stale, (KEY,)), TakerRate)
    assert "no tape" in taker_rate(late.snapshot(NOW + 3 * HOUR_NS), (KEY,))


def test_minutes_that_are_missing_are_left_out_and_too_many_give_none():
    bought = np.full(30, 5.0)
    bought[-4:-1] = np.nan
    found = taker_rate(market(samples.bars(HOURS), tape(bought, np.full(30, 5.0))), (KEY,))
    assert "last hour" in found.source
    bought[-4:-2] = 5.0
    found = taker_rate(market(samples.bars(HOURS), tape(bought, np.full(30, 5.0))), (KEY,))
    assert found.bought[-1] == 5.0
    assert "tape" in found.source


def elsewhere(batch, venue):
    return Batch(batch.kind, venue, batch.symbol, dict(batch.columns), batch.sources)


def test_rates_of_several_contracts_add_up_minute_by_minute():
    one = tape(np.arange(1.0, 31.0), np.full(30, 4.0))
    two = elsewhere(
        tape(np.full(29, 100.0), np.full(29, 6.0), until=NOW - MINUTE_NS), "bybit_linear"
    )
    keys = (KEY, "bybit_linear:ETHUSDT")
    hours = samples.bars(HOURS)
    both = market(hours, elsewhere(hours, "bybit_linear"), one, two)
    found = taker_rate(both, keys)
    assert found.end[-1] == NOW - MINUTE_NS
    assert found.bought[-1] == pytest.approx(100.0 + np.mean([25, 26, 27, 28, 29]))
    assert set(found.sold.tolist()) == {10.0}
    assert found.source == "binance_usdm:ETHUSDT, tape and bybit_linear:ETHUSDT, tape"


def test_unlike_grids_add_up_to_the_newest_alone():
    hours = samples.bars(HOURS)
    both = market(hours, elsewhere(hours, "bybit_linear"), tape(np.full(30, 5.0), np.full(30, 5.0)))
    found = taker_rate(both, (KEY, "bybit_linear:ETHUSDT"))
    alone = taker_rate(both, ("bybit_linear:ETHUSDT",))
    assert found.bought.tolist() == [pytest.approx(5.0 + alone.bought[-1])]


def test_one_contract_without_a_rate_makes_the_sum_unknown():
    hours = samples.bars(HOURS)
    dark = elsewhere(samples.bars(HOURS), "bybit_linear")
    dark.columns["taker_buy"] = np.full(HOURS, np.nan)
    found = taker_rate(market(hours, dark), (KEY, "bybit_linear:ETHUSDT"))
    assert found == "the source of bybit_linear:ETHUSDT does not publish taker volume"

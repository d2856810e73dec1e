"""The roadmap: known answers, prefix invariance, gaps, and zones in order."""

import itertools
import json

import numpy as np
import pytest
import samples
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.levels import averages, profile
from airpocket.levels.find import find_levels
from airpocket.levels.pivots import confirmed_swings
from airpocket.market.bars import Bars, BarSeries
from airpocket.market.state import MarketState

DAYS = 200


def market(n=24 * DAYS, *, seed=0, drop=(), until=None):
    state = MarketState("ETH")
    batch = samples.bars(n, seed=seed, drop=drop)
    now = samples.START + n * HOUR_NS if until is None else until
    state.apply(samples.cut(batch, now))
    return state.snapshot(TimeNs(now))


def roadmap(**how):
    seen = market(**how)
    return find_levels(seen.reference, seen.now)


def oracle(shared, function):
    cases = json.loads(
        (shared / "oracles" / "microstructure_levels.json").read_text(encoding="utf-8")
    )
    return [case for case in cases if case["function"] == function]


@pytest.mark.real
def test_value_area_equals_the_published_example(shared):
    [case] = oracle(shared, "value_area")
    given_, expected = case["inputs"], case["expected"]
    found = profile.value_area(
        np.array(given_["price"], float),
        np.array(given_["volume"], float),
        given_["share_fraction"],
        given_["rule"],
    )
    assert (found.poc, found.low, found.high) == (
        expected["poc"], expected["value_area_low"], expected["value_area_high"])  # fmt: skip
    assert found.volume == expected["value_area_volume"]


@pytest.mark.fault("D01")
@pytest.mark.real
def test_confirmed_swings_of_a_prefix_are_those_of_the_whole(shared):
    [case] = oracle(shared, "prefix_invariance")
    rows = case["inputs"]
    n = len(rows["close"])
    ts = HOUR_NS * np.arange(n, dtype=np.int64)
    values = np.stack(
        [np.array(rows[k], float) for k in ("close", "high", "low", "close", "volume")]
    )
    values = np.concatenate([values, np.full((2, n), np.nan)])
    whole = confirmed_swings(Bars(ts, ts + HOUR_NS, values), 3)
    assert len(whole) > 0
    for t in range(1, n):
        prefix = confirmed_swings(Bars(ts[:t], ts[:t] + HOUR_NS, values[:, :t]), 3)
        known = whole.where(whole.confirmed_at <= ts[t - 1] + HOUR_NS)
        assert np.array_equal(prefix.price, known.price)
        assert np.array_equal(prefix.confirmed_at, known.confirmed_at)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(24 * 100, 24 * DAYS - 1),
    st.sets(st.integers(0, 24 * DAYS - 1), max_size=3),
)
def test_levels_were_confirmed_when_they_are_shown_and_zones_do_not_overlap(seed, hour, dropped):
    now = samples.START + hour * HOUR_NS
    found = roadmap(seed=seed, drop=sorted(dropped), until=now)
    for zone in found.zones:
        assert zone.low <= zone.high
        assert all(level.confirmed_at <= now for level in zone.confluence)
        assert zone.prominence == pytest.approx(sum(level.prominence for level in zone.confluence))
        each = {level.key: level.weight for level in zone.confluence}
        assert zone.strength == pytest.approx(sum(each.values()))
        assert zone.track is not None
        assert zone.track.state_since <= now
    edges = [(zone.low, zone.high) for zone in found.zones]
    assert all(a[1] <= b[0] * (1 + 1e-9) for a, b in itertools.pairwise(edges))


def test_swings_equal_a_plain_search():
    bars = market(n=600).reference.hours
    reach = 5
    found = confirmed_swings(bars, reach).highs()
    plain = [i for i in range(reach, len(bars) - reach)
             if bars.high[i] == bars.high[i - reach : i + reach + 1].max()]  # fmt: skip
    assert list(found.formed_at) == list(bars.ts[plain])
    assert list(found.confirmed_at) == list(bars.end[np.array(plain) + reach])


def test_averages_equal_talib():
    bars = market().reference.days
    for span in (20, 21, 50):
        ours, theirs = averages.ema(bars, span), talib.EMA(np.ascontiguousarray(bars.close), span)
        both = np.isfinite(ours)
        assert both[-1]
        np.testing.assert_allclose(ours[both], theirs[both], rtol=5e-3)
    hours = market(n=2000).reference.hours
    close = np.ascontiguousarray(hours.close)
    np.testing.assert_allclose(averages.rsi(hours)[-500:], talib.RSI(close, 14)[-500:], rtol=1e-9)


@pytest.mark.fault("D11", "D12")
def test_an_average_is_unknown_until_its_warm_up_is_over_again():
    hole = range(24 * 120, 24 * 122)
    found = roadmap(drop=hole).averages
    assert found["ema_20d"].known
    assert not found["ema_50d"].known
    assert "150 days without a gap" in (found["ema_50d"].unknown or "")


def test_a_daily_close_below_support_says_nothing_once_price_is_back_above():
    for seed in range(20):
        for rule in roadmap(seed=seed).rules:
            if rule.id.startswith("deeper_reversion") and rule.status == "met":
                last = market(seed=seed).reference.base.close[-1]
                assert last <= rule.zone_high


def test_a_market_without_volume_has_no_profile_and_says_so():
    batch = samples.bars(24 * DAYS)
    series = BarSeries()
    series.add(batch)
    state = MarketState("ETH")
    columns = {**batch.columns, "volume": np.full(len(batch), np.nan)}
    state.apply(type(batch)(batch.kind, batch.venue, batch.symbol, columns, batch.sources))
    seen = state.snapshot(TimeNs(samples.START + 24 * DAYS * HOUR_NS))
    found = find_levels(seen.reference, seen.now)
    assert found.profile is None or not found.profile.point_of_control.known


@pytest.mark.real
def test_the_price_hole_of_2025_keeps_the_long_average_unknown_until_august(shared):
    import polars as pl

    from airpocket.domain.events import Batch
    from airpocket.domain.units import parse_time

    frame = (
        pl.read_parquet(shared / "data/finm33150_hl_multivenue/candles_1h.parquet")
        .filter((pl.col("venue") == "binance") & (pl.col("coin") == "ETH"))
        .sort("ts")
    )
    ts = frame["ts"].dt.epoch("ns").to_numpy()
    none = np.full(len(ts), np.nan)
    columns = {"ts": ts, "usable_from": ts + HOUR_NS, "volume_usd": none, "taker_buy": none}
    columns |= {k: frame[k].to_numpy() for k in ("open", "high", "low", "close", "volume")}
    bars = Batch("bar_1h", "binance_usdm", "ETHUSDT", columns, ("finm33150",))
    for when, known in (("2025-05-08T18:00Z", False), ("2025-08-13T12:00Z", True)):
        now = parse_time(when)
        state = MarketState("ETH")
        state.apply(samples.cut(bars, now))
        seen = state.snapshot(now)
        assert find_levels(seen.reference, now).averages["ema_50d"].known is known

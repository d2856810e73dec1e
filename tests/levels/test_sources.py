"""Every source of levels: what it finds in a made example, and that no level knows what came after it."""

from dataclasses import replace

import numpy as np
import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.units import DAY_NS, HOUR_NS, TimeNs
from airpocket.levels.averages import atr
from airpocket.levels.blocks import blocks_of
from airpocket.levels.demand import demand_levels, net_bought
from airpocket.levels.find import Beside, find_levels, known_at, sources_at
from airpocket.levels.learned import RECORDS
from airpocket.levels.pulls import gravity_levels
from airpocket.levels.retests import breakout_of
from airpocket.levels.settings import DEFAULTS
from airpocket.levels.tracking import tracked
from airpocket.market.bars import Bars
from airpocket.market.options.chain import ChainSnapshot
from airpocket.market.options.quotes import ChainQuotes
from airpocket.market.state import MarketState

FOUR_H = 4 * HOUR_NS
DAYS = 150


def bars_from(rows, step=FOUR_H):
    """Bars of (open, high, low, close) rows."""
    ts = step * np.arange(len(rows), dtype=np.int64)
    values = np.full((7, len(rows)), np.nan)
    values[:4] = np.array(rows, dtype=float).T
    values[4] = 1.0
    return Bars(ts, ts + step, values)


def flat(n, at=100.0):
    return [(at, at + 1.0, at - 1.0, at)] * n


def contracts(batches, now, coin="ETH"):
    state = MarketState(coin)
    for batch in batches:
        state.apply(samples.cut(batch, now))
    return state.snapshot(TimeNs(now))


def levels_of(market, now):
    contract = known_at(market.reference, now)
    spots = tuple(known_at(spot, now) for spot in market.spots)
    return sources_at(contract, TimeNs(now), DEFAULTS, Beside(spots)).levels


@pytest.mark.fault("D01")
@settings(max_examples=6)
@given(st.integers(0, 10_000), st.integers(24 * 100, 24 * DAYS - 30))
def test_no_level_of_a_random_series_knows_what_came_after(seed, hour):
    n, now = 24 * DAYS, samples.START + hour * HOUR_NS
    perp, spot = samples.bars(n, seed=seed), samples.bars(n, seed=seed, venue="binance_spot")
    whole = contracts([perp, spot], samples.START + n * HOUR_NS)
    cut = contracts([perp, spot], now)
    found = levels_of(cut, now)
    assert levels_of(whole, now) == found
    assert all(level.formed_at <= level.confirmed_at <= now for level in found)
    assert {"spot_demand", "anchored_vwap", "volume_node", "ema_20d"} <= {lev.kind for lev in found}


@pytest.mark.real
def test_no_level_of_recorded_bitcoin_knows_what_came_after(shared):
    from airpocket.evaluation.impact_real import read_bars
    from airpocket.evaluation.level_history import batch_of_bars, contract_of

    history = read_bars(shared / "data/touhoufan_binance/btcusdt_perp_1h.parquet").until(
        samples.START - 1600 * DAY_NS
    )
    whole = contract_of("BTC", [history])
    kinds: set[str] = set()
    for days in (0, 33, 71, 140):
        now = TimeNs(int(history.end[-1]) - days * DAY_NS)
        market = contracts([batch_of_bars(history, "BTCUSDT")], now, "BTC")
        found = sources_at(market.reference, now).levels
        assert sources_at(known_at(whole, now), now).levels == found
        kinds |= {level.kind for level in found}
    assert {"supply_block", "demand_block", "breakout_retest", "range_high", "fibonacci"} <= kinds


@pytest.mark.fault("D01")
@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(60, 400))
def test_blocks_and_breakouts_of_a_prefix_are_those_of_the_whole(seed, stop):
    bars = contracts([samples.bars(1600, seed=seed)], samples.START + 1600 * HOUR_NS).reference
    whole = bars.four_hours
    prefix = whole.until(int(whole.end[min(stop, len(whole)) - 1]))
    some, every = blocks_of(prefix, DEFAULTS), blocks_of(whole, DEFAULTS)
    known = every.known < len(prefix)
    assert np.array_equal(some.base, every.base[known])
    assert np.array_equal(some.demand, every.demand[known])
    ended = np.where(every.end[known] < len(prefix), every.end[known], -1)
    assert np.array_equal(some.end, ended)
    price = float(whole.high[20])
    ranges = atr(whole)
    ours = breakout_of(prefix, ranges[: len(prefix)], price, 0, high=True, clean=0.25)
    theirs = breakout_of(whole, ranges, price, 0, high=True, clean=0.25)
    if theirs.broken is not None and theirs.broken < len(prefix):
        assert ours.broken == theirs.broken
        retests = theirs.retests[theirs.retests < len(prefix)]
        assert np.array_equal(ours.retests, retests)
    else:
        assert ours.broken is None


def test_a_demand_block_is_the_last_falling_bar_before_a_strong_rise_until_a_close_under_it():
    base = (100.0, 100.5, 98.5, 99.0)
    rise = (99.0, 108.0, 99.0, 107.0)
    bars = bars_from([*flat(20), base, rise, *flat(2, 107.0)])
    found = blocks_of(bars, DEFAULTS)
    assert (found.base.tolist(), found.known.tolist()) == ([20], [21])
    assert found.demand.tolist() == [True]
    assert found.end.tolist() == [-1]
    assert found.touched.tolist() == [False]
    back = bars_from(
        [*flat(20), base, rise, (107.0, 107.0, 100.0, 101.0), (101.0, 101.0, 97.0, 98.0)]
    )
    later = blocks_of(back, DEFAULTS)
    assert (later.touched.tolist(), later.end.tolist()) == ([True], [23])
    gone = Bars(bars.ts.copy(), bars.end.copy(), bars.values)
    gone.ts[21:] += FOUR_H
    gone.end[21:] += FOUR_H
    assert len(blocks_of(gone, DEFAULTS).base) == 0


def test_a_breakout_is_retested_from_above_and_fails_with_a_clean_close_back():
    rows = [*flat(16), (100, 104, 100, 104), (104, 105, 100.5, 104), (104, 104, 96, 96)]
    bars = bars_from(rows)
    held = breakout_of(
        bars.until(int(bars.end[17])), atr(bars)[:18], 101.0, 0, high=True, clean=0.25
    )
    assert (held.broken, held.failed, held.retests.tolist()) == (16, None, [17])
    assert breakout_of(bars, atr(bars), 101.0, 0, high=True, clean=0.25).failed == 18


def test_a_zone_is_tested_broken_retested_and_reclaimed_in_that_order():
    low, high = 99.0, 100.0
    rows = [(105, 106, 104, 105), (105, 105, 99.5, 104), (104, 104, 97, 98), (98, 99.4, 96, 97),
            (97, 102, 97, 101)]  # fmt: skip
    bars = bars_from(rows)
    found = tracked(bars, low, high, 0)
    assert [change.state for change in found.changes] == [
        "tested",
        "broken",
        "retested",
        "reclaimed",
    ]
    assert [change.came_at for change in found.changes] == bars.end[1:].tolist()
    assert (found.state, found.tests) == ("reclaimed", 2)
    for stop in range(1, 6):
        part = tracked(bars.until(int(bars.end[stop - 1])), low, high, 0)
        assert part.changes == [
            change for change in found.changes if change.came_at <= bars.end[stop - 1]
        ]


def test_spot_demand_takes_the_sides_told_and_says_when_it_had_to_guess():
    n = 24 * 95
    spot = samples.bars(n, seed=3, venue="binance_spot")
    now = TimeNs(samples.START + n * HOUR_NS)
    [told] = contracts([spot], now).spots
    bought = np.where(told.hours.close < np.median(told.hours.close), 1.0, 0.0)
    values = told.hours.values.copy()
    values[6] = bought * values[4]
    one_sided = replace(told, hours=Bars(told.hours.ts, told.hours.end, values))
    levels, _ = demand_levels((one_sided,), now, DEFAULTS)
    assert levels
    assert all(level.price < np.median(told.hours.close) * 1.01 for level in levels)
    assert all("as told" in level.label for level in levels)
    values[6] = np.nan
    net, guessed = net_bought(one_sided.hours)
    assert guessed
    assert np.all(np.abs(net) <= values[4] * (1 + 1e-12))
    assert demand_levels((), now, DEFAULTS)[1] == [
        "spot-demand clusters: no spot market is stored in half of the 90 days before"
    ]


def test_the_strikes_with_most_interest_pull_and_those_of_next_year_do_not():
    now = samples.START
    strike = np.array([2000.0, 2500.0, 3000.0, 2600.0, 9000.0])
    expiry = np.array([now + 10 * DAY_NS] * 3 + [now + 300 * DAY_NS, now + 10 * DAY_NS])
    quotes = ChainQuotes(now=now, expiry=expiry, strike=strike, call=np.array([True] * 5),
                         forward=np.full(5, 2500.0), bid=np.full(5, 0.1), ask=np.full(5, 0.2))  # fmt: skip
    held = np.array([10.0, 500.0, 100.0, 9_000.0, 9_000.0])
    chain = ChainSnapshot("deribit", now, now + 1, quotes, held, 2500.0, "made")
    levels, _ = gravity_levels(chain, DEFAULTS)
    assert [level.price for level in levels] == [2500.0, 3000.0, 2000.0]
    assert all(level.confirmed_at == now + 1 for level in levels)
    assert gravity_levels("nothing stored", DEFAULTS)[1] == [
        "options open-interest gravity: nothing stored"
    ]


def test_a_kind_weighs_only_what_the_evidence_gave_it():
    market = contracts([samples.bars(24 * DAYS)], samples.START + 24 * DAYS * HOUR_NS)
    roadmap = find_levels(market.reference, market.now)
    levels = [level for zone in roadmap.zones for level in zone.confluence]
    assert levels
    for level in levels:
        record = RECORDS.get(level.key)
        assert level.weight == (0.0 if record is None else record.weight)
    for record in RECORDS.values():
        assert (record.weight != 0.0) == (record.skill in ("holds", "gives way"))
        assert record.skill != "gives way" or record.high < 0.0 > record.weight

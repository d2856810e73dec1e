"""Who moves first: the lagged sums against two other ways, a lead put in is found, noise gives "cannot tell"."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.events import Batch
from airpocket.domain.units import DAY_NS, MINUTE_NS, SECOND_NS, TimeNs
from airpocket.domain.wire import Trade
from airpocket.ingest.venues.registry import VENUES
from airpocket.market.live.lead import LAGS_MS, Path, lagged_sums, together
from airpocket.market.live.state import LiveState
from airpocket.market.state import MarketState
from airpocket.signals.leading import LeadingSettings, lead_of, leading, reading, resampled_peaks
from airpocket.signals.leadlag import hayashi_yoshida

T0 = 1_800_000_000 * SECOND_NS - (1_800_000_000 * SECOND_NS) % (5 * MINUTE_NS)
MS = 1_000_000
GRID = LAGS_MS.astype(float)


def trade(venue, ts, price, number=0, symbol="ETHUSDT"):
    return Trade(venue=venue, symbol=symbol, ts=int(ts), usable_from=int(ts), heard=int(ts), price=float(price),
                 size=1.0, notional_usd=float(price), taker_side="buy", trade_id=number)  # fmt: skip


def tapes(seed, lead_ms, *, seconds, per_s=(12.0, 20.0), noise=2e-5, common=True):
    """Spot and perpetual prints of one random walk; the perpetual sees it `lead_ms` later than spot does."""
    rng = np.random.default_rng(seed)
    walk = [3e-5 * rng.standard_normal(seconds * 1_000 + 20_000).cumsum() for _ in range(2)]
    found = []
    for which, (rate, delay) in enumerate(zip(per_s, (0, lead_ms), strict=True)):
        at = np.unique(
            np.sort(rng.uniform(0, seconds * 1_000, int(rate * seconds))).astype(np.int64)
        )
        seen = walk[0 if common else which][at - delay + 10_000]
        found.append((at, 3000.0 * np.exp(seen + noise * rng.standard_normal(len(at)))))
    return found


def paths(seed, lead_ms, **more):
    built = []
    for at, prices in tapes(seed, lead_ms, **more):
        path = Path()
        for ms, price in zip(at, prices, strict=True):
            path.trade(trade("binance_spot", T0 + ms * MS, price))
        built.append(path)
    return built


def curves(seed, lead_ms, seconds=600, block_s=30, **more):
    spot, perp = paths(seed, lead_ms, seconds=seconds, **more)
    found = []
    for start in range(0, seconds, block_s):
        block = together(spot, perp, T0 + start * SECOND_NS, T0 + (start + block_s) * SECOND_NS)
        found.append(block.covariance / np.sqrt(block.variance * block.variance_against))
    return np.array(found)


increasing = st.lists(st.integers(0, 400), min_size=2, max_size=25, unique=True).map(sorted)


@given(increasing, increasing, st.integers(-150, 150), st.integers(0, 2**32 - 1))
@settings(max_examples=150)
def test_lagged_sums_are_hayashi_yoshida_of_shifted_times(x, y, lag, seed):
    rng = np.random.default_rng(seed)
    x_values, y_values = rng.standard_normal(len(x)), rng.standard_normal(len(y))
    args = (np.array(x), x_values, np.array(y), y_values, np.array([lag, 0]))
    fast, slow = np.empty(2), np.empty(2)
    lagged_sums(*args, fast)
    lagged_sums.py_func(*args, slow)
    shifted = hayashi_yoshida(
        np.array(x, float), x_values, np.array(y, float) - lag, y_values
    ).covariance
    by_hand = sum(
        (x_values[i + 1] - x_values[i]) * (y_values[j + 1] - y_values[j])
        for i in range(len(x) - 1)
        for j in range(len(y) - 1)
        if min(x[i + 1], y[j + 1] - lag) > max(x[i], y[j] - lag)
    )
    assert fast[0] == slow[0]
    assert fast[0] == pytest.approx(shifted, abs=1e-9)
    assert fast[0] == pytest.approx(by_hand, abs=1e-9)


@pytest.mark.real
def test_lagged_sums_at_no_lag_give_the_known_answer(shared):
    cases = json.loads((shared / "oracles" / "microstructure_levels.json").read_text())
    case = next(c for c in cases if c["function"] == "hayashi_yoshida")
    given_ = {name: np.array(value, float) for name, value in case["inputs"].items()}
    out = np.empty(1)
    lagged_sums(given_["x_times"].astype(int), given_["x_values"], given_["y_times"].astype(int),
                given_["y_values"], np.array([0]), out)  # fmt: skip
    assert out[0] == pytest.approx(case["expected"]["covariance"], abs=case["tolerance"]["abs"])


@given(st.sampled_from([-1000, -300, -150, 150, 300, 1000]), st.integers(0, 1_000))
@settings(max_examples=12)
def test_a_lead_put_in_is_found(lead_ms, seed):
    lead = lead_of(curves(seed, lead_ms), GRID, LeadingSettings())
    assert lead.state == ("spot leads" if lead_ms > 0 else "perps lead")
    assert lead.lag_ms == pytest.approx(lead_ms, rel=0.5)
    assert lead.low_ms <= lead.lag_ms <= lead.high_ms


@given(st.integers(0, 1_000))
@settings(max_examples=8)
def test_one_walk_seen_at_once_gives_no_leader(seed):
    lead = lead_of(curves(seed, 0), GRID, LeadingSettings())
    assert lead.state in ("together", "cannot tell")


@given(st.integers(0, 1_000))
@settings(max_examples=8)
def test_walks_of_their_own_give_no_leader(seed):
    assert lead_of(curves(seed, 0, common=False), GRID, LeadingSettings()).state == "cannot tell"


def test_trading_more_often_does_not_lead():
    """The busier market looks ahead wherever prices are put on a grid."""
    for per_s in ((2.0, 30.0), (30.0, 2.0)):
        lead = lead_of(curves(3, 0, seconds=1_200, per_s=per_s), GRID, LeadingSettings())
        assert lead.state in ("together", "cannot tell"), per_s


def test_the_sides_change_places_with_the_sign():
    ahead, behind = (
        lead_of(curves(5, lag, per_s=(20.0, 20.0)), GRID, LeadingSettings()) for lag in (300, -300)
    )
    assert (ahead.state, behind.state) == ("spot leads", "perps lead")
    assert ahead.lag_ms == pytest.approx(-behind.lag_ms, rel=0.5)


def test_the_bootstrap_draws_the_same_everywhere_and_every_block():
    rows = np.eye(5)
    fast, slow = np.empty(300, np.int64), np.empty(300, np.int64)
    resampled_peaks(rows, 300, fast)
    with np.errstate(over="ignore"):
        resampled_peaks.py_func(rows, 300, slow)
    assert np.array_equal(fast, slow)
    assert set(fast.tolist()) == {0, 1, 2, 3, 4}


def live(minutes, lead_ms, *, cut=None, seed=1):
    """Both tapes through the live state, as heard; at minute `cut` the perpetual's connection is lost."""
    state, events = LiveState("ETH"), []
    for venue, (at, prices) in zip(
        ("binance_spot", "binance_usdm"), tapes(seed, lead_ms, seconds=60 * minutes), strict=True
    ):
        events += [(int(T0 + ms * MS), venue, price) for ms, price in zip(at, prices, strict=True)]
    lost = False
    for number, (ts, venue, price) in enumerate(sorted(events)):
        if cut is not None and not lost and ts >= T0 + cut * MINUTE_NS:
            state.ended("binance_usdm", "p#1")
            lost = True
        state.apply(trade(venue, ts, price, number), "p#1" if venue == "binance_usdm" else "s#1")
    return state


def blocks(state):
    return [batch for batch in state.facts if batch.kind == "lead_lag_5m"]


def test_blocks_are_told_only_where_both_tapes_were_heard_throughout():
    whole, holed = blocks(live(21, 300)), blocks(live(21, 300, cut=12))
    start = {int(batch.ints("ts")[0] - T0) // (5 * MINUTE_NS) for batch in whole}
    assert start == {1, 2, 3}  # the first was not heard from its start
    assert {int(b.ints("ts")[0] - T0) // (5 * MINUTE_NS) for b in holed} == {1, 3}
    assert whole[0].symbol == "ETHUSDT"
    assert set(whole[0].texts("against").tolist()) == {"binance_usdm:ETHUSDT"}
    assert (whole[0].ints("usable_from") >= whole[0].ints("ts") + 5 * MINUTE_NS).all()


def bar(venue, end):
    columns = {"ts": np.array([end - MINUTE_NS]), "usable_from": np.array([end])}
    columns |= {
        name: np.array([3000.0])
        for name in ("open", "high", "low", "close", "volume", "volume_usd", "taker_buy")
    }
    return Batch("bar_1m", venue, "ETHUSDT", columns, ("made",))


def market_of(batches, now):
    state = MarketState("ETH")
    for venue in ("binance_spot", "binance_usdm"):
        state.apply(bar(venue, now - now % MINUTE_NS))
    for batch in batches:
        state.apply(batch)
    return state.snapshot(TimeNs(now))


def test_the_live_tapes_say_who_leads_once_enough_blocks_are_there():
    found = blocks(live(64, 300))
    now = int(found[-1].ints("usable_from").max())
    early = reading(market_of(found[:5], now), LeadingSettings(least_blocks=10))
    late = reading(market_of(found, now), LeadingSettings(least_blocks=10))
    assert early.state == "unknown"
    assert "needs 10 blocks" in early.because[0]
    assert (late.state, late.tells[0].met) == ("spot leads", True)
    assert late.tells[0].estimate.value == pytest.approx(300, rel=0.5)
    assert late.tells[0].estimate.unit == "ms"


def test_a_lead_of_yesterday_is_unknown_today():
    found = blocks(live(64, 300))
    now = int(found[-1].ints("usable_from").max()) + DAY_NS // 2
    figure, state, _ = leading(market_of(found, now), LeadingSettings(least_blocks=10))
    assert (figure.value, state) == (None, "unknown")
    assert "not recorded together" in figure.unknown


@pytest.mark.real
def test_in_the_recorded_minutes_of_2024_the_perpetual_moves_first(shared):
    """Exchange times only: the recording host's clock ran 1.27 s behind."""
    from ingest.venues import frames

    both = {}
    for venue, name in (("binance_spot", "spot"), ("binance_usdm", "usdm")):
        both[venue] = Path()
        for heard, frame in frames.stamped(shared / f"wire/hftbacktest/{name}/ethusdt_20240808.gz"):
            if b'"trade"' in frame:
                for event in VENUES[venue].decode(frame, heard, ""):
                    both[venue].trade(event)
    start = max(path.within(0, 2**62)[0][0] for path in both.values())
    found = []
    for number in range(11):
        block = together(
            *both.values(), start + 30 * number * SECOND_NS, start + 30 * (number + 1) * SECOND_NS
        )
        found.append(block.covariance / np.sqrt(block.variance * block.variance_against))
    lead = lead_of(np.array(found), GRID, LeadingSettings())
    assert lead.state == "perps lead"
    assert -100.0 <= lead.low_ms <= lead.lag_ms <= lead.high_ms < -10.0

"""The six indicators against TA-Lib and NumPy, and the promise that batch size does not matter."""

import itertools

import numpy as np
import pytest
import samples
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.units import HOUR_NS
from airpocket.market.bars import Bars, BarSeries
from airpocket.signals.bundle import ATR, CVD, EMA, RSI, VWAP, Z_SCORE, Bundle, update_bundle


def made(n, **how):
    series = BarSeries()
    series.add(samples.bars(n, **how))
    return series.base


def rows(bars, a, b):
    return Bars(bars.ts[a:b], bars.end[a:b], bars.values[:, a:b])


@pytest.mark.fault("D11")
def test_indicators_equal_talib_and_numpy_after_their_warm_up():
    bars = made(3000)
    close, high, low, volume = bars.close, bars.high, bars.low, bars.volume
    out = Bundle().update(bars)
    typical = (high + low + close) / 3
    windows = np.lib.stride_tricks.sliding_window_view
    vwap = (windows(typical * volume, 100).sum(1)) / windows(volume, 100).sum(1)
    closes = windows(close, 100)
    peer = {
        EMA: talib.EMA(close, 20), RSI: talib.RSI(close, 14), ATR: talib.ATR(high, low, close, 14),
        Z_SCORE: np.concatenate([np.full(99, np.nan), (close[99:] - closes.mean(1)) / closes.std(1)]),
        VWAP: np.concatenate([np.full(99, np.nan), vwap]),
        CVD: np.cumsum(2 * bars.taker_buy - volume),
    }  # fmt: skip
    for row, expected in peer.items():
        known = np.isfinite(out[row])
        assert known.sum() > 2800
        np.testing.assert_allclose(out[row][known], expected[known], rtol=1e-9, atol=1e-7)


@pytest.mark.fault("D07")
@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 899), max_size=8, unique=True), st.sets(st.integers(1, 898), max_size=4)
)
def test_any_chopping_gives_the_same_bits(cuts, dropped):
    bars = made(900, drop=sorted(dropped))
    whole = Bundle().update(bars)
    bundle, edges = Bundle(), [0, *sorted(c for c in cuts if c < len(bars)), len(bars)]
    parts = [bundle.update(rows(bars, a, b)) for a, b in itertools.pairwise(edges)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole, equal_nan=True)


def test_the_compiled_kernel_equals_plain_python():
    bars = made(400, drop=[150])
    fast = Bundle().update(bars)
    slow = np.empty((len(bars), 6))
    spans = np.array([20, 14, 14], np.int64)
    update_bundle.py_func(
        np.zeros(13), np.zeros((3, 100)), spans, bars.ts, bars.end, bars.values, slow
    )
    np.testing.assert_allclose(fast, slow.T, rtol=1e-12, equal_nan=True)


@pytest.mark.fault("D11", "D12")
def test_no_indicator_bridges_a_gap():
    bars = made(600, drop=[300])
    out = Bundle().update(bars)
    assert np.isfinite(out[EMA, 299])
    for row, warm_up in ((EMA, 59), (RSI, 70), (ATR, 70), (Z_SCORE, 99), (VWAP, 99)):
        assert np.isnan(out[row, 300 : 300 + warm_up]).all()
        assert np.isfinite(out[row, 300 + warm_up])
    fresh = Bundle().update(bars.since_row(300))
    assert np.array_equal(out[:, 300:], fresh, equal_nan=True)


def test_a_flat_market_has_no_score_and_no_strength():
    bars = made(200)
    values = bars.values.copy()
    values[:4] = 3000.0
    out = Bundle().update(Bars(bars.ts, bars.end, values))
    assert np.isnan(out[Z_SCORE]).all()
    assert np.isnan(out[RSI]).all()
    assert out[ATR, -1] == 0.0


@pytest.mark.fault("D10")
def test_unpublished_taker_volume_leaves_cvd_unknown():
    bars = made(50)
    values = bars.values.copy()
    values[6, 10] = np.nan
    out = Bundle().update(Bars(bars.ts, bars.end, values))
    assert np.isfinite(out[CVD, 9])
    assert np.isnan(out[CVD, 10:]).all()


@pytest.mark.parametrize("step", [HOUR_NS, HOUR_NS // 4])
def test_the_interval_of_bars_does_not_matter_to_the_kernel(step):
    assert np.isfinite(Bundle().update(made(300, step=step))[:, -1]).all()

"""Bursts and what came back, and how late forced orders come: made histories with one right answer."""

from dataclasses import replace

import numpy as np
import pytest
from cascade.calibrate.series import NOW

from airpocket.cascade.calibrate.bursts import bursts_of, retraces_of, windows_of
from airpocket.cascade.calibrate.fit import interest_retraces
from airpocket.cascade.calibrate.latency import extremes, latency_of
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS
from airpocket.market.bars import Bars

FAST = replace(CalibrationSettings(), draws=200, retrace_h=(1.0, 4.0))
START = 2_500 * 7 * DAY_NS


def history(bursts, back, *, seed=0, overshoot=0.0):
    """Hours of calm with jumps of 5 % each two days, of which `back` of the jump is given back in the next hour."""
    rng = np.random.default_rng(seed)
    n = 48 * (bursts + 5)
    move = 0.004 * rng.normal(size=n)
    at = 48 * (5 + np.arange(bursts)) - 10
    jump = 0.05 * np.where(rng.random(bursts) < 0.5, 1.0, -1.0)
    move[at] = jump
    move[at + 1] -= back * jump
    close = np.exp(np.cumsum(move))
    open_ = np.concatenate([[1.0], close[:-1]])
    values = np.full((7, n), np.nan)
    values[0], values[3] = open_, close
    values[1], values[2] = np.maximum(open_, close), np.minimum(open_, close)
    values[1, at] *= np.where(jump > 0, 1 + overshoot, 1.0)
    values[2, at] /= np.where(jump < 0, 1 + overshoot, 1.0)
    ts = START + HOUR_NS * np.arange(n, dtype=np.int64)
    return Bars(ts, ts + HOUR_NS, values), at


def test_what_came_back_is_found_where_interest_fell_and_where_it_did_not():
    bars, at = history(80, 0.0)
    rng = np.random.default_rng(2)
    fell = rng.random(80) < 0.5
    coin = np.full(len(bars) + 1, 1e5)
    for row, closed in zip(at, fell, strict=True):
        if closed:
            coin[row + 1 :] *= 0.95
    # give back half after forced bursts alone
    move = np.diff(np.log(bars.close), prepend=0.0)
    move[at[fell] + 1] -= 0.5 * move[at[fell]]
    close = np.exp(np.cumsum(move))
    bent = Bars(bars.ts, bars.end, np.vstack([bars.values[:3], close, bars.values[4:]]))
    moments = np.concatenate([bars.ts[:1], bars.end])
    found = {
        (one.sort, one.hours): one
        for one in interest_retraces(bent, (moments, coin), NOW, "made", FAST)
    }
    assert found["forced", 1.0].from_close.events == int(fell.sum())
    assert found["forced", 1.0].from_close.value == pytest.approx(0.5, abs=0.06)
    assert found["free", 1.0].from_close.value == pytest.approx(0.0, abs=0.06)
    assert abs(found["free", 1.0].from_close.events - int((~fell).sum())) <= 1  # and one by chance


def test_a_price_without_memory_gives_nothing_back_of_the_move_but_some_of_the_extreme():
    bars, _ = history(120, 0.0, overshoot=0.02)
    found = retraces_of(
        bars, bursts_of(bars, (bars.ts, bars.end), None, FAST), NOW, "made", FAST, ("all",)
    )
    for one in found:
        assert one.from_close.estimate.low - 0.05 <= 0.0 <= one.from_close.estimate.high + 0.05
        assert one.from_extreme.value == pytest.approx(0.02 / 0.07, abs=0.1)


def test_bursts_stand_apart_and_are_judged_by_what_was_known_before():
    bars, at = history(30, 0.3)
    found = bursts_of(bars, (bars.ts, bars.end), None, FAST)
    assert (np.diff(found.start) >= 4 * HOUR_NS).all()
    kept = at[at >= 84]
    assert set(bars.ts[kept]) <= set(found.start.tolist())
    cut = bars.until(int(bars.end[at[20]]))
    again = bursts_of(cut, (cut.ts, cut.end), None, FAST)
    assert again.start.tolist() == [t for t in found.start.tolist() if t < int(cut.end[-1])]


def test_the_future_is_not_used_and_few_bursts_are_unknown():
    bars, _ = history(30, 0.3)
    found = bursts_of(bars, (bars.ts, bars.end), None, FAST)
    early = retraces_of(bars, found, int(found.end[5]), "made", FAST, ("all",))
    assert early[0].from_close.events == 5
    assert "20 are needed" in early[0].from_close.estimate.unknown


def test_horizons_shorter_than_a_bar_are_left_out():
    bars, _ = history(30, 0.3)
    found = bursts_of(bars, (bars.ts, bars.end), None, FAST)
    quarter = replace(FAST, retrace_h=(0.25, 1.0))
    assert {one.hours for one in retraces_of(bars, found, NOW, "made", quarter)} == {1.0}


def test_windows_leave_holes_out():
    at = np.array([0, 1, 2, 6, 7, 8], dtype=np.int64) * HOUR_NS
    start, end = windows_of(at)
    assert (end - start == HOUR_NS).all()
    assert len(start) == 4


def market(wait, *, seed=0, seconds=20_000, fuel=1e8, alike=False):
    """A mark that wanders; each new extreme forces out fuel times its rise, after waits of `wait` s on average."""
    rng = np.random.default_rng(seed)
    price = np.cumsum(3e-4 * rng.normal(size=seconds))
    marks = (np.arange(seconds, dtype=np.int64) * SECOND_NS, price)
    at, usd = [], []
    for side in (1.0, -1.0):
        fresh = extremes(side * price, 14_400.0)
        for k in np.flatnonzero(fresh):
            for _ in range(3):
                at.append((k + (wait if alike else rng.exponential(wait))) * SECOND_NS)
                usd.append(side * fuel * fresh[k] / 3 * rng.lognormal(0, 0.5))
    order = np.argsort(at)
    return marks, (np.array(at, dtype=np.int64)[order], np.array(usd)[order])


@pytest.mark.parametrize("wait", [3.0, 8.0, 20.0])
def test_the_wait_of_forced_orders_is_found(wait):
    inside = 0
    for seed in range(5):
        found = latency_of(*market(wait, seed=seed), NOW, "made", FAST)
        assert found.value == pytest.approx(wait, rel=0.5)
        low, high = found.estimate.low, found.estimate.high
        inside += low / 1.1 <= wait <= high * 1.1  # waits are tried at steps of a seventh
    assert inside >= 2


def test_an_engine_that_waits_a_fixed_time_is_timed_to_the_second():
    for wait in (2.5, 8.5, 30.5):
        found = latency_of(*market(wait, alike=True), NOW, "made", FAST)
        assert found.value == pytest.approx(wait, abs=0.51)


def test_prints_that_follow_nothing_give_no_wait():
    marks, prints = market(5.0)
    rng = np.random.default_rng(9)
    anywhere = np.sort(rng.integers(0, 20_000 * SECOND_NS, len(prints[0])))
    found = latency_of(marks, (anywhere, rng.permutation(prints[1])), NOW, "made", FAST)
    assert found.value is None or found.estimate.high / found.estimate.low > 2.0


def test_few_prints_or_coarse_marks_are_unknown():
    marks, prints = market(5.0)
    few = latency_of(marks, (prints[0][:10], prints[1][:10]), NOW, "made", FAST)
    assert "30 are needed" in few.estimate.unknown
    coarse = latency_of((marks[0][::60], marks[1][::60]), prints, NOW, "made", FAST)
    assert "60 s apart" in coarse.estimate.unknown


def test_extremes_add_up_to_the_rise_and_old_ones_are_forgotten():
    path = np.array([0.0, 1.0, 0.5, 2.0, 1.0, 1.5, 1.7])
    assert extremes(path, 1e9).tolist() == [0, 1, 0, 1, 0, 0, 0]
    forgetful = extremes(np.concatenate([[5.0], np.zeros(20), [1.0]]), 10.0)
    assert forgetful[-1] == 1.0

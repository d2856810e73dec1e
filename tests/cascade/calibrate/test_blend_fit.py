"""Measured figures into priors, and a market into figures: only what is known, and only with enough of it."""

from dataclasses import replace

import numpy as np
import pytest
import samples
from cascade import made
from cascade.calibrate.series import NOW, tape
from cascade.calibrate.test_calibrate_tape import minute_bars
from hypothesis import given
from hypothesis import strategies as st

from airpocket.cascade.calibrate.absorb import Absorption
from airpocket.cascade.calibrate.blend import blended, prior_of, priors_from
from airpocket.cascade.calibrate.depth import PER_LOG, PullBack
from airpocket.cascade.calibrate.figures import figure, missing
from airpocket.cascade.calibrate.fit import fit, most_told
from airpocket.cascade.calibrate.recovery import Recovery
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.cascade.deals import PathPriors, PathSettings, Push
from airpocket.cascade.paths import Course
from airpocket.cascade.settings import Prior
from airpocket.cascade.whatif import what_if
from airpocket.domain.estimates import RATIO, SECONDS, known
from airpocket.domain.events import Batch
from airpocket.domain.units import DAY_NS, MINUTE_NS, SECOND_NS, TimeNs
from airpocket.market.state import MarketState

FAST = CalibrationSettings(draws=100)
PRIORS = PathPriors()


def seen(value, low, high, unit=SECONDS):
    return known(value, unit, as_of=int(NOW), now=NOW, source="made", interval=(low, high))


@given(value=st.floats(0.5, 200.0), wide=st.floats(1.01, 3.0), centre=st.floats(5.0, 30.0))
def test_a_blend_lies_between_prior_and_measurement_and_is_narrower_than_the_prior(
    value, wide, centre
):
    prior = Prior(centre / 2, centre, centre * 2)
    found = blended(prior, seen(value, value / wide, value * wide), "log", FAST)
    low, high = sorted((centre, value))
    assert low * (1 - 1e-9) <= found.centre <= high * (1 + 1e-9)
    assert found.high / found.low < 4.0


def test_a_sure_measurement_without_doubt_replaces_the_prior_and_a_vague_one_leaves_it():
    sure = replace(FAST, doubt=0.0, share_doubt=0.0)
    found = blended(Prior(4.0, 10.0, 25.0), seen(50.0, 49.9, 50.1), "log", sure)
    assert found.centre == pytest.approx(50.0, rel=0.01)
    vague = blended(Prior(4.0, 10.0, 25.0), seen(50.0, 1e-3, 1e6), "log", FAST)
    assert vague.centre == pytest.approx(10.0, rel=0.02)
    assert (vague.low, vague.high) == (pytest.approx(4.0, rel=0.02), pytest.approx(25.0, rel=0.02))
    assert blended(Prior(3.0, 3.0, 3.0), seen(9.0, 8.0, 10.0), "log", FAST).centre == 3.0


@given(value=st.floats(0.0, 1.0), half=st.floats(0.0, 0.5))
def test_a_blended_share_stays_a_share(value, half):
    measured = seen(value, max(value - half, 0.0), min(value + half, 1.0), RATIO)
    found = blended(PRIORS.lasts, measured, "share", FAST)
    assert 0.0 <= found.low <= found.centre <= found.high <= 1.0


def nothing():
    """A market in which nothing could be measured."""
    return fit(made.market(), {}, FAST)[0]


def test_without_measurements_the_priors_stay_as_they_are_and_say_why():
    for fitted in (None, nothing()):
        found = priors_from(fitted, PRIORS)
        assert found.priors == PRIORS
        assert not any(one.used_measured for one in found.basis)
        assert all(
            one.why and one.source and one.used == prior_of(PRIORS, one.name) for one in found.basis
        )
    assert {one.name for one in found.basis} == {
        "latency_s", "half_s", "depth", "refill", "lasts", "wander", "stops", "pull"
    }  # fmt: skip


def with_figures(events=500, **figures):
    """Nothing but a half-life, a wait and a pull-back."""
    times = (int(NOW), NOW)
    half = figure(20.0, (18.0, 22.0), SECONDS, events, times, "made")
    pull = figure(80.0, (70.0, 90.0), PER_LOG, events, times, "made")
    return replace(
        nothing(), now=NOW, recovery=Recovery(half, missing(RATIO, "made so")),
        latency_s=figure(3.0, (2.0, 4.0), SECONDS, events, times, "made"),
        pull_back=PullBack(missing(RATIO, "made so"), pull), absorption=Absorption(None, None, "made so"),
        **figures,
    )  # fmt: skip


def test_what_was_measured_moves_its_prior_and_no_other():
    found = priors_from(with_figures(), PRIORS)
    assert PRIORS.half_s.centre < found.priors.half_s.centre < 20.0
    assert 3.0 < found.priors.latency_s.centre < PRIORS.latency_s.centre + 1.5
    assert PRIORS.pull < found.priors.pull < 80.0
    for same in ("depth", "refill", "lasts", "stops", "most_pull"):
        assert getattr(found.priors, same) == getattr(PRIORS, same)
    told = {one.name: one for one in found.basis}
    assert told["half_s"].used_measured
    assert told["half_s"].measured.value == 20.0
    assert told["lasts"].why == "made so"


def test_too_few_events_and_what_may_be_zero_count_for_nothing():
    assert priors_from(with_figures(events=29), PRIORS).priors == PRIORS
    times = (int(NOW), NOW)
    flat = figure(5.0, (-1.0, 11.0), PER_LOG, 500, times, "made")
    found = priors_from(
        replace(with_figures(), pull_back=PullBack(missing(RATIO, "made so"), flat)), PRIORS
    )
    assert found.priors.pull == PRIORS.pull
    assert "zero" in next(one.why for one in found.basis if one.name == "pull")


def trades_of_tape(made_tape, start):
    """Two trades a second that make the tape's flow and end at its price."""
    n = len(made_tape)
    price = 3_000.0 * np.exp(made_tape.log_price)
    ts = start + SECOND_NS * np.arange(n, dtype=np.int64) + SECOND_NS // 2
    columns = {
        "ts": ts, "usable_from": ts, "price": price, "size": np.abs(made_tape.flow_usd) / price,
        "taker_side": np.where(made_tape.flow_usd > 0, "buy", "sell"), "trade_id": np.arange(n),
    }  # fmt: skip
    return Batch("trade", "binance_usdm", "ETHUSDT", columns, ("made",))


def test_single_trades_of_a_store_give_impact_and_recovery():
    made_tape = tape(5_400, half=10.0, lasts=0.4, noise=5e-6)
    fitted = fit(
        made.market(),
        {"binance_usdm:ETHUSDT": trades_of_tape(made_tape, made.NOW - 2 * DAY_NS)},
        FAST,
    )[0]
    assert fitted.recovery.half_s.value == pytest.approx(10.0, rel=0.4)
    assert [one.step_s for one in fitted.impact] == [1.0, 5.0, 10.0, 30.0, 60.0]
    assert most_told((fitted,), "binance_usdm:ETHUSDT") is fitted
    assert most_told((nothing(),), "binance_usdm:ETHUSDT") is None
    found = priors_from(fitted, PRIORS)
    assert next(one for one in found.basis if one.name == "half_s").used_measured


def minutes(hours, lam, seed=0, **extra):
    """Minute bars whose closes follow their own takers."""
    rng = np.random.default_rng(seed)
    n = 60 * hours
    share = rng.uniform(0.0, 1.0, n)
    usd = 1e6 * (2.0 * share - 1.0)
    close = 3_000.0 * np.exp(np.cumsum(lam * usd + 1e-4 * rng.normal(size=n)))
    volume = 1e6 / close
    return minute_bars(
        hours, open=close, high=close, low=close, close=close, volume=volume,
        volume_usd=np.full(n, 1e6), taker_buy=share * volume, **extra,
    )  # fmt: skip


def test_minute_bars_and_depth_bands_give_what_absorbs_a_push():
    hours = 30
    depth = [(-0.1, 4e6), (0.1, 4e6)] * (60 * hours)
    ts = np.repeat(samples.START + MINUTE_NS * (1 + np.arange(60 * hours, dtype=np.int64)), 2)
    columns = {
        "ts": ts, "usable_from": ts, "percent": np.array([p for p, _ in depth]),
        "depth_coin": np.full(len(ts), np.nan), "notional_usd": np.array([usd for _, usd in depth]),
    }  # fmt: skip
    state = MarketState("ETH")
    state.apply(minutes(hours, 1e-10))
    state.apply(Batch("depth", "binance_usdm", "ETHUSDT", columns, ("made",)))
    now = TimeNs(samples.START + 60 * hours * MINUTE_NS)
    fitted = fit(state.snapshot(now), {}, FAST)[0]
    [impact] = fitted.impact
    assert impact.both.value == pytest.approx(1.0, rel=0.1)  # bp per million
    assert fitted.absorption.usd_per_log == pytest.approx(4e9)
    assert fitted.absorption.day_usd == pytest.approx(1_440e6)
    assert "no single trades" in fitted.recovery.half_s.estimate.unknown
    found = priors_from(fitted, PRIORS, 50e6)
    refill = next(one for one in found.basis if one.name == "refill")
    assert refill.used_measured
    assert "at 50 million" in refill.measured.source
    assert found.priors.refill != PRIORS.refill


def test_a_what_if_is_walked_on_the_blend_and_carries_its_basis():
    base = made.market()
    price = made.price_of(base)
    market = made.market(made.even_book(price, reach=0.05))
    found = made.ladder_map(price, shorts=[(0.01, 0.03, 400e6)], longs=[(0.02, 0.05, 300e6)])
    how = PathSettings(paths=1_024, course=Course(steps=120, marks=2))
    plain = what_if(found, market, made.measured(market), Push(usd=20e6), how=how)
    fitted = replace(with_figures(), contract="binance_usdm:ETHUSDT")
    other = what_if(found, market, made.measured(market), Push(usd=20e6), how=how, fitted=fitted)
    assert not any(one.used_measured for one in plain.basis)
    assert sum(one.used_measured for one in other.basis) == 3
    assert other.phase.kappa_tau < plain.phase.kappa_tau  # sooner orders, slower recovery

"""What the paths and the what-if do with markets that cannot be, or hardly: an outcome or a clear reason."""

from dataclasses import replace

import numpy as np
import pytest
from cascade import made
from cascade.grounds import ALPHA, deal, even
from cascade.test_procedures import split
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.cascade.deals import PathPriors, PathSettings, Push
from airpocket.cascade.forced import forced_of
from airpocket.cascade.integrate import peak_of
from airpocket.cascade.outcomes import outcomes
from airpocket.cascade.paths import Course, Ground, run
from airpocket.cascade.records import Unscanned
from airpocket.cascade.settings import Prior
from airpocket.cascade.static import static_scan
from airpocket.cascade.whatif import WhatIf, what_if
from airpocket.liquidations.grid import liquidation_factor
from airpocket.liquidations.records import Ladder

FEW = PathSettings(paths=2_048, course=Course(steps=120, marks=3))
CROWD = {"shorts": [(0.01, 0.03, 400e6)], "longs": [(0.02, 0.05, 300e6)]}
PRICE = made.price_of(made.market())


def asked(seen, found, push=None, how=FEW):
    return what_if(found, seen, made.measured(seen), push or Push(usd=2e7), how=how)


@pytest.mark.fault("L10")
@pytest.mark.parametrize(
    ("bids", "asks", "word"),
    [([], [(PRICE * 1.001, 9.0)], "empty side"), ([(PRICE * 0.999, 9.0)], [], "empty side"),
     ([(PRICE * 1.002, 9.0)], [(PRICE * 1.001, 9.0)], "crossed")],
)  # fmt: skip
def test_a_book_with_one_side_or_crossed_is_no_book_and_it_says_so(bids, asks, word):
    answer = asked(made.market(made.book(bids, asks)), made.ladder_map(PRICE, **CROWD))
    assert isinstance(answer, Unscanned)
    assert word in answer.reason


@pytest.mark.fault("L10")
def test_depth_bands_of_nothing_are_no_depth():
    seen = made.market(made.depth({-1.0: 0.0, 1.0: 0.0}))
    answer = asked(seen, made.ladder_map(PRICE, **CROWD))
    assert "empty side" in answer.reason


def test_a_map_without_anybody_forces_nobody():
    answer = asked(made.market(made.even_book(PRICE)), made.ladder_map(PRICE))
    assert isinstance(answer, WhatIf)
    assert answer.pushed.forced_usd.high == 0.0
    assert (answer.pushed.off_book, answer.pushed.deleveraged) == (None, None)
    assert answer.phase.reproduction == answer.phase.hottest == 0.0


def test_fuel_beyond_the_grid_is_not_seen_and_leaving_it_is_counted():
    far = made.ladder_map(PRICE, shorts=[(0.16, 0.19, 5e9)])
    answer = asked(made.market(made.even_book(PRICE)), far, Push(jump=0.13))
    assert isinstance(answer, WhatIf)
    assert answer.pushed.extreme.high <= 15.01
    pushed = asked(made.market(made.even_book(PRICE)), far, Push(usd=1e11))
    assert pushed.pushed.left.of == 1.0


@pytest.mark.fault("D10")
def test_a_posterior_that_is_no_number_is_refused_by_name():
    found = made.ladder_map(PRICE, **CROWD)
    rows = found.shorts.draws.copy()
    rows[3, -100:] = np.nan
    broken = replace(found, shorts=Ladder(found.shorts.usd, rows))
    answer = asked(made.market(made.even_book(PRICE)), broken)
    assert isinstance(answer, Unscanned)
    assert "not a number" in answer.reason


def test_a_venue_that_is_missing_is_named_and_the_rest_goes_on():
    seen = made.market(made.even_book(PRICE))
    found = split(
        made.ladder_map(PRICE, **CROWD), binance_usdm__ETHUSDT=0.7, okx__ETH_DASH_USDT_DASH_SWAP=0.3
    )
    answer = asked(seen, found)
    assert [v.key for v in answer.network.venues] == ["binance_usdm:ETHUSDT"]
    lost = asked(seen, found, Push(usd=1e7, on=("okx:ETH-USDT-SWAP",)))
    assert "okx" in lost.reason


def test_priors_at_their_ends_give_answers():
    seen, found = made.market(made.even_book(PRICE)), made.ladder_map(PRICE, **CROWD)
    for changed in (
        {"half_s": Prior(1e9, 1e9, 1e9)}, {"half_s": Prior(1e-6, 1e-6, 1e-6)},
        {"latency_s": Prior(1e-6, 1e-6, 1e-6)}, {"latency_s": Prior(1e9, 1e9, 1e9)},
        {"passed": Prior(0.0, 0.0, 0.0)}, {"maintenance": Prior(1e-6, 1e-6, 1e-6)},
    ):  # fmt: skip
        answer = asked(seen, found, how=replace(FEW, priors=PathPriors(**changed)))
        assert isinstance(answer, WhatIf), answer.reason
        assert np.isfinite(answer.fan).all()
        assert np.isfinite([answer.pushed.extreme.mean, answer.phase.squeeze]).all()


ENDLESS = st.one_of(st.just(np.inf), st.floats(1e-6, 1e9))
ANY_TERMS = st.fixed_dictionaries({
    "latency_s": st.floats(1e-6, 1e9), "recovery_s": ENDLESS, "depth": st.floats(1e-9, 1e9),
    "jump": st.floats(-0.3, 0.3), "reach": st.one_of(st.just(np.inf), st.floats(1e-12, 10.0)),
    "passed": st.floats(0.0, 1.0), "mark_lag_s": ENDLESS, "fuel": st.floats(0.0, 50.0),
})  # fmt: skip


@pytest.mark.fault("L10")
@given(ANY_TERMS)
def test_whatever_the_terms_paths_end_in_numbers(changed):
    ground = even(1.0)
    terms = deal(3, push_usd=1e7, volatility=1e-4, lasts=0.3, **changed)
    ends = run(ground, terms, Course(steps=40, pull=40.0))
    for name in ("bought_usd", "sold_usd", "missed_bought_usd", "missed_sold_usd"):
        found = getattr(ends, name)
        assert np.isfinite(found).all(), name
        assert (found >= 0.0).all(), name
    assert not np.isnan(ends.high).any()
    assert not np.isnan(ends.low).any()
    assert (ends.low <= 0.0).all()
    assert (ends.high >= 0.0).all()
    told = outcomes(ends, terms, ground, up=True)
    assert 0.0 <= told.left.of <= 1.0
    assert 0.0 <= told.extreme.middle <= 100.0 * np.expm1(0.5) + 1e-3


@pytest.mark.fault("L10")
@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 3.0), st.floats(1e-3, 0.1), st.one_of(st.just(np.inf), st.floats(1e-3, 1e6)))
def test_a_cascade_without_noise_ends_whatever_its_times(reproduction, jump, recovery):
    found = peak_of(even(reproduction, buckets=100), jump, 6.0, recovery)
    assert found.high >= jump * (1 - 1e-12)
    assert np.isfinite(found.forced_usd)
    assert found.inside == (found.high < 0.5)


def test_a_ground_of_numbers_that_are_none_is_refused():
    edges = np.linspace(-0.1, 0.1, 11)
    for forced, depth in (
        (np.full(11, np.nan), np.full(10, ALPHA)),
        (np.zeros(11), np.full(10, np.nan)),
    ):
        with pytest.raises(ValueError, match=r"forced_usd|usd_per_log"):
            Ground(edges, forced, depth)


@pytest.mark.fault("L10")
def test_a_million_positions_are_forced_out_once_each_though_nothing_rests_or_is_kept():
    """No maintenance margin, some equity below zero, no orders within a tenth of the price, one side only."""
    rng, count = np.random.default_rng(0), 1_000_000
    equity = rng.uniform(0.01, 0.45, count)  # over notional: 1 / leverage
    equity[:1_000] = rng.uniform(-0.3, 0.0, 1_000)
    usd = rng.lognormal(9.0, 2.0, count)
    away = 1.0 - liquidation_factor("long", 1.0 / equity, 0.0)
    np.testing.assert_allclose(away, equity)  # without maintenance: where nothing is left
    mapped = made.ladder_map(PRICE, reach=0.5)
    held, _ = np.histogram(PRICE * (1.0 - away), mapped.edge, weights=usd)
    mapped = replace(mapped, longs=Ladder(held, held[None, :]))
    forced = forced_of(mapped, PRICE, "down", np.linspace(0.0, 0.5, 501))
    ahead = equity > 0.0  # who has less than nothing was forced out before price came here
    assert forced.centre[-1] == pytest.approx(usd[ahead].sum(), rel=1e-9)
    assert np.isfinite(forced.draws).all()
    assert (np.diff(forced.centre) >= 0.0).all()

    order = np.argsort(away[ahead])
    distance, flow = away[ahead][order], np.cumsum(usd[ahead][order])  # each a level of its own
    absorb = np.maximum(5.0 * flow[-1] * (distance - 0.1), 0.0)
    pushes = np.array([0.0, 1.0, 1e6, 0.3 * flow[-1], 9.0 * flow[-1]])
    found = static_scan(absorb, flow, pushes)
    assert found.stopped.tolist() == [True, True, True, True, False]
    for push, stop in zip(pushes[:-1], found.stop_index[:-1], strict=True):
        assert stop == np.flatnonzero(push + flow <= absorb)[0]
        assert distance[stop] > 0.1

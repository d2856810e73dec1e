"""The map's step: equal to a NumPy loop, pieces equal to the whole, and price empties what it passes."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquidations import made

from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.liquidations.cells import (
    BOUGHT,
    CLIPPED,
    HOUR,
    IMPOSSIBLE,
    INTEREST,
    SNAPSHOTS,
    SOLD,
    SQUARES,
)
from airpocket.liquidations.cohorts import empty, fitted, units
from airpocket.liquidations.flow import advance
from benchmarks.numpy_map import numpy_map

SETTINGS = made.SETTINGS
RULES = made.rules()
NOWHERE = -(1 << 40)


def run(rows, cuts=(), rules=RULES, hours=0):
    """Cohorts and forced flow after all rows, handed over in pieces cut at `cuts`."""
    cohorts = empty(rules, hours, 24 * 60)
    flow = np.empty((len(rows.end), 2))
    bounds = [0, *sorted(cuts), len(rows.end)]
    for first, last in pairwise(bounds):
        if first == last:
            continue
        piece = made.part(rows, first, last)
        cohorts = fitted(cohorts, rules, piece)
        advance(
            cohorts, rules, piece.end, piece.points, piece.measured, piece.facts, flow[first:last]
        )
    return cohorts, flow


def held_by(cohorts, side, rules=RULES):
    return units(cohorts, rules, side, NOWHERE)


def with_prints(rows, flow, rate, size=50.0, seed=3):
    """The rows with prints of `size` coin, drawn as a Poisson count from a share of the flow."""
    rng = np.random.default_rng(seed)
    told = size * rng.poisson(np.maximum(rate * flow / size, 0.0))
    rows.facts[BOUGHT], rows.facts[SOLD] = told.T
    rows.facts[SQUARES] = size * told.sum(axis=1)
    return rows


@pytest.mark.parametrize(
    ("count", "step", "points", "sd"), [(1_500, MINUTE_NS, 1, 8e-4), (400, HOUR_NS, 12, 8e-3)]
)
def test_the_step_equals_a_numpy_loop(count, step, points, sd):
    rows = made.rows(count, step=step, points=points, sd=sd, seed=4)
    known = made.fixed(RULES)
    cohorts, flow = run(rows, rules=known)
    first, buckets = 6_000, 5_000
    wanted, wanted_flow = numpy_map(rows.end, rows.points, rows.facts, known, first, buckets)
    np.testing.assert_allclose(flow, wanted_flow, rtol=1e-8, atol=1e-4)
    assert flow.sum() > 0
    for side in range(2):
        cells = cohorts.cells[side].T * cohorts.scale[side]
        base = int(cohorts.base[side])
        mine = wanted[side] if side == 0 else wanted[side][::-1]
        start = base - (first if side == 0 else -first - buckets)
        np.testing.assert_allclose(cells, mine[start : start + len(cells)], rtol=1e-8, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=6), st.integers(0, 1_000))
def test_pieces_give_the_bits_of_the_whole(cuts, seed):
    rows = made.rows(300, seed=seed, step=HOUR_NS // 4, points=3, sd=0.01)
    rows = with_prints(rows, run(rows)[1], 0.5)
    whole, flow = run(rows, hours=48)
    parts, flow_parts = run(rows, cuts, hours=48)
    assert np.array_equal(flow, flow_parts)
    assert np.array_equal(whole.held, parts.held)
    assert np.array_equal(whole.stamps, parts.stamps)
    for side in range(2):
        one, two = held_by(whole, side), held_by(parts, side)
        assert one.first == two.first
        assert np.array_equal(one.coin, two.coin)
        assert one.never == two.never


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1_000), st.sampled_from([MINUTE_NS, HOUR_NS]))
def test_both_sides_hold_open_interest_after_every_bar(seed, step):
    rows = made.rows(400, seed=seed, step=step, sd=0.004)
    cohorts, _ = run(rows)
    for side in range(2):
        held = held_by(cohorts, side)
        if not cohorts.counts[CLIPPED]:
            total = held.coin.sum() + held.never
            assert total == pytest.approx(rows.facts[INTEREST, -1], rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1_000), st.floats(0.0, 0.3))
def test_price_passing_a_bucket_empties_it(seed, jump):
    rows = made.rows(200, seed=seed, step=HOUR_NS, sd=0.004)
    rows.facts[:5, -1] *= 1.0 + jump
    cohorts, _ = run(rows)
    top = int(np.floor(np.log(rows.facts[0, -1]) / RULES.width - 0.5))
    held = held_by(cohorts, 0)
    buckets = held.first + np.arange(len(held.coin))
    assert held.coin[buckets <= top].sum() == 0.0
    assert held.coin[buckets > top].sum() > 0.0


def test_the_past_is_not_changed_by_what_follows():
    rows = made.rows(600, step=HOUR_NS // 4, sd=0.005)
    _, flow = run(rows)
    _, first = run(made.part(rows, 0, 350))
    assert np.array_equal(flow[:350], first)


def test_a_rally_forces_shorts_and_not_longs():
    n = 400
    rows = made.rows(n, step=HOUR_NS, sd=0.0005)
    rows.facts[:5] *= np.where(np.arange(n) < 300, 1.0, 1.0 + 0.002 * (np.arange(n) - 299))
    _, flow = run(rows)
    assert flow[320:, 0].sum() > 50 * max(flow[320:, 1].sum(), 1.0)


def test_open_interest_that_moves_more_than_volume_is_counted():
    rows = made.rows(100, step=HOUR_NS)
    assert run(rows)[0].counts[IMPOSSIBLE] == 0
    rows.facts[INTEREST, 50:] *= 1.5
    rows.facts[5, 50] = 10.0
    assert run(rows)[0].counts[IMPOSSIBLE] == 1
    rows.measured[:] = False
    assert run(rows)[0].counts[IMPOSSIBLE] == 0


def test_bars_without_open_interest_are_passed_over():
    rows = made.rows(50, step=HOUR_NS)
    whole, _ = run(made.part(rows, 20, 50))
    rows.facts[INTEREST, :20] = np.nan
    skipped, _ = run(rows)
    assert np.array_equal(whole.held, skipped.held)


def test_ageing_only_moves_positions_away_from_the_price():
    rows = made.rows(40, step=HOUR_NS, sd=0.001)
    still, _ = run(rows, rules=RULES._replace(ageing=np.array([1.0, 0.0, 0.0])))
    aged, _ = run(rows)
    for side in range(2):
        means = [
            (held.first + np.arange(len(held.coin))) @ held.coin.sum(axis=1) / held.coin.sum()
            for held in (held_by(still, side), held_by(aged, side))
        ]
        assert means[1] > means[0] if side == 0 else means[1] < means[0]


def test_whole_hours_are_kept_and_the_oldest_make_way():
    rows = made.rows(60 * 30, step=MINUTE_NS)
    cohorts, _ = run(rows, hours=12)
    assert cohorts.counts[SNAPSHOTS] == 30
    assert sorted(cohorts.stamps // HOUR_NS)[0] == cohorts.counts[HOUR] - 11
    newest = cohorts.ring[np.argmax(cohorts.stamps)]
    held = [held_by(cohorts, side).coin.sum() for side in range(2)]
    assert newest.sum(axis=1) == pytest.approx(held, rel=1e-9)


def test_stops_take_positions_before_they_are_forced_out():
    rows = made.rows(2_000, step=HOUR_NS // 4, sd=0.004, seed=5)
    rows.facts[:5] *= 1.0 + 0.00005 * np.arange(2_000)
    low = made.fixed(made.rules(replace(SETTINGS.worlds[0], stops=0.1)))
    high = made.fixed(made.rules(replace(SETTINGS.worlds[0], stops=0.95)))
    assert run(rows, rules=high)[1][:, 0].sum() < 0.5 * run(rows, rules=low)[1][:, 0].sum()


def test_added_margin_keeps_positions_out_of_reach():
    rows = made.rows(2_000, step=HOUR_NS // 4, sd=0.004, seed=5)
    never = made.rules(replace(SETTINGS.worlds[0], top_up=0.0))
    often = made.rules(replace(SETTINGS.worlds[0], top_up=0.3))
    assert run(rows, rules=often)[1].sum() < run(rows, rules=never)[1].sum()


def test_the_mix_behind_prints_is_learned_and_permuted_prints_foresee_nothing():
    rows = made.rows(24 * 30 * 12, step=5 * MINUTE_NS, sd=0.002, seed=8)
    quiet, true = made.rules(), made.rules()
    mix = np.array([0.3, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.4, 0.0, 0.0, 0.0])
    true.prior[:] = mix
    flow = run(rows, rules=true)[1]
    heard = with_prints(rows, flow, 0.5)
    cohorts, _ = run(heard, rules=quiet)
    assert cohorts.mix[:2, 7] == pytest.approx(0.4, abs=0.12)
    assert (cohorts.mix[:2, 8:].sum(axis=1) < quiet.prior[:, 8:].sum(axis=1)).all()
    assert cohorts.mix.sum(axis=1) == pytest.approx(1.0)
    order = np.random.default_rng(1).permutation(len(rows.end))
    rows.facts[BOUGHT:] = rows.facts[BOUGHT:, order]
    shuffled, _ = run(rows, rules=quiet)
    assert shuffled.score[0] < cohorts.score[0] - 50.0
    assert np.abs(shuffled.mix[:2, 7] - 0.4).max() > 0.12


def test_a_feed_that_tells_less_means_more_behind_it():
    rows = made.rows(24 * 20 * 12, step=5 * MINUTE_NS, sd=0.002, seed=9)
    heard = with_prints(rows, run(rows)[1], 0.4)
    near = [run(heard, rules=made.rules(rate=rate))[0].mix[:2, 7:].sum() for rate in (0.3, 0.9)]
    assert near[0] > 1.5 * near[1]

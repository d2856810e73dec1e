"""The map's step: equal to a NumPy loop, pieces equal to the whole, and price empties what it passes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquidations import made

from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.liquidations.cohorts import empty, fitted, rules_of, units
from airpocket.liquidations.flow import CLIPPED, HOUR, IMPOSSIBLE, SNAPSHOTS, advance
from airpocket.liquidations.settings import MapSettings
from benchmarks.numpy_map import numpy_map

SETTINGS = MapSettings()
RULES = rules_of(SETTINGS.worlds[0], SETTINGS)
NOWHERE = -(1 << 40)


def run(rows, cuts=(), rules=RULES, hours=0):
    """Cohorts and forced flow after all rows, handed over in pieces cut at `cuts`."""
    cohorts = empty(len(SETTINGS.leverage), hours)
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


@pytest.mark.parametrize(("step", "points", "sd"), [(MINUTE_NS, 1, 8e-4), (HOUR_NS, 12, 8e-3)])
def test_the_step_equals_a_numpy_loop(step, points, sd):
    rows = made.rows(1_500, step=step, points=points, sd=sd, seed=4)
    cohorts, flow = run(rows)
    first, count = 6_000, 5_000
    wanted, wanted_flow = numpy_map(rows.end, rows.points, rows.facts, RULES, first, count)
    np.testing.assert_allclose(flow, wanted_flow, rtol=1e-9, atol=1e-6)
    assert flow.sum() > 0
    for side in range(2):
        held = units(cohorts, side, NOWHERE)
        got = np.zeros((count, len(SETTINGS.leverage)))
        got[held.first - first : held.first - first + len(held.coin)] = held.coin
        np.testing.assert_allclose(got, wanted[side], rtol=1e-9, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=6), st.integers(0, 1_000))
def test_pieces_give_the_bits_of_the_whole(cuts, seed):
    rows = made.rows(300, seed=seed, step=HOUR_NS // 4, points=3, sd=0.01)
    whole, flow = run(rows, hours=48)
    parts, flow_parts = run(rows, cuts, hours=48)
    assert np.array_equal(flow, flow_parts)
    assert np.array_equal(whole.held, parts.held)
    assert np.array_equal(whole.stamps, parts.stamps)
    for side in range(2):
        one, two = units(whole, side, NOWHERE), units(parts, side, NOWHERE)
        assert one.first == two.first
        assert np.array_equal(one.coin, two.coin)
        assert np.array_equal(one.prior, two.prior)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1_000), st.sampled_from([MINUTE_NS, HOUR_NS]))
def test_bucket_sums_equal_what_is_held_and_open_interest(seed, step):
    rows = made.rows(400, seed=seed, step=step, sd=0.004)
    cohorts, _ = run(rows)
    for side in range(2):
        held = units(cohorts, side, NOWHERE)
        prior = (SETTINGS.shorts_mix, SETTINGS.longs_mix)[side]
        assert held.prior.sum() == pytest.approx(cohorts.held[side], rel=1e-9)
        assert held.coin @ np.array(prior) == pytest.approx(held.prior, rel=1e-9, abs=1e-6)
        if not cohorts.counts[CLIPPED]:
            assert held.prior.sum() == pytest.approx(rows.facts[-1, -1], rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1_000), st.floats(0.0, 0.3))
def test_price_passing_a_bucket_empties_it(seed, jump):
    rows = made.rows(200, seed=seed, step=HOUR_NS, sd=0.004)
    rows.facts[:5, -1] *= 1.0 + jump
    cohorts, _ = run(rows)
    top = int(np.floor(np.log(rows.facts[0, -1]) / RULES.width))
    held = units(cohorts, 0, NOWHERE)
    buckets = held.first + np.arange(len(held.prior))
    assert held.prior[buckets <= top].sum() == 0.0
    assert held.prior[buckets > top].sum() > 0.0


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
    rows.facts[6, 50:] *= 1.5
    rows.facts[5, 50] = 10.0
    assert run(rows)[0].counts[IMPOSSIBLE] == 1
    rows.measured[:] = False
    assert run(rows)[0].counts[IMPOSSIBLE] == 0


def test_bars_without_open_interest_are_passed_over():
    rows = made.rows(50, step=HOUR_NS)
    whole, _ = run(made.part(rows, 20, 50))
    rows.facts[6, :20] = np.nan
    skipped, _ = run(rows)
    assert np.array_equal(whole.held, skipped.held)


def test_ageing_only_moves_positions_away_from_the_price():
    rows = made.rows(40, step=HOUR_NS, sd=0.001)
    still, _ = run(rows, rules=RULES._replace(ageing=np.array([1.0, 0.0, 0.0])))
    aged, _ = run(rows)
    for side in range(2):
        one, two = (units(each, side, NOWHERE) for each in (still, aged))
        means = [
            (held.first + np.arange(len(held.prior))) @ held.prior / held.prior.sum()
            for held in (one, two)
        ]
        assert means[1] > means[0] if side == 0 else means[1] < means[0]


def test_whole_hours_are_kept_and_the_oldest_make_way():
    rows = made.rows(60 * 30, step=MINUTE_NS)
    cohorts, _ = run(rows, hours=12)
    assert cohorts.counts[SNAPSHOTS] == 30
    assert sorted(cohorts.stamps // HOUR_NS)[0] == cohorts.counts[HOUR] - 11
    newest = cohorts.ring[np.argmax(cohorts.stamps)]
    assert newest.sum(axis=1) == pytest.approx(cohorts.held, rel=1e-9)

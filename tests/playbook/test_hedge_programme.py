"""The programme: optima against brute force, prices of rows against solving anew, and what has no optimum."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.playbook.hedging.programme import Optimum, Programme, Unsolved, solve


def made(seed, columns=3, rows=5):
    rng = np.random.default_rng(seed)
    return Programme(
        cost=rng.uniform(0.5, 2.0, columns), rows=rng.uniform(-0.4, 1.0, (rows, columns)),
        at_least=rng.uniform(0.0, 3.0, rows), upper=rng.uniform(2.0, 8.0, columns),
    )  # fmt: skip


def best_corner(p):
    """The cheapest feasible corner, of all of them: where n of the bounds and rows meet."""
    wide = len(p.cost)
    sides = np.vstack([p.rows, np.eye(wide), -np.eye(wide)])
    least = np.concatenate([p.at_least, np.zeros(wide), -p.upper])
    best = math.inf
    for chosen in itertools.combinations(range(len(sides)), wide):
        square = sides[list(chosen)]
        if abs(np.linalg.det(square)) < 1e-9:
            continue
        x = np.linalg.solve(square, least[list(chosen)])
        if (sides @ x >= least - 1e-9).all():
            best = min(best, float(p.cost @ x))
    return best


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_the_optimum_is_the_cheapest_corner(seed):
    p = made(seed)
    found, want = solve(p), best_corner(p)
    if math.isinf(want):
        assert isinstance(found, Unsolved)
        return
    assert found.cost == pytest.approx(want, abs=1e-7)
    assert (p.rows @ found.x >= p.at_least - 1e-7).all()
    # strong duality: what the rows and the upper bounds are worth is what it costs
    worth = found.price @ p.at_least + np.minimum(found.reduced, 0.0) @ p.upper
    assert worth == pytest.approx(found.cost, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_whole_numbers_are_the_best_of_all_whole_numbers(seed):
    p = made(seed)
    found = solve(Programme(p.cost, p.rows, p.at_least, p.upper, whole=np.ones(3, dtype=bool)))
    every = np.array(list(itertools.product(*(range(int(u) + 1) for u in p.upper))), dtype=float)
    fine = every[(every @ p.rows.T >= p.at_least - 1e-9).all(axis=1)]
    if not len(fine):
        assert isinstance(found, Unsolved)
        return
    assert found.cost == pytest.approx(float((fine @ p.cost).min()), rel=2e-4)
    assert found.bound <= found.cost


def test_adding_rows_as_they_are_violated_is_solving_with_all_of_them():
    rng = np.random.default_rng(3)
    p = Programme(
        cost=rng.uniform(0.5, 2.0, 40), rows=rng.uniform(-0.2, 1.0, (1_500, 40)),
        at_least=rng.uniform(0.0, 3.0, 1_500), upper=np.full(40, 10.0),
    )  # fmt: skip
    few = solve(p)
    every = solve(Programme(p.cost, p.rows, p.at_least, p.upper, core=np.ones(1_500, dtype=bool)))
    assert isinstance(few, Optimum)
    assert few.cost == pytest.approx(every.cost, rel=1e-9)
    assert few.used < every.used == 1_500


def test_the_price_of_a_row_is_what_a_little_more_of_it_costs():
    p = made(11)
    found = solve(p)
    held = int(np.argmax(found.price))
    more = p.at_least.copy()
    more[held] += 1e-4
    again = solve(Programme(p.cost, p.rows, more, p.upper))
    assert (again.cost - found.cost) / 1e-4 == pytest.approx(found.price[held], rel=1e-5)


def test_what_pays_without_end_or_can_t_be_held_has_no_optimum():
    endless = Programme(np.array([-1.0]), np.ones((1, 1)), np.zeros(1), np.array([math.inf]))
    assert "unbounded" in solve(endless).reason
    never = Programme(np.array([1.0]), np.ones((1, 1)), np.array([3.0]), np.array([2.0]))
    assert solve(never) == Unsolved("no mix of the candidates holds every row")


@pytest.mark.parametrize("wrong", ["cost", "rows", "at_least"])
def test_numbers_that_are_none_are_refused(wrong):
    parts = {"cost": np.ones(1), "rows": np.ones((1, 1)), "at_least": np.ones(1)}
    parts[wrong] = parts[wrong] * math.nan
    with pytest.raises(ValueError, match=wrong):
        Programme(**parts, upper=np.ones(1))

"""Backoff and budgets: waits grow and are bounded, data alone starts them afresh, a budget is never exceeded."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.ingest.pace import Backoff, BackoffSettings, Budget

SETTINGS = BackoffSettings(first_s=1.0, factor=2.0, most_s=30.0, proof_s=10.0)


def test_the_first_attempt_is_made_at_once_and_later_waits_grow_to_the_bound():
    backoff = Backoff(SETTINGS, Random(1))
    waits = [backoff.next_s() for _ in range(40)]
    assert waits[0] == 0.0
    bounds = [1.0, 2.0, 4.0, 8.0, 16.0] + [30.0] * 34
    assert all(bound / 10 <= wait <= bound for wait, bound in zip(waits[1:], bounds, strict=True))
    assert len({round(wait, 6) for wait in waits[10:]}) > 20  # jitter: no two clients in step


@pytest.mark.fault("T09")
def test_connecting_proves_nothing_and_data_does():
    backoff = Backoff(SETTINGS, Random(1))
    for _ in range(10):
        backoff.next_s()
    backoff.worked(9.9)
    assert backoff.attempts == 10
    backoff.worked(10.0)
    assert backoff.next_s() <= 1.0


@given(
    st.floats(0.5, 50.0),
    st.lists(st.tuples(st.floats(0.1, 20.0), st.floats(0.0, 5.0)), min_size=1, max_size=60),
)
def test_what_is_taken_never_exceeds_rate_and_savings(per_s, uses):
    most, now, budget = per_s * 2, 0.0, Budget(per_s, per_s * 2, 0)
    spent = 0.0
    for units, pause_s in uses:
        now += pause_s
        now += budget.wait_s(units, int(now * 1e9))
        spent += units
        assert spent <= most + per_s * now + units * 1e-6 + 1e-3


def test_a_full_budget_asks_for_no_wait():
    budget = Budget(1.0, 5.0, 0)
    assert [budget.wait_s(1.0, 0) for _ in range(5)] == [0.0] * 5
    assert budget.wait_s(1.0, 0) == pytest.approx(1.0)

"""A little of every long fault bench; --full runs more of it."""

import pytest

from tests.faults.bench import run_seed
from tests.faults.shards import cut
from tests.faults.soak import work


def test_simulated_hours_of_faults_break_no_promise_and_are_the_same_twice(told):
    """A binance_usdm recorder through some faults; the log's bytes follow from the seed alone."""
    first, second = run_seed(10, 1.5), run_seed(10, 1.5)
    assert first.violations == second.violations == []
    assert first.digest == second.digest
    assert first.faults
    assert first.acknowledged > 5_000
    told(
        f"{first.acknowledged:,} records, {first.faults}, well again within {first.recovered_s:,.0f} s"
    )


@pytest.mark.slow
def test_sixty_simulated_hours_of_every_dialect_break_no_promise(told):
    outcomes = [run_seed(seed, 6.0) for seed in range(1_000, 1_010)]
    assert [v for outcome in outcomes for v in outcome.violations] == []
    venues = {venue for outcome in outcomes for venue in outcome.venues}
    assert len(venues) == 10
    faults = sum(sum(outcome.faults.values()) for outcome in outcomes)
    told(f"60 seed-hours, {faults} faults, 0 violations")


@pytest.mark.fault("R01")
@pytest.mark.parametrize(
    ("messages", "reconnects"), [(6_000, 5), pytest.param(300_000, 20, marks=pytest.mark.slow)]
)
def test_no_number_is_missing_after_many_reconnects(told, messages, reconnects):
    done = work((0, messages, reconnects))
    told(f"{done.messages:,} messages, {done.first_mb:,.0f} to {done.last_mb:,.0f} MB")
    assert done.broken == ()
    assert done.messages == messages
    assert done.reconnects == reconnects


@pytest.mark.parametrize(("count", "pieces"), [(10, 3), (3, 10), (1, 1), (1_000, 7)])
def test_work_is_cut_without_leaving_anything_out(count, pieces):
    found = cut(count, pieces)
    assert [number for piece in found for number in piece] == list(range(count))
    assert all(found)

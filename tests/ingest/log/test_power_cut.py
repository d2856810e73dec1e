"""Power cuts on a simulated disk: whatever it loses, tears or reorders, no acknowledged record is lost."""

import pytest

from tests.faults.power_cuts import survive


@pytest.mark.fault("S01", "S02", "S03", "S06", "S18")
@pytest.mark.parametrize("seeds", [200, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_acknowledged_record_is_lost_by_power_cuts(told, seeds):
    done = survive(range(seeds))
    told(
        f"{seeds} seeds, {done.cuts} cuts, {done.failed_syncs} failed syncs, {done.acknowledged} safe"
    )
    assert done.lost == ()
    assert done.acknowledged > 5 * seeds
    assert done.failed_syncs > seeds / 10

"""Recorded data: daily totals are scored against baselines on the same days."""

import numpy as np
import pytest

from airpocket.evaluation.real import COINS, NAMES, real_scores


@pytest.mark.real
@pytest.mark.slow
def test_recorded_days_are_scored_for_every_forecast(shared):
    found = real_scores(shared / "data")
    assert set(found.daily.density) == set(NAMES)
    assert found.daily.days > 200
    assert all(np.isfinite(value) for value in found.daily.density.values())
    assert [one.coin for one in found.anecdotes] == list(COINS)
    assert found.daily.density["airpocket"] > found.daily.density["recent liquidations"]

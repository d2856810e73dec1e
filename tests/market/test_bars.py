"""Bars made from finer bars, against Polars doing the same, and what gaps do."""

import numpy as np
import polars as pl
import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.units import HOUR_NS
from airpocket.market.bars import BarSeries


def series_of(*batches):
    series = BarSeries()
    for batch in batches:
        series.add(batch)
    return series


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sets(st.integers(0, 959), max_size=5))
def test_whole_hours_equal_polars_and_partial_ones_are_left_out(seed, dropped):
    batch = samples.bars(960, seed=seed, step=HOUR_NS // 4, drop=sorted(dropped))
    hours = series_of(batch).hours
    frame = pl.DataFrame(
        {k: batch.columns[k] for k in ("ts", "open", "high", "low", "close", "volume")}
    )
    expected = (
        frame.group_by((pl.col("ts") // HOUR_NS * HOUR_NS).alias("hour"), maintain_order=True)
        .agg(pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(),
             pl.col("volume").sum(), pl.len())
        .filter(pl.col("len") == 4)
    )  # fmt: skip
    assert list(hours.ts) == expected["hour"].to_list()
    for name in ("open", "high", "low", "close"):
        assert list(getattr(hours, name)) == expected[name].to_list()
    np.testing.assert_allclose(hours.volume, expected["volume"].to_numpy(), rtol=1e-12)


def test_days_need_every_hour():
    assert len(series_of(samples.bars(48)).days) == 2
    assert len(series_of(samples.bars(48, drop=[30])).days) == 1


def test_intervals_may_change_from_batch_to_batch():
    quarters = samples.bars(8, step=HOUR_NS // 4)
    hours = samples.bars(3, start=samples.START + 2 * HOUR_NS)
    assert list(series_of(quarters, hours).hours.ts - samples.START) == [
        h * HOUR_NS for h in range(5)
    ]


def test_bars_that_overlap_or_go_back_are_refused():
    series = series_of(samples.bars(5))
    with pytest.raises(ValueError, match="overlap or go back"):
        series.add(samples.bars(5))


def test_a_view_handed_out_earlier_does_not_change():
    series = series_of(samples.bars(100))
    before = series.base
    kept = before.close.copy()
    series.add(samples.bars(2000, seed=9, start=samples.START + 100 * HOUR_NS))
    assert np.array_equal(before.close, kept)
    with pytest.raises(ValueError, match="read-only"):
        before.close[0] = 1.0


def test_the_last_run_starts_after_the_newest_gap():
    bars = series_of(samples.bars(50, drop=[20, 40])).base
    assert len(bars.last_run()) == 9
    assert bars.until(samples.START + 10 * HOUR_NS).end[-1] == samples.START + 10 * HOUR_NS

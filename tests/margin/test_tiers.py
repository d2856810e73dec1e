"""Tier tables: refused when they contradict themselves, read back from the store without look-ahead."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.errors import MarginError
from airpocket.domain.units import DAY_NS, parse_time
from airpocket.margin.bundled import hyperliquid_mmr, schedules_of
from airpocket.margin.tiers import SizeSlope, TierTable, deductions, table_from, tables_of

ROWS = {"floor": (0.0, 100.0, 1_000.0), "mmr": (0.01, 0.02, 0.05), "max_leverage": (50, 25, 10)}
DAY = parse_time("2025-01-01T00:00Z")


def table(**change) -> TierTable:
    made = table_from("v", "S", DAY, "test", ROWS, top_cap=10_000.0)
    return dataclasses.replace(made, **{k: np.asarray(v, float) for k, v in change.items()})


@st.composite
def ladders(draw):
    steps = draw(st.lists(st.floats(1.0, 1e8), min_size=1, max_size=12))
    rises = draw(st.lists(st.floats(1e-4, 0.05), min_size=len(steps), max_size=len(steps)))
    floor = np.concatenate([[0.0], np.cumsum(steps[:-1])])
    return table_from("v", "S", DAY, "drawn", {"floor": floor, "mmr": np.cumsum(rises)})


@given(ladders(), st.floats(0.0, 2e9))
def test_maintenance_is_the_sum_of_each_slice_at_its_own_rate(made, notional):
    slices = np.clip(notional, made.floor, made.cap) - made.floor
    assert made.maintenance(notional) == pytest.approx(
        float(np.dot(slices, made.mmr)), rel=1e-9, abs=1e-9
    )


def test_a_tier_holds_up_to_and_with_its_cap():
    made = table()
    assert [made.tier_of(n) for n in (0.0, 100.0, 100.01, 1_000.0, 10_000.0)] == [0, 0, 1, 1, 2]
    assert made.max_leverage_at(100.0) == 50.0
    assert made.rate_at(1e9)[0] == 0.05
    for outside in (-1.0, 10_000.1, float("nan")):
        with pytest.raises(MarginError, match="outside the tiers of v S as of 2025-01-01"):
            made.tier_of(outside)


def test_a_leverage_that_was_not_published_is_unknown():
    made = table_from("v", "S", DAY, "test", {"floor": (0.0,), "mmr": (0.01,)})
    assert made.max_leverage_at(5.0) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"floor": (1.0, 100.0, 1_000.0)}, "the first floor is 1, not 0"),
        ({"cap": (90.0, 1_000.0, 10_000.0)}, "tier 2: floor must be the cap below"),
        ({"cap": (100.0, 1_000.0, 900.0)}, "tier 3: cap must be above floor"),
        ({"mmr": (0.01, 0.01, 0.05)}, "tier 2: mmr must rise"),
        ({"mmr": (0.01, 0.02, 1.0)}, "tier 3: mmr must lie between 0 and 1"),
        ({"mmr": (0.01, np.nan, 0.05)}, "tier 2: floor and mmr must be numbers"),
        ({"deduction": (0.0, 1.0, 32.0)}, "tier 3: deduction must keep maintenance continuous"),
        ({"deduction": (1.0, 1.0, 31.0)}, "tier 1: deduction must keep maintenance continuous"),
        ({"max_leverage": (50.0, 0.0, 10.0)}, "tier 2: max_leverage must be positive"),
        ({"mmr": (0.01, 0.02)}, "all need as many"),
        (dict.fromkeys(("floor", "cap", "mmr", "deduction", "max_leverage"), ()), "at least 1"),
    ],
)
def test_a_table_that_contradicts_itself_names_the_tier(change, said):
    with pytest.raises(MarginError, match=said):
        table(**change)


def test_floors_and_rates_belong_together():
    with pytest.raises(MarginError, match="2 floors and 1 rates"):
        deductions([0.0, 1.0], [0.01])


def stored(dates, usable):
    """Rows of the kind `tier`: the same table at each date, shuffled within it."""
    made, columns = table(), {}
    order = [2, 0, 1]
    per = {
        "notional_floor": made.floor, "notional_cap": made.cap, "mmr": made.mmr,
        "deduction": made.deduction, "max_leverage": made.max_leverage,
    }  # fmt: skip
    for name, values in per.items():
        columns[name] = np.tile(values[order], len(dates))
    columns["tier"] = np.tile(np.array([1, 2, 3])[order], len(dates))
    columns["currency"] = np.array(["USDT"] * 3 * len(dates))
    columns["ts"] = np.repeat(np.array(dates, dtype=np.int64), 3)
    columns["usable_from"] = np.repeat(np.array(usable, dtype=np.int64), 3)
    return columns


def test_stored_rows_become_one_table_a_date_and_none_before_it_was_known():
    dates = [DAY, DAY + 10 * DAY_NS]
    columns = stored(dates, [DAY, DAY + 30 * DAY_NS])
    seen = [tables_of("v", "S", columns, now=DAY + n * DAY_NS) for n in (0, 20, 30)]
    assert [[one.as_of for one in found] for found in seen] == [[DAY], [DAY], dates]
    assert seen[2][1].floor.tolist() == [0.0, 100.0, 1_000.0]
    assert seen[2][0].age_days(DAY + 30 * DAY_NS) == 30.0
    assert tables_of("v", "S", columns, now=DAY - 1) == []


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_hyperliquids_limits_follow_their_dates(coin):
    def top(day):
        found = schedules_of("hyperliquid", coin, parse_time(day))
        return found[-1].max_leverage.tolist() if found else None

    two_tiers = {"BTC": [40.0, 20.0], "ETH": [25.0, 15.0]}[coin]
    assert top("2024-11-01T00:00Z") is None
    assert top("2025-01-01T00:00Z") == [50.0]
    assert top("2025-07-16T00:00Z") == two_tiers[:1]
    assert top("2026-11-01T00:00Z") == two_tiers


def test_bundled_schedules_are_never_newer_than_asked_and_unknown_ones_are_none():
    assert schedules_of("binance_usdm", "ETHUSDT", parse_time("2024-10-23T00:00Z")) == []
    assert schedules_of("okx", "ETH-USDT-SWAP", parse_time("2026-11-01T00:00Z")) == []
    found = schedules_of("binance_usdm", "BTCUSDT", parse_time("2026-11-01T00:00Z"))
    assert [one.day for one in found] == ["2021-12-31", "2024-10-24"]
    assert isinstance(
        schedules_of("deribit", "ETH-PERPETUAL", parse_time("2025-01-01T00:00Z"))[0], SizeSlope
    )


def test_hyperliquids_rate_needs_a_leverage_of_at_least_one():
    with pytest.raises(MarginError, match="max_leverage must be at least 1, not 0"):
        hyperliquid_mmr(0.0)

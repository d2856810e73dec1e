"""Slow series as they were known: nothing before it was seen, the newest vintage by then, none ever replaced."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.events import Batch
from airpocket.domain.units import DAY_NS, HOUR_NS, TimeNs, parse_time
from airpocket.market.health import channels
from airpocket.market.state import Market, MarketState, Observations
from airpocket.market.vintages import Vintages, best, total, vintages

MONDAY = parse_time("2025-06-02T00:00Z")
Row = tuple[int, int, str, float, str]  # day since Monday, hours until seen, series, value, unit


def batch(rows: list[Row], publisher: str = "defillama", symbol: str = "USDT") -> Batch:
    columns = {
        "ts": np.array([MONDAY + d * DAY_NS for d, *_ in rows], np.int64),
        "usable_from": np.array([MONDAY + d * DAY_NS + h * HOUR_NS for d, h, *_ in rows], np.int64),
        "series": np.array([row[2] for row in rows]), "value": np.array([row[3] for row in rows]),
        "unit": np.array([row[4] for row in rows]), "published": np.full(len(rows), -1, np.int64),
    }  # fmt: skip
    return Batch("flow", publisher, symbol, columns, ("test",))


def seen_by(rows: list[Row], now: int) -> Vintages | None:
    """What a store that holds these rows would show at `now`, by the reader's own rule."""
    known = [row for row in rows if MONDAY + row[0] * DAY_NS + row[1] * HOUR_NS <= now]
    if not known:
        return None
    told = batch(known)
    table = Observations("flow", told.columns, told.sources)
    return vintages(table, "usdt_supply", "defillama:USDT", now)


def market(*batches: Batch, now: int) -> Market:
    state = MarketState("ETH")
    for each in batches:
        state.apply(each)
    return state.snapshot(TimeNs(now))


figures = st.lists(
    st.tuples(
        st.integers(0, 12), st.integers(24, 400), st.just("usdt_supply"),
        st.floats(1e9, 2e11).map(lambda v: round(v, 2)), st.just("tokens"),
    ),
    min_size=1, max_size=25, unique_by=lambda row: (row[0], row[1]),
)  # fmt: skip


@pytest.mark.fault("D05")
@given(rows=figures, hours=st.integers(0, 800))
def test_at_any_moment_each_day_shows_the_last_figure_told_by_then(
    rows: list[Row], hours: int
) -> None:
    now = MONDAY + hours * HOUR_NS
    found = seen_by(rows, now)
    told = {}
    first = {}
    for day, wait, _, value, _ in sorted(rows, key=lambda row: (row[0], row[1])):
        if day * 24 + wait <= hours:
            told[day] = value
            first.setdefault(day, value)
    if found is None:
        assert not told
        return
    days = ((found.event - MONDAY) // DAY_NS).tolist()
    assert dict(zip(days, found.values.tolist(), strict=True)) == told
    assert dict(zip(days, found.first_values.tolist(), strict=True)) == first
    assert (found.seen <= now).all()
    assert (found.first_seen <= found.seen).all()


@pytest.mark.fault("D05")
@given(rows=figures, hours=st.integers(0, 500), later=st.integers(1, 500))
def test_what_comes_later_changes_nothing_that_was_known_before(
    rows: list[Row], hours: int, later: int
) -> None:
    now = MONDAY + hours * HOUR_NS
    limit = hours + later
    before = seen_by(rows, now)
    after = seen_by([row for row in rows if row[0] * 24 + row[1] <= limit], now)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        np.testing.assert_array_equal(before.values, after.values)
        np.testing.assert_array_equal(before.seen, after.seen)


def test_a_row_from_the_future_is_refused() -> None:
    told = batch([(0, 48, "usdt_supply", 1e11, "tokens")])
    with pytest.raises(ValueError, match="look-ahead"):
        vintages(Observations("flow", told.columns, ()), "usdt_supply", "x", MONDAY + DAY_NS)


@pytest.mark.fault("D05")
def test_a_revision_may_come_after_newer_days_and_counts_as_one() -> None:
    early = batch(
        [(0, 30, "usdt_supply", 100.0, "tokens"), (1, 30, "usdt_supply", 110.0, "tokens")]
    )
    late = batch([(0, 60, "usdt_supply", 90.0, "tokens")])
    found = best(market(early, late, now=MONDAY + 3 * DAY_NS), ("usdt_supply",))
    assert found is not None
    assert found.values.tolist() == [90.0, 110.0]
    assert found.first_values.tolist() == [100.0, 110.0]
    assert found.revised.tolist() == [True, False]


def test_a_series_that_changes_its_unit_says_so_and_computes_nothing() -> None:
    rows = [(0, 30, "usdt_supply", 1.0e11, "tokens"), (1, 30, "usdt_supply", 1.0e11, "USD")]
    found = best(market(batch(rows), now=MONDAY + 3 * DAY_NS), ("usdt_supply",))
    assert found is not None
    assert "its unit changed" in found.trouble


def test_a_source_down_for_a_week_is_stale_and_a_hole_stays_a_hole() -> None:
    rows: list[Row] = [(d, 30, "usdt_supply", 1e11, "tokens") for d in (0, 1, 9)]
    down = best(market(batch(rows[:2]), now=MONDAY + 9 * DAY_NS), ("usdt_supply",))
    assert down is not None
    assert down.standing == "stale"
    assert "nothing since 2025-06-03, 6 figures are overdue" in down.trouble
    back = market(batch(rows), now=MONDAY + 11 * DAY_NS)
    again = best(back, ("usdt_supply",))
    assert again is not None
    assert again.trouble == ""
    assert again.gap_before().tolist() == [False, False, True]
    [channel] = [c for c in channels(back) if c.kind == "flow"]
    assert (channel.state, channel.gaps_30d) == ("gap", 1)


def test_the_zero_of_a_holiday_is_no_flow() -> None:
    friday = 32  # 2025-07-04 since Monday 2025-06-02
    rows: list[Row] = [
        (d, 40, "etf_net_flow", v, "USD")
        for d, v in ((31, 5e6), (friday, 0.0), (33, 0.0), (35, 7e6))
    ]
    found = best(market(batch(rows, "farside", "ETH"), now=MONDAY + 37 * DAY_NS), ("etf_net_flow",))
    assert found is not None
    assert found.values.tolist() == [5e6, 7e6]
    assert not found.gap_before().any()  # nothing was due between


def test_of_two_publishers_the_sound_one_is_taken() -> None:
    old = batch([(d, 30, "usdt_supply", 1e11, "tokens") for d in range(3)], "defillama")
    new = batch([(d, 30, "usdt_supply", 2e11, "USD") for d in range(2, 9)], "flows")
    found = best(market(old, new, now=MONDAY + 10 * DAY_NS), ("usdt_supply",))
    assert found is not None
    assert found.publisher == "flows:USDT"


def test_a_total_is_never_given_of_some_of_its_parts() -> None:
    rows: list[Row] = [(d, 30, "exchange_reserve:okx", 10.0, "coin") for d in range(4)]
    rows += [(d, 31, "exchange_reserve:binance", 20.0, "coin") for d in (0, 1, 3)]
    rows.sort()
    found = total(market(batch(rows, symbol="ETH"), now=MONDAY + 5 * DAY_NS), "exchange_reserve")
    assert found is not None
    assert ((found.event - MONDAY) // DAY_NS).tolist() == [0, 1, 3]
    assert found.values.tolist() == [30.0, 30.0, 30.0]

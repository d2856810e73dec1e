"""Tests of what is asked for: windows over what the store lacks, never more, never without end."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS
from airpocket.ingest.backfill.plan import (
    LOOK_BACK_NS,
    Window,
    left_over,
    missing_rows,
    missing_settlements,
)

H = HOUR_NS
START = 480_000 * H  # a multiple of 8 h
hours = st.integers(0, 60)


@given(
    known=st.sets(hours, max_size=60),
    first=hours,
    length=st.integers(0, 50),
    page=st.integers(1, 12),
)
def test_windows_cover_exactly_what_is_missing_with_as_few_requests_as_pages(
    known, first, length, page
):
    start, end = START + first * H, START + (first + length) * H
    have = {START + k * H for k in known}

    windows = missing_rows(have, start, end, step_ns=H, span_ns=page * H)

    lacking = {t for t in range(start, end, H) if t not in have}
    asked = {t for w in windows for t in range(w.start, w.end, H)}
    assert lacking <= asked
    assert all(w.start in lacking and w.end - H in lacking for w in windows)
    assert all(w.end - w.start <= page * H for w in windows)
    assert all(a.end <= b.start for a, b in pairwise(windows))
    assert len(windows) <= -(-length // page)


def test_a_bar_that_is_still_open_is_not_asked_for():
    now = START + 2 * H + 59 * MINUTE_NS
    assert missing_rows([], START, now, step_ns=H, span_ns=10 * H) == [Window(START, START + 2 * H)]


def test_a_start_between_bars_begins_with_the_next_bar():
    windows = missing_rows([], START + 1, START + 3 * H, step_ns=H, span_ns=10 * H)
    assert windows == [Window(START + H, START + 3 * H)]


def test_nothing_is_asked_where_every_row_is_known():
    known = [START + i * H for i in range(5)]
    assert missing_rows(known, START, START + 5 * H, step_ns=H, span_ns=H) == []


@given(
    jitter=st.lists(st.integers(0, SECOND_NS), min_size=24, max_size=24),
    every=st.sampled_from([1, 2, 4, 8]),
    lost=st.sets(st.integers(0, 23)),
)
def test_every_lost_settlement_lies_in_a_window_and_a_full_set_asks_nothing(jitter, every, lost):
    step = every * H
    times = [START + i * step + late for i, late in enumerate(jitter)]
    end = START + 24 * step
    known = [(t, step) for i, t in enumerate(times) if i not in lost]

    windows = missing_settlements(known, START, end, span_ns=1_000 * H)

    missed = [times[i] for i in lost]
    assert all(any(w.start <= t < w.end for w in windows) for t in missed)
    assert bool(windows) == bool(lost)
    covered = sum(w.end - w.start for w in windows)
    # the very first may cost an interval more: nothing vouches for the start
    assert covered <= (len(lost) + 1) * (step + 10 * SECOND_NS)


def test_a_settlement_vouches_for_the_time_until_the_next_is_due():
    known = [(START - 8 * H, 8 * H), (START, 8 * H)]
    assert missing_settlements(known, START, START + 8 * H, span_ns=99 * H) == []
    [window] = missing_settlements(known, START, START + 9 * H, span_ns=99 * H)
    assert window == Window(START + 1, START + 9 * H)


def test_long_gaps_of_settlements_are_cut_to_what_one_request_may_cover():
    windows = missing_settlements([], START, START + 25 * H, span_ns=10 * H)
    assert [w.end - w.start for w in windows] == [10 * H, 10 * H, 5 * H]
    assert LOOK_BACK_NS >= 8 * H  # the longest interval, so the first in a window has a spacing


@given(
    length=st.integers(1, 40),
    answered=st.sets(st.integers(-5, 45), max_size=40),
    grid=st.booleans(),
)
def test_what_is_left_of_a_window_is_always_shorter_and_an_empty_answer_leaves_nothing(
    length, answered, grid
):
    window = Window(START, START + length * H)
    times = [START + a * H for a in answered]

    rest = left_over(window, times, step_ns=H if grid else 0)

    inside = [t for t in times if window.start <= t < window.end]
    assert all(window.start <= w.start < w.end <= window.end for w in rest)
    assert all(not w.start <= t < w.end for t in inside for w in rest)
    if not inside:
        assert rest == []
    if grid and inside:
        edges = {
            t for t in range(window.start, window.end, H) if t < min(inside) or t > max(inside)
        }
        assert edges == {t for w in rest for t in range(w.start, w.end, H)}


def test_answers_in_any_order_leave_the_same():
    window = Window(START, START + 9 * H)
    times = [START + 5 * H, START + 3 * H, START + 4 * H, START + 4 * H]
    assert left_over(window, times, step_ns=H) == [
        Window(START, START + 3 * H),
        Window(START + 6 * H, START + 9 * H),
    ]

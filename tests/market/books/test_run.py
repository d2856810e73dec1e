"""Many changes at a time against the same changes one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from market.books.bookmaker import change, snap

from airpocket.domain.depth import DepthColumns, Tops
from airpocket.market.books.book import Book

TICKS = st.integers(90, 110).map(float) | st.sampled_from([99.5, 101.25, 1.0, 5_000.0])
LEVELS = st.lists(st.tuples(TICKS, st.sampled_from([0.0, 1.0, 2.5])), max_size=3)
STEPS = st.sampled_from([1, 1, 1, 1, 1, 1, 0, 2])  # 0: told twice, 2: one is missing


def columns(changes):
    """Changes as a compiled reader would give them."""
    levels = [level for each in changes for level in (*each.bids, *each.asks)]
    ends = np.cumsum([(len(c.bids), len(c.asks)) for c in changes] or np.zeros((0, 2), int))
    ends = ends.reshape(-1, 2)
    return DepthColumns(
        np.ones(len(changes), np.bool_), np.array([c.ts for c in changes], np.int64),
        np.array([c.first for c in changes], np.int64), np.array([c.last for c in changes], np.int64),
        np.array([-1 if c.previous is None else c.previous for c in changes], np.int64),
        ends[:, 0].copy(), ends[:, 1].copy(),
        np.array([p for p, _ in levels], float), np.array([s for _, s in levels], float),
    )  # fmt: skip


def story(venue, rows):
    """Changes that mostly follow one another, 100 ms apart."""
    told, last = [], 10
    for at, (step, bids, asks) in enumerate(rows):
        first = last + step
        ids = (first, max(first, 1), None if venue == "binance_spot" else first - 1)
        told.append(change(venue, ids, bids, asks, at=2_000 + 100 * at))
        last = max(first, 1)
    return told


def seen(book):
    levels = book.levels
    both = (
        None if levels is None else (list(levels.bids.best_first()), list(levels.asks.best_first()))
    )
    counted = (book.applied, book.repeated, book.gaps, book.ts, book.heard)
    return book.state, book.reason, counted, both


@pytest.mark.parametrize("venue", ["binance_usdm", "binance_spot"])
@given(rows=st.lists(st.tuples(STEPS, LEVELS, LEVELS), max_size=12))
def test_a_run_leaves_the_book_that_single_changes_leave_and_tells_every_top(venue, rows):
    told = story(venue, rows)
    single, many = Book(venue, "ETHUSDT"), Book(venue, "ETHUSDT")
    for book in (single, many):
        book.apply(
            snap(venue, 10, bids=((99.0, 3.0), (98.0, 1.0)), asks=((101.0, 2.0), (102.0, 1.0)))
        )
        book.apply(change(venue, (10, 11, 9), (), ()))
    expected = Tops.unknown(len(told))
    for k, each in enumerate(told):
        before = single.applied
        single.apply(each)
        best = single.levels.touch() if single.levels is not None else None
        if single.applied > before and best is not None:
            for column, value in zip(expected, best, strict=True):
                column[k] = value

    tops, at, held = Tops.unknown(len(told)), 0, columns(told)
    heard = np.array([each.heard for each in told], np.int64)
    while at < len(told):
        stop = many.run(held, heard, at, tops)
        if stop == at:
            before = many.applied
            many.apply(told[at])
            best = many.levels.touch() if many.levels is not None else None
            if many.applied > before and best is not None:
                for column, value in zip(tops, best, strict=True):
                    column[at] = value
            stop += 1
        at = stop

    assert seen(many) == seen(single)
    for mine, theirs in zip(tops, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_run_stops_before_the_change_that_does_not_follow():
    book = Book("binance_usdm", "ETHUSDT")
    book.apply(snap("binance_usdm", 10))
    book.apply(change("binance_usdm", (10, 11, 9)))
    told = [
        change("binance_usdm", (12, 12, 11), [(100.0, 4.0)]),
        change("binance_usdm", (20, 21, 19)),
    ]
    tops = Tops.unknown(2)
    assert book.run(columns(told), np.array([c.heard for c in told]), 0, tops) == 1
    assert (tops.bid_size[0], book.state, book.applied) == (4.0, "live", 3)
    assert np.isnan(tops.bid[1])


@pytest.mark.parametrize("venue", ["kraken_spot", "okx", "coinbase"])
def test_a_book_whose_rule_asks_for_more_than_ids_takes_no_run(venue):
    book = Book(venue, "ETH/USD")
    book.apply(snap(venue, 10, symbol="ETH/USD"))
    told = [change(venue, (11, 11, 10), symbol="ETH/USD")]
    assert book.run(columns(told), np.array([told[0].heard]), 0, Tops.unknown(1)) == 0

"""The ladder against a book that is one dictionary a side, sorted on every look."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.market.books.ladder import Ladder


class Naive:
    """The second implementation: decimal texts to sizes."""

    def __init__(self):
        self.sides = ({}, {})

    def apply(self, bids, asks):
        for side, levels in zip(self.sides, (bids, asks), strict=True):
            for price, size in levels:
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)

    def best_first(self):
        bids, asks = self.sides
        return sorted(bids.items(), reverse=True), sorted(asks.items())


def both(ladder):
    return list(ladder.bids.best_first()), list(ladder.asks.best_first())


def prices():
    """Decimal prices of one to eight decimals, as float(text) gives them."""
    return st.integers(0, 8).flatmap(
        lambda places: st.integers(1, 400_000).map(lambda units: float(f"{units}e-{places}"))
    )


levels = st.lists(st.tuples(prices(), st.sampled_from([0.0, 0.001, 1.5, 1e6])), max_size=120)


@given(st.lists(st.tuples(levels, levels), max_size=6))
def test_any_run_of_changes_gives_the_book_of_the_plain_dictionaries(changes):
    ladder, naive = Ladder(), Naive()
    for bids, asks in changes:
        _, wrong = ladder.apply(bids, asks)
        assert wrong == ""
        naive.apply(bids, asks)
        assert both(ladder) == naive.best_first()
    bids, asks = naive.best_first()
    assert ladder.bids.best() == (bids[0] if bids else None)
    assert ladder.asks.top(3) == asks[:3]
    assert ladder.asks.worst() == (asks[-1][0] if asks else None)


@given(levels, st.integers(1, 20))
def test_a_truncated_side_holds_its_best_levels(changed, count):
    ladder, naive = Ladder(), Naive()
    ladder.apply((), changed)
    naive.apply((), changed)
    ladder.asks.keep(count)
    assert both(ladder)[1] == naive.best_first()[1][:count]
    assert len(ladder.asks) == min(count, len(naive.best_first()[1]))


def test_a_finer_price_makes_the_unit_finer_and_keeps_every_level():
    ladder = Ladder()
    ladder.apply([(100.0, 1.0), (99.5, 2.0)], [(100.5, 1.0)])
    assert ladder.decimals == 1
    ladder.apply([(99.975, 3.0)], [])
    assert ladder.decimals == 3
    assert ladder.bids.top(9) == [(100.0, 1.0), (99.975, 3.0), (99.5, 2.0)]


def test_the_best_is_the_next_level_once_the_best_is_taken_away():
    ladder = Ladder()
    ladder.apply([(1.0, 5.0), (0.9, 6.0)], [(1.1, 5.0), (1.2, 6.0)])
    ladder.apply([(1.0, 0.0)], [(1.1, 0.0)])
    assert ladder.touch() == (0.9, 6.0, 1.2, 6.0)
    ladder.apply([(0.9, 0.0)], [])
    assert ladder.touch() is None


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("many", [1, 100], ids=["few", "many"])
@pytest.mark.parametrize(
    "level",
    [(NAN, 1.0), (INF, 1.0), (-1.0, 1.0), (0.0, 1.0), (1.0, NAN), (1.0, INF), (1.0, -1.0), (NAN, 0.0),
     (1e18, 1.0)],
)  # fmt: skip
def test_an_impossible_level_is_named_and_not_held(level, many):
    sound = [(0.01 * units, 1.0) for units in (2, 4, 8, 16)][: 4 if many > 1 else 1]
    ladder = Ladder()
    wrong = ladder.apply([*sound, *[(float(n), 1.0) for n in range(1, many)], level], [])[1]
    assert wrong.startswith("bids: impossible level")
    assert all(price > 0.0 and 0.0 < size < 1e18 for price, size in ladder.bids.best_first())


def test_a_price_with_more_digits_than_a_float_keeps_beside_the_others_is_named():
    ladder = Ladder()
    assert ladder.apply([(65_000.1, 1.0)], [(0.123456789012345, 1.0)])[1].startswith(
        "asks: price 0.12"
    )


def test_a_snapshot_of_nothing_but_deletes_is_an_empty_book():
    ladder = Ladder()
    absent, wrong = ladder.apply([(float(n), 0.0) for n in range(1, 200)], [])
    assert (absent, wrong, len(ladder.bids)) == (199, "", 0)

"""How clusters moved: matched by nearest peaks, told by what became of them, amounts of equal prices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from liquidations.accounts import PRICE, S, modelled

from airpocket.liquidations.migration import migration_of

COUNT = 600
MIDDLE = COUNT // 2


def lump(*peaks):
    """Coin in a lump of 9 buckets around each (bucket away, amount)."""
    coin = np.zeros(COUNT)
    for away, amount in peaks:
        coin[MIDDLE + away - 4 : MIDDLE + away + 5] += amount / 9
    return coin


def moves(before, now, traded=(2_990.0, 3_010.0)):
    none = lump((-200, 1.0))
    maps = [modelled(lump(*peaks), none, draws=lump(*peaks)[None, :]) for peaks in (before, now)]
    return [each for each in migration_of(*maps, traded) if each.side == "short"]


@pytest.mark.parametrize(
    ("before", "now", "traded", "fate", "moved"),
    [
        ([(40, 100.0)], [(40, 110.0)], (2_990, 3_010), "steady", 0.0),
        ([(40, 100.0)], [(40, 180.0)], (2_990, 3_010), "grown", 0.0),
        ([(40, 100.0)], [(40, 40.0)], (2_990, 3_010), "shrunk", 0.0),
        ([(40, 100.0)], [(47, 100.0)], (2_990, 3_010), "moved", 0.7),
    ],
)  # fmt: skip
def test_one_cluster_then_and_now(before, now, traded, fate, moved):
    (found,) = moves(before, now, traded)
    assert found.fate == fate
    assert found.moved_percent == pytest.approx(moved, abs=0.05)


def test_a_cluster_that_price_went_through_and_one_that_dissolved():
    peak = PRICE * np.exp(40 * S.width)
    for traded, fate in (((2_990.0, peak + 10), "traded"), ((2_990.0, 3_010.0), "gone")):
        gone, new = moves([(40, 100.0)], [(120, 50.0)], traded)
        assert (gone.fate, gone.now, gone.moved_percent) == (fate, None, None)
        assert (gone.before_usd.usd > 0.0, gone.now_usd.usd) == (True, 0.0)
        assert (new.fate, new.before, new.before_usd.usd) == ("new", None, 0.0)


def test_neighbours_are_matched_with_the_nearest_first():
    found = moves([(30, 100.0), (60, 80.0)], [(33, 100.0), (61, 80.0)])
    assert [round(each.moved_percent, 1) for each in found] == [0.3, 0.1]


@given(st.lists(st.tuples(st.integers(10, 250), st.floats(1.0, 100.0)), min_size=1, max_size=5),
       st.lists(st.tuples(st.integers(10, 250), st.floats(1.0, 100.0)), min_size=1, max_size=5))  # fmt: skip
def test_every_cluster_is_told_of_once(before, now):
    none = lump((-200, 1.0))
    maps = [modelled(lump(*peaks), none, draws=lump(*peaks)[None, :]) for peaks in (before, now)]
    found = migration_of(*maps, (2_990.0, 3_010.0))
    assert [each.before for each in found if each.before and each.side == "short"] == [
        each for each in maps[0].clusters if each.side == "short"
    ]
    told = [each.now for each in found if each.now and each.side == "short"]
    assert sorted(told, key=lambda c: c.peak) == sorted(
        (each for each in maps[1].clusters if each.side == "short"), key=lambda c: c.peak
    )


def test_nothing_moves_between_a_map_and_itself():
    mapped = modelled(lump((40, 100.0), (120, 60.0)), lump((-40, 90.0)))
    assert {each.fate for each in migration_of(mapped, mapped, (2_999.0, 3_001.0))} == {"steady"}

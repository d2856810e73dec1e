"""Where a market stands: R, κτ and S each way with their ranges, or why unknown; and the standard pushes on it."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from cascade import made

from airpocket.cascade.deals import PathSettings
from airpocket.cascade.dynamics import runaway_threshold
from airpocket.cascade.footing import footing_over
from airpocket.cascade.paths import LANES, Course
from airpocket.cascade.pushes import pushes_of
from airpocket.cascade.records import Unscanned
from airpocket.cascade.scan import cascade_of
from airpocket.cascade.standing import StandingSettings, standing_of
from airpocket.cascade.whatif import phase_of

CROWDED = {"shorts": [(0.01, 0.03, 400e6)], "longs": [(0.02, 0.05, 300e6)]}
FEW = StandingSettings(
    how=PathSettings(paths=2_048, course=Course(steps=240, push_s=60.0, marks=6))
)
SHARES = (0.1, 0.5, 1.0)


@pytest.fixture(scope="module")
def seen():
    base = made.market()
    return made.market(made.even_book(made.price_of(base), reach=0.05))


def stood(seen, amounts=CROWDED, s=FEW):
    found = made.ladder_map(made.price_of(seen), **amounts)
    signals = made.measured(seen)
    return standing_of(found, seen, signals, cascade_of(found, seen, signals), s=s)


def test_the_first_per_cent_is_what_a_what_if_says_of_it_but_for_a_bucket(seen):
    amounts = {"shorts": [(0.0, 0.03, 90e6)], "longs": [(0.0, 0.03, 90e6)]}
    standing = stood(seen, amounts)
    for direction, stand in standing.ways.items():
        same = phase_of(stand.way, stand.deal, standing.ground)
        assert stand.footing.reproduction == pytest.approx(same.reproduction, rel=0.01), direction
        assert stand.footing.kappa_tau == same.kappa_tau


def test_squeeze_is_reproduction_over_its_threshold_and_lies_in_its_range(seen):
    for stand in stood(seen).ways.values():
        footing = stand.footing
        assert footing.squeeze == footing.reproduction / runaway_threshold(footing.kappa_tau)
        for figure in (stand.reproduction, stand.kappa_tau, stand.squeeze, stand.pocket):
            assert figure.low <= figure.value <= figure.high
            assert figure.provenance == "modelled"


def test_nothing_forced_near_the_price_gives_zero_there_and_a_number_in_the_pocket(seen):
    up = stood(seen, {"shorts": [(0.015, 0.03, 400e6)], "longs": []}).ways["up"]
    assert up.squeeze.value == 0.0
    assert up.pocket.value > 0.0
    assert dict(up.along)[1.0] > 0.0


def test_twice_the_map_is_twice_the_reproduction(seen):
    one = stood(seen, {"shorts": [(0.0, 0.03, 60e6)], "longs": []})
    two = stood(seen, {"shorts": [(0.0, 0.03, 120e6)], "longs": []})
    ratio = [s.ways["up"].footing.reproduction / np.median(s.ways["up"].deal.fuel * s.ways["up"].deal.booked /
             s.ways["up"].deal.depth) for s in (one, two)]  # fmt: skip
    assert ratio[1] == pytest.approx(2.0 * ratio[0])


def test_few_paths_still_go_through_draws_from_all_of_the_map(seen):
    standing = stood(seen)
    draws = np.unique(standing.ways["up"].deal.draw)
    rows = len(standing.ground.forced_usd)
    assert len(draws) == FEW.how.paths // LANES < rows
    assert draws[0] == 0
    assert draws[-1] >= rows * (1 - 1.5 / len(draws))


def test_a_wider_stretch_of_nothing_is_no_division_by_zero(seen):
    standing = stood(seen, {"shorts": [], "longs": []})
    up = standing.ways["up"]
    assert up.squeeze.value == up.squeeze.low == up.squeeze.high == 0.0
    assert "no pocket" in up.pocket.unknown
    footing, each = footing_over(standing.ground, up.deal, "up", 0.14)
    assert (footing.reproduction, each.max()) == (0.0, 0.0)


def test_without_a_book_or_a_map_it_is_unknown_and_says_why():
    bare = made.market()
    found, signals = made.ladder_map(made.price_of(bare), **CROWDED), made.measured(bare)
    without = standing_of(found, bare, signals, cascade_of(found, bare, signals), s=FEW)
    assert isinstance(without, Unscanned)
    assert "no book is stored" in without.reason
    nothing = standing_of(
        made.NO_MAP, bare, signals, Unscanned("no liquidation map: made so"), s=FEW
    )
    assert nothing.reason == "no liquidation map: made so"
    assert pushes_of(without, SHARES) == without


def test_a_market_that_would_run_by_itself_is_not_told_of(seen):
    amounts = {"shorts": [(0.0, 0.14, 90e9)], "longs": [(0.0, 0.14, 90e9)]}
    found = stood(seen, amounts, replace(FEW, least_likely=0.5))
    assert "would not stand still" in found.reason


def test_every_push_is_dealt_alike_and_reaches_no_less_than_a_smaller_one(seen):
    standing = stood(seen)
    found = pushes_of(standing, SHARES)
    for direction, way in found.ways.items():
        rows = (way.without, *way.pushes)
        assert [row.share for row in rows] == [0.0, *SHARES]
        for smaller, larger in itertools.pairwise(rows):
            assert larger.outcomes.paths == smaller.outcomes.paths
            for at, chance in smaller.outcomes.reach.items():
                assert chance.of <= larger.outcomes.reach[at].of, (direction, at)
                assert chance.error > 0.0
        assert way.fan.shape == (6, 5)
        assert (np.diff(way.fan, axis=1) >= 0.0).all()
    again = pushes_of(stood(seen), SHARES)
    assert [r.outcomes.reach for r in again.ways["up"].pushes] == [
        r.outcomes.reach for r in found.ways["up"].pushes
    ]


def test_what_comes_back_is_told_of_paths_that_stayed_within_map_and_book(seen):
    found = pushes_of(stood(seen), (0.2, 300.0))
    small, huge = found.ways["up"].pushes
    assert small.retrace.middle > 0.0
    assert small.overshoot.middle == pytest.approx(
        small.outcomes.extreme.middle - small.outcomes.kept.middle, abs=0.5
    )
    assert huge.outcomes.left.of > 0.95
    assert (huge.overshoot, huge.retrace) == (None, None)

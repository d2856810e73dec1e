"""Questions to an asset's map and book: what is asked moves the answer, and the unknown stays unknown."""

import numpy as np
import pytest
from cascade import made

from airpocket.cascade.deals import PathSettings, Push, deal_of, ground_of
from airpocket.cascade.outcomes import outcomes
from airpocket.cascade.paths import Course
from airpocket.cascade.records import Unscanned
from airpocket.cascade.scan import ways_of
from airpocket.cascade.settings import CascadeSettings
from airpocket.cascade.static import static_scan
from airpocket.cascade.whatif import what_if
from airpocket.liquidations.records import Unmapped

FEW = PathSettings(paths=6_144, course=Course(steps=300, push_s=60.0, marks=6))
CROWDED = {"shorts": [(0.01, 0.03, 400e6)], "longs": [(0.02, 0.05, 300e6)]}


@pytest.fixture(scope="module")
def seen():
    base = made.market()
    return made.market(made.even_book(made.price_of(base), reach=0.05))


def asked(seen, push, *, amounts=CROWDED, how=FEW):
    price = made.price_of(seen)
    found = made.ladder_map(price, **amounts)
    return what_if(found, seen, made.measured(seen), push, how=how)


def test_a_push_reaches_further_than_none_and_a_larger_one_further_still(seen):
    small, large = asked(seen, Push(usd=20e6)), asked(seen, Push(usd=60e6))
    assert small.way == large.way == "up"
    for at, chance in small.without.reach.items():
        assert chance.of <= small.pushed.reach[at].of <= large.pushed.reach[at].of
    assert small.without.extreme.mean < small.pushed.extreme.mean < large.pushed.extreme.mean
    assert small.pushed.forced_usd.mean < large.pushed.forced_usd.mean


def test_selling_is_the_mirror_of_buying(seen):
    even = {"shorts": [(0.01, 0.03, 400e6)], "longs": [(0.01, 0.03, 400e6)]}
    up, down = (asked(seen, Push(usd=usd), amounts=even) for usd in (40e6, -40e6))
    assert (up.way, down.way) == ("up", "down")
    assert down.pushed.extreme.middle == pytest.approx(up.pushed.extreme.middle, rel=0.1)
    assert down.pushed.forced_usd.middle == pytest.approx(up.pushed.forced_usd.middle, rel=0.2)


def test_half_a_book_is_as_good_as_twice_the_push_where_nothing_is_forced(seen):
    nobody = {"shorts": [], "longs": []}
    half = asked(seen, Push(usd=20e6, depth=0.5), amounts=nobody)
    twice = asked(seen, Push(usd=40e6), amounts=nobody)
    assert half.pushed.extreme.mean == pytest.approx(twice.pushed.extreme.mean, rel=1e-3)
    assert half.pushed.forced_usd.mean == 0.0
    assert half.pushed.off_book is None


def test_what_fades_is_given_back_and_more_paths_agree_within_the_error(seen):
    found = asked(seen, Push(jump=0.015))
    assert found.pushed.kept.middle < found.pushed.extreme.middle
    assert found.pushed.retrace.middle > 0.0
    more = asked(seen, Push(jump=0.015), how=PathSettings(paths=20_480, course=FEW.course))
    assert more.pushed.reach[3.0].of == pytest.approx(
        found.pushed.reach[3.0].of, abs=5 * found.pushed.reach[3.0].error
    )


def test_same_question_same_answer_and_the_fan_opens(seen):
    one, other = asked(seen, Push(usd=30e6)), asked(seen, Push(usd=30e6))
    assert one.pushed.reach == other.pushed.reach
    assert np.array_equal(one.fan, other.fan)
    assert one.fan.shape == (6, 5)
    assert (np.diff(one.fan, axis=1) >= 0.0).all()
    assert one.fan_s.tolist() == [50.0, 100.0, 150.0, 200.0, 250.0, 300.0]


def test_the_stop_levels_are_shares_of_all_paths(seen):
    edges, share = asked(seen, Push(usd=30e6)).pushed.stops
    assert share.sum() == pytest.approx(1.0)
    assert edges[0] == 0.0


def test_the_ground_holds_what_map_and_book_hold(seen):
    price, settings = made.price_of(seen), CascadeSettings()
    found = made.ladder_map(price, **CROWDED)
    ways = ways_of(found, seen, made.measured(seen), settings)
    ground = ground_of(ways["up"], ways["down"])
    away = np.log1p(0.04)
    held = [float(np.interp(away, ground.edges, row)) for row in ground.forced_usd]
    net = 1.0 - ways["up"].beliefs.hedged.centre
    expected = [
        net * float(np.interp(0.04, ways["up"].distance, row)) for row in ways["up"].forced.draws
    ]
    assert held == pytest.approx(expected, rel=1e-3)
    width = ground.edges[1] - ground.edges[0]
    above = ground.usd_per_log[ground.edges[:-1] >= -1e-12]
    resting = float((above * width)[: round(away / width)].sum())
    assert resting == pytest.approx(
        np.interp(0.04, ways["up"].distance, ways["up"].profile.absorb_usd), rel=0.02
    )


def test_without_noise_time_or_doubt_the_paths_stop_where_the_static_scan_does(seen):
    """Forced orders at once, nothing fading: the fast limit."""
    from dataclasses import replace

    from airpocket.cascade.paths import run

    price, settings = made.price_of(seen), CascadeSettings()
    found = made.ladder_map(price, **CROWDED, draws=1, hedged=0.0)
    ways = ways_of(found, seen, made.measured(seen), settings)
    up, ground = ways["up"], ground_of(ways["up"], ways["down"], procedures=False)
    deal = deal_of(up, Push(usd=45e6), 0.0, FEW)
    ones = np.ones(len(deal.draw))
    plain = replace(
        deal, volatility=0 * ones, fuel=ones, booked=0.7 * ones, latency_s=ones, lasts=ones, depth=ones,
        recovery_s=np.inf * ones, passed=ones,
    )  # fmt: skip
    ends = run(ground, plain, Course(steps=600, push_s=60.0))
    fuel = 0.7 * up.forced.draws[0]
    scan = static_scan(up.profile.absorb_usd, fuel, np.array([45e6]))
    assert scan.stopped[0]
    stop = up.distance[int(scan.stop_index[0])]
    assert float(np.expm1(ends.high[0])) == pytest.approx(stop, abs=0.0012)
    assert outcomes(ends, plain, ground, up=True).off_book.of == pytest.approx(0.3)


def test_the_phase_is_the_first_stretch_against_resilience(seen):
    found = asked(seen, Push(usd=30e6)).phase
    assert found.growth == 1.0 + found.kappa_tau
    assert 0.1 < found.kappa_tau < 0.6
    assert found.squeeze == pytest.approx(found.reproduction / (1 + np.sqrt(found.kappa_tau)) ** 2)
    assert asked(seen, Push(usd=30e6, depth=0.5)).phase.squeeze == pytest.approx(2 * found.squeeze)


def test_what_is_not_known_is_said():
    bare = made.market()
    price = made.price_of(bare)
    found = made.ladder_map(price, **CROWDED)
    assert "book" in what_if(found, bare, made.measured(bare), Push(usd=1e6), how=FEW).reason
    nothing = what_if(Unmapped("too young"), bare, made.measured(bare), Push(usd=1e6), how=FEW)
    assert isinstance(nothing, Unscanned)
    assert "too young" in nothing.reason


def test_a_jump_beyond_all_that_is_known_is_refused(seen):
    assert "nothing is known beyond" in asked(seen, Push(jump=0.5)).reason


@pytest.mark.parametrize("changed", [{"usd": float("nan")}, {"jump": float("inf")}, {"depth": 0.0}])
def test_a_question_that_makes_no_sense_is_refused(changed):
    with pytest.raises(ValueError, match=r"push|depth"):
        Push(**changed)

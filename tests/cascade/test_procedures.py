"""How forced flow leaves: by the venue's rule of the day, and what that does to a path."""

from dataclasses import replace

import numpy as np
import pytest
from cascade import made
from cascade.grounds import ALPHA, deal, even
from hypothesis import given
from hypothesis import strategies as st

from airpocket.cascade.deals import PathPriors, PathSettings, Push, deal_of, ground_of
from airpocket.cascade.outcomes import outcomes
from airpocket.cascade.paths import LANES, Course, run
from airpocket.cascade.procedures import handling_of, maintenance_of, manner_of, portions_of
from airpocket.cascade.scan import ways_of
from airpocket.cascade.settings import CascadeSettings
from airpocket.cascade.step import F, filled
from airpocket.domain.units import parse_time
from airpocket.liquidations.records import Ladder, Part
from airpocket.margin.mark import basis_lag_s
from airpocket.margin.rules import Procedure

AT = parse_time("2026-06-01T00:00Z")
QUIET = Course(steps=600, push_s=0.0)


def split(found, **shares):
    """The map told apart by contracts, keyed venue__symbol."""
    parts = tuple(
        Part(key.replace("__", ":").replace("_DASH_", "-"), *(
            Ladder(share * ladder.usd, share * ladder.draws) for ladder in (found.shorts, found.longs)
        ))
        for key, share in shares.items()
    )  # fmt: skip
    return replace(found, parts=parts)


def test_each_venue_cuts_a_position_up_as_its_rule_says():
    whole = manner_of("bybit_linear", "ETHUSDT", AT)
    assert whole.portions == ((1.0, 0.0),)
    enough = manner_of("deribit", "ETH-PERPETUAL", AT)
    assert [share for share, _ in enough.portions] == [0.25] * 4
    # cut to just enough, e^(−1) of a position is left one maintenance past its level
    past = np.array([at for _, at in enough.portions]) / maintenance_of(
        "deribit", "ETH-PERPETUAL", AT
    )
    assert np.mean(past > 1.0) == pytest.approx(np.exp(-1.0), abs=0.15)
    # the clearance fee takes all that a part would free: only the whole is enough
    assert manner_of("binance_usdm", "ETHUSDT", AT).portions == ((1.0, 0.0),)
    clipped = manner_of("hyperliquid", "ETH", AT)
    assert sum(share for share, _ in clipped.portions) == pytest.approx(1.0)
    # a fifth cut off, the rest has a quarter of a maintenance to go; the backstop comes after a third
    assert clipped.portions[1][1] == pytest.approx(0.25 * 0.02)
    assert clipped.reach == pytest.approx(0.02 / 3.0)
    assert clipped.latency_s == 6.3
    assert manner_of("kraken_futures", "PF_ETHUSD", AT) is None
    assert manner_of("sim_perp", "ETHUSDT", AT).reach == np.inf  # a market order for all


def test_a_part_frees_its_margin_less_the_fee_taken_of_it():
    """Cut again and again by the venue's own arithmetic, a position shrinks as the portions say."""
    maintenance, fee = 0.02, 0.0125
    procedure = Procedure("made", portion="enough", clearance_fee=fee)
    left, equity, price, cut = 1.0, maintenance, 1.0, 1e-5
    held = {0.0: 1.0}
    while price - 1.0 < 3.0 * (maintenance - fee):
        price += cut
        equity -= left * cut
        short = max(maintenance * left - equity, 0.0)
        closed = min(short / (maintenance - fee), left)
        left, equity = left - closed, equity - fee * closed
        held[price - 1.0] = left
    gone = portions_of(procedure, maintenance)
    for share, past in gone:
        assert share == 0.25
        at = min(held, key=lambda x: abs(x - past))
        before = sum(s for s, p in gone if p < past)
        assert 1.0 - held[at] == pytest.approx(before + 0.125, abs=0.01)
    dear = Procedure("made", portion="enough", clearance_fee=maintenance)
    assert portions_of(dear, maintenance) == ((1.0, 0.0),)


def test_rules_are_those_of_the_day():
    before, after = parse_time("2025-09-17T00:00Z"), parse_time("2025-09-19T00:00Z")
    assert basis_lag_s("median_of_three", before) == 30.0
    assert basis_lag_s("median_of_three", after) == 15.0
    assert manner_of("bitmex", "XBTUSD", before) is not None
    assert manner_of("bitmex", "XBTUSD", parse_time("2026-10-01T00:00Z")) is None
    # 25x on Hyperliquid since March 2025, 50x before: half the maintenance
    old = manner_of("hyperliquid", "ETH", parse_time("2025-01-01T00:00Z"))
    assert old.reach == pytest.approx(0.5 * manner_of("hyperliquid", "ETH", AT).reach)


def test_shares_of_the_map_blend_the_rules():
    found = made.ladder_map(3_000.0, shorts=[(0.01, 0.03, 400e6)])
    nothing = handling_of(found, "short")
    assert (nothing.known, nothing.reach) == (0.0, np.inf)
    mixed = handling_of(
        split(
            found, hyperliquid__ETH=0.5, bybit_linear__ETHUSDT=0.25, kraken_futures__PF_ETHUSD=0.25
        ),
        "short",
    )
    assert mixed.known == pytest.approx(0.75)
    assert sum(share for share, _ in mixed.portions) == pytest.approx(1.0)
    reach = (0.5 * manner_of("hyperliquid", "ETH", made.NOW).reach + 0.25 * 0.01) / 0.75
    assert mixed.reach == pytest.approx(reach)
    assert mixed.waits == ((0.5, 6.3),)
    assert dict(mixed.lags) == {
        0.5: 150.0,
        0.25: 150.0,
    }  # Hyperliquid's fading mean, Bybit's five minutes
    assert handling_of(found, "long").shares == ()
    few = handling_of(split(found, sim_perp__ETHUSDT=0.3, bybit_linear__ETHUSDT=0.7), "short")
    many = handling_of(split(found, sim_perp__ETHUSDT=0.7, bybit_linear__ETHUSDT=0.3), "short")
    assert (few.reach, many.reach) == (pytest.approx(0.01), np.inf)


def test_a_deal_knows_the_venues_and_off_means_off():
    seen = made.market(made.even_book(made.price_of(made.market()), reach=0.05))
    found = split(
        made.ladder_map(made.price_of(seen), shorts=[(0.01, 0.03, 4e8)]), hyperliquid__ETH=1.0
    )
    ways = ways_of(found, seen, made.measured(seen), CascadeSettings())
    few = PathSettings(paths=4 * LANES)
    on = deal_of(ways["up"], Push(), 0.03, few)
    assert (on.booked == 1.0).all()
    assert on.latency_s == pytest.approx(6.3)
    assert on.mark_lag_s == pytest.approx(150.0)
    assert np.median(on.reach) == pytest.approx(ways["up"].handling.reach, rel=0.2)
    assert np.isfinite(on.fund_usd).all()
    plain = replace(few, priors=PathPriors(procedures=False))
    off = deal_of(ways["up"], Push(), 0.03, plain)
    assert (off.passed == 1.0).all()
    assert np.isinf(off.reach).all()
    assert 0.5 <= off.booked.min() < off.booked.max() <= 1.0
    late, prompt = (ground_of(ways["up"], ways["down"], procedures=p) for p in (True, False))
    assert (late.forced_usd <= prompt.forced_usd + 1e-3).all()
    assert late.forced_usd[:, -1] == pytest.approx(prompt.forced_usd[:, -1])
    assert late.forced_usd.sum() < 0.999 * prompt.forced_usd.sum()


def test_what_the_book_cannot_fill_before_bankruptcy_leaves_it():
    ground = even(1.5)
    found = run(ground, deal(3, jump=0.004, reach=[0.05, 0.01, 0.002], recovery_s=20.0), QUIET)
    share = found.missed_bought_usd / found.bought_usd
    assert (np.diff(share) > 0.0).all()
    assert 0.0 < share[0] < share[2] < 1.0
    assert (np.diff(found.high) < 0.0).all()  # a brake


def test_a_thin_book_and_a_price_that_ran_send_more_off_the_book():
    thin = run(even(1.2), deal(2, depth=[1.0, 0.25], jump=0.004, reach=0.01), QUIET)
    assert (
        thin.missed_bought_usd[1] / thin.bought_usd[1]
        > thin.missed_bought_usd[0] / thin.bought_usd[0]
    )
    late = run(
        even(0.8), deal(2, latency_s=[2.0, 20.0], push_usd=6e7, reach=0.01, lasts=0.5), Course()
    )
    assert (
        late.missed_bought_usd[1] / late.bought_usd[1]
        > late.missed_bought_usd[0] / late.bought_usd[0]
    )


def test_a_mark_that_lags_forces_fewer_out_and_a_spike_none():
    pushed = {"push_usd": 3e7, "recovery_s": 10.0}
    seen = run(even(0.8), deal(3, passed=[1.0, 0.5, 0.0], mark_lag_s=30.0, **pushed), Course())
    assert (np.diff(seen.bought_usd) < 0.0).all()
    assert (seen.high[1:] < seen.high[0]).all()
    blind = run(even(0.8), deal(1, passed=0.0, mark_lag_s=np.inf, jump=0.01), QUIET)
    assert blind.bought_usd[0] == 0.0
    assert blind.high[0] == np.float32(0.01)


def test_where_all_is_in_the_index_the_mark_is_the_price():
    terms = {"jump": 0.003, "push_usd": 1e7, "volatility": 1e-4}
    plain, other = (
        run(even(0.8), deal(9, mark_lag_s=lag, **terms), Course()) for lag in (10.0, 150.0)
    )
    for name in plain._fields:
        assert np.array_equal(getattr(plain, name), getattr(other, name)), name


def test_stops_trade_like_the_rest_and_are_nobody_forced_out():
    terms = {"push_usd": 3e7, "reach": 0.002}
    plain = run(even(0.8), deal(1, **terms), Course())
    stopped = run(even(0.8), deal(1, stops=0.25, **terms), Course())
    assert stopped.high[0] == plain.high[0]
    assert stopped.bought_usd[0] == pytest.approx(0.75 * plain.bought_usd[0])
    assert stopped.missed_bought_usd[0] == pytest.approx(0.75 * plain.missed_bought_usd[0])
    with pytest.raises(ValueError, match="stops is a share"):
        deal(1, stops=1.2)


def test_single_quotes_are_no_cliffs_and_gaps_no_holes():
    """A book of quotes a fifth of a per cent apart takes a push about as an even one of the same depth does."""
    seen = made.market(made.even_book(made.price_of(made.market()), reach=0.05))
    found = made.ladder_map(made.price_of(seen), shorts=[(0.01, 0.03, 1.0)])
    ways = ways_of(found, seen, made.measured(seen), CascadeSettings())
    even_ground = ground_of(ways["up"], ways["down"])
    spiky = {}
    for side, way in ways.items():
        total, k = way.profile.absorb_usd, np.arange(len(way.distance))
        steps = np.where(k % 4 == 0, total, total[(k // 4) * 4])
        spiky[side] = replace(way, profile=replace(way.profile, absorb_usd=steps))
    ground = ground_of(spiky["up"], spiky["down"])
    assert ground.usd_per_log.min() > 0.5 * even_ground.usd_per_log.min()
    terms = deal(1, push_usd=2e7, lasts=1.0)
    one, other = (run(each, terms, Course()).high[0] for each in (even_ground, ground))
    assert other == pytest.approx(one, rel=0.25)


def test_funds_take_first_and_winners_the_rest():
    ground, terms = even(1.5), deal(512, jump=0.004, reach=0.004, volatility=1e-4, recovery_s=20.0)
    ends = run(ground, terms, QUIET)
    whole = outcomes(ends, terms, ground, up=True)
    assert whole.insured.of == pytest.approx(whole.off_book.of)
    assert whole.deleveraged.of == 0.0
    fund = 0.25 * float(ends.missed_bought_usd.mean())
    told = outcomes(ends, replace(terms, fund_usd=np.full(512, fund)), ground, up=True)
    assert told.off_book == whole.off_book
    assert told.insured.of + told.deleveraged.of == pytest.approx(told.off_book.of)
    assert told.insured.of == pytest.approx(0.25 * told.off_book.of, rel=0.05)
    assert told.off_book.low <= told.off_book.of <= told.off_book.high
    assert 0.0 < told.off_book.error < 0.05
    assert outcomes(ends, terms, ground, up=False).off_book is None or ends.sold_usd.sum() > 0.0


@given(
    st.floats(0.0, 1e9), st.floats(0.001, 1.0), st.floats(-0.05, 0.05), st.floats(1e-4, 0.1),
    st.floats(1e-11, 1e-9),
)  # fmt: skip
def test_a_fill_stays_within_what_the_orders_allow(waiting, part, ahead, reach, moves):
    sent = F(part) * F(waiting)
    got = filled(sent, F(part), F(waiting), F(-ahead * waiting), F(reach), F(moves))
    assert 0.0 <= got <= sent
    assert got * moves <= max(reach - ahead, 0.0) * 1.001 + 1e-7
    more = filled(sent, F(part), F(waiting), F(-(ahead + 0.001) * waiting), F(reach), F(moves))
    assert more <= got


@given(
    st.integers(0, 2**32 - 1), st.floats(0.0, 1.2), st.floats(0.0, 1.2), st.floats(0.001, 0.05),
    st.floats(0.3, 1.0), st.floats(5.0, 150.0),
)  # fmt: skip
def test_more_fuel_never_makes_a_smaller_move_whatever_the_procedure(
    seed, one, other, reach, passed, lag
):
    low, high = sorted((one, other))
    terms = deal(
        2,
        fuel=[low, high],
        jump=0.003,
        push_usd=1e7,
        lasts=0.3,
        reach=reach,
        passed=passed,
        mark_lag_s=lag,
    )
    found = run(even(1.0), terms, Course(steps=200, seed=seed))
    assert found.high[1] >= found.high[0] * (1 - 1e-5)
    assert found.bought_usd[1] >= found.bought_usd[0] * (1 - 1e-5)
    assert (found.missed_bought_usd <= found.bought_usd * (1 + 1e-5)).all()


@given(st.floats(0.001, 0.05), st.floats(0.0, 1.0), st.floats(-6e7, 6e7))
def test_without_fuel_price_follows_the_push_alone(reach, passed, push):
    found = run(
        even(0.0), deal(1, push_usd=push, lasts=1.0, reach=reach, passed=passed), Course(steps=100)
    )
    assert found.end[0] == pytest.approx(push / ALPHA, abs=1e-6)
    assert found.missed_bought_usd[0] == found.missed_sold_usd[0] == 0.0


def test_hours_that_are_thinner_ahead_let_a_push_move_further():
    pushed = {"push_usd": 6e7, "lasts": 1.0}
    course = Course(steps=100, push_s=100.0)
    for ahead, expected in ((), 0.02), ((1.0, 1.0), 0.02), ((1.0, 0.5), 0.03), ((2.0,), 0.01):
        found = run(even(0.0), deal(1, **pushed), replace(course, ahead=ahead))
        assert found.end[0] == pytest.approx(expected, abs=1e-6)
    with pytest.raises(ValueError, match="ahead"):
        Course(ahead=(1.0, 0.0))

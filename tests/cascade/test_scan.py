"""The whole scan: mirror, monotone costs, no fuel, what stands in for a book, and what is not known."""

import dataclasses

import numpy as np
import pytest
import samples
from cascade import made
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.cascade.records import Cascade, Unscanned
from airpocket.cascade.scan import cascade_of
from airpocket.cascade.settings import CascadeSettings
from airpocket.domain.units import HOUR_NS

SHORTS = ((0.005, 0.01, 2e7), (0.02, 0.03, 3e8), (0.06, 0.08, 1e9))


@pytest.fixture(scope="module")
def banded():
    return made.market(made.even_depth())


@pytest.fixture(scope="module")
def bookless():
    return made.market()


def scanned(seen, *, settings=None, **amounts):
    found = made.ladder_map(made.price_of(seen), **amounts)
    cascade = cascade_of(found, seen, made.measured(seen), settings)
    assert isinstance(cascade, Cascade), cascade
    return cascade


def values(costs):
    return [cost.value for cost in costs.values()]


def test_a_mirrored_map_and_book_scan_the_same_both_ways(banded, bookless):
    for seen in (banded, bookless):
        cascade = scanned(seen, shorts=SHORTS, longs=SHORTS)
        up, down = cascade.up, cascade.down
        for name in ("forced_usd", "ignition_usd", "reproduction"):
            np.testing.assert_allclose(getattr(up, name), getattr(down, name), rtol=1e-9, atol=1e-6)
        assert values(up.cost) == pytest.approx(values(down.cost))
        assert up.slow.value == pytest.approx(down.slow.value)
        for high, low in zip(up.stops, down.stops, strict=True):
            assert high.reached.value == pytest.approx(-low.reached.value)
            assert high.reached.low == pytest.approx(-low.reached.high)
        assert cascade.easier == "even"
        assert cascade.glide.value == pytest.approx(1.0)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60), st.floats(1e6, 2e9)), max_size=5)
)
def test_costs_rise_with_distance_and_fall_with_fuel(bookless, clusters):
    ladder = [(0.0005 * a, 0.0005 * (a + n), usd) for a, n, usd in clusters]
    bare, full = scanned(bookless).up, scanned(bookless, shorts=ladder).up
    more = scanned(bookless, shorts=[(a, b, 1.5 * usd) for a, b, usd in ladder]).up
    assert (np.diff(full.ignition_usd) >= 0).all()
    for before, after in ((bare, full), (full, more)):
        assert (after.ignition_usd <= before.ignition_usd * (1 + 1e-12)).all()
        for key, cost in before.cost.items():
            assert after.cost[key].value <= cost.value * (1 + 1e-12)


def test_without_fuel_a_push_stops_where_the_profile_holds_as_much(banded, bookless):
    for seen in (banded, bookless):
        scan = scanned(seen).up
        assert scan.pockets == ()
        for stop in scan.stops:
            assert stop.amplification.value == pytest.approx(1.0)
            reached = stop.reached.value / 100
            holds = np.interp(reached, scan.profile.distance, scan.profile.absorb_usd)
            assert holds == pytest.approx(stop.push_usd)


def test_the_example_of_the_slow_limit_comes_out(bookless):
    """c/(2√x) for the law's own V and σ: fuel even over the first per cent, no hedge, all in the book."""
    plain = CascadeSettings(
        book_share=dataclasses.replace(CascadeSettings().book_share, centre=1.0)
    )
    cascade = scanned(bookless, shorts=[(0.0, 0.01, 6e6)], settings=plain, hedged=0.0)
    hours = bookless.reference.hours.since(made.NOW - (30 * 24 + 1) * HOUR_NS)
    volume = 24 * hours.volume_usd.mean()
    sigma = np.sqrt(24 * np.mean(np.diff(np.log(hours.close)) ** 2))
    constant = 0.8 * sigma * np.sqrt(6e6 / 0.01 / volume)
    assert cascade.up.slow.value == pytest.approx(constant / (2 * np.sqrt(0.01)), rel=1e-3)
    assert cascade.up.slow.low < cascade.up.slow.value < cascade.up.slow.high


def test_reproduction_against_the_book_is_forced_over_resting(banded):
    cascade = scanned(banded, shorts=[(0.0, 0.01, 90e6)], hedged=0.0)
    assert cascade.up.fast.value == pytest.approx(0.7 * 90 / 30, rel=1e-6)
    assert cascade.up.fast.provenance == "mixed"
    inner = (cascade.up.profile.distance > 0.0005) & (cascade.up.profile.distance < 0.0099)
    np.testing.assert_allclose(cascade.up.reproduction[inner], 0.7 * 3, rtol=1e-6)
    assert cascade.down.fast.value == 0.0
    assert cascade.up.pockets[0].start_percent == 0.0
    assert "interval" not in cascade.up.fast.source


def test_a_cluster_under_thin_orders_is_a_pocket_and_makes_that_way_the_easier(banded):
    cascade = scanned(banded, shorts=[(0.01, 0.02, 3e8)])
    [pocket] = cascade.up.pockets
    assert pocket.push_usd == pytest.approx(30e6)
    assert pocket.start_percent == pytest.approx(1.0)
    assert pocket.stop_percent > 2.0
    assert pocket.forced_usd == pytest.approx(0.7 * 0.8 * 3e8)
    assert cascade.easier == "up"
    assert cascade.glide.low <= cascade.glide.value <= cascade.glide.high
    assert cascade.down.pockets == ()


def test_after_the_cluster_has_gone_off_the_way_on_costs_what_a_bare_way_costs(banded):
    cascade = scanned(banded, shorts=[(0.01, 0.02, 3e8)], longs=[(0.03, 0.04, 1e8)])
    above, below = cascade.redrawn
    assert (above.direction, below.direction) == ("up", "down")
    assert above.price > cascade.price * 1.02
    assert above.spent.value == pytest.approx(0.7 * 0.8 * 3e8)
    bare = scanned(banded).up
    assert above.cost_up[3.0].value == pytest.approx(bare.cost[3.0].value)
    assert above.cost_up[3.0].value > cascade.up.cost[3.0].value
    assert below.price < cascade.price * 0.96 * 1.001
    assert below.cost_up[10.0].value > cascade.up.cost[5.0].value


def test_without_a_book_the_law_stands_in_and_fast_is_not_known(bookless):
    cascade = scanned(bookless, shorts=SHORTS)
    assert cascade.up.profile.kind == "square_root"
    assert "no book is stored" in cascade.up.profile.label
    assert cascade.up.fast.value is None
    assert "no book" in cascade.up.fast.unknown
    assert cascade.up.slow.known
    assert cascade.up.cost[5.0].provenance == "modelled"
    assert values(cascade.up.cost) == pytest.approx(values(cascade.up.cost_slow))
    assert any("patiently" in note for note in cascade.notes)


def test_a_smaller_coefficient_costs_more_and_the_range_says_so(bookless):
    cost = scanned(bookless).up.cost[5.0]
    assert cost.low < cost.value < cost.high
    assert cost.high / cost.value < (0.8 / 0.5) ** 2
    assert cost.low / cost.value > (0.8 / 1.2) ** 2


@pytest.mark.parametrize(
    ("case", "reason"),
    [("crossed", "is crossed"), ("empty", "has an empty side"), ("stale", "2.0 h old"),
     ("elsewhere", "from the price"), ("stale_depth", "2.0 h old"), ("no_bids", "empty side")],
)  # fmt: skip
def test_a_book_that_cannot_be_used_is_not_and_the_label_says_why(case, reason):
    price = made.price_of(made.market())
    old = made.NOW - 2 * HOUR_NS
    level = [(price, 10.0)]
    batch = {
        "crossed": lambda: made.book([(price * 1.001, 5.0)], level),
        "empty": lambda: made.book([], level),
        "stale": lambda: made.book([(price * 0.999, 1.0)], level, at=old),
        "elsewhere": lambda: made.even_book(price * 1.02),
        "stale_depth": lambda: made.depth({-1.0: 3e7, 1.0: 3e7}, at=old),
        "no_bids": lambda: made.depth({1.0: 3e7}),
    }[case]()
    cascade = scanned(made.market(batch), shorts=SHORTS)
    assert cascade.up.profile.kind == cascade.down.profile.kind == "square_root"
    both = cascade.up.profile.label + cascade.down.profile.label + " ".join(cascade.notes)
    assert reason in both


def test_a_crossed_book_beside_good_bands_is_named_in_their_label():
    price = made.price_of(made.market())
    seen = made.market(made.even_depth(), made.book([(price * 1.001, 5.0)], [(price, 1.0)]))
    cascade = scanned(seen)
    assert cascade.up.profile.kind == "book"
    assert "depth bands" in cascade.up.profile.label
    assert "is crossed" in cascade.up.profile.label


def test_book_and_bands_of_the_same_orders_give_the_same_costs():
    price = made.price_of(made.market())
    from_book = scanned(made.market(made.even_book(price)), shorts=SHORTS)
    from_bands = scanned(made.market(made.even_depth()), shorts=SHORTS)
    assert "the book of" in from_book.up.profile.label
    assert values(from_book.up.cost) == pytest.approx(values(from_bands.up.cost), rel=0.02)


def test_a_book_that_hardly_reaches_leaves_fast_unknown():
    price = made.price_of(made.market())
    cascade = scanned(made.market(made.even_book(price, reach=0.0003, levels=5)), shorts=SHORTS)
    assert cascade.up.profile.kind == "book"
    assert "reaches only 0.03 %" in cascade.up.fast.unknown


def test_past_the_last_stored_order_its_own_density_goes_on_and_no_wall_stands_there(banded):
    profile = scanned(banded).up.profile
    assert profile.measured_to == pytest.approx(0.02)
    np.testing.assert_allclose(profile.absorb_usd, 30e8 * profile.distance, atol=1.0)
    inside = profile.distance <= 0.02
    assert (profile.latent_usd[inside] < 1e-6).all()
    cascade = scanned(banded)
    assert cascade.up.cost[2.0].low == pytest.approx(cascade.up.cost[2.0].high)
    assert cascade.up.cost[5.0].low < 150e6 < cascade.up.cost[5.0].high
    assert cascade.up.cost[5.0].provenance == "mixed"
    assert cascade.up.cost_slow[5.0].provenance == "modelled"


def test_without_a_volume_the_slow_end_is_unknown_and_without_a_book_too_there_is_no_scan():
    bars = samples.bars(made.HOURS)
    blind = {"volume": np.full(made.HOURS, np.nan), "volume_usd": np.full(made.HOURS, np.nan)}
    dry = dataclasses.replace(bars, columns={**bars.columns, **blind})
    seen = made.market(made.even_depth(), bars=dry)
    cascade = scanned(seen, shorts=SHORTS)
    assert cascade.up.cost[3.0].known
    assert "volume" in cascade.up.slow.unknown
    assert "volume" in cascade.up.cost_slow[1.0].unknown
    assert cascade.up.stops == ()
    assert any("No slow limit" in note for note in cascade.notes)
    bare = made.market(bars=dry)
    found = cascade_of(made.ladder_map(made.price_of(bare)), bare, made.measured(bare))
    assert isinstance(found, Unscanned)
    assert "volume" in found.reason
    assert "no book" in found.reason


def test_no_map_and_no_fresh_price_mean_no_scan(bookless):
    signals = made.measured(bookless)
    found = cascade_of(made.NO_MAP, bookless, signals)
    assert found == Unscanned("no liquidation map: made so")
    last = range(made.HOURS - 5, made.HOURS)
    stale = made.market(bars=samples.bars(made.HOURS, drop=last))
    found = cascade_of(made.ladder_map(3000.0), stale, made.measured(stale))
    assert isinstance(found, Unscanned)
    assert "5 h old" in found.reason


def test_the_scan_ends_where_the_map_ends(bookless):
    cascade = scanned(bookless, shorts=[(0.01, 0.02, 1e8)], reach=0.04)
    assert cascade.up.profile.distance[-1] == pytest.approx(0.04)
    assert "ends 4.0 % above" in cascade.up.cost[5.0].unknown
    assert cascade.up.cost[3.0].known


def test_an_unknown_hedge_counts_all_and_says_so(bookless):
    gross = scanned(bookless, shorts=SHORTS, hedged=None)
    net = scanned(bookless, shorts=SHORTS, hedged=50.0)
    np.testing.assert_allclose(gross.up.forced_usd, 2 * net.up.forced_usd)
    assert any("Hedged share of shorts unknown" in note for note in gross.notes)
    assert not any("Hedged share" in note for note in net.notes)


def test_overshoot_needs_a_number_nobody_measured(banded):
    amounts = {"shorts": [(0.0, 0.01, 30e6)], "hedged": 0.0}
    cascade = scanned(banded, **amounts)
    assert "not measured" in cascade.runaway.unknown
    assert "not measured" in cascade.up.overshoot.unknown
    given_one = scanned(banded, **amounts, settings=CascadeSettings(kappa_tau=0.25))
    assert given_one.runaway.value == pytest.approx(2.25)
    assert given_one.up.overshoot.value > 1.0
    wild = scanned(
        banded, shorts=[(0.0, 0.01, 3e8)], hedged=0.0, settings=CascadeSettings(kappa_tau=0.25)
    )
    assert "runaway" in wild.up.overshoot.unknown


def test_the_same_question_gives_the_same_bits(banded):
    first, second = (scanned(banded, shorts=SHORTS) for _ in range(2))
    assert first.up.cost == second.up.cost
    assert first.up.stops == second.up.stops
    assert first.glide == second.glide


def test_a_map_without_draws_still_scans(banded):
    cascade = scanned(banded, shorts=SHORTS, draws=0)
    assert cascade.up.cost[3.0].known

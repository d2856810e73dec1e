"""Bad input is said, and either widens the range of every figure or leaves the venue out by name."""

from dataclasses import replace

import numpy as np
import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS
from airpocket.liquidations.cohorts import mix_of
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.liquidations.settings import MapSettings
from airpocket.liquidations.sight import sight_of
from airpocket.liquidations.state import MapState
from airpocket.market.state import MarketState

HOURS = 24 * 12
NOW = samples.START + HOURS * HOUR_NS
SETTINGS = MapSettings()


def market(interest, *others, hours=HOURS):
    state, bars = MarketState("ETH"), samples.bars(hours)
    bars.columns["volume"] *= 20.0  # more than open interest moves
    for batch in (bars, samples.funding(HOURS // 8), interest, *others):
        state.apply(batch)
    return state.snapshot(NOW)


def mapped(interest, *others):
    found = MapState(SETTINGS).measure(market(interest, *others))
    assert isinstance(found, LiquidationMap)
    return found


def changed(change):
    """Hourly open interest after `change` of its columns."""
    whole = samples.interest(HOURS)
    columns = change({name: values.copy() for name, values in whole.columns.items()})
    return Batch(whole.kind, whole.venue, whole.symbol, columns, whole.sources)


def without(first, last):
    return changed(lambda c: {k: np.delete(v, np.arange(first, last)) for k, v in c.items()})


def standing(first, last):
    def stand(columns):
        columns["amount"][first:last] = columns["amount"][first]
        return columns

    return changed(stand)


def scaled(factor, first, last=None):
    """From `first` on, or for some rows, in another unit; or so much was opened at once."""

    def scale(columns):
        columns["amount"][first:last] *= factor
        return columns

    return changed(scale)


def prints(**changes):
    """A print an hour of the last days, one in four of them spoilt by `changes`."""
    n, spoilt = 96, np.arange(96) % 4 == 1
    at = NOW - HOUR_NS * np.arange(n, 0, -1, dtype=np.int64)
    columns = {
        "ts": at, "usable_from": at + 1_000, "forced_side": np.where(np.arange(n) % 2, "buy", "sell"),
        "price": np.full(n, 3_000.0), "size": np.full(n, 40.0), "notional_usd": np.full(n, 12e4),
        "coverage": np.full(n, "all"), "seq": np.arange(n),
    }  # fmt: skip
    for name, value in changes.items():
        columns[name] = np.where(spoilt, value, columns[name])
    return Batch("liquidation", "binance_usdm", "ETHUSDT", columns, ("made",))


def width(found):
    """Of the range over the figure, by side and distance."""
    amounts = [found.within(side, percent) for side in ("short", "long") for percent in (3.0, 10.0)]
    return np.array([(amount.high - amount.low) / amount.usd for amount in amounts])


def said(found):
    return " ".join(found.sources[0].assumed)


@pytest.fixture(scope="module")
def whole():
    return mapped(samples.interest(HOURS))


@pytest.fixture(scope="module")
def heard():
    return mapped(samples.interest(HOURS), prints())


def spoilt(columns):
    columns["amount"][HOURS - 30 : HOURS - 6 : 2] = np.tile([-5.0, 0.0], 6)
    return columns


@pytest.mark.fault("D12")
@pytest.mark.parametrize(
    ("interest", "because"),
    [
        (without(HOURS - 40, HOURS - 10), "missing 1 times for longer than 6 h (31 h in all)"),
        (standing(HOURS - 40, HOURS - 4), "stood still 1 times for longer than 6 h while contracts"),
        (changed(spoilt), "12 figures of open interest not above zero were left out"),
        (without(0, HOURS - 30), "known for 29 h: at which prices older positions were opened"),
        (scaled(1_000.0, HOURS - 40), "may be a change of unit: mapped only from there"),
        (scaled(0.4, HOURS - 40), "% of open interest came or went lately by more than was traded"),
        (scaled(2.5, HOURS - 40, HOURS - 30), "of open interest came or went lately"),
    ],
    ids=["gap", "stuck", "negative", "young", "unit", "smaller unit", "spike"],
)  # fmt: skip
def test_bad_open_interest_is_said_and_widens_the_range_on_both_sides(heard, interest, because):
    found = mapped(interest, prints())
    assert because in said(found)
    assert "ranges are wider for it" in said(found)
    assert (width(found) > 1.05 * width(heard)).all()


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"price": np.nan, "size": np.nan}, "24 liquidations without side or size were left out"),
        ({"forced_side": "unknown"}, "24 liquidations without side or size were left out"),
        ({"size": 40e6}, "24 liquidations of more than ever was open were left out"),
    ],
    ids=["no price", "no side", "another unit"],
)
def test_prints_that_say_too_little_are_left_out_and_widen_the_range(heard, changes, because):
    found = mapped(samples.interest(HOURS), prints(**changes))
    assert because in said(found)
    assert "ranges are wider for it: 25 % of what was told" in said(found)
    assert (width(found) > 1.05 * width(heard)).all()


def test_a_print_with_its_size_needs_no_price(heard):
    found = mapped(samples.interest(HOURS), prints(price=np.nan))
    assert np.array_equal(found.shorts.draws, heard.shorts.draws)


def test_a_figure_not_above_zero_says_nothing_of_the_amount(whole):
    usd = mapped(changed(spoilt)).within("short", 10.0).usd
    assert usd == pytest.approx(whole.within("short", 10.0).usd, rel=0.1)


def test_open_interest_that_ends_at_zero_is_no_map():
    def end(columns):
        columns["amount"][-8:] = 0.0
        return columns

    found = MapState(SETTINGS).measure(market(changed(end)))
    assert isinstance(found, Unmapped)
    assert "open interest last known at" in found.reason


def other(hours, *, start=samples.START, still=False):
    made = samples.interest(hours, start=start, venue="bybit_linear", seed=7)
    if still:
        made.columns["amount"][-48:] = made.columns["amount"][-48]
    return made


def test_a_venue_that_leaves_is_named_and_its_amount_is_in_no_figure(whole):
    found = mapped(samples.interest(HOURS), other(HOURS - 48))
    assert any("not in the map: bybit_linear:ETHUSDT" in each for each in found.notes)
    assert np.array_equal(found.shorts.draws, whole.shorts.draws)


def test_a_venue_that_joins_has_a_wider_range_than_had_it_been_there():
    long = mapped(samples.interest(HOURS), other(HOURS))
    found = mapped(samples.interest(HOURS), other(30, start=NOW - 30 * HOUR_NS))
    assert not any("is guessed" in each for each in found.sources[0].assumed)
    assert any("is guessed" in each for each in found.sources[1].assumed)

    def relative(one, part):
        inside = np.abs(np.log(one.middle / one.price)) < 0.03
        amount = one.parts[part].shorts.within(inside)
        return (amount.high - amount.low) / amount.usd

    assert relative(found, 1) > 1.1 * relative(long, 1)
    assert relative(found, 0) == pytest.approx(relative(long, 0), rel=1e-6)


@pytest.mark.parametrize(
    ("facts", "because"),
    [
        ((samples.bars(HOURS - 48, venue="bybit_linear"), other(HOURS, still=True)), "delisted or halted"),
        ((samples.bars(HOURS, venue="bybit_linear"), other(HOURS), "delisted"), "its venue delisted it at"),
    ],
    ids=["trades end", "told"],
)  # fmt: skip
def test_a_contract_that_is_no_more_is_left_out_by_name(whole, facts, because):
    facts = [listing(each) if isinstance(each, str) else each for each in facts]
    found = mapped(samples.interest(HOURS), *facts)
    (note,) = (each for each in found.notes if "not in the map: bybit_linear:ETHUSDT" in each)
    assert because in note
    assert np.array_equal(found.shorts.draws, whole.shorts.draws)


def listing(status):
    """The venue's last word on a contract."""
    one = {"ts": NOW - HOUR_NS, "usable_from": NOW - HOUR_NS, "version": 2, "contract_kind": "linear",
           "status": status, "reason": "", "contract_size": 1.0, "size_unit": "coin", "tick_size": 0.01,
           "lot_size": 0.01, "funding_interval_s": 28_800, "listed_at_s": 1}  # fmt: skip
    columns = {name: np.array([value]) for name, value in one.items()}
    return Batch("listing", "bybit_linear", "ETHUSDT", columns, ("made",))


def test_still_figures_without_trade_are_no_fault():
    known_at = HOUR_NS * np.arange(1, 200, dtype=np.int64)
    empty = MarketState("ETH")
    empty.apply(samples.bars(1))
    bars = empty.snapshot(samples.START + HOUR_NS).contracts[0].base
    seen = sight_of(known_at, np.full(199, 5.0), bars, int(known_at[-1]), SETTINGS)
    assert seen.unseen == 0.0
    assert seen.said == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(30, 150), st.integers(8, 40), st.integers(8, 40))
def test_a_longer_gap_leaves_more_unseen(first, short, more):
    whole_at = HOUR_NS * np.arange(1, 260, dtype=np.int64)
    coin = 1.0 + np.arange(259.0)
    bars = samples_bars()
    hidden = []
    for length in (0, short, short + more):
        keep = np.ones(259, bool)
        keep[first : first + length] = False
        seen = sight_of(whole_at[keep], coin[keep], bars, int(whole_at[-1]), SETTINGS)
        assert 0.0 <= seen.unseen <= 1.0
        hidden.append(seen.hidden)
    assert hidden[0] == 0.0
    assert hidden[0] < hidden[1] < hidden[2]


def samples_bars():
    state = MarketState("ETH")
    state.apply(samples.bars(2))
    return state.snapshot(samples.START + 2 * HOUR_NS).contracts[0].base


def test_how_much_stands_far_from_the_price_is_a_range_and_no_point():
    mix = np.array(SETTINGS.shorts_mix)
    own = mix[:3].sum()
    mixes = [mix_of(world, SETTINGS.shorts_mix, SETTINGS) for world in SETTINGS.worlds]
    shares = [each[:3].sum() for each in mixes]
    assert min(shares) < 0.25
    assert max(shares) > 0.55
    for each in mixes:
        assert each.sum() == pytest.approx(1.0)
        assert each[:3] / each[:3].sum() == pytest.approx(mix[:3] / own)
        assert each[3:] / each[3:].sum() == pytest.approx(mix[3:] / (1.0 - own))
    alike = mix_of(replace(SETTINGS.worlds[0], far=own), SETTINGS.shorts_mix, SETTINGS)
    assert alike == pytest.approx(mix)

"""Bad open interest: gaps, figures that stand still, young venues and wrong rows are said and widen the range."""

import numpy as np
import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS
from airpocket.liquidations.records import LiquidationMap
from airpocket.liquidations.settings import MapSettings
from airpocket.liquidations.sight import sight_of
from airpocket.liquidations.state import MapState
from airpocket.market.state import MarketState

HOURS = 24 * 12
NOW = samples.START + HOURS * HOUR_NS
SETTINGS = MapSettings(ways=4)


def mapped(interest, *others):
    state, bars = MarketState("ETH"), samples.bars(HOURS)
    bars.columns["volume"] *= 20.0  # more than open interest moves
    for batch in (bars, samples.funding(HOURS // 8), interest, *others):
        state.apply(batch)
    found = MapState(SETTINGS).measure(state.snapshot(NOW))
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


def width(found):
    amount = found.within("short", 10.0)
    return (amount.high - amount.low) / amount.usd


@pytest.fixture(scope="module")
def whole():
    return mapped(samples.interest(HOURS))


@pytest.mark.parametrize(
    ("interest", "said"),
    [
        (without(HOURS - 40, HOURS - 10), "missing 1 times for longer than 6 h (31 h in all)"),
        (
            standing(HOURS - 40, HOURS - 4),
            "stood still 1 times for longer than 6 h while contracts",
        ),
        (without(0, HOURS - 30), "known for 29 h: at which prices older positions were opened"),
    ],
)
def test_what_was_not_seen_is_said_and_widens_the_range(whole, interest, said):
    found = mapped(interest)
    assert any(said in each for each in found.sources[0].assumed)
    assert any("ranges are wider for it" in each for each in found.sources[0].assumed)
    assert width(found) > 1.15 * width(whole)


def test_a_figure_not_above_zero_is_left_out_and_said(whole):
    def spoil(columns):
        columns["amount"][[100, 150]] = [-5.0, 0.0]
        return columns

    found = mapped(changed(spoil))
    assert "2 figures of open interest not above zero were left out" in found.sources[0].assumed
    assert found.within("short", 10.0).usd == pytest.approx(
        whole.within("short", 10.0).usd, rel=0.1
    )


def test_a_venue_that_leaves_is_named_and_one_that_joins_is_wide():
    left = samples.interest(HOURS - 48, venue="bybit_linear", seed=7)
    found = mapped(samples.interest(HOURS), left)
    assert any("not in the map: bybit_linear:ETHUSDT" in each for each in found.notes)
    joined = samples.interest(30, start=NOW - 30 * HOUR_NS, venue="bybit_linear", seed=7)
    both = mapped(samples.interest(HOURS), joined)
    old, new = both.sources
    assert not any("is guessed" in each for each in old.assumed)
    assert any("is guessed" in each for each in new.assumed)


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
    doubts = []
    for length in (0, short, short + more):
        keep = np.ones(259, bool)
        keep[first : first + length] = False
        seen = sight_of(whole_at[keep], coin[keep], bars, int(whole_at[-1]), SETTINGS)
        assert 0.0 <= seen.unseen <= 1.0
        doubts.append(seen.doubt(SETTINGS))
    assert doubts[0] == pytest.approx(SETTINGS.doubt)
    assert doubts[0] < doubts[1] < doubts[2]


def samples_bars():
    state = MarketState("ETH")
    state.apply(samples.bars(2))
    return state.snapshot(samples.START + 2 * HOUR_NS).contracts[0].base

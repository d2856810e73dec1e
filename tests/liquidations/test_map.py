"""The map of a market: adds up to open interest, same bits live or at once, and says why where there is none."""

import numpy as np
import pytest
import samples

from airpocket.domain.events import Batch
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.liquidations.settings import MapSettings
from airpocket.liquidations.state import MapState, within_share
from airpocket.market.state import MarketState

HOURS = 24 * 20
NOW = samples.START + HOURS * HOUR_NS


def facts(hours=HOURS, **changes):
    """Bars, funding and open interest of one perpetual, by kind."""
    made = {
        "bars": samples.bars(hours),
        "funding": samples.funding(hours // 8),
        "interest": samples.interest(hours),
    }
    made.update(changes)
    return [batch for batch in made.values() if batch is not None]


def market_of(batches, now=NOW):
    state = MarketState("ETH")
    for batch in batches:
        state.apply(samples.cut(batch, now))
    return state.snapshot(now)


def with_amount(batch, amount):
    return Batch(
        batch.kind, batch.venue, batch.symbol, {**batch.columns, "amount": amount}, batch.sources
    )


@pytest.fixture(scope="module")
def mapped():
    found = MapState().measure(market_of(facts()))
    assert isinstance(found, LiquidationMap)
    return found


def test_ladder_and_what_nothing_forces_out_add_up_to_open_interest(mapped):
    interest = facts()[-1].floats("amount")[-1]
    for ladder in (mapped.shorts, mapped.longs):
        on_it = (ladder.usd / mapped.middle).sum()
        assert on_it + ladder.beyond / mapped.price == pytest.approx(interest)
        assert ((ladder.draws / mapped.middle).sum(axis=1) <= interest * (1 + 1e-9)).all()
        assert (ladder.draws >= 0).all()


def test_shorts_lie_above_the_price_and_longs_below(mapped):
    width = mapped.edge[1] / mapped.edge[0]
    assert mapped.shorts.usd[mapped.middle < mapped.price / width].sum() == 0.0
    assert mapped.longs.usd[mapped.middle > mapped.price * width].sum() == 0.0


def test_dollars_at_risk_grow_with_distance_and_carry_an_interval(mapped):
    for side in ("short", "long"):
        bands = [mapped.at_risk(side, percent) for percent in (1, 2, 3, 5, 10, 15, 60)]
        values = [band.value for band in bands]
        assert values == sorted(values)
        assert all(band.low <= band.value <= band.high for band in bands)
        assert all(band.provenance == "modelled" for band in bands)
        assert bands[4].high > bands[4].low


def test_measuring_hour_by_hour_gives_the_bits_of_measuring_once(mapped):
    batches = facts()
    state, live = MarketState("ETH"), MapState()
    for day in (3.2, 4.7, 9.0, 9.05, 16.3, 20.0):
        before, now = state.latest, samples.START + int(day * DAY_NS)
        for batch in batches:
            usable = batch.ints("usable_from")
            new = (usable > before) & (usable <= now)
            state.apply(
                Batch(batch.kind, batch.venue, batch.symbol,
                      {k: v[new] for k, v in batch.columns.items()}, batch.sources)
            )  # fmt: skip
        found = live.measure(state.snapshot(now))
    assert np.array_equal(found.edge, mapped.edge)
    for side in ("short", "long"):
        assert np.array_equal(found.ladder(side).usd, mapped.ladder(side).usd)
        assert np.array_equal(found.ladder(side).draws, mapped.ladder(side).draws)
    assert np.array_equal(found.heat.ts, mapped.heat.ts)
    assert np.array_equal(found.heat.shorts, mapped.heat.shorts)


def test_a_past_that_reads_differently_is_mapped_anew():
    first = market_of(facts(), NOW - 5 * DAY_NS)
    live = MapState()
    live.measure(first)
    halved = with_amount(facts()[-1], 0.5 * facts()[-1].floats("amount"))
    market = market_of(facts(interest=halved))
    again, alone = live.measure(market), MapState().measure(market)
    assert np.array_equal(again.shorts.usd, alone.shorts.usd)


def test_two_contracts_add_up():
    other = [
        samples.bars(HOURS, venue="bybit_linear", seed=0),
        samples.interest(HOURS, venue="bybit_linear", scale=0.5),
    ]
    both = MapState().measure(market_of(facts() + other))
    assert [source.key for source in both.sources] == [
        "binance_usdm:ETHUSDT",
        "bybit_linear:ETHUSDT",
    ]
    held = sum(source.interest_coin for source in both.sources)
    on_it = (both.longs.usd / both.middle).sum()
    assert on_it + both.longs.beyond / both.price == pytest.approx(held)
    assert np.array_equal(both.heat.ts, np.sort(both.heat.ts))


def test_a_contract_without_own_volume_follows_the_reference_and_says_so():
    other = samples.interest(HOURS, venue="hyperliquid", symbol="ETH")
    found = MapState().measure(market_of([samples.bars(HOURS), other]))
    (source,) = found.sources
    assert source.key == "hyperliquid:ETH"
    assert any("turnover of 3 times" in each for each in source.assumed)
    assert any("not in the map: binance_usdm:ETHUSDT" in each for each in found.notes)


def test_the_hedged_share_leans_on_funding_and_is_unknown_without():
    calm = MapState().measure(market_of(facts()))
    rich = samples.funding(HOURS // 8)
    rich.columns["rate"][:] = 5e-4
    hot = MapState().measure(market_of(facts(funding=rich)))
    none = MapState().measure(market_of(facts(funding=None)))
    assert hot.hedged_shorts.value > calm.hedged_shorts.value
    assert none.hedged_shorts.value is None
    off = none.longs.beyond / (none.longs.beyond + none.longs.usd.sum())
    assert off > 0.1  # more than a tenth of the longs is off the ladder already
    assert none.hedged_longs.value == 0.0
    assert "off the ladder already" in none.hedged_longs.source


@pytest.mark.parametrize(
    ("changes", "now", "said"),
    [
        ({"interest": None}, NOW, "no open interest"),
        ({"interest": samples.interest(10)}, NOW, "open interest last known at"),
        ({"bars": samples.bars(10)}, NOW, "no fresh price bars"),
        ({"bars": None}, NOW, "no price bars"),
        ({}, samples.START + 10 * HOUR_NS, "needs 24"),
    ],
)
def test_no_map_without_fresh_figures(changes, now, said):
    found = MapState().measure(market_of(facts(**changes), now))
    assert isinstance(found, Unmapped)
    assert said in found.reason


def test_a_unit_jump_starts_the_map_again_once_figures_agree():
    whole = facts()[-1]
    jumped = np.where(np.arange(HOURS) < HOURS - 48, 1_000.0, 1.0) * whole.floats("amount")
    market = market_of(facts(interest=with_amount(whole, jumped)))
    found = MapState().measure(market)
    assert "may be a change of unit" in found.sources[0].assumed[0]
    assert any("ranges are wider for it" in each for each in found.sources[0].assumed)
    late = np.where(np.arange(HOURS) < HOURS - 5, 1_000.0, 1.0) * whole.floats("amount")
    fresh = MapState().measure(market_of(facts(interest=with_amount(whole, late))))
    assert isinstance(fresh, Unmapped)
    assert "once a day of figures agrees" in fresh.reason


@pytest.mark.fault("D12")
def test_a_gap_in_open_interest_is_said():
    whole = facts()[-1]
    keep = np.ones(HOURS, bool)
    keep[200:230] = False
    gappy = Batch(whole.kind, whole.venue, whole.symbol,
                  {k: v[keep] for k, v in whole.columns.items()}, whole.sources)  # fmt: skip
    found = MapState().measure(market_of(facts(interest=gappy)))
    assert "missing 1 times for longer than 6 h" in found.sources[0].assumed[0]


def test_open_interest_that_outruns_volume_is_said_and_widens_the_range():
    small, ample = samples.bars(HOURS), samples.bars(HOURS)
    small.columns["volume"][:] = 1.0
    ample.columns["volume"] *= 20.0
    found, whole = (MapState().measure(market_of(facts(bars=bars))) for bars in (small, ample))
    assert any("more than the venue's own volume" in each for each in found.sources[0].assumed)

    def width(one):
        amounts = [one.within(side, 3.0) for side in ("short", "long")]
        return np.array([(amount.high - amount.low) / amount.usd for amount in amounts])

    assert (width(found) > 1.1 * width(whole)).all()


def test_the_share_near_the_price_is_read_from_the_heat(mapped):
    near = within_share(mapped.heat, mapped.edge, "short", 5.0)
    far = within_share(mapped.heat, mapped.edge, "short", 200.0)
    assert len(near) == len(mapped.heat.ts)
    assert ((near >= 0) & (near <= far)).all()
    assert far == pytest.approx(1.0)


def test_settings_refuse_what_cannot_be():
    with pytest.raises(ValueError, match="shorts_mix"):
        MapSettings(shorts_mix=(1.0,))
    with pytest.raises(ValueError, match="drift_h"):
        MapSettings(drift_h=-0.1)
    with pytest.raises(ValueError, match="leverage"):
        MapSettings(leverage=(1.0, *MapSettings().leverage[1:]))
    with pytest.raises(ValueError, match="rates: a:b"):
        MapSettings(rates=(("a:b", 1.5),))

"""Measured and modelled as one: never more than is open, shares between 0 and 1, nothing lost, labels true."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from liquidations.accounts import (
    KEY,
    NOW,
    PRICE,
    S,
    account,
    coin_of,
    isolated,
    market,
    modelled,
)

from airpocket.domain.accounts import LoanState
from airpocket.domain.units import HOUR_NS
from airpocket.liquidations.blend import blended
from airpocket.liquidations.measured import layers_of
from airpocket.liquidations.records import LiquidationMap, Unmapped

AWAY = st.floats(0.001, 0.4)
COIN = st.floats(0.001, 400.0)
POSITIONS = st.lists(
    st.tuples(st.booleans(), COIN, AWAY, st.booleans(), st.floats(0.01, 30.0)), max_size=25
)
BUCKETS = st.lists(st.floats(0.0, 100.0), min_size=4, max_size=60).filter(lambda x: sum(x) > 1.0)


def states_of(positions):
    """One account a position: (long, coin, way from the price, has a price, age in hours)."""
    made = []
    for number, (is_long, coin, away, priced, age) in enumerate(positions):
        price = PRICE * (1 - away) if is_long else PRICE * (1 + away)
        held = isolated(coin if is_long else -coin, price, told=priced)
        made.append(account(f"a{number}", held, age_h=age))
    return made


def blend(positions, buckets, interest=None, **changes):
    interest = float(sum(buckets)) if interest is None else interest
    at = market(interest=interest, **changes)
    layers = layers_of(at, states_of(positions), [], S)
    mapped = modelled(buckets, buckets[::-1], interest=interest)
    return blended(mapped, layers, at, S), layers, mapped


@given(POSITIONS, BUCKETS)
def test_no_draw_of_any_side_holds_more_than_is_open(positions, buckets):
    found, _, _ = blend(positions, buckets)
    for side in ("short", "long"):
        total = coin_of(found, side).sum(axis=1)
        assert (total <= sum(buckets) * (1 + 1e-9)).all()
        assert (coin_of(found, side) >= 0.0).all()


@given(POSITIONS, BUCKETS)
def test_coin_is_conserved_open_interest_is_ladder_and_endless(positions, buckets):
    found, layers, _ = blend(positions, buckets)
    for row, side in enumerate(("short", "long")):
        endless = layers[0].told.endless[row] * layers[0].told.scaled[row] if layers else 0.0
        centre = (found.ladder(side).usd / found.middle).sum()
        assert centre + endless == pytest.approx(sum(buckets), rel=1e-9)


@given(POSITIONS, BUCKETS)
def test_exact_shares_lie_between_nothing_and_all(positions, buckets):
    found, layers, _ = blend(positions, buckets)
    for side in ("short", "long"):
        ladder = found.ladder(side)
        assert (ladder.exact_share >= 0.0).all()
        assert (ladder.exact_share <= 1.0 + 1e-12).all()
        if layers:
            assert (ladder.draws >= ladder.exact * (1 - 1e-12)).all()
        for percent in (1, 3, 10, 50):
            amount = found.within(side, percent)
            assert 0.0 <= amount.exact_share <= 1.0
            assert amount.low <= amount.usd <= amount.high
            assert amount.exact <= amount.usd * (1 + 1e-9)


def test_without_accounts_the_map_is_the_model_s_to_the_bit():
    mapped = modelled([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0])
    assert blended(mapped, [], market(), S) is mapped
    found, layers, same = blend([], [1.0, 2.0, 3.0, 4.0])
    assert layers == []
    assert found is same


def test_with_everybody_asked_the_map_is_measured_and_has_no_interval():
    positions = [(True, 60.0, 0.04, True, 1.0), (False, 60.0, 0.02, True, 1.0)]
    found, _, _ = blend(positions, [30.0, 30.0])
    five = found.at_risk("long", 5.0)
    assert (five.provenance, five.low, five.high) == ("measured", None, None)
    assert five.value == pytest.approx(60.0 * PRICE * 0.96, rel=1e-3)
    assert found.within("short", 3.0).exact_share == pytest.approx(1.0)


def test_each_figure_says_what_it_rests_on():
    buckets = np.zeros(400)
    buckets[[150, 250]] = 50.0  # −4.9 % and +5.1 %
    layers = layers_of(market(interest=100.0), states_of([(False, 40.0, 0.02, True, 1.0)]), [], S)
    mapped = modelled(buckets, buckets, draws=np.stack([buckets, 0.5 * buckets]))
    found = blended(mapped, layers, market(interest=100.0), S)
    assert found.at_risk("short", 3.0).provenance == "measured"
    assert found.at_risk("short", 10.0).provenance == "mixed"
    assert found.at_risk("long", 10.0).provenance == "modelled"
    assert found.within("short", 10.0).exact_share == pytest.approx(
        40.0 * 1.02 / (40.0 * 1.02 + 30.0 * 1.051), rel=0.01
    )


def test_the_rest_of_open_interest_is_placed_as_the_model_places_the_whole():
    buckets = [10.0, 20.0, 30.0, 40.0]
    found, (layer,), mapped = blend([(False, 25.0, 0.3, True, 1.0)], buckets)
    rest = found.shorts.usd - found.shorts.exact
    inside = np.flatnonzero(rest)
    assert rest[inside] / found.middle[inside] == pytest.approx(0.75 * np.array(buckets))
    assert found.clusters != mapped.clusters
    assert found.measured == (layer.told,)
    assert found.as_of == max(mapped.as_of, layer.told.heard_last)


def test_other_contracts_stay_as_modelled():
    buckets = [10.0, 10.0, 10.0, 10.0]
    at = market(interest=40.0)
    layers = layers_of(at, states_of([(False, 20.0, 0.001, True, 1.0)]), [], S)
    elsewhere = modelled(buckets, buckets, key="okx:ETH-USDT-SWAP")
    found = blended(elsewhere, layers, at, S)
    assert (found.shorts.usd / found.middle).sum() == pytest.approx(60.0)
    assert any("only its public accounts are in the map" in note for note in found.notes)


def test_loans_come_on_top():
    at = NOW - HOUR_NS
    loan = LoanState(protocol="aave_v3", account="0x1", asset="ETH", ts=at, usable_from=at, collateral_coin=7.0,
                     debt_coin=0.0, threshold=0.8, other_debt_usd=7.0 * 0.8 * 2_900.0)  # fmt: skip
    buckets = [10.0] * 4
    layers = layers_of(market(interest=40.0), [], [loan], S)
    found = blended(modelled(buckets, buckets), layers, market(interest=40.0), S)
    assert (found.longs.usd / found.middle).sum() == pytest.approx(47.0)
    assert (found.shorts.usd / found.middle).sum() == pytest.approx(40.0)
    assert found.within("long", 5.0).exact == pytest.approx(7.0 * 2_900.0, rel=1e-3)
    assert any("loans come on top" in note for note in found.notes)


def test_accounts_alone_make_a_map_of_lower_bounds():
    at = market(interest=100.0)
    layers = layers_of(at, states_of([(False, 20.0, 0.02, True, 1.0)]), [], S)
    found = blended(Unmapped("1 figures of open interest, needs 24"), layers, at, S)
    assert isinstance(found, LiquidationMap)
    three = found.at_risk("short", 3.0)
    assert (three.provenance, three.at_least) == ("measured", True)
    assert three.value == pytest.approx(20.0 * PRICE * 1.02, rel=1e-3)
    assert found.at_risk("long", 3.0).provenance == "measured"
    assert found.at_risk("long", 3.0).at_least
    assert found.price == PRICE
    assert [source.key for source in found.sources] == [KEY]
    assert "nothing is modelled beside them: 1 figures" in found.notes[-1]


def test_what_was_scaled_or_kept_as_told_is_said():
    found, _, _ = blend(
        [(False, 90.0, 0.02, True, 1.0), (False, 50.0, 0.03, False, 1.0)], [50.0, 50.0]
    )
    text = " ".join(found.notes)
    assert "1.4 times the open interest" in text
    assert "1 of 2 positions stand at the price the venue told" in text

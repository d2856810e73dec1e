"""Others' liquidations on the way to one's own, and which price a position is valued at."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from playbook.situations import NOW, last_close, position, situation, tell_of

from airpocket.domain.units import MINUTE_NS
from airpocket.liquidations.records import Amount, Cluster, Ladder
from airpocket.market.state import Observations
from airpocket.playbook.plan import plan_for
from airpocket.playbook.situation import mark_of


def with_map(side, reach):
    """A map of one dollar million per 1 % bucket of `side`, `reach` buckets each way."""
    price = last_close()
    edge = price * np.exp(0.01 * np.arange(-reach, reach + 1))
    one = np.full(2 * reach, 1e6)
    ladder = Ladder(one, np.stack([0.5 * one, one, 2.0 * one]))
    clusters = tuple(
        Cluster(
            side,
            price * (f - 0.01),
            price * (f + 0.01),
            price * f,
            100 * (f - 1),
            Amount(3e6, 1e6, 5e6),
            0.1,
        )
        for f in (0.6, 0.92, 1.08, 1.6)
    )
    made = SimpleNamespace(
        edge=edge, middle=np.sqrt(edge[:-1] * edge[1:]), ladder=lambda _: ladder, clusters=clusters,
        as_of=NOW,
    )  # fmt: skip
    return replace(situation(), map=made)


@pytest.mark.parametrize("side", ["short", "long"])
def test_fuel_is_what_lies_between_the_price_and_ones_own_liquidation(side) -> None:
    plan = plan_for(position(side), with_map(side, 40))
    away = abs(np.log(1 + tell_of(plan.margin, "distance") / 100))
    inside = sum(k + 0.5 <= 100 * away for k in range(40))
    assert tell_of(plan.fuel, "fuel") == inside * 1e6
    told = next(tell.estimate for tell in plan.fuel.tells if tell.id == "fuel")
    assert told.low < told.value < told.high
    assert told.provenance == "modelled"
    text = " ".join(plan.fuel.notes)
    assert ("+8.0 %" if side == "short" else "-8.0 %") in text
    assert "60.0 %" not in text


def test_a_map_that_ends_before_liquidation_says_so() -> None:
    plan = plan_for(position(), with_map("short", 5))
    told = next(tell.estimate for tell in plan.fuel.tells if tell.id == "fuel")
    assert "the map ends at" in told.unknown


def with_ticker(minutes_old, mark):
    base = situation()
    [contract] = base.market.contracts
    ts = np.array([NOW - minutes_old * MINUTE_NS])
    columns = {
        "ts": ts,
        "usable_from": ts,
        "last": np.array([1.0]),
        "mark": np.array([mark]),
        "index": np.array([1.0]),
    }
    table = Observations("ticker", columns, ("made",))
    contract = replace(contract, tables={**contract.tables, "ticker": table})
    return replace(base, market=replace(base.market, contracts=(contract,)))


@pytest.mark.parametrize(
    ("minutes_old", "mark", "taken"),
    [(0, 3210.0, True), (4, 3210.0, True), (30, 3210.0, False), (0, float("nan"), False)],
)
def test_the_mark_price_wins_unless_a_trade_is_clearly_newer(minutes_old, mark, taken) -> None:
    found = mark_of(with_ticker(minutes_old, mark), position(), 2.0)
    assert found.price.value == (mark if taken else last_close())
    assert ("own mark price" in found.words) is taken
    assert found.price.provenance == "measured"


def test_another_venues_position_is_priced_by_the_reference_and_called_mixed() -> None:
    found = mark_of(situation(), position(venue="okx", symbol="ETH-USDT-SWAP"), 2.0)
    assert found.price.value == last_close()
    assert found.price.provenance == "mixed"
    assert "binance_usdm:ETHUSDT stands in" in found.words

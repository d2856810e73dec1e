"""A census of all the lab's Hyperliquid accounts, held against the truth that the lab knows of them."""

import asyncio

import numpy as np
import polars as pl
import pytest
from ingest.census.made import Hands, InHouse, crawled
from lab.served.test_gate import Served
from lab.served.worlds import opened, world

from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS
from airpocket.ingest.ask import Asker
from airpocket.ingest.census.crawl import Census, CensusSettings
from airpocket.ingest.census.stored import accounts_of
from airpocket.ingest.connection import World
from airpocket.ingest.dial import websocket_dial
from airpocket.ingest.lake import Lake
from airpocket.lab.addresses import address_of
from airpocket.lab.runs.recording import contracts_of
from airpocket.lab.runs.truth import Survey, agents_of, cross_accounts
from airpocket.liquidations.grid import bucket_of
from airpocket.liquidations.measured import layers_of
from airpocket.liquidations.settings import MapSettings
from airpocket.market.state import MarketState

SETTINGS = MapSettings()
COLUMNS = ("ts", "usable_from")


def market_at(now, mark, interest):
    """Hyperliquid's ETH as the public knows it: one closed bar at the mark, and its open interest."""
    at = np.array([now - MINUTE_NS], dtype=np.int64)
    prices = {name: np.array([mark]) for name in ("open", "high", "low", "close")}
    volume = dict.fromkeys(("volume", "volume_usd", "taker_buy"), np.array([1.0]))
    state = MarketState("ETH")
    state.apply(
        Batch(
            "bar_1m",
            "hyperliquid",
            "ETH",
            {"ts": at, "usable_from": at + MINUTE_NS, **prices, **volume},
        )
    )
    held = {"amount": np.array([interest]), "unit": np.array(["coin"]), "averaged_s": np.array([0])}
    state.apply(Batch("open_interest", "hyperliquid", "ETH", {"ts": at, "usable_from": at, **held}))
    return state.snapshot(now)


@pytest.fixture(scope="module")
def house():
    """A market that has traded for a while: isolated and cross accounts, makers, arbitrage."""
    found = opened(world((), without=("sim_bybit",), flow=-12.0, leverage=20.0), speed=10.0)
    for _ in found.until(found.now + 6 * SECOND_NS):
        pass
    return found


@pytest.fixture(scope="module")
def truth(house):
    """Every open position of Hyperliquid as it stands, by address."""
    m = house.session.market
    agents = agents_of(m)
    survey = Survey(agents, cross_accounts(m, agents))
    listed = contracts_of(house.session.world, 1)
    survey.look(m, [each for each in listed if each.venue == "sim_hyperliquid"])
    frame = survey.positions()
    return {address_of(row["account"]): row for row in frame.iter_rows(named=True)}


@pytest.fixture(scope="module")
def census(house, tmp_path_factory):
    store = tmp_path_factory.mktemp("census")
    ask = InHouse(house)
    found = crawled(store, ask, Hands(house.now))
    return found, accounts_of(Lake(store), found.tally.last), ask


def open_interest(truth):
    """Of this very moment; the venue tells its own a few seconds late."""
    return sum(row["size_coin"] for row in truth.values() if row["side"] == "long")


def test_every_position_is_found_as_it_is(census, truth):
    _, states, _ = census
    held = {state.account: state.holdings[0] for state in states if state.holdings}
    own = {address for address, row in truth.items() if row["agent"] == "venue"}
    assert set(held) == set(truth) - own
    assert {each.backing for each in held.values()} == {"cross", "isolated"}
    for account, holding in held.items():
        row = truth[account]
        assert abs(holding.size_coin) == pytest.approx(row["size_coin"], rel=1e-9)
        assert (holding.side, holding.backing) == (row["side"], row["margin_mode"])
        assert holding.mark == pytest.approx(row["mark"], rel=1e-7)
        assert holding.entry_price == pytest.approx(row["entry_price"], rel=1e-7)


def test_the_measured_ladder_is_the_lab_s_true_ladder(census, truth):
    """Bucket by bucket, from nothing but the venue's answers; a price on an edge may fall to either side."""
    found, states, _ = census
    mark = next(iter(truth.values()))["mark"]
    now = found.tally.last + MINUTE_NS
    interest = open_interest(truth)
    (layer,) = layers_of(market_at(now, mark, interest), states, [], SETTINGS)
    assert layer.told.as_told == 0  # our kernel gives every price that the lab's own engine acts on
    mine = {"short": layer.shorts, "long": layer.longs}
    for side in ("short", "long"):
        true = [row for row in truth.values() if row["side"] == side and row["agent"] != "venue"]
        priced = [
            row
            for row in true
            if row["liquidation_price"] is not None and row["liquidation_price"] > 0
        ]
        expected = np.zeros_like(mine[side])
        for row in priced:
            expected[bucket_of(row["liquidation_price"], SETTINGS.width) - layer.first] += row[
                "size_coin"
            ]
        assert len(priced) > 5
        assert np.abs(np.cumsum(mine[side]) - np.cumsum(expected)).max() <= 1e-6 * interest
        endless = sum(row["size_coin"] for row in true) - sum(row["size_coin"] for row in priced)
        assert layer.told.endless[0 if side == "short" else 1] == pytest.approx(endless, abs=1e-6)
        assert layer.told.coverage(side) == pytest.approx(1.0, abs=1e-6)


def test_coverage_of_open_interest_is_whole_and_all_are_asked_once(census, truth):
    found, _, ask = census
    users = [each["user"] for each in ask.asked if each["type"] == "clearinghouseState"]
    assert len(users) == len(set(users))
    assert found.tally.coverage("ETH") == pytest.approx((1.0, 1.0), abs=0.02)
    assert set(truth) <= set(users) | {a for a, row in truth.items() if row["agent"] == "venue"}


def test_an_account_in_profit_after_the_census_keeps_its_price_and_a_touched_one_goes(
    census, truth
):
    found, states, _ = census
    mark = next(iter(truth.values()))["mark"]
    now = found.tally.last + HOUR_NS
    calm = market_at(now, mark, open_interest(truth))
    (before,) = layers_of(calm, states, [], SETTINGS)
    shorts = sorted(
        row["liquidation_price"] for row in truth.values()
        if row["side"] == "short" and row["agent"] != "venue" and row["liquidation_price"]
    )  # fmt: skip
    reach = shorts[len(shorts) // 2] * (1.0 + 1e-6)
    (after,) = layers_of(market_at(now, reach, open_interest(truth)), states, [], SETTINGS)
    gone = sum(
        row["size_coin"] for row in truth.values()
        if row["side"] == "short" and row["agent"] != "venue"
        and row["liquidation_price"] and row["liquidation_price"] <= reach
    )  # fmt: skip
    assert after.told.passed[0] == pytest.approx(gone)
    assert after.longs.sum() == pytest.approx(before.longs.sum())
    assert before.shorts.sum() - after.shorts.sum() == pytest.approx(gone)


def test_the_census_over_loopback_keeps_the_venue_s_budget_and_meets_live_users(tmp_path):
    """The real asker, the real websocket, the lab's own limits: nobody is refused, and OI is covered."""

    async def run():
        made = world((), without=("sim_bybit",), flow=-12.0, leverage=20.0)
        async with Served(made, speed=4.0) as served:
            gate = served.gate.address
            ask = Asker({"hyperliquid": 2_400}, served.clock, gate=f"http://{gate}")
            around = World(served.clock, websocket_dial(f"ws://{gate}"), ask)
            census = Census(tmp_path, ("ETH",), around, CensusSettings(for_s=60.0, flush_s=1.0))

            def enough(one):
                tally = one.tally
                if (
                    tally.met["trade"]
                    and tally.interest_coin
                    and tally.asked >= len(one.roster) > 50
                ):
                    one.stop()

            await census.run(enough)
            await ask.close()
            return census, served.gate

    census, gate = asyncio.run(run())
    assert gate.refused[429] == gate.refused[418] == 0
    assert gate.opened["hyperliquid public"] == 1
    assert census.tally.met["leaderboard"] > 50
    long, short = census.tally.coverage("ETH")
    assert 0.9 < long < 1.1
    assert 0.9 < short < 1.1
    assert Lake(tmp_path).verify() == []
    rows = Lake(tmp_path).read("account", "hyperliquid", "ACCOUNTS")
    assert rows.filter(pl.col("usable_from") < pl.col("ts")).height == 0

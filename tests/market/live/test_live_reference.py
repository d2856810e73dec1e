"""Forced flow and reference data in live state: what is kept of them each minute, and what is not believed."""

import pytest

from airpocket.domain.events import OpenInterest, Ticker
from airpocket.domain.wire import Liquidation, Listing, MarginTiers, OffBook, Trade
from airpocket.market.live.reference import Change, Version
from airpocket.market.live.state import LiveState
from airpocket.market.rules import tiers_in_force
from airpocket.market.state import MarketState

S = 1_000_000_000
M = 60 * S
T0 = 1_800_000_000 * S - (1_800_000_000 * S) % M
ETHUSDT = ("binance_usdm", "ETHUSDT")


def said(at, venue=ETHUSDT):
    return {"venue": venue[0], "symbol": venue[1], "ts": at, "usable_from": at, "heard": at}


def trade(number, at, price=3_000.0, size=1.0, venue=ETHUSDT):
    return Trade(**said(at, venue), price=price, size=size, notional_usd=price * size, taker_side="sell",
                 trade_id=number)  # fmt: skip


def interest(at, amount):
    return OpenInterest(**said(at), amount=amount, unit="coin")


def off_book(number, at, reason):
    return OffBook(**said(at), price=2_366.55, size=3.0, reason=reason, trade_id=number)


def kept(state, kind, column):
    return [v for b in state.facts if b.kind == kind for v in b.columns[column].tolist()]


@pytest.mark.fault("L06")
def test_a_jump_of_open_interest_is_not_kept_until_it_is_confirmed():
    state = LiveState("ETH")
    for at, amount in ((10, 1e6), (70, 1e7), (130, 1.02e6), (190, 1e7), (205, 1e7)):
        state.apply(interest(T0 + at * S, amount), "rest#1")
        state.apply(trade(at, T0 + (at + 1) * S), "public#1")
        if at == 70:
            why = state.suspicions(T0 + 72 * S)[(*ETHUSDT, "open_interest")]
            assert why == "a jump from 1e+06 to 1e+07 coin awaits a second sample"
    state.apply(trade(1_000, T0 + 300 * S), "public#1")
    assert kept(state, "open_interest", "amount") == [1e6, 1.02e6, 1e7]


@pytest.mark.fault("L08")
def test_takeovers_and_deleveraging_are_kept_apart_from_the_tape_and_the_price():
    state = LiveState("ETH")
    state.apply(trade(1, T0 + S), "public#1")
    for number, reason in enumerate(("insurance_fund", "adl", "block"), 10):
        state.apply(off_book(number, T0 + (51 + number) * S, reason), "public#1")
    state.apply(trade(2, T0 + 64 * S), "public#1")
    state.apply(off_book(11, T0 + 65 * S, "adl"), "public#2")  # told again by a successor
    state.apply(trade(3, T0 + 180 * S), "public#1")
    assert kept(state, "off_book", "cause") == ["insurance", "deleveraging", "other"]
    assert state.markets[ETHUSDT].tick["last"][2] == 3_000.0
    assert kept(state, "tape_1m", "sell_usd")[0] == 3_000.0
    assert not kept(state, "liquidation", "seq")


@pytest.mark.fault("L07")
def test_a_close_told_as_trade_and_as_liquidation_adds_once_to_either():
    state = LiveState("ETH")
    venue = ("deribit", "ETH-PERPETUAL")
    state.apply(trade("a", T0 + S, venue=venue), "public#1")
    for connection in ("public#1", "public#2"):  # the second replays what the first told
        state.apply(trade("b", T0 + 61 * S, 2_900.0, 2.0, venue), connection)
        forced = Liquidation(
            **said(T0 + 61 * S, venue), forced_side="sell", price=2_900.0, price_kind="fill", size=2.0,
            notional_usd=5_800.0, coverage="all", trade_id="b",
        )  # fmt: skip
        state.apply(forced, connection)
    state.apply(trade("c", T0 + 180 * S, venue=venue), "public#2")
    assert kept(state, "tape_1m", "sell_usd")[0] == 5_800.0
    assert kept(state, "liquidation", "notional_usd") == [5_800.0]


def prices(state, at, price, venues):
    for venue, symbol in venues:
        state.apply(Ticker(**said(at, (venue, symbol)), last=price, mark=price, index=price), "c#1")


OTHERS = [("bybit_linear", "ETHUSDT"), ("okx", "ETH-USDT-SWAP"), ("hyperliquid", "ETH")]


@pytest.mark.fault("M12")
def test_a_venue_whose_mark_leaves_the_others_is_suspect_alone_and_recovers():
    state = LiveState("ETH")
    prices(state, T0, 3_000.0, [*OTHERS, ETHUSDT])
    assert not state.suspicions(T0 + S)
    state.apply(Ticker(**said(T0 + 2 * S), mark=1_950.0), "c#1")
    assert state.suspicions(T0 + 3 * S) == {
        (*ETHUSDT, "price"): "mark is -35.0 % off the median of 3 other venues"
    }
    state.apply(Ticker(**said(T0 + 4 * S), mark=3_000.0), "c#1")
    assert not state.suspicions(T0 + 5 * S)


@pytest.mark.fault("M13")
def test_sums_in_a_coin_that_lost_its_peg_are_converted_and_said_to_be():
    state = LiveState("ETH")
    dollars = [("coinbase", "ETH-USD"), ("kraken_spot", "ETH/USD")]
    tether = [("binance_spot", "ETHUSDT"), ("bybit_spot", "ETHUSDT")]
    state.apply(trade(1, T0 + S), "public#1")
    prices(state, T0 + 61 * S, 3_000.0, dollars)
    prices(state, T0 + 61 * S, 3_750.0, tether)  # a tether is worth 80 cents
    state.suspicions(T0 + 62 * S)
    assert state.notes() == ["1 USDT is worth 0.8000 USD by spot ETH: dollar sums are converted"]
    state.apply(trade(2, T0 + 63 * S, 3_750.0), "public#1")
    state.apply(Liquidation(**said(T0 + 64 * S), forced_side="buy", price=3_750.0, price_kind="fill", size=2.0,
                            notional_usd=7_500.0, coverage="sample"), "public#1")  # fmt: skip
    state.apply(trade(3, T0 + 180 * S), "public#1")
    tape = [b for b in state.facts if b.kind == "tape_1m" and b.venue == "binance_usdm"]
    assert tape[0].floats("sell_usd")[0] == pytest.approx(3_000.0)
    assert kept(state, "liquidation", "notional_usd") == [pytest.approx(6_000.0)]


def changed(at, what="status", **changes):
    fields = {"base": "ETH", "kind": "linear", "contract_size": 1.0, "size_unit": "coin", "tick_size": 0.01,
              "status": "live", "listed_at": 1_577_836_800 * S, **changes}  # fmt: skip
    version = Version(1, at, Listing(**said(at), **fields))
    return Change(*ETHUSDT, what, at, version, "")


@pytest.mark.fault("M02", "M05")
def test_every_version_of_a_listing_is_kept_with_its_time():
    state = LiveState("ETH")
    state.changed(changed(T0 + S))
    state.apply(trade(1, T0 + 2 * S), "public#1")
    state.changed(changed(T0 + 20 * S, "rules", tick_size=0.1))
    state.changed(changed(T0 + 30 * S, status="settling", tick_size=0.1))
    state.apply(trade(2, T0 + 70 * S), "public#1")
    assert kept(state, "listing", "ts") == [T0 + S, T0 + 20 * S, T0 + 30 * S]
    assert kept(state, "listing", "tick_size") == [0.01, 0.1, 0.1]
    assert (
        kept(state, "listing", "reason")[-1] == "the venue settles it: positions can only be closed"
    )


def tiers(at, rate):
    brackets = (
        (0.0, 50_000.0, rate, 125.0, 0.0),
        (50_000.0, 600_000.0, 2 * rate, 100.0, rate * 50_000.0),
    )
    return MarginTiers(**said(at), currency="USDT", brackets=brackets)


@pytest.mark.fault("M11")
def test_announced_margin_tiers_are_in_force_from_when_they_were_heard():
    state = LiveState("ETH")
    found = {}
    for turn, rate in enumerate((0.004, 0.01)):
        at = T0 + turn * 3_600 * S
        state.apply(tiers(at, rate), "market#1")
        state.apply(trade(turn, at + S), "public#1")
        state.apply(trade(10 + turn, at + 70 * S), "public#1")
        market = MarketState("ETH")
        for batch in state.facts:
            if batch.kind == "tier":
                market.apply(batch)
        now = at + 100 * S
        [contract] = market.snapshot(now).contracts
        schedule = tiers_in_force(contract, now)
        found[turn] = (schedule.as_of, schedule.mmr.tolist())
    assert found == {0: (T0, [0.004, 0.008]), 1: (T0 + 3_600 * S, [0.01, 0.02])}

"""What a live market does not believe: prints far off, trades told twice, and whatever it was not subscribed to."""

import itertools

import pytest

from airpocket.domain.events import Ticker
from airpocket.domain.wire import BookChange, Liquidation, OffBook, OptionTick, Trade
from airpocket.market.live.state import LiveState

S = 1_000_000_000
M = 60 * S
T0 = 1_800_000_000 * S - (1_800_000_000 * S) % M
NUMBERS = itertools.count(1)


def said(at, venue="coinbase", symbol="ETH-USD"):
    return {"venue": venue, "symbol": symbol, "ts": at, "usable_from": at, "heard": at}


def trade(at, price=3_000.0, size=1.0, number=None, **who):
    return Trade(**said(at, **who), price=price, size=size, notional_usd=price * size, taker_side="buy",
                 trade_id=f"n{next(NUMBERS)}" if number is None else number)  # fmt: skip


def mark(at, price=3_000.0):
    return Ticker(**said(at, "binance_usdm", "ETHUSDT"), mark=price, index=price)


def bars(state):
    return [batch for batch in state.facts if batch.kind == "bar_1m"]


def started():
    """A spot market whose asset has a mark price, heard from the start of a minute."""
    state = LiveState("ETH")
    state.apply(trade(T0 + S, number=98), "c#1")
    state.apply(mark(T0 + 59 * S), "m#1")
    state.apply(trade(T0 + 60 * S, number=99), "c#1")
    return state, state.markets["coinbase", "ETH-USD"]


@pytest.mark.fault("V05")
@pytest.mark.parametrize(
    ("price", "size"),
    [(3_000_000.0, 1.0), (3.0, 1.0), (3_000.0, 1e17)],
    ids=["x1000", "/1000", "size"],
)
def test_one_print_far_off_is_suspect_and_never_a_price(price, size):
    state, market = started()
    state.apply(trade(T0 + 70 * S, price, size), "c#1")
    state.apply(trade(T0 + 80 * S, 3_001.0), "c#1")
    assert market.outliers.count == 1
    assert (market.tape.running.high, market.tape.running.low) == (3_001.0, 3_000.0)
    assert market.tick["last"][2] == 3_001.0
    assert (
        "1 prints far from mark and index"
        in state.faults(T0 + 90 * S)["coinbase", "ETH-USD", "trades"]
    )
    assert state.faults(T0 + 140 * S) == {}
    state.apply(trade(T0 + 185 * S), "c#1")
    # the minute of the print lacks it, should it have been real: no bar
    assert [int(bar.ints("ts")[0]) for bar in bars(state)] == []


@pytest.mark.fault("V05")
def test_prints_that_stay_far_off_are_believed_in_the_end():
    state, market = started()
    for n in range(30):
        state.apply(trade(T0 + (70 + n) * S, 1_200.0), "c#1")
    assert market.outliers.count == 20
    assert market.tick["last"][2] == 1_200.0


@pytest.mark.fault("V05")
def test_without_a_fresh_mark_nothing_is_far_off():
    state, market = started()
    state.apply(trade(T0 + 200 * S, 30.0), "c#1")
    assert market.outliers.count == 0


@pytest.mark.fault("B17")
def test_trades_replayed_after_a_reconnect_double_no_volume():
    state, market = started()
    told = [trade(T0 + (70 + n) * S, number=100 + n) for n in range(5)]
    for each in told:
        state.apply(each, "c#1")
    state.ended("coinbase", "c#1")
    for each in told[2:]:  # the venue replays the last ones on subscribing
        state.apply(each, "c#2")
    assert market.tape.running.prints == 6
    assert market.tape.repeated == 3
    assert not market.tape.running.whole  # between the connections something may be missing


@pytest.mark.fault("B17")
def test_a_number_that_was_passed_over_and_never_comes_leaves_a_hole():
    """Two come in the other order, which is none; one is a transfer away from the book, which used its number."""
    state, market = started()
    for number in (100, 102, 101, 103):
        state.apply(trade(T0 + 70 * S, number=number), "c#1")
    state.apply(
        OffBook(**said(T0 + 71 * S), price=1.0, size=1.0, reason="block", trade_id=104), "c#1"
    )
    state.apply(trade(T0 + 72 * S, number=105), "c#1")
    state.apply(trade(T0 + 125 * S, number=106), "c#1")
    state.apply(trade(T0 + 126 * S, number=110), "c#1")
    state.apply(trade(T0 + 185 * S, number=111), "c#1")
    state.apply(trade(T0 + 250 * S, number=112), "c#1")
    assert [int(bar.ints("ts")[0]) for bar in bars(state)] == [T0 + M, T0 + 3 * M]
    assert market.tape.witness.missing == 3


@pytest.mark.fault("B18")
def test_two_connections_that_disagree_are_counted_and_nothing_counts_twice():
    state, market = started()
    state.apply(trade(T0 + 61 * S, number=7), "c#2")
    for n in range(10_000):
        at = T0 + 62 * S + n
        state.apply(trade(at, number=1_000 + n), "c#1")
        if n % 10 == 0:  # one in ten never comes by the second
            continue
        state.apply(trade(at, 3_000.0 if n % 100 != 55 else 3_100.0, number=1_000 + n), "c#2")
    witness = market.tape.witness
    assert market.tape.running.prints == 2 + 10_000
    assert witness.repeated == 9_000
    assert witness.contradicted == 100
    assert witness.one_sided == pytest.approx((10_000 - 8_192) / 10, abs=2)


@pytest.mark.fault("B19")
def test_unknown_and_unsubscribed_symbols_create_no_state():
    state = LiveState("ETH", frozenset({("coinbase", "ETH-USD")}))
    strangers = [("coinbase", "ETH-USDC"), ("binance_usdm", "ETHUSDT"), ("coinbase", "<img src=x>"),
                 ("mtgox", "ETH-USD"), ("coinbase", "BTC-USD")]  # fmt: skip
    for venue, symbol in strangers:
        state.apply(trade(T0, venue=venue, symbol=symbol), "c#1")
        state.apply(mark(T0), "c#1")
        state.apply(BookChange(**said(T0, venue, symbol), snapshot=True, first=None, last=1, previous=None,
                               bids=((1.0, 1.0),), asks=((2.0, 1.0),)), "c#1")  # fmt: skip
    assert not state.markets
    assert state.strangers == 3 * len(strangers)
    state.apply(trade(T0), "c#1")
    assert list(state.markets) == [("coinbase", "ETH-USD")]


@pytest.mark.fault("B19")
def test_a_forced_close_of_any_contract_of_the_asset_is_kept_where_the_channel_tells_of_all():
    state = LiveState("ETH", frozenset({("okx", "ETH-USDT-SWAP")}))
    forced = Liquidation(**said(T0, "okx", "ETH-USDC-SWAP"), forced_side="buy", price=3_000.0,
                         price_kind="bankruptcy", size=1.0, notional_usd=3_000.0, coverage="sample")  # fmt: skip
    state.apply(forced, "c#1")
    assert list(state.markets) == [("okx", "ETH-USDC-SWAP")]


@pytest.mark.fault("B19", "R04")
def test_strangers_and_options_without_end_stay_within_bounds():
    state = LiveState("ETH")
    for n in range(51_000):
        state.apply(trade(T0, venue="coinbase", symbol=f"X{n}-USD"), "c#1")
        option = OptionTick(**said(T0, "deribit", f"ETH-{n}"), base="ETH", expiry=T0, strike=float(n + 1),
                            call=True, price_unit="coin")  # fmt: skip
        state.apply(option, "c#1")
    assert not state.markets
    assert (len(state.chain), state.chain.crowded) == (50_000, 1_000)
    assert state.strangers == 51_000

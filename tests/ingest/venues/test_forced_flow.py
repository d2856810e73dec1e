"""Forced flow on every venue's wire, worked out by hand: sides, sizes, prices, units, and what it is told twice."""

import json

import pytest

from airpocket.domain.units import HOUR_NS
from airpocket.domain.wire import Liquidation, OffBook, Trade
from airpocket.ingest.venues.okx.decoder import decoder_with
from airpocket.ingest.venues.registry import VENUES

HEARD = 1_800_000_000_000_000_000
MS = HEARD // 1_000_000


def decoded(venue, message, address=""):
    return VENUES[venue].decode(json.dumps(message).encode(), HEARD, address)


def force_order(symbol="ETHUSDT", **changed):
    order = {"s": symbol, "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "10", "p": "2900", "ap": "2950",
             "X": "FILLED", "l": "4", "z": "10", "T": MS}  # fmt: skip
    return {"e": "forceOrder", "E": MS, "o": {**order, **changed}}


def okx_forced(symbol="ETH-USDT-SWAP", size="20"):
    details = [{"bkPx": "2900", "posSide": "long", "side": "sell", "sz": size, "ts": f"{MS}"}]
    return {
        "arg": {"channel": "liquidation-orders", "instType": "SWAP"},
        "data": [{"instId": symbol, "details": details}],
    }


def bybit_forced(symbol):
    rows = [{"T": MS, "s": symbol, "S": "Buy", "v": "5800", "p": "2900"}]
    return {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "ts": MS, "data": rows}


def deribit_trade(name, amount, liquidation="T"):
    rows = [{"instrument_name": name, "price": 2_900.0, "amount": amount, "direction": "sell", "timestamp": MS,
             "trade_id": "ETH-7", "liquidation": liquidation}]  # fmt: skip
    return {
        "method": "subscription",
        "params": {"channel": f"trades.{name}.100ms", "data": rows},
    }


def kraken_trade(product, size):
    return {"feed": "trade", "product_id": product, "side": "sell", "type": "liquidation", "seq": 7, "time": MS,
            "qty": size, "price": 2_900.0, "uid": "u-7"}  # fmt: skip


# venue, message → coin, dollars, price, kind of price, whether all are told. All of them closed a long.
GOLDEN = [
    ("binance_usdm", force_order(), 10.0, 29_500.0, 2_950.0, "fill", "sample"),
    # filled in part: what was not filled was not forced
    ("binance_usdm", force_order(z="4", X="PARTIALLY_FILLED"), 4.0, 11_800.0, 2_950.0, "fill", "sample"),
    # 10 contracts of 10 USD at 2950
    ("binance_coinm", force_order("ETHUSD_PERP"), 100.0 / 2_950.0, 100.0, 2_950.0, "fill", "sample"),
    ("bybit_linear", bybit_forced("ETHUSDT"), 5_800.0, 16_820_000.0, 2_900.0, "bankruptcy", "all"),
    ("bybit_inverse", bybit_forced("ETHUSD"), 2.0, 5_800.0, 2_900.0, "bankruptcy", "all"),
    # 20 contracts of 0.1 ETH; 20 contracts of 10 USD
    ("okx", okx_forced(), 2.0, 5_800.0, 2_900.0, "bankruptcy", "sample"),
    ("okx", okx_forced("ETH-USD-SWAP"), 200.0 / 2_900.0, 200.0, 2_900.0, "bankruptcy", "sample"),
    ("deribit", deribit_trade("ETH-PERPETUAL", 5_800.0), 2.0, 5_800.0, 2_900.0, "fill", "all"),
    ("deribit", deribit_trade("ETH_USDC-PERPETUAL", 2.0), 2.0, 5_800.0, 2_900.0, "fill", "all"),
    ("kraken_futures", kraken_trade("PF_ETHUSD", 2.0), 2.0, 5_800.0, 2_900.0, "fill", "all"),
    ("kraken_futures", kraken_trade("PI_ETHUSD", 5_800.0), 2.0, 5_800.0, 2_900.0, "fill", "all"),
]  # fmt: skip


@pytest.mark.fault("L09", "M08")
@pytest.mark.parametrize(("venue", "message", "coin", "usd", "price", "kind", "coverage"), GOLDEN)
def test_a_forced_close_is_its_filled_size_at_its_own_price(
    venue, message, coin, usd, price, kind, coverage
):
    [found] = [e for e in decoded(venue, message) if isinstance(e, Liquidation)]
    assert found.forced_side == "sell"
    assert (found.size, found.notional_usd) == (pytest.approx(coin), pytest.approx(usd))
    assert (found.price, found.price_kind, found.coverage) == (price, kind, coverage)


@pytest.mark.fault("L09")
def test_okxs_contracts_are_sized_by_the_listing_in_force():
    message = json.dumps(okx_forced("XYZ-USDT-SWAP")).encode()
    [unsized] = VENUES["okx"].decode(message, HEARD, "")
    assert (unsized.size, unsized.notional_usd) == (None, None)
    [sized] = decoder_with({"XYZ-USDT-SWAP": 0.001})(message, HEARD, "")
    assert (sized.size, sized.notional_usd) == (pytest.approx(0.02), pytest.approx(58.0))


@pytest.mark.fault("L07")
@pytest.mark.parametrize(
    ("venue", "message"),
    [("deribit", deribit_trade("ETH-PERPETUAL", 5_800.0)), ("kraken_futures", kraken_trade("PF_ETHUSD", 2.0))],
)  # fmt: skip
def test_where_prints_say_that_they_were_forced_the_close_names_its_print(venue, message):
    trade, forced = decoded(venue, message)
    assert isinstance(trade, Trade)
    assert isinstance(forced, Liquidation)
    assert forced.trade_id == trade.trade_id
    assert (forced.size, forced.price) == (trade.size, trade.price)


@pytest.mark.fault("L07")
def test_a_print_between_two_liquidated_accounts_is_one_trade_and_two_closes():
    trade, taker, maker = decoded("deribit", deribit_trade("ETH-PERPETUAL", 5_800.0, "MT"))
    assert {taker.trade_id, maker.trade_id} == {trade.trade_id}
    assert {taker.forced_side, maker.forced_side} == {"buy", "sell"}


@pytest.mark.fault("L08")
@pytest.mark.parametrize(
    ("word", "cause"),
    [("INSURANCE_FUND", "insurance"), ("ADL", "deleveraging"), ("NA", "other")],
)
def test_prints_away_from_the_book_are_classed_by_their_cause(word, cause):
    message = {"e": "trade", "E": MS, "T": MS, "s": "ETHUSDT", "t": 7, "p": "2366.55", "q": "3", "X": word,
               "m": True}  # fmt: skip
    [found] = decoded("binance_usdm", message)
    assert isinstance(found, OffBook)
    assert (found.cause, found.price, found.size) == (cause, 2_366.55, 3.0)


@pytest.mark.fault("L08")
def test_the_winner_of_an_auto_deleveraging_was_not_liquidated():
    fill = {"coin": "ETH", "px": "3900", "sz": "28.53", "side": "B", "time": MS, "dir": "Auto-Deleveraging",
            "tid": 9, "liquidation": {"liquidatedUser": "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14"}}  # fmt: skip
    message = {"channel": "userFills", "data": {"user": "0x" + "1" * 40, "fills": [fill]}}
    [found] = decoded("hyperliquid", message)
    assert isinstance(found, OffBook)
    assert found.cause == "deleveraging"


@pytest.mark.fault("L05")
@pytest.mark.parametrize(
    ("venue", "message", "amount", "unit"),
    [("binance_usdm", {"openInterest": "20", "symbol": "ETHUSDT", "time": MS}, 20.0, "coin"),
     ("binance_coinm", {"openInterest": "20", "symbol": "ETHUSD_PERP", "time": MS}, 20.0, "contracts"),
     ("bybit_linear", {"topic": "tickers.ETHUSDT", "type": "delta", "ts": MS,
                       "data": {"symbol": "ETHUSDT", "openInterest": "20"}}, 20.0, "coin"),
     ("bybit_inverse", {"topic": "tickers.ETHUSD", "type": "delta", "ts": MS,
                        "data": {"symbol": "ETHUSD", "openInterest": "20"}}, 20.0, "usd"),
     ("okx", {"arg": {"channel": "open-interest", "instId": "ETH-USDT-SWAP"},
              "data": [{"instId": "ETH-USDT-SWAP", "oi": "200", "oiCcy": "20", "ts": f"{MS}"}]}, 20.0, "coin"),
     ("okx", {"arg": {"channel": "open-interest", "instId": "ETH-USDT-SWAP"},
              "data": [{"instId": "ETH-USDT-SWAP", "oi": "200", "ts": f"{MS}"}]}, 200.0, "contracts"),
     ("hyperliquid", {"channel": "activeAssetCtx", "data": {"coin": "ETH", "ctx": {"openInterest": "20"}}},
      20.0, "coin"),
     ("kraken_futures", {"feed": "ticker", "product_id": "PI_ETHUSD", "time": MS, "openInterest": 20}, 20.0, "usd"),
     ("kraken_futures", {"feed": "ticker", "product_id": "PF_ETHUSD", "time": MS, "openInterest": 20}, 20.0,
      "coin")],
)  # fmt: skip
def test_open_interest_says_what_it_is_counted_in(venue, message, amount, unit):
    [found] = decoded(venue, message)
    assert (found.amount, found.unit) == (amount, unit)


@pytest.mark.fault("M10")
@pytest.mark.parametrize("after", ["", "0"])
def test_a_next_funding_time_that_is_not_said_leaves_the_interval_and_the_countdown_unknown(after):
    row = {"instId": "ETH-USDT-SWAP", "fundingRate": "0.0075", "fundingTime": "", "nextFundingTime": after,
           "maxFundingRate": "0.0075", "minFundingRate": "-0.0075", "ts": f"{MS}"}  # fmt: skip
    arg = {"channel": "funding-rate", "instId": "ETH-USDT-SWAP"}
    [found] = decoded("okx", {"arg": arg, "data": [row]})
    assert (found.interval_s, found.until_settlement_s(HEARD)) == (None, None)
    assert found.capped is True


@pytest.mark.fault("M10")
def test_a_countdown_runs_to_a_settlement_that_is_still_to_come():
    row = {"instId": "ETH-USDT-SWAP", "fundingRate": "0.0001", "fundingTime": f"{MS + 3_600_000}",
           "nextFundingTime": f"{MS + 18_000_000}", "ts": f"{MS}"}  # fmt: skip
    [found] = decoded(
        "okx", {"arg": {"channel": "funding-rate", "instId": "ETH-USDT-SWAP"}, "data": [row]}
    )
    assert found.until_settlement_s(HEARD) == 3_600.0
    assert found.until_settlement_s(HEARD + 2 * HOUR_NS) is None
    assert (found.interval_s, found.capped) == (14_400, None)

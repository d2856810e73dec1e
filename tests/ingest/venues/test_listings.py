"""What each venue's own list says of a contract, in recorded answers and in documented shapes."""

import json

import pytest
from ingest.venues import frames

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.units import parse_time
from airpocket.domain.wire import FundingTerms, Listing, MarginTiers, Roll, VenueState
from airpocket.ingest.venues.binance.decoder import decode as binance
from airpocket.ingest.venues.bybit.decoder import decode as bybit
from airpocket.ingest.venues.coinbase.decoder import decode as coinbase
from airpocket.ingest.venues.deribit.decoder import decode as deribit
from airpocket.ingest.venues.hyperliquid.decoder import decode as hyperliquid
from airpocket.ingest.venues.kraken.futures import decode as kraken_futures
from airpocket.ingest.venues.kraken.spot import decode as kraken_spot
from airpocket.ingest.venues.okx.decoder import decode as okx

HEARD = parse_time("2026-11-26T00:00Z")


def by_symbol(events):
    *rows, roll = events
    assert isinstance(roll, Roll)
    assert roll.symbols == tuple(row.symbol for row in rows)
    return {row.symbol: row for row in rows}


def recorded(shared, name, part):
    folder = shared / "wire" / "cryptofeed-v2"
    return next((a, b) for a, b in frames.answered(folder / name) if part in a)


@pytest.mark.real
@pytest.mark.fault("M08", "L05")
def test_binances_recorded_lists(shared):
    address, body = recorded(shared, "BINANCE_FUTURES.0.gz", "exchangeInfo")
    found = by_symbol(binance("binance_usdm", body, HEARD, address))
    bitcoin = found["BTCUSDT"]
    assert (bitcoin.base, bitcoin.kind, bitcoin.contract_size, bitcoin.size_unit) == (
        "BTC",
        "linear",
        1.0,
        "coin",
    )
    assert (bitcoin.tick_size, bitcoin.lot_size, bitcoin.status) == (0.01, 0.001, "live")
    assert bitcoin.listed_at == 1_569_398_400_000 * 10**6
    assert bitcoin.ends_at is None  # the year 2100 stands for never
    assert found["BTCSTUSDT"].status == "halted"  # PENDING_TRADING
    assert not any("_2" in symbol for symbol in found)  # dated futures
    assert len(found) == len(json.loads(body)["symbols"]) - 2

    address, body = recorded(shared, "BINANCE.0.gz", "exchangeInfo")
    pair = by_symbol(binance("binance_spot", body, HEARD, address))["ETHUSDT"]
    assert (pair.base, pair.kind, pair.tick_size, pair.lot_size) == ("ETH", "spot", 0.01, 0.0001)


@pytest.mark.real
@pytest.mark.fault("M08", "L05")
def test_deribits_recorded_list_counts_in_coin_or_dollars_whatever_its_contract_size(shared):
    address, body = recorded(shared, "DERIBIT.0.gz", "get_instruments?currency=BTC")
    perp = by_symbol(deribit(body, HEARD, address))["BTC-PERPETUAL"]
    assert (perp.kind, perp.contract_size, perp.size_unit) == (
        "inverse",
        1.0,
        "usd",
    )  # the venue's word: 10
    assert (perp.tick_size, perp.lot_size, perp.funding_interval_s) == (0.5, 10.0, 28_800)
    assert perp.listed_at == 1_534_242_287_000 * 10**6
    assert perp.ends_at is None  # the year 3000
    address, body = recorded(shared, "DERIBIT.0.gz", "get_instruments?currency=USDC")
    assert by_symbol(deribit(body, HEARD, address))["UNI_USDC-PERPETUAL"].size_unit == "coin"


@pytest.mark.real
@pytest.mark.fault("M08", "L05")
def test_krakens_and_coinbases_recorded_lists(shared):
    address, body = recorded(shared, "KRAKEN_FUTURES.0.gz", "instruments")
    perps = by_symbol(kraken_futures(body, HEARD, address))
    assert (perps["PI_XBTUSD"].base, perps["PI_XBTUSD"].kind) == ("BTC", "inverse")
    assert (perps["PI_XBTUSD"].size_unit, perps["PI_XBTUSD"].contract_size) == ("usd", 1.0)
    assert perps["PI_XBTUSD"].funding_cap == 0.001
    assert all("_2" not in symbol for symbol in perps)

    address, body = recorded(shared, "KRAKEN.0.gz", "AssetPairs")
    pairs = {each.symbol: each for each in kraken_spot(body, HEARD, address)}
    assert (pairs["BTC/USD"].base, pairs["BTC/USD"].lot_size) == ("BTC", 1e-8)

    address, body = recorded(shared, "COINBASE.0.gz", "products")
    pair = by_symbol(coinbase(body, HEARD, address))["SKL-EUR"]
    assert (pair.status, pair.tick_size, pair.lot_size) == ("live", 0.0001, 0.1)
    one = json.dumps({**json.loads(body)[0], "trading_disabled": True}).encode()
    [alone] = coinbase(one, HEARD, "https://api.exchange.coinbase.com/products/SKL-EUR")
    assert alone.status == "halted"


@pytest.mark.real
@pytest.mark.fault("M06", "L05")
def test_okxs_recorded_list_has_each_contracts_worth(shared):
    address, body = recorded(shared, "OKX.0.gz", "instType=SWAP")
    found = by_symbol(okx(body, HEARD, address))
    worth = {s: (each.contract_size, each.size_unit) for s, each in found.items()}
    assert worth["BTC-USDT-SWAP"] == (0.01, "coin")
    assert worth["ETH-USDT-SWAP"] == (0.1, "coin")
    assert worth["DOGE-USDT-SWAP"] == (1_000.0, "coin")
    assert worth["BTC-USD-SWAP"] == (100.0, "usd")
    assert worth["ETH-USD-SWAP"] == (10.0, "usd")
    assert found["BTC-USD-SWAP"].listed_at == 1_611_916_828_000 * 10**6


COINM = {
    "symbol": "ETHUSD_PERP", "pair": "ETHUSD", "contractType": "PERPETUAL", "contractStatus": "TRADING",
    "contractSize": 10, "baseAsset": "ETH", "quoteAsset": "USD", "onboardDate": 1597042800000,
    "deliveryDate": 4133404800000, "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.01"},
                                               {"filterType": "LOT_SIZE", "stepSize": "1"}],
}  # fmt: skip
BYBIT = {
    "symbol": "ETHUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "ETH",
    "quoteCoin": "USDT", "launchTime": "1615766400000", "deliveryTime": "0",
    "priceFilter": {"tickSize": "0.01"}, "lotSizeFilter": {"qtyStep": "0.01"}, "fundingInterval": 480,
    "upperFundingRate": "0.01", "lowerFundingRate": "-0.01",
}  # fmt: skip
INFO = "https://api.bybit.com/v5/market/instruments-info?category=linear&baseCoin=ETH&limit=1000"


def bybits(rows, cursor=""):
    result = {"category": "linear", "list": rows, "nextPageCursor": cursor}
    body = {"retCode": 0, "retMsg": "OK", "result": result}
    return bybit("bybit_linear", json.dumps(body).encode(), HEARD, INFO)


@pytest.mark.fault("M02", "M08")
@pytest.mark.parametrize(
    ("changed", "status", "ends"),
    [({}, "live", None), ({"contractStatus": "PRE_SETTLE"}, "settling", None),
     ({"contractStatus": "SETTLING"}, "settling", None), ({"contractStatus": "CLOSE"}, "delisted", None),
     ({"contractStatus": "SOMETHING_NEW"}, "unknown", None),
     ({"deliveryDate": 1796112000000}, "live", parse_time("2026-12-01T08:00Z"))],
)  # fmt: skip
def test_coin_margined_contracts_are_worth_dollars_and_may_end(changed, status, ends):
    url = "https://dapi.binance.com/dapi/v1/exchangeInfo"
    body = json.dumps({"symbols": [{**COINM, **changed}]}).encode()
    [found] = by_symbol(binance("binance_coinm", body, HEARD, url)).values()
    assert (found.kind, found.contract_size, found.size_unit) == ("inverse", 10.0, "usd")
    assert (found.status, found.ends_at) == (status, ends)


@pytest.mark.fault("M02", "M09", "M10")
def test_bybit_says_interval_bounds_and_an_announced_end():
    [now] = by_symbol(bybits([BYBIT])).values()
    assert (now.funding_interval_s, now.funding_cap, now.funding_floor) == (28_800, 0.01, -0.01)
    assert (now.tick_size, now.lot_size, now.ends_at) == (0.01, 0.01, None)
    [later] = by_symbol(
        bybits([{**BYBIT, "fundingInterval": 60, "deliveryTime": "1796112000000"}])
    ).values()
    assert (later.funding_interval_s, later.ends_at) == (3_600, parse_time("2026-12-01T08:00Z"))


@pytest.mark.fault("M04")
def test_a_page_is_no_whole_list():
    assert not any(isinstance(each, Roll) for each in bybits([BYBIT], cursor="page=2"))


@pytest.mark.fault("M04")
@pytest.mark.parametrize(
    ("decode", "address"),
    [(lambda b, h, a: binance("binance_usdm", b, h, a), "https://fapi.binance.com/fapi/v1/exchangeInfo"),
     (lambda b, h, a: binance("binance_usdm", b, h, a), "https://fapi.binance.com/fapi/v1/fundingInfo"),
     (lambda b, h, a: bybit("bybit_linear", b, h, a), INFO),
     (okx, "https://www.okx.com/api/v5/public/instruments?instType=SWAP"),
     (deribit, "https://www.deribit.com/api/v2/public/get_instruments?currency=any&kind=future"),
     (hyperliquid, 'https://api.hyperliquid.xyz/info#{"type":"meta"}'),
     (kraken_futures, "https://futures.kraken.com/derivatives/api/v3/instruments"),
     (kraken_spot, "https://api.kraken.com/0/public/AssetPairs?pair=ETHUSD"),
     (coinbase, "https://api.exchange.coinbase.com/products/ETH-USD")],
)  # fmt: skip
def test_a_page_of_html_is_no_list_anywhere(decode, address):
    for body in (b"<!DOCTYPE html><html><title>Just a moment...</title></html>", b"", b"null"):
        with pytest.raises(UndecodableFrame):
            decode(body, HEARD, address)


@pytest.mark.fault("M09")
def test_binances_list_of_adjusted_intervals():
    rows = [{"symbol": "SOLUSDT", "adjustedFundingRateCap": "0.02", "adjustedFundingRateFloor": "-0.02",
             "fundingIntervalHours": 4, "disclaimer": False}]  # fmt: skip
    url = "https://fapi.binance.com/fapi/v1/fundingInfo"
    terms, roll = binance("binance_usdm", json.dumps(rows).encode(), HEARD, url)
    assert isinstance(terms, FundingTerms)
    assert (terms.interval_s, terms.cap, terms.floor) == (14_400, 0.02, -0.02)
    assert (roll.scope, roll.symbols) == ("fundingInfo", ("SOLUSDT",))


@pytest.mark.fault("M02", "M11")
def test_binance_announces_a_contracts_status_and_brackets_on_the_stream():
    data = {"e": "contractInfo", "E": 1_790_000_000_000, "s": "ETHUSDT", "ps": "ETHUSDT", "ct": "PERPETUAL",
            "dt": 4133404800000, "ot": 1569398400000, "cs": "SETTLING",
            "bks": [{"bs": 2, "bnf": 50000, "bnc": 600000, "mmr": 0.005, "cf": 50, "mi": 21, "ma": 100},
                    {"bs": 1, "bnf": 0, "bnc": 50000, "mmr": 0.004, "cf": 0, "mi": 101, "ma": 125}]}  # fmt: skip
    frame = json.dumps({"stream": "!contractInfo", "data": data}).encode()
    listing, tiers = binance("binance_usdm", frame, HEARD)
    assert isinstance(listing, Listing)
    assert (listing.symbol, listing.base, listing.status) == ("ETHUSDT", "ETH", "settling")
    assert isinstance(tiers, MarginTiers)
    assert tiers.currency == "USDT"
    assert tiers.brackets == ((0, 50_000, 0.004, 125, 0), (50_000, 600_000, 0.005, 100, 50))
    data["s"] = "ETHUSDT_261225"
    assert binance("binance_usdm", json.dumps(data).encode(), HEARD) == []


@pytest.mark.fault("M14")
@pytest.mark.parametrize(
    ("decode", "shut", "opened"),
    [(okx, {"arg": {"channel": "status"}, "data": [{"title": "Upgrade", "state": "ongoing"}]},
      {"arg": {"channel": "status"}, "data": [{"title": "Upgrade", "state": "completed"}]}),
     (kraken_spot, {"channel": "status", "type": "update", "data": [{"system": "maintenance"}]},
      {"channel": "status", "type": "update", "data": [{"system": "online"}]}),
     (deribit, {"method": "subscription", "params": {"channel": "platform_state", "data": {"locked": True}}},
      {"method": "subscription", "params": {"channel": "platform_state", "data": {"locked": False}}})],
)  # fmt: skip
def test_venues_say_when_they_are_shut_and_open_again(decode, shut, opened):
    found = [decode(json.dumps(each).encode(), HEARD, "") for each in (shut, opened)]
    assert all(isinstance(event, VenueState) for [event] in found)
    assert [event.trading for [event] in found] == [False, True]


@pytest.mark.fault("M08")
def test_a_quanto_has_no_size_in_coin():
    row = {"instId": "ETH-USDT-SWAP", "instType": "SWAP", "ctType": "linear", "ctVal": "0.001",
           "ctValCcy": "BTC", "tickSz": "0.01", "state": "live"}  # fmt: skip
    url = "https://www.okx.com/api/v5/public/instruments?instType=SWAP"
    body = json.dumps({"code": "0", "msg": "", "data": [row]}).encode()
    [found] = by_symbol(okx(body, HEARD, url)).values()
    assert found.contract_size is None


def test_hyperliquids_list():
    meta = {"universe": [{"name": "ETH", "szDecimals": 4, "maxLeverage": 25},
                         {"name": "GONE", "szDecimals": 2, "maxLeverage": 3, "isDelisted": True}]}  # fmt: skip
    url = 'https://api.hyperliquid.xyz/info#{"type":"meta"}'
    *found, roll = hyperliquid(json.dumps(meta).encode(), HEARD, url)
    assert [(e.symbol, e.status, e.lot_size, e.funding_interval_s) for e in found] == [
        ("ETH", "live", 0.0001, 3_600), ("GONE", "delisted", 0.01, 3_600),
    ]  # fmt: skip
    assert roll.scope == 'info#{"type":"meta"}'

"""Tests of what every venue's answer becomes in the store: units, times, intervals."""

import json
from typing import Any

import polars as pl
import pytest
from ingest.backfill.fake_venue import FakeClock, FakeVenue, body, client

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.units import HOUR_NS, SECOND_NS, parse_time
from airpocket.ingest.backfill.run import backfill
from airpocket.ingest.lake import Lake

SPAN = (parse_time("2025-05-10T08:00Z"), parse_time("2025-05-10T11:00Z"))


def renamed(name: str, old: str, new: str) -> Any:
    """The same body for another contract."""
    return json.loads(json.dumps(body(name)).replace(old, new))


BINANCE = {
    "/fapi/v1/indexPriceKlines": "binance_klines",
    "/fapi/v1/exchangeInfo": "binance_usdm_exchangeInfo",
    "/fapi/v1/klines": "binance_klines",
    "/fapi/v1/markPriceKlines": "binance_klines",
    "/fapi/v1/premiumIndexKlines": "binance_premium_klines",
    "/fapi/v1/fundingRate": "binance_fundingRate",
    "openInterestHist": "binance_openInterestHist",
    "globalLongShortAccountRatio": "binance_ratio",
}
COINM = {
    "/dapi/v1/fundingRate": renamed("binance_fundingRate", "ETHUSDT", "ETHUSD_PERP"),
    "globalLongShortAccountRatio": renamed(
        "binance_ratio", '"symbol": "ETHUSDT"', '"pair": "ETHUSD"'
    ),
    "/dapi/v1/markPriceKlines": "binance_klines",
    "/dapi/v1/indexPriceKlines": "binance_klines",
    "/dapi/v1/exchangeInfo": "binance_coinm_exchangeInfo",
    "/dapi/v1/klines": "binance_coinm_klines",
    "openInterestHist": "binance_coinm_openInterestHist",
}
BYBIT = {
    "instruments-info": "bybit_linear_instruments",
    "kline": "bybit_linear_kline",
    "funding/history": "bybit_funding",
    "open-interest": "bybit_linear_open_interest",
    "account-ratio": "bybit_ratio",
}
BYBIT_INVERSE = {
    "funding/history": renamed("bybit_funding", "ETHUSDT", "ETHUSD"),
    "account-ratio": renamed("bybit_ratio", "ETHUSDT", "ETHUSD"),
    "instruments-info": "bybit_inverse_instruments",
    "kline": "bybit_inverse_kline",
    "open-interest": "bybit_inverse_open_interest",
}
HYPERLIQUID = {
    "metaAndAssetCtxs": "hyperliquid_meta",
    "candleSnapshot": "hyperliquid_candles",
    "fundingHistory": "hyperliquid_funding",
}
DERIBIT = {
    "get_instruments": "deribit_instruments",
    "get_tradingview_chart_data": "deribit_chart",
    "get_funding_rate_history": "deribit_funding",
}
KRAKEN_FUTURES = {
    "/instruments": "kraken_futures_instruments",
    "/1h": "kraken_futures_candles",
    "historicalfundingrates": "kraken_futures_funding",
    "historical-funding-rates": "kraken_futures_funding",
}
DYDX = {
    "perpetualMarkets": "dydx_markets",
    "candles/perpetualMarkets/ETH-USD": "dydx_candles",
    "historicalFunding/ETH-USD": "dydx_funding",
}


def okx() -> dict[str, object]:
    """OKX tells swap and spot apart by parameters, not by path."""

    def instruments(asked: dict[str, str]) -> Any:
        return body(f"okx_{asked['instType'].lower()}_instruments")

    def candles(asked: dict[str, str]) -> Any:
        return body("okx_swap_candles" if asked["instId"].endswith("SWAP") else "okx_spot_candles")

    return {
        "public/instruments": instruments,
        "mark-price-candles": body("okx_mark_candles"),
        "index-candles": body("okx_mark_candles"),
        "candles": candles,
        "funding-rate-history": body("okx_funding"),
        "open-interest-history": body("okx_open_interest"),
        "long-short-account-ratio-contract": body("okx_ratio"),
    }


def stored(
    tmp_path: Any, venue: str, symbol: str, kind: str, routes: dict[str, Any]
) -> pl.DataFrame:
    """Backfill one kind from fixed bodies and read it back from the store."""
    routes = {path: body(a) if isinstance(a, str) else a for path, a in routes.items()}
    clock = FakeClock()
    lake = Lake(tmp_path / "store")
    with client(venue, FakeVenue(routes), clock) as asked:
        backfill(asked, symbol, [kind], SPAN, lake=lake, clock=clock)
    return lake.read(kind, venue, symbol)


def ns(times: pl.Series) -> list[int]:
    return [int(t) * 1_000 for t in times.dt.epoch("us")]


@pytest.mark.parametrize(
    ("venue", "symbol", "routes", "volume", "volume_usd", "taker_buy"),
    [
        ("binance_usdm", "ETHUSDT", BINANCE, 1000.5, 2340000.25, 600.25),
        ("binance_coinm", "ETHUSD_PERP", COINM, 21.5, 50_000.0, 12.75),
        (
            "binance_spot",
            "ETHUSDT",
            {"/exchangeInfo": "binance_spot_exchangeInfo", "/klines": "binance_klines"},
            1000.5,
            2340000.25,
            600.25,
        ),
        ("bybit_linear", "ETHUSDT", BYBIT, 1000.5, 2340000.25, None),
        ("bybit_inverse", "ETHUSD", BYBIT_INVERSE, 1000.5, 2340000.0, None),
        ("okx", "ETH-USDT-SWAP", okx(), 1000.5, 2340000.25, None),
        ("okx", "ETH-USD-SWAP", okx(), 1000.5, 2340000.25, None),
        ("okx", "ETH-USDT", okx(), 1000.5, 2340000.25, None),
        ("hyperliquid", "ETH", HYPERLIQUID, 1000.5, None, None),
        ("deribit", "ETH-PERPETUAL", DERIBIT, 1000.5, None, None),
        ("kraken_futures", "PF_ETHUSD", KRAKEN_FUTURES, 1000.5, None, None),
        ("kraken_futures", "PI_ETHUSD", KRAKEN_FUTURES, None, 1000.5, None),
        (
            "kraken_spot",
            "ETH/USD",
            {"AssetPairs": "kraken_spot_pairs", "OHLC": "kraken_spot_ohlc"},
            1000.5,
            None,
            None,
        ),
        ("dydx", "ETH-USD", DYDX, 1000.5, 2340000.25, None),
        (
            "coinbase",
            "ETH-USD",
            {
                "/products/ETH-USD/candles": "coinbase_candles",
                "/market/products": "coinbase_products",
            },
            1000.5,
            None,
            None,
        ),
    ],
)
def test_bars_of_every_venue_have_coin_volume_and_are_usable_at_their_end(
    tmp_path, venue, symbol, routes, volume, volume_usd, taker_buy
):
    frame = stored(tmp_path, venue, symbol, "bar_1h", routes)

    assert ns(frame["ts"]) == [SPAN[0], SPAN[0] + HOUR_NS, SPAN[0] + 2 * HOUR_NS]
    assert ns(frame["usable_from"]) == [t + HOUR_NS for t in ns(frame["ts"])]
    assert frame["open"].to_list() == [2300.10, 2340.50, 2371.00]
    assert frame["high"].to_list() == [2345.00, 2380.00, 2372.00]
    assert frame["low"].to_list() == [2290.00, 2335.10, 2301.00]
    assert frame["close"].to_list() == [2340.50, 2371.00, 2310.25]
    assert frame["volume"].to_list() == [volume] * 3
    assert frame["volume_usd"].to_list() == [volume_usd] * 3
    assert frame["taker_buy"].to_list() == [taker_buy] * 3
    assert frame["source"].unique().to_list() == [f"rest:{venue}"]


@pytest.mark.fault("D06")
@pytest.mark.parametrize(
    ("venue", "symbol", "routes", "amount", "unit"),
    [
        ("binance_usdm", "ETHUSDT", BINANCE, 1790000.25, "coin"),
        ("binance_coinm", "ETHUSD_PERP", COINM, 204_030.0, "usd"),  # 20,403 contracts of 10 USD
        ("bybit_linear", "ETHUSDT", BYBIT, 800000.25, "coin"),
        ("bybit_inverse", "ETHUSD", BYBIT_INVERSE, 150_000_000.0, "usd"),
        ("okx", "ETH-USDT-SWAP", okx(), 450_000.0, "coin"),  # not the 4,500,000 contracts
        ("okx", "ETH-USD-SWAP", okx(), 450_000.0, "coin"),
    ],
)
def test_open_interest_keeps_the_venues_unit_apart_and_is_usable_an_hour_later(
    tmp_path, venue, symbol, routes, amount, unit
):
    frame = stored(tmp_path, venue, symbol, "open_interest", routes)

    assert frame["amount"].to_list() == [amount] * 3
    assert frame["unit"].unique().to_list() == [unit]
    assert frame["averaged_s"].unique().to_list() == [3600]
    assert ns(frame["usable_from"]) == [t + HOUR_NS for t in ns(frame["ts"])]


@pytest.mark.parametrize(
    ("venue", "symbol", "routes", "hours", "rates"),
    [
        ("binance_usdm", "ETHUSDT", BINANCE, 8, [0.0001]),
        ("binance_coinm", "ETHUSD_PERP", COINM, 8, [0.0001]),
        ("bybit_linear", "ETHUSDT", BYBIT, 8, [0.0001]),
        ("bybit_inverse", "ETHUSD", BYBIT_INVERSE, 8, [0.0001]),
        ("okx", "ETH-USDT-SWAP", okx(), 8, [0.0001]),  # the realised rate, not the estimate
        ("hyperliquid", "ETH", HYPERLIQUID, 1, [0.0000125] * 3),
        (
            "deribit",
            "ETH-PERPETUAL",
            DERIBIT,
            1,
            [0.00001] * 3,
        ),  # the hour's own, not the 8 h figure
        ("kraken_futures", "PF_ETHUSD", KRAKEN_FUTURES, 1, [0.00001] * 3),  # relative, not absolute
        ("dydx", "ETH-USD", DYDX, 1, [0.00001] * 3),
    ],
)
def test_funding_is_a_fraction_per_the_venues_own_interval_known_when_settled(
    tmp_path, venue, symbol, routes, hours, rates
):
    frame = stored(tmp_path, venue, symbol, "funding", routes)

    assert frame["rate"].to_list() == rates
    assert frame["interval_s"].to_list() == [hours * 3600] * len(rates)
    assert frame["usable_from"].equals(frame["ts"].alias("usable_from"))
    assert all(
        0 <= t - SPAN[0] - i * HOUR_NS < 2 * SECOND_NS for i, t in enumerate(ns(frame["ts"]))
    )


@pytest.mark.parametrize(
    ("venue", "symbol", "routes", "value"),
    [
        ("binance_usdm", "ETHUSDT", BINANCE, 1.931),
        ("binance_coinm", "ETHUSD_PERP", COINM, 1.931),
        ("bybit_linear", "ETHUSDT", BYBIT, 1.5),
        ("bybit_inverse", "ETHUSD", BYBIT_INVERSE, 1.5),
        ("okx", "ETH-USDT-SWAP", okx(), 1.93),
    ],
)
def test_ratios_are_longs_over_shorts_and_usable_an_hour_later(
    tmp_path, venue, symbol, routes, value
):
    frame = stored(tmp_path, venue, symbol, "ratio", routes)

    assert frame["value"].to_list() == pytest.approx([value] * 3)
    assert frame["name"].unique().to_list() == ["account"]
    assert ns(frame["usable_from"]) == [t + HOUR_NS for t in ns(frame["ts"])]


@pytest.mark.parametrize("kind", ["mark_bar_1h", "index_bar_1h"])
@pytest.mark.parametrize(
    ("venue", "symbol", "routes"),
    [
        ("binance_usdm", "ETHUSDT", BINANCE),
        ("binance_coinm", "ETHUSD_PERP", COINM),
        ("bybit_linear", "ETHUSDT", BYBIT),
        ("okx", "ETH-USDT-SWAP", okx()),
        ("kraken_futures", "PF_ETHUSD", KRAKEN_FUTURES),
    ],
)
def test_mark_and_index_bars_come_without_volume(tmp_path, venue, symbol, routes, kind):
    frame = stored(tmp_path, venue, symbol, kind, routes)
    assert frame["close"].to_list() == [2340.50, 2371.00, 2310.25]
    assert "volume" not in frame.columns


def test_premium_bars_may_be_negative(tmp_path):
    premium = stored(tmp_path, "binance_usdm", "ETHUSDT", "premium_bar_1h", BINANCE)
    assert premium["open"].to_list() == [-0.00021] * 3
    assert premium["high"].to_list() == [0.0001] * 3


@pytest.mark.parametrize(
    ("venue", "symbol", "kind", "routes"),
    [
        ("okx", "ETH-USD-SWAP", "funding", okx()),
        (
            "binance_usdm",
            "ETHUSDT",
            "open_interest",
            {
                **BINANCE,
                "openInterestHist": renamed("binance_openInterestHist", "ETHUSDT", "币安人生USDT"),
            },
        ),
    ],
)
def test_rows_of_another_contract_are_refused(tmp_path, venue, symbol, kind, routes):
    with pytest.raises(UndecodableFrame, match="rows of another contract than"):
        stored(tmp_path, venue, symbol, kind, routes)


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (None, "lacks a price"),
        ("NaN", "lacks a price"),
        ("abc", "lacks a price"),
        ("-3", "has a price of -3"),
        ("99999", "outside its own low and high"),
    ],
)
def test_a_bar_with_an_impossible_price_is_refused_by_name_and_row(tmp_path, cell, says):
    rows = body("binance_klines")
    rows[1][3] = cell  # the low
    with pytest.raises(
        UndecodableFrame, match=rf"ETHUSDT: the row of 2025-05-10T09:00:00Z .*{says}"
    ):
        stored(tmp_path, "binance_usdm", "ETHUSDT", "bar_1h", {**BINANCE, "/fapi/v1/klines": rows})


def test_a_symbol_of_non_ascii_letters_is_asked_for_like_any_other(tmp_path):
    frame = stored(tmp_path, "binance_usdm", "币安人生USDT", "bar_1h", BINANCE)
    assert frame.height == 3

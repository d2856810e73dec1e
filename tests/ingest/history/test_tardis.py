"""Tardis' CSV files: one layout of many venues, each with its own units."""

import json
from pathlib import Path

import pytest
from ingest.history.archive_samples import DAY_MS, read

from airpocket.domain.errors import BadTable

US = DAY_MS * 1_000
BASE = "exchange,symbol,timestamp,local_timestamp"
TRADES = f"{BASE},id,side,price,amount"
FOLDER = "deribit/{}/2025/05/01/X.csv.gz"


def rows(*lines: str, header: str = TRADES) -> str:
    return "\n".join((header, *lines)) + "\n"


@pytest.mark.parametrize(
    ("exchange", "symbol", "venue", "size"),
    [
        ("binance-futures", "ETHUSDT", "binance_usdm", 50.0),
        ("binance-delivery", "ETHUSD_PERP", "binance_coinm", 0.2),  # contracts of 10 USD
        ("bybit", "ETHUSDT", "bybit_linear", 50.0),
        ("bybit", "ETHUSD", "bybit_inverse", 0.02),
        ("okex-swap", "ETH-USDT-SWAP", "okx", 5.0),  # contracts of 0.1 ETH
        ("deribit", "ETH-PERPETUAL", "deribit", 0.02),
        ("hyperliquid", "ETH", "hyperliquid", 50.0),
    ],
)
def test_amounts_are_as_each_venue_counts_them(
    exchange: str, symbol: str, venue: str, size: float, tmp_path: Path
) -> None:
    content = rows(f"{exchange},{symbol},{US + 7},{US + 900},abc-1,sell,2500,50")

    [table] = read(tmp_path, "tardis", FOLDER.format("trades"), content).tables

    assert (table.kind, table.venue, table.symbol) == ("trade", venue, symbol)
    row = table.frame.row(0, named=True)
    assert (row["size"], row["taker_side"]) == (pytest.approx(size), "sell")
    assert (row["usable_from"] - row["ts"]).microseconds == 893  # known when Tardis heard it


def test_the_side_of_a_liquidation_is_the_orders(tmp_path: Path) -> None:
    content = rows(
        f"deribit,ETH-PERPETUAL,{US + 7},{US + 900},1,sell,2500,5000",
        f"binance-futures,ETHUSDT,{US + 7},{US + 900},2,buy,2500,2",
        f"binance-futures,ETHUSDT,{US + 7},{US + 900},3,buy,2500,2",
        f"bybit,ETHUSDT,{US + 8},{US + 900},3,buy,2500,2",
    )

    found = read(tmp_path, "tardis", FOLDER.format("liquidations"), content)

    columns = ("forced_side", "size", "notional_usd", "coverage", "seq")
    assert {(t.venue, t.symbol): t.frame.select(columns).rows() for t in found.tables} == {
        ("deribit", "ETH-PERPETUAL"): [("sell", 2.0, 5000.0, "all", 0)],
        ("binance_usdm", "ETHUSDT"): [
            ("buy", 2.0, 5000.0, "sample", 0),
            ("buy", 2.0, 5000.0, "sample", 1),
        ],
        ("bybit_linear", "ETHUSDT"): [("buy", 2.0, 5000.0, "unknown", 0)],
    }


def test_a_ticker_becomes_what_it_tells_and_nothing_for_what_it_does_not(tmp_path: Path) -> None:
    header = (
        f"{BASE},funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,"
        "index_price,mark_price"
    )
    content = rows(
        f"okex-swap,ETH-USDT-SWAP,{US + 1},{US + 2},,,,,2500,2499,2501",
        f"okex-swap,ETH-USDT-SWAP,{US + 9},{US + 10},{US},0.0001,,77,2500,,",
        f"deribit,ETH-PERPETUAL,{US + 1},{US + 2},,,,1000000,,,2502",
        header=header,
    )

    found = read(tmp_path, "tardis", FOLDER.format("derivative_ticker"), content)

    frames = {(table.kind, table.venue): table.frame for table in found.tables}
    assert frames["ticker", "okx"].select("last", "index", "mark").rows() == [
        (2500.0, 2499.0, 2501.0),
        (2500.0, None, None),
    ]
    assert frames["funding_estimate", "okx"].select("rate", "interval_s").rows() == [
        (0.0001, 28_800)
    ]
    assert frames["open_interest", "okx"].select("amount", "unit").rows() == [(77.0, "contracts")]
    assert frames["open_interest", "deribit"].select("amount", "unit").rows() == [(1e6, "usd")]


@pytest.mark.parametrize(
    ("name", "line", "problem"),
    [
        ("trades", f"mtgox,ETHUSD,{US},{US},1,buy,1,1", "row 1, column 'exchange'.*no venue"),
        ("trades", f"okex-swap,HYPE-USDT-SWAP,{US},{US},1,buy,1,1", "contract size of okx:HYPE"),
        ("trades", f"bybit,ETHUSDT,{DAY_MS},{US},1,buy,1,1", "column 'timestamp'.*no time in us"),
        ("trades", f"bybit,ETHUSDT,{US - 10**11},{US},1,buy,1,1", "outside 2025-05-01"),
        ("liquidations", f"bybit,ETHUSDT,{US},{US},1,unknown,1,1", "column 'side'.*neither buy"),
        ("liquidations", f"deribit,BTC-FS-X,{US},{US},1,buy,1,1", "holds no row of a contract"),
        ("quotes", f"bybit,ETHUSDT,{US},{US},1,buy,1,1", "its path says no type"),
        ("derivative_ticker", f"bybit,ETHUSDT,{US},{US},1,buy,1,1", "is no Tardis file of"),
    ],
)
def test_what_can_not_be_meant_is_refused(
    name: str, line: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(BadTable, match=problem):
        read(tmp_path, "tardis", FOLDER.format(name), rows(line))


@pytest.mark.real
def test_the_mappers_own_record_of_two_closed_longs_is_two_forced_sells(
    shared: Path, tmp_path: Path
) -> None:
    lines = (shared / "wire/tardis-node/deribit.jsonl").read_text().splitlines()
    told = [
        each
        for line in lines
        for each in json.loads(line).get("expected", [])
        if isinstance(each, dict) and each.get("type") == "liquidation"
    ]
    stamp = 1_584_058_044_032_000  # of the first; the second is read by its own day too
    content = rows(
        *(
            f"deribit,{each['symbol']},{stamp + n},{stamp + n},{each['id']},{each['side']},"
            f"{each['price']},{each['amount']}"
            for n, each in enumerate(told)
        )
    )

    [table] = read(tmp_path, "tardis", "deribit_liquidations_2020-03-13_X.csv.gz", content).tables

    assert len(told) == 2
    assert table.frame["forced_side"].to_list() == ["sell", "sell"]
    assert table.frame["notional_usd"].to_list() == [1120.0, 2500.0]

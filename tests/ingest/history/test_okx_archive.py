"""OKX's archive: trades, candles, funding and books of each layout, and each way they can be wrong."""

import gzip
from pathlib import Path

import pytest
from ingest.history.archive_samples import DAY_MS, MINUTE_MS, lines, packed, read, said, tar

from airpocket.domain.errors import BadTable

HOUR_MS = 60 * MINUTE_MS
TRADES = "instrument_name,trade_id,side,price,size,created_time"


def trades(*rows: str) -> str:
    return "\n".join((TRADES, *rows)) + "\n"


@pytest.mark.parametrize(
    ("symbol", "size", "coin"),
    [
        ("ETH-USDT-SWAP", "5", 0.5),  # contracts of 0.1 ETH
        ("BTC-USDT-SWAP", "5", 0.05),  # of 0.01 BTC
        ("BTC-USD-SWAP", "50", 2.0),  # of 100 USD, at 2,500
        ("ETH-USD-SWAP", "50", 0.2),  # of 10 USD
        ("ETH-USDT", "0.7", 0.7),  # spot counts coin
    ],
)
def test_sizes_of_contracts_become_coin(
    symbol: str, size: str, coin: float, tmp_path: Path
) -> None:
    content = trades(f"{symbol},7,sell,2500,{size},{DAY_MS + 5}")

    [table] = read(tmp_path, "okx_archive", f"{symbol}-trades-2025-05-01.zip", content).tables

    assert (table.kind, table.venue, table.symbol) == ("trade", "okx", symbol)
    row = table.frame.row(0, named=True)
    assert row["size"] == pytest.approx(coin, rel=1e-15)
    assert (row["taker_side"], row["trade_id"], row["price"]) == ("sell", 7, 2500.0)


def test_an_unknown_contract_size_is_an_error_and_may_be_said(tmp_path: Path) -> None:
    name, content = (
        "HYPE-USDT-SWAP-trades-2025-05-01.zip",
        trades(f"HYPE-USDT-SWAP,7,buy,20,5,{DAY_MS}"),
    )

    with pytest.raises(BadTable, match=r"contract size of okx:HYPE-USDT-SWAP is not known.*say"):
        read(tmp_path, "okx_archive", name, content)
    more = '[table.contract_sizes]\n"HYPE-USDT-SWAP" = 0.1'
    [table] = read(tmp_path, "okx_archive", name, content, more).tables

    assert table.frame["size"].to_list() == [0.5]


def test_the_days_of_the_archive_may_be_those_of_utc_plus_8(tmp_path: Path) -> None:
    name = "ETH-USDT-aggtrades-2025-05-01.zip"
    early, too_early = DAY_MS - 8 * HOUR_MS, DAY_MS - 10 * HOUR_MS

    read(tmp_path, "okx_archive", name, trades(f"ETH-USDT,7,buy,20,5,{early}"))
    with pytest.raises(BadTable, match=r"row 1, column 'created_time'.*outside 2025-05-01"):
        read(tmp_path, "okx_archive", name, trades(f"ETH-USDT,7,buy,20,5,{too_early}"))


CANDLES = "instrument_name,open,high,low,close,vol,vol_ccy,vol_quote,open_time,confirm"


def test_candles_of_a_swap_give_coin_and_dollars_and_open_ones_are_left_out(
    tmp_path: Path,
) -> None:
    content = "\n".join(
        (
            CANDLES,
            f"ETH-USDT-SWAP,100,110,95,105,400,40,4200,{DAY_MS},1",
            f"ETH-USDT-SWAP,105,105,105,105,1,0.1,10.5,{DAY_MS + MINUTE_MS},0",
        )
    )

    found = read(tmp_path, "okx_archive", "ETH-USDT-SWAP-candlesticks-2025-05-01.zip", content)

    [table] = found.tables
    assert table.kind == "bar_1m"
    row = table.frame.row(0, named=True)
    assert (row["volume"], row["volume_usd"], row["taker_buy"]) == (40.0, 4200.0, None)
    assert (row["usable_from"] - row["ts"]).total_seconds() == 60
    assert found.files[0].left_out == (("the bar was not closed", 1),)


def test_candles_closer_than_the_interval_are_refused(tmp_path: Path) -> None:
    rows = [f"ETH-USDT,1,1,1,1,4,4,4,{DAY_MS + n * MINUTE_MS},1" for n in range(2)]
    content = "\n".join((CANDLES, *rows))

    with pytest.raises(BadTable, match=r"row 2, column 'open_time'.*less than 5m"):
        read(
            tmp_path, "okx_archive", "ETH-USDT-candlesticks-2025-05-01.zip", content,
            'interval = "5m"',
        )  # fmt: skip


def funding(*rows: tuple[str, str, int]) -> str:
    body = [f"{symbol},{rate},{DAY_MS + hours * HOUR_MS}" for symbol, rate, hours in rows]
    return "\n".join(("instrument_name,funding_rate,funding_time", *body)) + "\n"


FUNDING_FILE = "allswap-fundingrates-2025-05-01.zip"


def test_funding_of_all_swaps_is_split_by_contract_and_its_interval_is_the_spacing(
    tmp_path: Path,
) -> None:
    content = funding(
        ("ETH-USDT-SWAP", "0.0001", 0),
        ("HYPE-USDT-SWAP", "-0.00002", 0),
        ("HYPE-USDT-SWAP", "-0.00003", 4),
        ("ETH-USDT-SWAP", "0.0002", 8),
        ("BTC-USD_UM_XPERP-310404", "0.1", 0),
        ("SOL-USDT-SWAP", "0.1", 0),
    )

    found = read(tmp_path, "okx_archive", FUNDING_FILE, content)

    rows = {table.symbol: table.frame.select("rate", "interval_s").rows() for table in found.tables}
    assert rows == {
        "ETH-USDT-SWAP": [(0.0001, 28_800), (0.0002, 28_800)],
        "HYPE-USDT-SWAP": [(-0.00002, 14_400), (-0.00003, 14_400)],
    }
    assert found.files[0].left_out == (
        ("contracts whose names airpocket does not know", 1),
        ("settlements whose interval can't be told", 1),  # SOL settles once here
    )


def test_of_all_swaps_only_those_asked_for_are_taken(tmp_path: Path) -> None:
    content = funding(
        ("ETH-USDT-SWAP", "0.0001", 0), ("ETH-USDT-SWAP", "0.0001", 8), ("X-USDT-SWAP", "1e-5", 0)
    )

    found = read(tmp_path, "okx_archive", FUNDING_FILE, content, 'symbols = ["ETH-USDT-SWAP"]')

    assert [(one.symbol, one.rows) for one in found.series] == [("ETH-USDT-SWAP", 2)]
    with pytest.raises(BadTable, match="holds no row of DOGE-USDT-SWAP"):
        read(tmp_path, "okx_archive", FUNDING_FILE, content, 'symbols = ["DOGE-USDT-SWAP"]')


BOOK_FILE = "ETH-USDT-SWAP-L2orderbook-400lv-2025-05-01.tar.gz"


def change(at: int, bids: list, asks: list, action: str = "update", symbol="ETH-USDT-SWAP"):
    return {
        "instId": symbol, "action": action, "ts": str(DAY_MS + at), "asks": asks, "bids": bids,
    }  # fmt: skip


def snapshot(at: int, **more):
    # 400 levels of 0.50 around 1000, 20 contracts (2 ETH) each
    bids = [[f"{999.5 - 0.5 * n}", "20", "1"] for n in range(400)]
    asks = [[f"{1000.5 + 0.5 * n}", "20", "1"] for n in range(400)]
    return change(at, bids, asks, "snapshot", **more)


def test_a_recorded_book_becomes_depth_in_coin(tmp_path: Path) -> None:
    rows = [
        snapshot(100),
        change(90_000, [["999.5", "70", "2"]], []),
        change(100_000, [["999.5", "0", "0"], ["999.75", "10", "1"]], []),
    ]

    [table] = read(tmp_path, "okx_archive", BOOK_FILE, lines(rows)).tables

    assert (table.kind, table.venue, table.symbol) == ("depth", "okx", "ETH-USDT-SWAP")
    near = table.frame.filter(table.frame["percent"] == -0.1)
    minutes = ((near["ts"].dt.epoch("ms") - DAY_MS) // MINUTE_MS).to_list()
    got = dict(zip(minutes, near.select("depth_coin", "notional_usd").rows(), strict=True))
    assert got[1] == (2.0, 1999.0)
    # 999.75 and 1000.50: mid 1000.125, and 999.125 is the edge of 0.1 %
    assert got[2] == (1.0, 999.75)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (gzip.compress(tar({"../../etc/x": b"{}"})), "'../../etc/x', which is no plain file"),
        (gzip.compress(tar({"/etc/x": b"{}"})), "which is no plain file"),
        (packed(BOOK_FILE, lines([snapshot(1)]), members=2), "exactly one file, not several"),
        (gzip.compress(tar({})), "exactly one file, not 0"),
        (packed(BOOK_FILE, b" " * 60_000_000), "refused as a bomb"),
        (packed(BOOK_FILE, lines([snapshot(1)] * 9))[:-90], "is no whole gzip file: it is cut short"),
        (gzip.compress(tar({"a": lines([snapshot(1)]).encode()})[:3000]), "is no whole tar file"),
        (gzip.compress(b"\0" * 200), "tar file"),
        (b"PK\3\4 no", "is no whole gzip file"),
        (packed(BOOK_FILE, lines([change(1, [], [], "partial")])), "row 1: 'partial' is no action"),
        (packed(BOOK_FILE, lines([snapshot(1, symbol="X-USDT-SWAP")])), "row 1: tells of 'X-USDT-SWAP'"),
        (packed(BOOK_FILE, lines([snapshot(1)]) + '{"instId"'), "row 2: is no line of a book"),
        (packed(BOOK_FILE, lines([change(1, [["nan", "1", "1"]], [])])), "row 1: is no line"),
        (packed(BOOK_FILE, lines([snapshot(25 * HOUR_MS)])), "lies outside"),
    ],
    ids=said,
)  # fmt: skip
def test_a_damaged_recording_is_refused(content: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(BadTable) as caught:
        read(tmp_path, "okx_archive", BOOK_FILE, content, raw=True)

    assert problem in str(caught.value)
    assert caught.value.file == BOOK_FILE


def test_a_name_of_no_known_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="not named as in OKX's archive"):
        read(tmp_path, "okx_archive", "ETH-USDT-2025-05-01.zip", trades("x"))

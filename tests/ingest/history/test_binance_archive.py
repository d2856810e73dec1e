"""Binance's archive: hand-written files of each documented layout, and each way such a file can be wrong."""

import hashlib
import io
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest.history.history_samples import Folder

from airpocket.domain.errors import BadTable
from airpocket.domain.units import parse_time
from airpocket.ingest.history.load import Import

KLINE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)
DAY_MS = parse_time("2025-05-01T00:00Z") // 1_000_000
HOUR_MS = 3_600_000


def kline(hour: int, *, scale: int = 1, volumes: str = "10,1050,7,4,420,0") -> str:
    volume, quote, *rest = volumes.split(",")
    start = (DAY_MS + hour * HOUR_MS) * scale
    close = start + HOUR_MS * scale - 1
    return ",".join(map(str, (start, 100, 110, 95, 105, volume, close, quote, *rest)))


def zipped(content: str, *, members: tuple[str, ...] = ("a.csv",)) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.writestr(member, content)
    return buffer.getvalue()


def mapping(market: str, more: str = "", files: str = "**/*.*") -> str:
    return f"""
source = "binance_archive"
licence = "Binance's terms"
[[table]]
format = "binance_archive"
market = "{market}"
files = "{files}"
{more}
"""


def read(tmp_path: Path, market: str, name: str, content: str | bytes, more: str = "") -> Import:
    folder = Folder(tmp_path)
    folder.put(name, content)
    return folder.read(mapping(market, more, files=name))


UM_KLINES = "klines/ETHUSDT/1h/ETHUSDT-1h-2025-05-01.zip"


def test_a_usdm_kline_keeps_both_volumes_and_is_usable_at_its_close(tmp_path: Path) -> None:
    content = zipped("\n".join([KLINE_HEADER, kline(0), kline(1), kline(2)]) + "\n")

    [table] = read(tmp_path, "um", UM_KLINES, content).tables

    assert (table.kind, table.venue, table.symbol) == ("bar_1h", "binance_usdm", "ETHUSDT")
    row = table.frame.row(0, named=True)
    assert (row["volume"], row["volume_usd"], row["taker_buy"]) == (10.0, 1050.0, 4.0)
    assert (row["usable_from"] - row["ts"]).total_seconds() == 3_600
    assert row["source"] == "binance_archive"


def test_a_coinm_kline_counts_contracts_and_becomes_coin_and_dollars(tmp_path: Path) -> None:
    # 420 contracts of 10 USD, 40 ETH; takers bought 17 ETH of them
    row = kline(0, volumes="420,40,7,180,17,0")
    name = "klines/ETHUSD_PERP/1h/ETHUSD_PERP-1h-2025-05-01.csv"

    [table] = read(tmp_path, "cm", name, f"{KLINE_HEADER}\n{row}\n").tables

    got = table.frame.row(0, named=True)
    assert (got["volume"], got["volume_usd"], got["taker_buy"]) == (40.0, 4_200.0, 17.0)


def test_a_spot_file_without_header_counts_us_from_2025(tmp_path: Path) -> None:
    name = "klines/ETHUSDT/1h/ETHUSDT-1h-2025-05-01.csv"
    [table] = read(tmp_path, "spot", name, kline(0, scale=1_000) + "\n").tables

    assert (table.venue, table.frame["ts"].dt.epoch("ms")[0]) == ("binance_spot", DAY_MS)
    with pytest.raises(BadTable, match="no time in us"):
        read(tmp_path, "spot", name, kline(0) + "\n")


def test_a_spot_pair_not_quoted_in_dollars_has_no_dollar_volume(tmp_path: Path) -> None:
    name = "klines/ETHBTC/1h/ETHBTC-1h-2025-05-01.csv"
    with pytest.raises(BadTable, match="not how binance_spot writes a symbol"):
        read(tmp_path, "spot", name, kline(0, scale=1_000) + "\n")


def test_milli_and_microseconds_in_one_file_are_an_error(tmp_path: Path) -> None:
    content = "\n".join([kline(0), kline(1, scale=1_000)]) + "\n"

    with pytest.raises(BadTable, match=r"row 2, column 'open_time'.*no time in ms"):
        read(tmp_path, "um", UM_KLINES.replace("zip", "csv"), content)


@pytest.mark.parametrize("folder", ["markPriceKlines", "indexPriceKlines", "premiumIndexKlines"])
def test_the_folder_says_which_price_the_bars_are_of(folder: str, tmp_path: Path) -> None:
    name = f"{folder}/ETHUSDT/1h/ETHUSDT-1h-2025-05-01.csv"
    start = DAY_MS
    prices = "-0.0001,0.0002,-0.0003,0.0001" if "premium" in folder else "100,110,95,105"
    row = f"{start},{prices},0,{start + HOUR_MS - 1},0,60,0,0,0"

    [table] = read(tmp_path, "um", name, f"{KLINE_HEADER}\n{row}\n").tables

    kinds = {"mark": "mark_bar_1h", "index": "index_bar_1h", "premium": "premium_bar_1h"}
    assert table.kind == next(kind for word, kind in kinds.items() if folder.startswith(word))
    assert table.frame["close"][0] == (0.0001 if "premium" in folder else 105.0)
    assert "volume" not in table.frame.columns


TRADES = """agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker
7,100.5,2,10,11,1746057600001,true
8,100.6,3,12,12,1746057600001,false
"""


def test_the_side_of_a_trade_is_who_crossed_the_spread(tmp_path: Path) -> None:
    [table] = read(tmp_path, "um", "ETHUSDT-aggTrades-2025-05-01.csv", TRADES).tables

    assert table.frame["taker_side"].to_list() == ["sell", "buy"]
    assert table.frame["trade_id"].to_list() == [7, 8]
    assert table.frame["size"].to_list() == [2.0, 3.0]


def test_coinm_trades_are_contracts_of_so_many_dollars(tmp_path: Path) -> None:
    [table] = read(tmp_path, "cm", "BTCUSD_PERP-aggTrades-2025-05-01.csv", TRADES).tables

    assert table.frame["size"].to_list() == pytest.approx([200 / 100.5, 300 / 100.6])


def test_spot_trades_have_no_header_and_one_column_more(tmp_path: Path) -> None:
    row = "7,100.5,2,10,11,1746057600000001,True,True\n"

    [table] = read(tmp_path, "spot", "ETHUSDT-aggTrades-2025-05-01.csv", row).tables

    assert table.frame["ts"].dt.epoch("us")[0] == 1746057600000001


METRICS_HEADER = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
)


@pytest.mark.fault("D06")
def test_metrics_may_be_unordered_and_repeated_and_are_usable_five_minutes_later(
    tmp_path: Path,
) -> None:
    late = "2025-05-01 00:10:00,ETHUSDT,1001,2002,1.5,1.6,1.7,0.8"
    early = "2025-05-01 00:05:00,ETHUSDT,1000,2000,1.5,,1.7,0.9"
    content = "\n".join([METRICS_HEADER, late, early, late]) + "\n"

    found = read(tmp_path, "um", "ETHUSDT-metrics-2025-05-01.csv", content)

    by_kind = {table.kind: table.frame for table in found.tables}
    interest, ratios = by_kind["open_interest"], by_kind["ratio"]
    assert interest["amount"].to_list() == [1000.0, 1001.0]
    assert interest["unit"].unique().to_list() == ["coin"]
    assert (interest["usable_from"] - interest["ts"]).dt.total_minutes().to_list() == [5, 5]
    assert ratios.height == 7  # an empty figure is unknown and makes no row
    first = dict(
        ratios.filter(ratios["ts"] == ratios["ts"].min()).select("name", "value").iter_rows()
    )
    assert first == {"top_trader_account": 1.5, "account": 1.7, "taker_volume": 0.9}
    accounts = {account.kind: account for account in found.files}
    assert accounts["open_interest"].collapsed == 1
    assert accounts["open_interest"].moved == 1
    assert accounts["ratio"].left_out == (("value is empty", 1),)


def test_metrics_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    row = "2025-05-01 00:05:00,ETHUSDT,{},2000,1.5,1.6,1.7,0.9"
    content = "\n".join([METRICS_HEADER, row.format(1000), row.format(1001)]) + "\n"

    with pytest.raises(BadTable, match=r"row 2.*amount 1001.0, not 1000.0"):
        read(tmp_path, "um", "ETHUSDT-metrics-2025-05-01.csv", content)


def test_metrics_of_another_symbol_are_refused(tmp_path: Path) -> None:
    row = "2025-05-01 00:05:00,BTCUSDT,1,2000,1.5,1.6,1.7,0.9"

    with pytest.raises(BadTable, match="not the symbol of the file"):
        read(tmp_path, "um", "ETHUSDT-metrics-2025-05-01.csv", f"{METRICS_HEADER}\n{row}\n")


@pytest.mark.fault("D06")
def test_funding_is_keyed_on_its_settlement_and_usable_when_stamped(tmp_path: Path) -> None:
    jitter = DAY_MS + 8
    content = (
        "calc_time,funding_interval_hours,last_funding_rate\n"
        f"{jitter},8,0.0001\n{DAY_MS + 8 * HOUR_MS},4,-1.2e-05\n"
    )

    found = read(tmp_path, "um", "ETHUSDT-fundingRate-2025-05.csv", content)

    [table] = found.tables
    assert table.frame["ts"].dt.epoch("ms").to_list() == [DAY_MS, DAY_MS + 8 * HOUR_MS]
    assert table.frame["usable_from"].dt.epoch("ms")[0] == jitter
    assert table.frame["interval_s"].to_list() == [28_800, 14_400]
    assert table.frame["rate"].to_list() == [0.0001, -0.000012]
    assert found.gaps == ()


def test_depth_bands_keep_their_sign(tmp_path: Path) -> None:
    content = (
        "timestamp,percentage,depth,notional\n"
        "2025-05-01 00:00:08,-1,1500,150000\n2025-05-01 00:00:08,1,1400,141000\n"
    )

    [table] = read(tmp_path, "um", "ETHUSDT-bookDepth-2025-05-01.csv", content).tables

    assert table.frame.select("percent", "depth_coin", "notional_usd").rows() == [
        (-1.0, 1500.0, 150000.0),
        (1.0, 1400.0, 141000.0),
    ]


LIQUIDATIONS = """time,side,order_type,time_in_force,original_quantity,price,average_price,\
order_status,last_fill_quantity,accumulated_fill_quantity
1746057600500,BUY,LIMIT,IOC,7,101,100,FILLED,6,5
1746057600500,BUY,LIMIT,IOC,7,101,100,FILLED,6,5
1746057600500,SELL,LIMIT,IOC,7,99,98,FILLED,2,2
"""


def test_a_liquidation_that_buys_closed_a_short(tmp_path: Path) -> None:
    name = "liquidationSnapshot/ETHUSDT/ETHUSDT-liquidationSnapshot-2025-05-01.csv"

    found = read(tmp_path, "um", name, LIQUIDATIONS)

    [table] = found.tables
    columns = ("forced_side", "price", "size", "notional_usd", "coverage", "seq")
    assert table.frame.select(columns).rows() == [
        ("buy", 100.0, 5.0, 500.0, "sample", 0),
        ("sell", 98.0, 2.0, 196.0, "sample", 1),
    ]
    assert found.files[0].left_out == (("the archive repeats the row", 1),)


def test_coinm_liquidations_are_contracts(tmp_path: Path) -> None:
    name = "BTCUSD_PERP-liquidationSnapshot-2025-05-01.csv"

    [table] = read(tmp_path, "cm", name, LIQUIDATIONS).tables

    assert table.frame.select("size", "notional_usd").rows()[0] == (
        5.0,
        500.0,
    )  # 5 × 100 USD at 100


GOOD = f"{KLINE_HEADER}\n{kline(0)}\n"
BAD = {
    "cut short": (zipped(GOOD)[:-30], "no whole zip"),
    "no zip": (b"<Error>NoSuchKey</Error>", "no whole zip"),
    "two members": (zipped(GOOD, members=("a.csv", "b.csv")), "exactly one file, not 2"),
    "no member": (zipped(GOOD, members=()), "exactly one file, not 0"),
    "bomb": (zipped("0" * 30_000_000), "zip bomb"),
    "flipped bytes": (
        zipped(GOOD).replace(zipped(GOOD)[60:64], b"\0\1\2\3"),
        "no whole zip",
    ),
    "other layout": (zipped(TRADES), "the header is not open_time"),
    "other width": (zipped("1746057600000,1,2\n"), "has 3 columns, not 12"),
    "header only": (zipped(KLINE_HEADER + "\n"), "no rows"),
    "empty": (zipped(""), "is empty"),
    "another day": (zipped(kline(30) + "\n"), "outside 2025-05-01"),
    "another interval": (
        zipped(kline(0).replace(str(DAY_MS + HOUR_MS - 1), str(DAY_MS + 60_000 - 1)) + "\n"),
        "not one 1h after open_time",
    ),
    "taker above volume": (zipped(kline(0, volumes="1,1,1,2,2,0") + "\n"), "more than the whole"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_archive_file_is_refused(name: str, tmp_path: Path) -> None:
    content, problem = BAD[name]

    with pytest.raises(BadTable, match=re.escape(problem)) as caught:
        read(tmp_path, "um", UM_KLINES, content)

    assert caught.value.file == UM_KLINES


@given(position=st.integers(0, len(zipped(GOOD)) - 1), flip=st.integers(1, 255))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_byte_changes_nothing_or_is_refused(
    position: int, flip: int, tmp_path: Path
) -> None:
    content = bytearray(zipped(GOOD))
    expected = read(tmp_path, "um", UM_KLINES, bytes(content)).tables[0].frame
    content[position] ^= flip

    try:
        [table] = read(tmp_path, "um", UM_KLINES, bytes(content)).tables
    except BadTable:
        return
    assert table.frame.equals(expected)


def test_a_checksum_beside_the_file_is_verified(tmp_path: Path) -> None:
    content = zipped(GOOD)
    folder = Folder(tmp_path)
    folder.put(f"{UM_KLINES}.CHECKSUM", f"{hashlib.sha256(content).hexdigest()}  a.zip\n")
    assert len(read(tmp_path, "um", UM_KLINES, content).tables) == 1

    folder.put(f"{UM_KLINES}.CHECKSUM", f"{'0' * 64}  a.zip\n")
    with pytest.raises(BadTable, match="CHECKSUM says"):
        read(tmp_path, "um", UM_KLINES, content)

    folder.put(f"{UM_KLINES}.CHECKSUM", "<html>")
    with pytest.raises(BadTable, match="does not start with a SHA-256"):
        read(tmp_path, "um", UM_KLINES, content)


@pytest.mark.parametrize(
    ("market", "name", "problem"),
    [
        ("um", "ETHUSDT-1h-2025-05-01.csv", "says its type"),
        ("um", "klines/eth.csv", "interval"),
        ("spot", "ETHUSDT-metrics-2025-05-01.csv", "the spot market has no metrics"),
        ("cm", "klines/ETHUSDT-1h-2025-05-01.csv", "not how binance_coinm writes"),
        ("cm", "ETHUSD_PERP-bookDepth-2025-05-01.csv", "does not say what its amounts count"),
    ],
)
def test_a_name_that_says_too_little_is_refused(
    market: str, name: str, problem: str, tmp_path: Path
) -> None:
    depth = "timestamp,percentage,depth,notional\n2025-05-01 00:00:08,-1,1500,150000\n"
    with pytest.raises(BadTable, match=problem):
        read(tmp_path, market, name, depth if "Depth" in name else GOOD)


def test_the_mapping_may_say_what_the_name_does_not(tmp_path: Path) -> None:
    more = 'type = "klines"\ninterval = "1h"\nsymbol = "ETHUSDT"\nunit = "ms"'

    [table] = read(tmp_path, "spot", "download.csv", GOOD, more).tables

    assert (table.kind, table.venue, table.symbol) == ("bar_1h", "binance_spot", "ETHUSDT")

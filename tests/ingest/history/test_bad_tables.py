"""Every way we know a table can be wrong ends in an error that names file, row and column."""

import hashlib
import re
from pathlib import Path

import polars as pl
import pytest
from ingest.history.history_samples import CSV, HEADER, MAPPING, ROWS, Folder, trades_mapping

from airpocket.domain.errors import BadTable

FIRST, SECOND, THIRD = ROWS


def cell(column: str, text: str) -> str:
    """The second row with one cell replaced."""
    fields = SECOND.split(",")
    fields[HEADER.split(",").index(column)] = text
    return ",".join(fields)


BAD_ROWS = {
    "nan": (cell("close", "NaN"), "close", "not a plain decimal"),
    "none": (cell("close", "None"), "close", "not a plain decimal"),
    "dash": (cell("close", "-"), "close", "not a plain decimal"),
    "empty price": (cell("close", ""), "close", "is empty"),
    "infinity": (cell("high", "inf"), "high", "not a plain decimal"),
    "1e999": (cell("high", "1e999"), "high", "not a finite number"),
    "1e308": (cell("high", "1e308"), "high", "larger than any market figure"),
    "1e-400": (cell("volume", "1e-400"), "volume", "too small"),
    "negative price": (cell("low", "-101"), "low", "must be above 0"),
    "zero price": (cell("open", "0"), "open", "must be above 0"),
    "negative volume": (cell("volume", "-1"), "volume", "must not be negative"),
    "high below low": (cell("high", "100"), "high", "below the low"),
    "close above high": (cell("close", "106.5"), "close", "outside low to high"),
    "close below low": (cell("close", "100.9"), "close", "outside low to high"),
    "open above high": (cell("open", "107"), "open", "outside low to high"),
    "underscore": (cell("volume", "1_000"), "volume", "not a plain decimal"),
    "thousands": (cell("volume", '"1,000"'), "volume", "not a plain decimal"),
    "full-width digits": (cell("volume", "１２"), "volume", "not a plain decimal"),
    "hex": (cell("volume", "0x10"), "volume", "not a plain decimal"),
    "leading space": (cell("volume", " 1"), "volume", "not a plain decimal"),
    "leading zeros": (cell("volume", "007"), "volume", "not a plain decimal"),
    "text": (cell("volume", "many"), "volume", "not a plain decimal"),
    "future": (cell("time", "2026-12-01T00:00:00Z"), "ts", "future"),
    "not closed": (cell("time", "2026-11-20T00:00:00Z"), "ts", "not closed"),
    "1970": (cell("time", "1970-01-01T00:00:00Z"), "time", "before 2009"),
    "year 9999": (cell("time", "9999-01-01T00:00:00Z"), "ts", "future"),
    "naive": (cell("time", "2025-05-01T01:00:00"), "time", "no time zone"),
    "no time": (cell("time", "yesterday"), "time", "not a time like"),
    "no such day": (cell("time", "2025-02-30T00:00:00Z"), "time", "not a time like"),
    "no moment": (cell("time", ""), "time", "is empty"),
    "off the hour": (cell("time", "2025-05-01T01:30:00Z"), "ts", "no open of a 1h bar"),
    "thousandfold": (
        "2025-05-01T01:00:00Z,105000,106000,101000,102000,20",
        "close",
        "500 times its neighbour",
    ),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_cell_is_named_by_file_row_and_column(name: str, tmp_path: Path) -> None:
    row, column, problem = BAD_ROWS[name]

    with pytest.raises(BadTable, match=re.escape(problem)) as caught:
        Folder(tmp_path).bars(FIRST, row, THIRD)

    assert caught.value.file == "bars.csv"
    assert caught.value.row == 2
    assert caught.value.column == column
    assert "bars.csv, row 2" in str(caught.value)


def test_two_rows_that_contradict_each_other_are_both_named(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match=r"row 3.*than row 2.*close 103.0, not 102.0") as caught:
        Folder(tmp_path).bars(FIRST, SECOND, cell("close", "103"), THIRD)

    assert caught.value.row == 3


def test_rows_that_repeat_another_exactly_collapse_and_are_counted(tmp_path: Path) -> None:
    found = Folder(tmp_path).bars(FIRST, SECOND, SECOND, THIRD, THIRD)

    assert found.files[0].collapsed == 2
    assert found.series[0].rows == 3


def test_a_gap_is_recorded_not_refused(tmp_path: Path) -> None:
    found = Folder(tmp_path).bars(FIRST, THIRD)

    [gap] = found.gaps
    assert (gap.before - gap.after, gap.missing) == (2 * 3_600 * 10**9, 1)
    assert found.series[0].gaps == 1


def test_rows_out_of_order_are_refused_unless_the_mapping_allows_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with pytest.raises(BadTable, match="comes before the row above it") as caught:
        folder.bars(FIRST, THIRD, SECOND)
    assert caught.value.row == 3

    found = folder.read(MAPPING.replace("usable =", "unordered = true\nusable ="))

    assert found.files[0].moved == 1
    assert found.tables[0].frame["close"].to_list() == [105.0, 102.0, 91.25]


BAD_FILES = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n", "is empty"),
    "header only": (HEADER.encode() + b"\n", "a header and no rows"),
    "byte-order mark": (b"\xef\xbb\xbf" + CSV.encode(), "byte-order mark"),
    "not UTF-8": (CSV.encode().replace(b"105,106", b"105,\xff6"), "row 2: is not UTF-8"),
    "NUL": (CSV.encode().replace(b"105,106", b"105,\x00"), "row 2: holds NUL"),
    "UTF-16": (CSV.encode("utf-16"), "NUL"),
    "wrong column": (CSV.replace("close", "last").encode(), "column 'close': no such column"),
    "column twice": (CSV.replace("close", "open").encode(), "column 'open': appears twice"),
    "nameless column": (CSV.replace("close", "").encode(), "column 5 has no name"),
    "ragged": (CSV.replace("20.5", "20.5,1,2").encode(), "no readable CSV"),
    "short row": (CSV.replace(",102,20.5", "").encode(), "row 2, column 'close': is empty"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_table_is_refused(name: str, tmp_path: Path) -> None:
    content, problem = BAD_FILES[name]
    folder = Folder(tmp_path)
    folder.put("bars.csv", content)

    with pytest.raises(BadTable, match=re.escape(problem)) as caught:
        folder.read()

    assert caught.value.file == "bars.csv"


def test_windows_line_ends_read_like_any_other(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV.replace("\n", "\r\n"))

    assert folder.read().tables[0].frame["volume"].to_list() == [10.0, 20.5, 0.0]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match=r"bars\.csv: no such file"):
        Folder(tmp_path).read()


@pytest.mark.parametrize("damage", ["cut", "noise", "empty"])
def test_a_damaged_parquet_file_is_refused(damage: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    pl.DataFrame({"time": [1], "open": [1.0]}).write_parquet(tmp_path / "bars.parquet")
    whole = (tmp_path / "bars.parquet").read_bytes()
    bad = {"cut": whole[: len(whole) // 2], "noise": b"PAR1" + bytes(64) + b"PAR1", "empty": b""}
    folder.put("bars.parquet", bad[damage])

    with pytest.raises(BadTable, match="no readable Parquet"):
        folder.read(MAPPING.replace("bars.csv", "bars.parquet"))


def test_a_file_that_the_list_of_sums_knows_is_verified_before_it_is_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV)
    good = hashlib.sha256(CSV.encode()).hexdigest()
    folder.put("SHA256SUMS", f"{good}  bars.csv\n{'0' * 64}  other.csv\n")
    assert folder.read().series[0].rows == 3

    folder.put("bars.csv", CSV.replace("91.25", "91.26"))
    with pytest.raises(BadTable, match=r"bars\.csv: has SHA-256 .*, SHA256SUMS says"):
        folder.read()

    folder.put("SHA256SUMS", "abc bars.csv\n")
    with pytest.raises(BadTable, match="SHA256SUMS, row 1"):
        folder.read()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (float("nan"), "not a finite number"),
        (float("inf"), "not a finite number"),
        (1e300, "larger than any"),
        (-1.0, "must not be negative"),
    ],
)
def test_parquet_numbers_are_checked_like_text(value: float, problem: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV)
    frame = pl.read_csv(tmp_path / "bars.csv")
    volume = pl.Series("volume", [10.0, value, 0.0])
    frame.with_columns(volume).write_parquet(tmp_path / "bars.parquet")

    with pytest.raises(BadTable, match=problem) as caught:
        folder.read(MAPPING.replace("bars.csv", "bars.parquet"))

    assert (caught.value.row, caught.value.column) == (2, "volume")


def test_minus_zero_becomes_zero(tmp_path: Path) -> None:
    found = Folder(tmp_path).bars(FIRST, cell("volume", "-0.0"))

    assert str(found.tables[0].frame["volume"][1]) == "0.0"


TRADE = "1746057600000,100,1,buy,1"  # 2025-05-01T00:00Z


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        ("1746057600001,100,0,buy,2", "size", "is none"),
        ("1746057600001,100,1,BUY,2", "taker_side", "none of buy, sell"),
        ("1746057600001000,100,1,buy,2", "time", "no time in ms"),
        ("1746057600,100,1,buy,2", "time", "no time in ms"),
        ("0,100,1,buy,2", "time", "no time in ms"),
        ("-1746057600001,100,1,buy,2", "time", "not a count of ms"),
        ("1746057600001.5,100,1,buy,2", "time", "not a count of ms"),
        ("99999999999999999999999,100,1,buy,2", "time", "not a count of ms"),
        ("1746057600001,100,1,buy,9223372036854775808", "id", "not a whole number"),
        ("1746057600001,100,1,buy,1.5", "id", "not a whole number"),
        ("1746057600001,100,1,b\x07uy,2", "side", "control characters"),
    ],
)
def test_a_bad_trade_is_named(row: str, column: str, problem: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("trades.csv", f"time,price,size,side,id\n{TRADE}\n{row}\n")

    with pytest.raises(BadTable, match=re.escape(problem)) as caught:
        folder.read(trades_mapping())

    assert (caught.value.file, caught.value.row, caught.value.column) == ("trades.csv", 2, column)


@pytest.mark.parametrize("unit", ["us", "s"])
def test_a_wrong_unit_of_time_is_no_plausible_time(unit: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("trades.csv", f"time,price,size,side,id\n{TRADE}\n")

    with pytest.raises(BadTable, match=f"no time in {unit}"):
        folder.read(trades_mapping(unit))


def test_a_symbol_that_the_table_of_symbols_lacks_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV.replace("volume", "volume,coin").replace(",10\n", ",10,ETH\n"))
    mapping = MAPPING.replace(
        'symbol = "ETHUSDT"', 'symbol = { column = "coin", translate = { BTC = "BTCUSDT" } }'
    )

    with pytest.raises(BadTable, match=r"row 1, column 'coin'.*translate has no entry for 'ETH'"):
        folder.read(mapping)


def test_an_unknown_multiplier_is_an_error_and_never_one(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    coins = ["coin", "ETH", "XRP", "ETH"]
    lines = [f"{line},{coin}" for line, coin in zip(CSV.splitlines(), coins, strict=True)]
    folder.put("bars.csv", "\n".join(lines) + "\n")
    multiply = '{ column = "coin", translate = { ETH = 0.1 } }'
    mapping = MAPPING.replace(
        'volume = "volume"', f'volume = {{ column = "volume", multiply = {multiply} }}'
    )

    with pytest.raises(BadTable, match=r"row 2, column 'coin'.*no entry for 'XRP'"):
        folder.read(mapping)


@pytest.mark.parametrize("symbol", ["ETHUSTD", "eth/usdt", "../ETHUSDT", ""])
def test_a_symbol_that_the_venue_would_not_write_is_refused(symbol: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    lines = [f"{line},{symbol}" for line in CSV.splitlines()]
    lines[0] = HEADER + ",symbol"
    folder.put("bars.csv", "\n".join(lines) + "\n")

    with pytest.raises(BadTable, match="row 1"):
        folder.read(MAPPING.replace('symbol = "ETHUSDT"', 'symbol = { column = "symbol" }'))


def test_a_row_known_before_its_interval_is_over_is_look_ahead(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    lines = [f"{line},{line[:19]}Z" for line in CSV.splitlines()]
    lines[0] = HEADER + ",seen"
    folder.put("bars.csv", "\n".join(lines) + "\n")
    mapping = MAPPING.replace('"ts + 1h"', '{ column = "seen", unit = "iso" }')

    with pytest.raises(BadTable, match="nobody can know it") as caught:
        folder.read(mapping)

    assert (caught.value.row, caught.value.column) == (1, "usable_from")


def test_a_parquet_time_without_zone_needs_one(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV)
    frame = pl.read_csv(tmp_path / "bars.csv").with_columns(
        pl.col("time").str.strip_chars("Z").str.to_datetime()
    )
    frame.write_parquet(tmp_path / "bars.parquet")
    mapping = MAPPING.replace("bars.csv", "bars.parquet")

    with pytest.raises(BadTable, match="without a time zone"):
        folder.read(mapping.replace('{ column = "time", unit = "iso" }', '"time"'))

    zoned = '{ column = "time", zone = "Asia/Tokyo" }'
    found = folder.read(mapping.replace('{ column = "time", unit = "iso" }', zoned))
    assert found.tables[0].frame["ts"].dt.to_string("%FT%TZ")[0] == "2025-04-30T15:00:00Z"

"""The door of the store: a row that breaks a promise of its kind never enters, and the message says where."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.lake_samples import START, TIME, bars, trades, with_column

from airpocket.domain.errors import BadInput, BadTable
from airpocket.ingest.lake import Lake, Table
from airpocket.ingest.tables import checked

NAN, INF = float("nan"), float("inf")


def refused(table: Table) -> BadTable:
    with pytest.raises(BadTable) as caught:
        checked(table)
    assert caught.value.file == f"{table.kind} {table.venue} {table.symbol}"
    return caught.value


def test_order_of_columns_and_rows_is_free() -> None:
    table = bars(3)
    shuffled = table.frame[[2, 0, 1]].select(sorted(table.frame.columns))
    assert checked(dataclasses.replace(table, frame=shuffled)).equals(checked(table))


@pytest.mark.parametrize("name", ["ts", "usable_from", "source", "close", "volume"])
def test_a_missing_column_is_named(name: str) -> None:
    table = bars(3)
    error = refused(dataclasses.replace(table, frame=table.frame.drop(name)))
    assert (error.column, error.problem) == (name, "the column is missing")


def test_a_column_too_many_is_named() -> None:
    assert refused(with_column(bars(3), "vwap", pl.lit(1.0))).column == "vwap"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("close", pl.Series(["1", "2", "3"])),
        ("close", pl.Series([True, False, True])),
        ("source", pl.Series([1, 2, 3])),
        ("ts", pl.Series([1, 2, 3])),
        ("ts", bars(3).frame["ts"].dt.replace_time_zone(None)),
        ("ts", bars(3).frame["ts"].cast(pl.Datetime("ns", "UTC"))),
        ("ts", bars(3).frame["ts"].dt.convert_time_zone("Europe/Berlin")),
    ],
)
def test_a_column_of_another_type_is_refused(name: str, values: pl.Series) -> None:
    error = refused(with_column(bars(3), name, values))
    assert error.column == name
    assert "must be" in error.problem


def test_whole_numbers_are_taken_for_floats() -> None:
    table = with_column(bars(3), "open", pl.Series([100, 101, 102]))
    assert checked(table)["open"].to_list() == [100.0, 101.0, 102.0]


def test_a_column_of_nulls_needs_no_type_where_nulls_are_allowed() -> None:
    assert checked(with_column(bars(3), "volume", pl.lit(None)))["volume"].null_count() == 3
    assert refused(with_column(bars(3), "open", pl.lit(None))).row == 1


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("close", None, "is missing"),
        ("close", NAN, "is not a finite number"),
        ("volume", NAN, "is not a finite number"),
        ("close", INF, "is not a finite number"),
        ("close", -INF, "is not a finite number"),
        ("close", 0.0, "0.0 is not positive"),
        ("close", -1.0, "-1.0 is not positive"),
        ("volume", -0.5, "-0.5 is negative"),
        ("source", None, "is missing"),
        ("ts", None, "is missing"),
        ("ts", datetime(1970, 1, 21, 9, tzinfo=UTC), "outside 2009–2100"),
        ("ts", datetime(2100, 1, 1, tzinfo=UTC), "outside 2009–2100"),
        ("usable_from", datetime(2200, 1, 1, tzinfo=UTC), "outside 2009–2100"),
        ("usable_from", START, "is before ts"),
        ("usable_from", START + timedelta(hours=1, minutes=59), "is before the bar's end"),
        ("ts", START, "a second time"),
    ],
)
def test_a_broken_promise_names_row_column_and_problem(
    name: str, value: object, problem: str
) -> None:
    table = bars(3)
    values = table.frame[name].to_list()
    values[1] = value
    broken = pl.Series(name, values, dtype=table.frame[name].dtype)
    error = refused(with_column(table, name, broken))
    assert (error.row, error.column) == (2, name)
    assert problem in error.problem


def test_a_word_that_is_no_choice_is_refused() -> None:
    error = refused(with_column(trades(2), "taker_side", pl.Series(["buy", "bought"])))
    assert (error.row, error.column) == (2, "taker_side")
    assert "'bought' is none of buy, sell" in error.problem


def test_an_id_beyond_64_bits_is_refused() -> None:
    ids = pl.Series([2**64 - 1, 1], dtype=pl.UInt64)
    assert refused(with_column(trades(2), "trade_id", ids)).column == "trade_id"


@pytest.mark.parametrize("rate", [1.5, -1.01])
def test_a_funding_rate_in_per_cent_is_no_fraction(rate: float) -> None:
    ts = pl.Series([START], dtype=TIME)
    frame = pl.DataFrame(
        {"ts": ts, "usable_from": ts, "rate": [rate], "interval_s": [28800], "source": ["x"]}
    )
    assert refused(Table("funding", "binance", "BTCUSDT", frame)).column == "rate"


@given(st.sampled_from([0.0, -0.0]))
def test_both_zeros_are_one_value(zero: float) -> None:
    kept = checked(with_column(bars(1), "volume", pl.Series([zero])))["volume"]
    assert str(kept[0]) == "0.0"


@pytest.mark.parametrize(("venue", "symbol"), [("", "X"), ("binance", ""), ("binance", "\ud800")])
def test_a_name_must_be_text(venue: str, symbol: str) -> None:
    with pytest.raises(BadInput):
        checked(dataclasses.replace(bars(1), venue=venue, symbol=symbol))


def test_no_rows_are_no_error_and_no_file(tmp_path: Path) -> None:
    table = bars(3)
    lake = Lake(tmp_path)
    report = lake.write([dataclasses.replace(table, frame=table.frame.clear())])
    assert (report.files_written, report.rows_new, lake.series()) == (0, 0, [])


def test_a_bad_row_in_the_last_table_keeps_all_tables_out(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(BadTable):
        lake.write([bars(3), with_column(trades(2), "price", pl.Series([1.0, NAN]))])
    assert lake.series() == []
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.mark.fault("V14", "V16")
def test_hostile_names_are_shown_escaped_and_short_in_messages() -> None:
    table = dataclasses.replace(bars(1, close=1.0), symbol="\x1b[31m" + "x" * 1000)
    with pytest.raises(BadTable) as caught:
        checked(with_column(table, "usable_from", pl.col("ts") - timedelta(1)))
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 300

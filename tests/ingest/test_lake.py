"""The store: what is written is read back, rows merge by key, time cuts hold, nothing changes needlessly."""

import dataclasses
import threading
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest.lake_samples import (
    HOUR_NS,
    START,
    START_NS,
    TIME,
    bars,
    files_of,
    trades,
    with_column,
)

from airpocket.domain.errors import BadInput, StoreConflict, StoreDamaged, StoreError
from airpocket.ingest import disk
from airpocket.ingest.lake import Lake, SeriesInfo, Table

AGAIN = [HealthCheck.function_scoped_fixture]
BTC = ("bar_1h", "binance", "BTCUSDT")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "store")


def test_a_new_lake_touches_no_disk_and_is_empty(lake: Lake) -> None:
    assert lake.series() == []
    assert lake.verify() == []
    assert len(lake.read(*BTC)) == 0
    assert not lake.root.exists()


def test_rows_written_are_rows_read(lake: Lake) -> None:
    table = bars(3)
    report = lake.write([table])
    assert (report.files_written, report.rows_new, report.rows_known) == (1, 3, 0)
    assert report.series == ("bar_1h binance BTCUSDT",)
    read = lake.read(*BTC)
    assert read.equals(table.frame.select(read.columns))
    assert read.columns[:2] == ["ts", "usable_from"]
    assert read.columns[-1] == "source"


def test_the_series_list_tells_rows_span_size_and_sources(lake: Lake) -> None:
    lake.write([trades(4), bars(3, source="z.csv"), bars(2, symbol="ETHUSDT")])
    first, second, third = lake.series()
    [file] = lake.root.rglob("symbol=BTCUSDT/month=2025-10/part-*.parquet")
    assert first == SeriesInfo(
        *BTC,
        rows=3,
        files=1,
        bytes=file.stat().st_size,
        first=START_NS,
        last=START_NS + 2 * HOUR_NS,
        sources=("z.csv",),
    )
    assert (second.symbol, third.kind, third.files) == ("ETHUSDT", "trade", 2)


def test_dense_kinds_are_cut_by_day_and_slow_ones_by_month(lake: Lake) -> None:
    lake.write([trades(4), bars(40 * 24)])
    folders = {path.parent.name for path in lake.root.rglob("*.parquet")}
    assert folders == {"day=2025-10-10", "day=2025-10-11", "month=2025-10", "month=2025-11"}


@pytest.mark.fault("D06")
def test_a_row_is_seen_only_from_its_usable_from(lake: Lake) -> None:
    lake.write([bars(40 * 24)])
    known_at = START_NS + 800 * HOUR_NS
    for until, rows in ((known_at, 800), (known_at - 1, 799), (START_NS + HOUR_NS - 1, 0)):
        read = lake.read(*BTC, until=until)
        assert len(read) == rows
        assert all(t * 1000 <= until for t in read["usable_from"].dt.epoch("us"))


def test_a_start_between_two_rows_takes_the_later(lake: Lake) -> None:
    lake.write([bars(3)])
    for start, rows in ((START_NS, 3), (START_NS + 1, 2), (START_NS + HOUR_NS, 2)):
        assert len(lake.read(*BTC, start=start)) == rows
    assert len(lake.read(*BTC, start=START_NS + HOUR_NS, until=START_NS + 2 * HOUR_NS)) == 1


@pytest.mark.fault("D08")
def test_rows_of_one_moment_come_in_the_order_of_their_key(lake: Lake) -> None:
    table = with_column(trades(4), "trade_id", pl.Series([9, 2, 30, 1]))
    table = with_column(table, "ts", pl.Series([START] * 4, dtype=TIME))
    lake.write([table])
    assert lake.read("trade", "binance", "BTCUSDT")["trade_id"].to_list() == [1, 2, 9, 30]


def test_writing_the_same_rows_again_changes_no_file(lake: Lake) -> None:
    lake.write([bars(40 * 24), trades(4)])
    before = files_of(lake.root)
    report = lake.write([bars(40 * 24, source="another.csv"), trades(4)])
    assert files_of(lake.root) == before
    assert (report.files_written, report.files_unchanged) == (0, 4)
    assert (report.rows_new, report.rows_known) == (0, 40 * 24 + 4)


@settings(max_examples=15, suppress_health_check=AGAIN)
@given(order=st.permutations(range(12)), cut=st.integers(1, 11))
def test_the_way_rows_came_does_not_change_the_bytes(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], cut: int
) -> None:
    whole, pieces = (Lake(tmp_path_factory.mktemp("store")) for _ in range(2))
    table = bars(12)
    whole.write([table])
    for rows in (order[:cut], order[cut:]):
        pieces.write([dataclasses.replace(table, frame=table.frame[rows])])
    assert files_of(pieces.root) == files_of(whole.root)


def test_a_series_repeated_in_one_write_is_merged(lake: Lake) -> None:
    report = lake.write([bars(3), bars(5), bars(2)])
    assert (report.files_written, report.rows_new, report.rows_known) == (1, 3 + 2, 3 + 2)
    assert len(lake.read(*BTC)) == 5
    assert lake.verify() == []
    assert len(list(lake.root.rglob("*.parquet"))) == 1


def test_a_contradiction_names_series_time_column_values_and_sources(lake: Lake) -> None:
    lake.write([bars(3)])
    before = files_of(lake.root)
    other = with_column(bars(3, source="b.csv"), "close", pl.Series([100.0, 99.5, 100.5]))
    with pytest.raises(StoreConflict) as caught:
        lake.write([trades(4), other])
    message = str(caught.value)
    for part in ("bar_1h binance BTCUSDT", "2025-10-10T21:00:00Z", "close", "100.25", "99.5"):
        assert part in message
    assert "a.csv" in message
    assert "b.csv" in message
    assert files_of(lake.root) == before


def test_keep_keeps_the_old_row_and_takes_the_new_ones(lake: Lake) -> None:
    lake.write([bars(2, close=100.0)])
    report = lake.write([bars(3, close=200.0, source="b.csv")], on_conflict="keep")
    assert (report.rows_new, report.rows_known) == (1, 2)
    assert lake.read(*BTC)["open"].to_list() == [100.0, 100.0, 200.0]
    assert lake.read(*BTC)["source"].to_list() == ["a.csv", "a.csv", "b.csv"]


def test_replace_takes_the_new_row_whole(lake: Lake) -> None:
    lake.write([bars(3, close=100.0)])
    lake.write([bars(2, close=200.0, volume=None, source="b.csv")], on_conflict="replace")
    read = lake.read(*BTC)
    assert read["open"].to_list() == [200.0, 200.0, 100.0]
    assert read["volume"].to_list() == [None, None, 5.0]
    assert read["source"].to_list() == ["b.csv", "b.csv", "a.csv"]
    assert len(list(lake.root.rglob("*.parquet"))) == 1


def test_a_value_fills_a_null_and_a_null_erases_nothing(lake: Lake) -> None:
    lake.write([bars(3, volume=None)])
    report = lake.write([bars(2, volume=7.0, source="b.csv")])
    assert (report.files_written, report.rows_new, report.rows_known) == (1, 0, 2)
    filled = lake.read(*BTC)
    assert filled["volume"].to_list() == [7.0, 7.0, None]
    assert filled["source"].to_list() == ["a.csv + b.csv", "a.csv + b.csv", "a.csv"]
    assert lake.write([bars(2, volume=None)]).files_written == 0
    assert lake.read(*BTC).equals(filled)


ROW = st.tuples(st.integers(0, 4), st.sampled_from([1.0, 2.0]), st.sampled_from([None, 3.0, 4.0]))


@settings(max_examples=40, suppress_health_check=AGAIN, deadline=None)
@given(st.lists(st.lists(ROW, unique_by=lambda row: row[0]), max_size=4))
@pytest.mark.parametrize("mode", ["refuse", "keep", "replace"])
def test_merging_agrees_with_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, mode: str, writes: list[list[tuple]]
) -> None:
    lake, model = Lake(tmp_path_factory.mktemp("store")), {}
    for rows in writes:
        table = bars(5)
        frame = table.frame[[hour for hour, _, _ in rows]].with_columns(
            pl.Series("close", [close for _, close, _ in rows], dtype=pl.Float64),
            pl.Series("volume", [volume for _, _, volume in rows], dtype=pl.Float64),
        )
        expected = _model_write(model, rows, mode)
        try:
            lake.write([dataclasses.replace(table, frame=frame)], on_conflict=mode)
        except StoreConflict:
            assert expected is None
        else:
            assert expected is not None
            model = expected
        read = Lake(lake.root).read(*BTC)
        hours = ((read["ts"] - START).dt.total_hours()).to_list()
        assert list(zip(hours, read["close"], read["volume"], strict=True)) == [
            (hour, *values) for hour, values in sorted(model.items())
        ]


def _model_write(model: dict, rows: list[tuple], mode: str) -> dict | None:
    result = dict(model)
    for hour, close, volume in rows:
        old_close, old_volume = model.get(hour, (None, None))
        differs = old_close is not None and (
            close != old_close or (None not in (volume, old_volume) and volume != old_volume)
        )
        if differs and mode == "refuse":
            return None
        if differs and mode == "keep":
            continue
        filled = volume if old_volume is None or differs else old_volume
        result[hour] = (close, filled)
    return result


HOSTILE = [
    "币安人生USDT",
    "a/b",
    "..",
    ".",
    "*",
    "x" * 1000,
    "a\nb",
    "50%",
    "a%2Fb",
    "=",
    "'",
    "[a]",
]


@pytest.mark.fault("V15", "V16")
def test_hostile_symbols_stay_inside_the_store_and_apart(lake: Lake) -> None:
    for n, symbol in enumerate(HOSTILE):
        lake.write([bars(1, symbol=symbol, close=10.0 + n)])
    assert {one.symbol for one in lake.series()} == set(HOSTILE)
    for n, symbol in enumerate(HOSTILE):
        assert lake.read("bar_1h", "binance", symbol)["open"].to_list() == [10.0 + n]
    assert {path.name for path in lake.root.parent.iterdir()} == {"store"}
    assert lake.verify() == []


@settings(max_examples=40, suppress_health_check=AGAIN, deadline=None)
@given(symbol=st.text(min_size=1, max_size=300), venue=st.text(min_size=1, max_size=80))
def test_any_text_as_symbol_and_venue_comes_back(
    tmp_path_factory: pytest.TempPathFactory, symbol: str, venue: str
) -> None:
    lake = Lake(tmp_path_factory.mktemp("store"))
    lake.write([dataclasses.replace(bars(2), symbol=symbol, venue=venue)])
    [series] = Lake(lake.root).series()
    assert (series.venue, series.symbol) == (venue, symbol)
    assert len(Lake(lake.root).read("bar_1h", venue, symbol)) == 2


def test_a_batch_has_times_in_ns_and_nan_for_what_is_missing(lake: Lake) -> None:
    lake.write([bars(3)])
    batch = lake.read_batch(*BTC)
    assert (batch.kind, batch.venue, batch.symbol, len(batch)) == (*BTC, 3)
    assert batch.sources == ("a.csv",)
    assert batch.columns["ts"].dtype == np.int64
    assert batch.columns["ts"].tolist() == [START_NS + n * HOUR_NS for n in range(3)]
    assert (batch.columns["usable_from"] - batch.columns["ts"]).tolist() == [HOUR_NS] * 3
    assert batch.floats("close").tolist() == [100.0, 100.25, 100.5]
    assert np.isnan(batch.floats("taker_buy")).all()
    assert "source" not in batch.columns
    batch.floats("close")[0] = 1.0  # an owned array, so that state may be built in place


def test_a_batch_has_text_and_whole_numbers_too(lake: Lake) -> None:
    lake.write([trades(4)])
    batch = lake.read_batch("trade", "binance", "BTCUSDT", start=START_NS + 1)
    assert batch.texts("taker_side").tolist() == ["sell", "buy", "sell"]
    assert batch.columns["trade_id"].dtype == np.int64
    assert batch.ints("trade_id").tolist() == [1, 2, 3]


def test_a_count_that_may_be_missing_is_never_zero_in_a_batch(lake: Lake) -> None:
    ts = pl.Series([START, START + timedelta(days=1)], dtype=TIME)
    frame = pl.DataFrame(
        {
            "ts": ts,
            "usable_from": ts + timedelta(days=1),
            "long_usd": [1.0, 2.0],
            "short_usd": [1.0, None],
            "total_usd": [2.0, None],
            "count": [7, None],
            "source": ["x", "x"],
        }
    )
    lake.write([Table("liquidation_total_1d", "hyperliquid", "BTC", frame)])
    counts = lake.read_batch("liquidation_total_1d", "hyperliquid", "BTC").columns["count"]
    assert counts[0] == 7
    assert np.isnan(counts[1])


def test_an_empty_series_is_an_empty_batch_of_the_right_types(lake: Lake) -> None:
    batch = lake.read_batch("trade", "binance", "NOPE")
    assert len(batch) == 0
    assert [batch.columns[name].dtype.kind for name in ("ts", "price", "taker_side")] == list("ifU")


@pytest.mark.parametrize("kind", ["bar", "bar_7x", "nope", "funding_1h", "../bar_1h"])
def test_an_unknown_kind_is_bad_input(lake: Lake, kind: str) -> None:
    with pytest.raises(BadInput):
        lake.read(kind, "binance", "BTCUSDT")
    with pytest.raises(BadInput):
        lake.write([dataclasses.replace(bars(1), kind=kind)])


def test_a_reader_that_began_before_a_write_reads_on(lake: Lake) -> None:
    lake.write([bars(3)])
    reader = Lake(lake.root)
    assert reader.series()[0].rows == 3
    lake.write([bars(4)])  # deletes the file the reader knows
    assert len(reader.read(*BTC)) == 4


def test_readers_beside_a_writer_see_whole_commits_only(lake: Lake) -> None:
    lake.write([bars(1), bars(1, symbol="ETHUSDT")])
    seen, stop = [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append([one.rows for one in Lake(lake.root).series()])
            seen.append([len(Lake(lake.root).read(*BTC))] * 2)

    thread = threading.Thread(target=read)
    thread.start()
    for count in range(2, 12):
        lake.write([bars(count), bars(count, symbol="ETHUSDT")])
    stop.set()
    thread.join()
    assert seen
    assert all(btc == eth for btc, eth in seen)
    assert [rows[0] for rows in seen] == sorted(rows[0] for rows in seen)


def test_a_full_disk_changes_nothing_and_says_so(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.write([bars(3)])
    before = files_of(lake.root)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(disk, "sync", full)
        with pytest.raises(StoreError, match=r"nothing was changed.*No space left"):
            lake.write([bars(5)])
    assert files_of(lake.root) == before
    assert lake.write([bars(5)]).rows_new == 2


def test_rows_do_not_join_a_damaged_file(lake: Lake) -> None:
    lake.write([bars(3)])
    [file] = lake.root.rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StoreDamaged, match=file.name):
        Lake(lake.root).write([bars(4)])


def test_tables_may_come_from_a_generator_that_fails(lake: Lake) -> None:
    lake.write([bars(3)])
    before = files_of(lake.root)

    def tables():
        yield bars(9)
        raise BadInput("row 7 of the next file")

    with pytest.raises(BadInput, match="row 7"):
        lake.write(tables())
    assert files_of(lake.root) == before


@pytest.mark.real
def test_a_month_of_recorded_minutes_comes_back_as_the_file_has_it(
    lake: Lake, shared: Path
) -> None:
    raw = pl.read_parquet(shared / "data/typhonun_binance/ethusdt_perp_1m.parquet")
    frame = raw.select(
        pl.col("ts").cast(TIME),
        (pl.col("ts").cast(TIME) + timedelta(minutes=1)).alias("usable_from"),
        *(pl.col(name).cast(pl.Float64) for name in ("open", "high", "low", "close", "volume")),
        pl.lit(None, pl.Float64).alias("volume_usd"),
        pl.lit(None, pl.Float64).alias("taker_buy"),
        pl.lit("typhonun").alias("source"),
    )
    report = lake.write([Table("bar_1m", "binance", "ETHUSDT", frame)])
    assert report.rows_new == 60_191
    assert report.files_written == raw["ts"].dt.date().n_unique()
    read = Lake(lake.root).read("bar_1m", "binance", "ETHUSDT")
    assert read.equals(frame.sort("ts").select(read.columns))
    assert read["high"].max() == raw["high"].max()

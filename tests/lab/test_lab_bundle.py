"""The bundled market is what the seed gives, labelled, small, and true to the kinds' schema."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from airpocket.domain.instruments import instrument
from airpocket.domain.kinds import Column, split_name
from airpocket.lab import SEED, BundledTable, bundled_tables, simulate
from airpocket.lab.bundle import packed

ROOT = Path(__file__).resolve().parents[2]
DIGEST = """
import hashlib
from airpocket.lab import generate
from airpocket.lab.bundle import packed
files = packed(generate())
print(hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest())
"""


def test_the_bundle_is_what_the_seed_gives(tables: list[BundledTable]) -> None:
    bundled = bundled_tables()
    names = [(t.kind, t.venue, t.symbol) for t in bundled]
    assert names == [(t.kind, t.venue, t.symbol) for t in tables]
    for shipped, fresh in zip(bundled, tables, strict=True):
        assert_frame_equal(shipped.frame, fresh.frame, check_exact=True)


@pytest.mark.fault("D07")
def test_another_hash_seed_gives_the_same_bytes(tables: list[BundledTable]) -> None:
    files = packed(tables)
    here = hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest()
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": str(ROOT / "src")}
    there = subprocess.run(
        [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


@pytest.mark.slow
def test_another_seed_gives_another_market() -> None:
    other = simulate(SEED + 1)
    assert other.close[-1] != simulate(SEED).close[-1]


def test_the_bundle_is_small_enough_to_ship() -> None:
    folder = ROOT / "src" / "airpocket" / "lab" / "bundled"
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert any(file.parent.name == "sealed" for file in files)
    assert sum(file.stat().st_size for file in files) <= 3_000_000


def test_every_row_says_that_it_is_simulated(tables: list[BundledTable]) -> None:
    for table in tables:
        assert table.frame["source"].unique().to_list() == [f"SIMULATED seed {SEED}"]
        assert instrument(table.venue, table.symbol).simulated


def test_every_table_has_the_columns_of_its_kind(tables: list[BundledTable]) -> None:
    dtypes = {"f64": pl.Float64(), "i64": pl.Int64(), "str": pl.String()}
    time = pl.Datetime("us", "UTC")
    for table in tables:
        kind, _ = split_name(table.kind)
        expected = {"ts": time, "usable_from": time, "source": pl.String()}
        expected |= {
            column.name: dtypes.get(column.dtype, time)
            for column in kind.columns
            if not column.optional
        }
        assert dict(table.frame.schema) == expected


def test_every_value_passes_the_check_of_its_column(tables: list[BundledTable]) -> None:
    for table in tables:
        kind, _ = split_name(table.kind)
        for column in kind.columns:
            if column.optional and column.name not in table.frame.columns:
                continue
            _assert_valid(table.frame[column.name], column)


def _assert_valid(values: pl.Series, column: Column) -> None:
    assert column.nullable or values.null_count() == 0
    if column.choices:
        assert set(values.unique().to_list()) <= set(column.choices)
    if column.dtype not in ("f64", "i64"):
        return
    known = values.drop_nulls()
    assert known.is_finite().all()
    if column.check == "positive":
        assert (known > 0).all()
    if column.check == "nonnegative":
        assert (known >= 0).all()


def test_rows_are_in_key_order_and_no_key_comes_twice(tables: list[BundledTable]) -> None:
    for table in tables:
        key = list(split_name(table.kind)[0].key)
        keys = table.frame.select(key)
        assert keys.n_unique() == keys.height
        assert_frame_equal(keys, keys.sort(key))


def test_nothing_is_usable_before_it_could_be_known(tables: list[BundledTable]) -> None:
    for table in tables:
        _, interval_ns = split_name(table.kind)
        lag_us = pl.col("usable_from").dt.epoch("us") - pl.col("ts").dt.epoch("us")
        lag = table.frame.select(lag_us).to_series()
        assert (lag >= interval_ns // 1_000).all()
        if table.kind == "flow":
            assert (lag > 0).all()


def test_the_last_fact_is_known_at_the_moment_the_demo_is_asked_for(
    tables: list[BundledTable],
) -> None:
    last = max(table.frame["usable_from"].max() for table in tables)
    assert last.isoformat() == "2026-01-15T12:00:00+00:00"

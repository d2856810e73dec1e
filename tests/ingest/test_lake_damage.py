"""Damage on disk: every flipped bit is found, every missing and foreign file reported, nothing wrong is read."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest.lake_samples import bars, trades

from airpocket.domain.errors import StoreDamaged
from airpocket.ingest.lake import Lake

BTC = ("bar_1h", "binance", "BTCUSDT")
SERIES = (BTC, ("trade", "binance", "BTCUSDT"))


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("store"))
    lake.write([bars(40 * 24), trades(8)])
    return lake


def content_files(lake: Lake) -> list[Path]:
    return sorted(path for path in lake.root.rglob("*") if path.is_file() and path.name != ".lock")


@contextlib.contextmanager
def flipped(path: Path, bit: int):
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[bit // 8] ^= 1 << bit % 8
    path.write_bytes(damaged)
    try:
        yield
    finally:
        path.write_bytes(whole)


@settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data())
@pytest.mark.fault("S04")
def test_a_flipped_bit_in_any_file_is_found_by_verify_and_by_reading(
    intact: Lake, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(content_files(intact)))
    bit = data.draw(st.integers(0, path.stat().st_size * 8 - 1))
    with flipped(path, bit):
        assert [damage.path for damage in Lake(intact.root).verify()] == [path]
        with pytest.raises(StoreDamaged, match=path.name):
            _ = [Lake(intact.root).read(*series) for series in SERIES]
    assert Lake(intact.root).verify() == []


def test_verify_reads_anew_what_was_already_verified(intact: Lake) -> None:
    intact.read(*BTC)
    path = next(path for path in content_files(intact) if path.suffix == ".parquet")
    with flipped(path, 800):
        assert [damage.path for damage in intact.verify()] == [path]


def test_a_file_that_changes_after_its_first_use_is_verified_again(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write([bars(3)])
    lake.read(*BTC)
    [path] = tmp_path.rglob("*.parquet")
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(StoreDamaged, match="bytes, the manifest says"):
        lake.read(*BTC)


@pytest.mark.fault("S04")
def test_a_series_beside_the_damage_stays_readable(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write([bars(3), bars(3, symbol="ETHUSDT")])
    [path] = tmp_path.rglob("symbol=BTCUSDT/*/*.parquet")
    path.unlink()
    with pytest.raises(StoreDamaged, match=r"missing.*store verify"):
        Lake(tmp_path).read(*BTC)
    assert len(Lake(tmp_path).read("bar_1h", "binance", "ETHUSDT")) == 3
    [damage] = Lake(tmp_path).verify()
    assert (damage.path, damage.problem) == (path, "the file is missing")


def test_two_files_that_changed_places_are_both_found(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write([trades(4)])
    one, other = sorted(tmp_path.rglob("*.parquet"))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert [damage.path for damage in lake.verify()] == [one, other]


def test_a_foreign_file_is_reported_and_left_alone(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write([bars(3)])
    foreign = next(tmp_path.rglob("*.parquet")).with_name("mine.parquet")
    foreign.write_bytes(b"PAR1")
    [damage] = lake.verify()
    assert damage.path == foreign
    assert "not listed" in damage.problem
    lake.write([bars(4)])
    assert foreign.exists()


def test_a_lost_manifest_is_damage_for_readers_writers_and_verify(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write([bars(3)])
    (tmp_path / "lake" / "manifest.jsonl").unlink()
    for attempt in (lambda: lake.read(*BTC), lambda: lake.write([bars(4)]), lake.series):
        with pytest.raises(StoreDamaged, match="manifest is missing"):
            attempt()
    [damage] = lake.verify()
    assert "missing" in damage.problem
    assert len(list(tmp_path.rglob("part-*.parquet"))) == 1


def test_a_file_that_cannot_be_read_at_all_is_reported(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write([bars(3)])
    [path] = tmp_path.rglob("*.parquet")
    path.unlink()
    path.mkdir()
    [damage] = lake.verify()
    assert "cannot be read" in damage.problem
    with pytest.raises(StoreDamaged, match="cannot be read"):
        Lake(tmp_path).read(*BTC)

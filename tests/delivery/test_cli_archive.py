"""Tests of `airpocket archive` as a person meets it: from the venue's files to rows in the store."""

import gzip
import json
from collections.abc import Iterator

import pytest
from cyclopts import App
from ingest.backfill.fake_venue import PUBLIC, FakeClock
from ingest.backfill.loopback import Archive, Transport, served

from airpocket.delivery.cli import archive as command
from airpocket.domain.errors import BadInput, BadTable
from airpocket.domain.units import parse_time
from airpocket.ingest.backfill.session import World
from airpocket.ingest.lake import Lake

TRADES = (
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n"
    "{at}.25,ETHUSDT,Buy,2,2000.5,PlusTick,0f67d8c2-6a3e-4c1d-8e2f-0000000000{n:02},1,2,3\n"
)
DAYS = {"2025-05-01": 1746057600, "2025-05-02": 1746144000}
WHEN = ["--from", "2025-05-01T00:00Z", "--to", "2025-05-04T00:00Z"]


@pytest.fixture
def archive() -> Iterator[Archive]:
    with served() as running:
        for number, (day, at) in enumerate(DAYS.items()):
            name = f"public.bybit.com/trading/ETHUSDT/ETHUSDT{day}.csv.gz"
            running.files[name] = gzip.compress(TRADES.format(at=at, n=number).encode())
        yield running


@pytest.fixture
def run(archive, monkeypatch, tmp_path):
    clock = FakeClock(parse_time("2025-07-10T12:00Z"))

    def world(_clock):
        return World(clock, lambda: 0.5, clock.sleep, lambda _: [PUBLIC], Transport(archive))

    monkeypatch.setattr("airpocket.delivery.cli.backfill.open_world", world)
    monkeypatch.setattr("airpocket.ingest.world.SystemClock", lambda: clock)
    app = App(name="airpocket", result_action="return_value")
    app.command(command.archive)

    def call(*words: str) -> int:
        where = ["--store", str(tmp_path / "store"), "--folder", str(tmp_path / "files")]
        return app(["archive", *words, *where], exit_on_error=False, print_error=False)

    return call


def test_the_files_of_a_span_end_up_in_the_store(run, tmp_path, capsys) -> None:
    assert run("bybit_linear", "ETHUSDT", *WHEN) == 0

    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("2 rows of 1 series: 2 new, 0 known")
    assert out[-3].startswith("2 files downloaded (0.0 MB), 0 were there")
    assert out[-2] == "1 files that the archive does not have:"
    assert out[-1].endswith("/trading/ETHUSDT/ETHUSDT2025-05-03.csv.gz")
    frame = Lake(tmp_path / "store").read("trade", "bybit_linear", "ETHUSDT")
    assert (
        frame.select("price", "size", "taker_side", "source").rows()
        == [(2000.5, 2.0, "buy", "bybit_archive")] * 2
    )


def test_a_second_run_downloads_and_changes_nothing(run, archive, capsys) -> None:
    run("bybit_linear", "ETHUSDT", *WHEN)
    asked = len(archive.asked)
    capsys.readouterr()

    assert run("bybit_linear", "ETHUSDT", *WHEN) == 0

    out = capsys.readouterr().out
    assert "2 rows of 1 series: 0 new, 2 known" in out
    assert "0 files downloaded (0.0 MB), 2 were there" in out
    assert len(archive.asked) == asked + 1  # the absent one


def test_an_archive_without_any_of_the_files_ends_with_status_4(run, capsys) -> None:
    status = run(
        "bybit_linear", "BTCUSDT", "--from", "2025-05-01T00:00Z", "--to", "2025-05-02T00:00Z"
    )

    assert status == 4
    assert "1 files that the archive does not have" in capsys.readouterr().out


def test_a_file_that_holds_something_else_leaves_the_store_as_it_was(
    run, archive, tmp_path
) -> None:
    archive.files["public.bybit.com/trading/ETHUSDT/ETHUSDT2025-05-02.csv.gz"] = b"<html>"

    with pytest.raises(BadTable, match=r"ETHUSDT2025-05-02\.csv\.gz: is no whole gzip file"):
        run("bybit_linear", "ETHUSDT", *WHEN)

    assert Lake(tmp_path / "store").read("trade", "bybit_linear", "ETHUSDT").height == 0


def test_programs_get_json(run, capsys) -> None:
    run("bybit_linear", "ETHUSDT", *WHEN, "--json")

    assert json.loads(capsys.readouterr().out)["written"]["rows_new"] == 2


@pytest.mark.parametrize("step", ["7h", "now", "2d"])
def test_a_step_that_does_not_divide_a_day_is_refused(run, step) -> None:
    with pytest.raises(BadInput, match="--step"):
        run("bybit_linear", "ETHUSDT", *WHEN, "--step", step)

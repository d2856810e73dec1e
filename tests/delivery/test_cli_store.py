"""The store commands: tables for people, JSON for programs, exit status 3 for damage."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from cyclopts import App
from ingest.log.log_samples import records, write

from airpocket.delivery.cli import main
from airpocket.delivery.cli import store as commands
from airpocket.domain.errors import BadInput
from airpocket.ingest.lake import Lake, Table
from airpocket.ingest.log.segment import segments_in


@pytest.fixture
def app() -> App:
    app = App("store", help_format="plaintext", result_action="return_value")
    for name in ("ls", "verify", "sql"):
        app.command(f"airpocket.delivery.cli.store:{name}", name=name)
    return app


@pytest.fixture
def root(tmp_path: Path) -> Path:
    start = datetime(2025, 10, 10, tzinfo=UTC)
    ts = pl.Series(
        [start + timedelta(hours=8 * n) for n in range(3)], dtype=pl.Datetime("us", "UTC")
    )
    for symbol in ("BTCUSDT", "[red]\x1b币"):
        frame = pl.DataFrame(
            {
                "ts": ts,
                "usable_from": ts,
                "rate": [0.0001, -0.0002, 0.0003],
                "interval_s": [28800] * 3,
                "source": ["f.csv"] * 3,
            }
        )
        Lake(tmp_path).write([Table("funding", "binance", symbol, frame)])
    return tmp_path


def test_the_list_names_each_series_with_rows_span_and_source(
    app: App, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app(["ls", "--store", str(root)])
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("2 series")
    [line] = [line for line in rest if "BTCUSDT" in line]
    for cell in (
        "funding",
        "binance",
        "3",
        "2025-10-10T00:00:00Z",
        "2025-10-10T16:00:00Z",
        "f.csv",
    ):
        assert cell in line


@pytest.mark.fault("V14", "V15", "V16")
def test_hostile_names_reach_the_terminal_escaped(
    app: App, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app(["ls", "--store", str(root)])
    app(["sql", "SELECT DISTINCT symbol FROM funding", "--store", str(root)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.count("[red]\\x1b币") == 2


def test_the_list_as_json(app: App, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app(["ls", "--store", str(root), "--json"])
    series = json.loads(capsys.readouterr().out)
    assert [one["symbol"] for one in series] == ["BTCUSDT", "[red]\x1b币"]
    assert series[0] | {"bytes": 0} == {
        "kind": "funding",
        "venue": "binance",
        "symbol": "BTCUSDT",
        "rows": 3,
        "first": "2025-10-10T00:00:00Z",
        "last": "2025-10-10T16:00:00Z",
        "files": 1,
        "bytes": 0,
        "sources": ["f.csv"],
    }


@pytest.mark.parametrize("command", ["ls", "verify"])
def test_no_store_and_an_empty_one_get_a_helpful_sentence(
    app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert not app([command, "--store", str(tmp_path / "none")])
    assert "there is no store" in capsys.readouterr().out
    assert not app([command, "--store", str(tmp_path)])
    assert "is empty" in capsys.readouterr().out


def test_an_empty_list_as_json_is_an_empty_list(
    app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app(["ls", "--store", str(tmp_path), "--json"])
    assert json.loads(capsys.readouterr().out) == []


def test_verify_of_a_good_store_counts_files(
    app: App, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app(["verify", "--store", str(root)]) == 0
    assert capsys.readouterr().out == "2 files, all intact\n"
    app(["verify", "--store", str(root), "--json"])
    assert json.loads(capsys.readouterr().out) == {"intact": True, "files": 2, "damaged": []}


def test_verify_of_a_damaged_store_names_the_file_and_returns_3(
    app: App, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [file] = root.rglob("symbol=BTCUSDT/**/*.parquet")
    file.write_bytes(file.read_bytes()[::-1])
    assert app(["verify", "--store", str(root)]) == 3
    assert capsys.readouterr().out.startswith(f"{file}: the contents changed")
    assert app(["verify", "--store", str(root), "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    assert (report["intact"], [one["file"] for one in report["damaged"]]) == (False, [str(file)])


def test_sql_prints_a_table_and_says_when_there_is_more(
    app: App, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT ts, rate FROM funding WHERE symbol = 'BTCUSDT' ORDER BY ts"
    app(["sql", sql, "--store", str(root)])
    out = capsys.readouterr().out
    assert out.startswith("3 rows")
    assert "2025-10-10T08:00:00Z" in out
    assert "-0.0002" in out
    app(["sql", sql, "--store", str(root), "--limit", "2"])
    assert capsys.readouterr().out.startswith("the first 2 rows")


def test_sql_as_json_from_standard_input(
    app: App, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sys, "stdin", io.StringIO("SELECT min(ts) AS t, NULL AS n, 1.5 AS d FROM funding")
    )
    app(["sql", "-", "--store", str(root), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer == {
        "columns": ["t", "n", "d"],
        "rows": [["2025-10-10T00:00:00Z", None, "1.5"]],
        "more": False,
    }


@pytest.mark.parametrize("tokens", [["sql", "DROP VIEW x"], ["sql", "SELECT 1", "--limit", "0"]])
def test_bad_questions_are_bad_input(app: App, root: Path, tokens: list[str]) -> None:
    with pytest.raises(BadInput):
        app([*tokens, "--store", str(root)])


def test_the_module_of_commands_imports_nothing_heavy() -> None:
    program = (
        "import sys, airpocket.delivery.cli.store\n"
        "print(sorted({'numpy', 'polars', 'duckdb', 'numba', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
    assert set(vars(commands)) >= {"ls", "verify", "sql"}


def test_sealing_says_what_it_did_and_what_was_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["store", "seal", "--store", str(tmp_path)]) != 0
    assert "no recorded log lies here" in capsys.readouterr().err
    raw = tmp_path / "raw"
    write(raw, records(200), segment_bytes=4_096)
    path = segments_in(raw)[2]
    data = bytearray(path.read_bytes())
    data[500] ^= 1
    path.write_bytes(data)
    assert main(["store", "seal", "--store", str(tmp_path)]) == 3
    out = capsys.readouterr().out
    assert "segments sealed" in out
    assert "damaged: sealed/0000000002-" in out
    assert main(["store", "seal", "--store", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("0 segments sealed")


@pytest.mark.fault("S11")
def test_a_query_is_stopped_after_the_seconds_it_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = "SELECT count(*) FROM range(10000000000) a, range(10000000000) b WHERE a.range % 7 = b.range % 5"
    words = ["store", "sql", endless, "--store", str(tmp_path), "--seconds"]
    assert main([*words, "0.3"]) != 0
    assert "stopped after" in capsys.readouterr().err
    assert main([*words, "0"]) != 0
    assert "--seconds must be above 0" in capsys.readouterr().err

"""`airpocket import`: what it prints, and that a store is untouched when anything at all is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ingest.history.history_samples import CSV, MAPPING, Folder

from airpocket.delivery.cli.import_ import import_
from airpocket.domain.errors import BadTable, StoreConflict
from airpocket.ingest.lake import Lake


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_the_first_line_says_what_was_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(tmp_path)
    folder.put(
        "bars.csv", "".join(CSV.splitlines(keepends=True)[:2] + CSV.splitlines(keepends=True)[3:])
    )

    import_([folder.put("m.toml", MAPPING)], root=tmp_path, store=tmp_path / "store")

    out = capsys.readouterr()
    assert out.out.startswith("2 rows of 1 series: 2 new, 0 known; 1 files of")
    assert "bar_1h" in out.out
    assert "1 gaps:" in out.out
    assert "2.0 h, 1 rows missing" in out.out
    assert out.err == ""  # no bar where nobody watches
    assert Lake(tmp_path / "store").read("bar_1h", "binance_usdm", "ETHUSDT").height == 2


def test_json_has_every_gap_and_every_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV.replace("T02", "T05"))
    folder.put("m.toml", MAPPING + '[[skip]]\nfile = "x"\nreason = "why"\n')

    import_([tmp_path], root=tmp_path, store=tmp_path / "store", as_json=True)

    account = json.loads(capsys.readouterr().out)
    assert account["written"]["rows_new"] == 3
    assert account["gaps"] == [
        {
            "kind": "bar_1h",
            "venue": "binance_usdm",
            "symbol": "ETHUSDT",
            "after": "2025-05-01T01:00:00Z",
            "before": "2025-05-01T05:00:00Z",
            "missing": 3,
        }
    ]
    assert account["files"][0]["rows_taken"] == 3
    assert account["skipped"] == [{"file": "x", "reason": "why"}]


def test_a_second_import_changes_no_byte(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV)
    mapping = folder.put("m.toml", MAPPING)
    import_([mapping], root=tmp_path, store=tmp_path / "store")
    before = contents(tmp_path / "store")

    import_([mapping], root=tmp_path, store=tmp_path / "store")

    assert contents(tmp_path / "store") == before


def test_one_bad_row_in_the_last_table_leaves_the_store_untouched(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV)
    good = folder.put("a.toml", MAPPING)
    import_([good], root=tmp_path, store=tmp_path / "store")
    before = contents(tmp_path / "store")
    folder.put("bars.csv", CSV + "2025-05-01T03:00:00Z,92,93,91,92,1\n")
    folder.put("bad.csv", CSV.replace("91.25", "NaN"))
    bad = folder.put("b.toml", MAPPING.replace("bars.csv", "bad.csv"))

    with pytest.raises(BadTable, match=r"bad\.csv, row 3, column 'close'"):
        import_([good, bad], root=tmp_path, store=tmp_path / "store")

    assert contents(tmp_path / "store") == before


def test_a_row_that_contradicts_the_store_is_refused_or_settled_as_asked(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV)
    mapping = folder.put("m.toml", MAPPING)
    store = tmp_path / "store"
    import_([mapping], root=tmp_path, store=store)
    folder.put("bars.csv", CSV.replace("91.25", "91.5"))

    with pytest.raises(StoreConflict):
        import_([mapping], root=tmp_path, store=store)
    import_([mapping], root=tmp_path, store=store, on_conflict="keep")
    assert Lake(store).read("bar_1h", "binance_usdm", "ETHUSDT")["close"][-1] == 91.25
    import_([mapping], root=tmp_path, store=store, on_conflict="replace")
    assert Lake(store).read("bar_1h", "binance_usdm", "ETHUSDT")["close"][-1] == 91.5


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV)

    import_([folder.put("m.toml", MAPPING)], root=tmp_path, store=tmp_path / "store", dry_run=True)

    assert "nothing written" in capsys.readouterr().out
    assert not (tmp_path / "store").exists()


def test_the_command_loads_nothing_heavy_before_it_runs() -> None:
    code = (
        "import sys, airpocket.delivery.cli.import_\n"
        "sys.exit(bool({'numpy', 'polars', 'numba', 'duckdb', 'scipy'} & set(sys.modules)))"
    )
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}

    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )

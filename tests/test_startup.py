"""Starting the command line stays cheap: help must not load anything heavy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("numba", "numpy", "polars", "duckdb", "scipy", "ccxt", "llvmlite")


def imported_by(*arguments: str) -> set[str]:
    """The top-level names that one run of the command line imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "airpocket", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {row.rsplit("|", 1)[1].strip().split(".")[0] for row in rows}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("store", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    found = imported_by(*arguments)
    assert "airpocket" in found  # the listing was read rightly
    assert found.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "code",
    [
        "import airpocket.delivery.serve.web",
        "from airpocket.delivery.serve.start import Asked, planned\n"
        "with planned(Asked('ETH', demo=True)): pass",
    ],
)
def test_the_page_waits_for_nothing_heavy(code: str, tmp_path: Path) -> None:
    """Neither the command nor the web process loads the analysis: that is the engine's."""
    loaded = f"import sys\n{code}\nprint(*sys.modules)"
    folders = {name: str(tmp_path) for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", loaded], env={**os.environ, **folders, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = {name.split(".")[0] for name in done.stdout.split()}
    assert "airpocket" in found
    assert found.isdisjoint({*HEAVY, "pyarrow", "httpx"})

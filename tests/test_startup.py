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

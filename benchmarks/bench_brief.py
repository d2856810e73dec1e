"""Whole commands on the bundled market: help, the first brief with compilation, one from the start, a warm one."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from airpocket.delivery.kept import FOLDER
from benchmarks.harness import Figure, seconds


def _run(arguments: list[str], cache: Path) -> float:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "airpocket", *arguments]
    return seconds(
        lambda: subprocess.run(command, env=environment, capture_output=True, check=True)
    )


def figures() -> Iterator[Figure]:
    """Seconds of the whole process; no peer answers the same question."""
    with tempfile.TemporaryDirectory() as folder:
        out, cache = Path(folder) / "demo", Path(folder) / "kernels"
        yield Figure("demo_first_ever", "s", round(_run(["demo", "--out", str(out)], cache), 2))
        brief = ["brief", "ETH", "--store", str(out / "store"), "--json"]
        shutil.rmtree(out / "store" / FOLDER)
        yield Figure("brief_from_start", "s", round(_run(brief, cache), 2))
        warm = statistics.median(_run(brief, cache) for _ in range(5))
        yield Figure("brief_warm", "s", round(warm, 2))
        helped = statistics.median(_run(["--help"], cache) for _ in range(9))
        yield Figure("help", "s", round(helped, 3))

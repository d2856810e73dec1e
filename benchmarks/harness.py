"""Times two things in turn and states the median of each and their ratio."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One result. `ratio` above 1 means ours is better: faster, or smaller."""

    name: str
    unit: str
    ours: float
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def against(  # noqa: PLR0913
    name: str, ours: Callable[[], object], peer_name: str, peer: Callable[[], object],
    *, per: int, unit: str = "ns", repeats: int = 9, peer_per: int | None = None,
) -> Figure:  # fmt: skip
    """Ours and the peer's median time per item, interleaved after one warm-up each.

    `peer_per`: items of one call of the peer, where it is given fewer than ours.
    """
    ours()
    peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(repeats)]
    scale = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0}[unit] / per
    fewer = per / (peer_per or per)
    mine = scale * statistics.median(pair[0] for pair in pairs)
    theirs = fewer * scale * statistics.median(pair[1] for pair in pairs)
    ratio = fewer * statistics.median(pair[1] / pair[0] for pair in pairs)
    return Figure(name, unit, round(mine, 3), peer_name, round(theirs, 3), round(ratio, 3))


def resident_mb() -> float:
    """Memory now, MB; 0 where the system has no /proc."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        return 0.0
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6

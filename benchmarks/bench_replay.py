"""A replay's cost a message and the memory it keeps: made frames through the decoders into book and state.

BENCH_REPLAY names another number of messages than the usual, as in BENCH_REPLAY=10000000.
"""

import itertools
import os
import time
from collections.abc import Iterator

import numpy as np

from airpocket.domain.units import SECOND_NS
from airpocket.ingest.log.records import Record
from airpocket.live.replay import Replay
from benchmarks import live_venue
from benchmarks.harness import Figure, resident_mb

_USUAL = 400_000
_RATE = 5_000  # messages a second of the market's time
_START = 1_780_000_000 * SECOND_NS
_ASKED, _ADDRESS = 15, "https://fapi.binance.com/fapi/v1/depth?symbol=ETHUSDT"
_LOOKS = 20  # at memory; the first quarter is warming up


def _records(first: int, last: int) -> Iterator[Record]:
    """Messages of the mix, each heard when it was sent; once a second what the slow route says."""
    for number in range(first, last):
        heard = _START + number * SECOND_NS // _RATE
        if number == _ASKED:
            book = live_venue.snapshot(number, heard // 1_000_000)
            yield Record(heard, "binance_usdm", "rest depth", "rest", book, about=_ADDRESS)
        if number % _RATE == 0:
            for body in live_venue.slow_frames(heard // 1_000_000):
                yield Record(heard, "binance_usdm", "market#1", "text", body.encode())
        body = live_venue.frame(number, heard // 1_000_000).encode()
        yield Record(heard, "binance_usdm", "public#1", "text", body)


def figures() -> Iterator[Figure]:
    """Microseconds of processor a message, making it included, and the slope of memory."""
    total = int(os.environ.get("BENCH_REPLAY", str(_USUAL)))
    replay, sizes = Replay(("ETH",)), list[float]()
    began = time.process_time()
    edges = np.linspace(1, total + 1, _LOOKS + 1).astype(int).tolist()
    for first, last in itertools.pairwise(edges):
        replay.feed(_records(first, last))
        sizes.append(resident_mb())
    took = time.process_time() - began
    market = replay.states.by_asset["ETH"].markets["binance_usdm", "ETHUSDT"]
    assert market.book.state == "live", market.book.reason
    assert not replay.report().refused
    late = slice(_LOOKS // 4, None)
    millions = np.array(edges[1:]) / 1e6
    slope = np.polyfit(millions[late], np.array(sizes)[late], 1)[0]
    name = f"replay of {total:,} messages"
    yield Figure(f"{name}: processor a message", "us", round(1e6 * took / total, 2))
    yield Figure(f"{name}: memory at the end", "MB", round(sizes[-1], 1))
    yield Figure(f"{name}: memory per million messages", "MB", round(float(slope), 3))

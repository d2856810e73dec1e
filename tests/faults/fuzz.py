"""Recorded frames, broken at random: a decoder gives what a second, slow reader gives, or its one error.

python -m tests.faults.fuzz --frames 1000000 --processes 16
Needs the recorded frames beside the checkout; without them only the frames written by hand are broken.
"""

import argparse
import contextlib
import json
import math
import os
import random
import sys
import time
from collections import Counter
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import msgspec
from ingest.venues import frames, slow_reader, wires

from airpocket.domain.depth import Levels, plain
from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.wire import BookChange, Trade
from airpocket.ingest.venues.binance import decoder, shapes
from airpocket.ingest.venues.binance.depth import read_one
from airpocket.ingest.venues.registry import VENUES
from tests.faults import ROOT
from tests.faults.shards import Progress, cores, cut, say, spread

HEARD = 1_800_000_000_000_000_000
LONGEST_MS = 50.0  # of processor time, for any frame
TOKENS = (b"null", b"NaN", b"1e999", b"18446744073709551616", b"-1", b'""', b"{}", b"[]", b"true", b"\xff",
          b'"1e18"', b'"0"', b"0", b"[[", b'"buy"', b"1e-400", "币".encode(), b'"1_000"', b'"-0"', b"1E5",
          b'"\xef\xbc\x91"', b"0x10", b'"3000.5"', b"3000.50000000000001", b'"0.1"', b"\\ud800")  # fmt: skip
FILES = {
    "binance_options": ("tardis-node/binance-european-options.jsonl",),
    "bybit_options": ("tardis-node/bybit-options.jsonl",),
    "binance": ("live-2026/binance_usdm_market.jsonl", "live-2026/binance_usdm_public.jsonl",
                "live-2026/binance_spot.jsonl", "tardis-node/binance-futures.jsonl",
                "tardis-node/binance-delivery.jsonl", "tardis-node/binance.jsonl"),
    "bybit": ("live-2026/bybit_linear.jsonl", "tardis-node/bybit.jsonl", "tardis-node/bybit-spot.jsonl"),
    "okx": ("live-2026/okx_public.jsonl", "tardis-node/okex-swap.jsonl", "tardis-node/okex-futures.jsonl",
            "tardis-node/okex-options.jsonl", "crypto-msg-parser/okx.jsonl"),
    "deribit": ("live-2026/deribit.jsonl", "tardis-node/deribit.jsonl", "crypto-msg-parser/deribit.jsonl"),
    "hyperliquid": ("live-2026/hyperliquid.jsonl", "tardis-node/hyperliquid.jsonl"),
    "kraken": ("tardis-node/kraken.jsonl", "tardis-node/cryptofacilities.jsonl", "crypto-msg-parser/kraken.jsonl"),
    "coinbase": ("tardis-node/coinbase.jsonl", "crypto-msg-parser/coinbase_pro.jsonl"),
}  # fmt: skip


@lru_cache(maxsize=4)
def seeds_of(shared, venue):
    """Recorded frames of the venue's family that are not too long to hit, and one written by hand of each kind."""
    found = []
    for name in (FILES.get(venue) or FILES[venue.split("_")[0]]) if shared is not None else ():
        path = shared / "wire" / name
        if "live-2026" in name:
            found += frames.lines(path)
        else:
            found += frames.wrapped(path, "raw" if "msg-parser" in name else "message")
    hand = [wires.frame(venue, kind) for kind in wires.FRAMES.get(venue, ())]
    return [frame for frame in found if len(frame) < 4_000] + hand * 3


def mutated(seed, rng):
    """One to four changes: bytes, gaps, tokens, repeated pieces, numbers."""
    frame = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        kind, at = rng.random(), rng.randrange(len(frame) + 1)
        if kind < 0.3 and at < len(frame):
            frame[at] = rng.choice(b'0123456789.e-+"') if kind < 0.15 else rng.randrange(256)
        elif kind < 0.5:
            frame[at : at + rng.randint(1, 8)] = b""
        elif kind < 0.8:
            end = at
            while end < len(frame) and frame[end] in b'0123456789."':
                end += 1
            frame[at:end] = rng.choice(TOKENS)
        else:
            start = rng.randrange(len(frame) + 1)
            frame[at:at] = frame[start : start + rng.randint(1, 30)]
        if not frame:
            frame = bytearray(b"{}")
    return bytes(frame)


def values_in(value):
    if isinstance(value, float):
        yield value
    elif isinstance(value, tuple | Levels):
        for each in value:
            yield from values_in(each)


def same_size(event, price, size, wire_size):
    """Sizes are coin on the wire of most; dollars of the inverse; contracts of a worth that is not judged here."""
    if event.venue in ("binance_coinm", "okx"):
        return (size is None) or (size > 0.0) == (float(wire_size) > 0.0)
    inverse = event.venue == "bybit_inverse" or event.symbol.startswith(("PI_", "FI_"))
    if event.venue == "deribit":
        inverse = "_" not in event.symbol and not event.symbol.endswith(("-C", "-P"))
    if inverse:
        return math.isclose(size * price, float(wire_size), rel_tol=1e-9, abs_tol=1e-300)
    return size == float(wire_size)


def agrees(event, trades, books):
    """Whether the slow reader told the same figures."""
    if isinstance(event, Trade):
        return any(
            event.price == float(price) and same_size(event, event.price, event.size, size)
            for price, size in trades
        )
    for book in books:
        if all(
            len(mine) == len(theirs)
            and all(
                level[0] == float(price) and same_size(event, level[0], level[1], size)
                for level, (price, size) in zip(mine, theirs, strict=True)
            )
            for mine, theirs in zip((event.bids, event.asks), book, strict=True)
        ):
            return True
    return False


def judge(frame, events, venue, tally):
    """Every value finite, writable as JSON, and the figures of trades and books those of the slow reader."""
    for event in events:
        for value in msgspec.structs.astuple(event):
            assert all(math.isfinite(each) for each in values_in(value)), (event, frame)
        json.loads(msgspec.json.encode(event, enc_hook=plain))
    told = [event for event in events if isinstance(event, Trade | BookChange)]
    if not told:
        return
    try:
        trades, books = slow_reader.read(venue, frame)
    except slow_reader.Unreadable as reason:
        tally["unread"] += 1
        tally[f"  {str(reason)[:40]}"] += 1
        return
    for event in told:
        assert agrees(event, trades, books), (event, trades, books, frame)
        tally["compared"] += 1


class Tally(NamedTuple):
    """What some broken frames of one decoder gave; `longest_ms` of processor time; `wrong` in words."""

    frames: int = 0
    understood: int = 0
    compared: int = 0
    unread: int = 0
    longest_ms: float = 0.0
    wrong: tuple[str, ...] = ()

    def plus(self, other: "Tally") -> "Tally":
        longest = max(self.longest_ms, other.longest_ms)
        summed = Tally(*(a + b for a, b in zip(self, other, strict=True)))
        return summed._replace(longest_ms=longest)


def fuzz(venue: str, piece: range, shared: Path | None) -> Tally:
    """Break as many frames as the piece is long; its start is the seed."""
    decode, seeds = VENUES[venue].decode, seeds_of(shared, venue)
    rng, tally, longest, wrong = random.Random(f"{venue} {piece.start}"), Counter(), 0, []
    for frame in (*seeds[:300], *seeds[-3:]):
        with contextlib.suppress(UndecodableFrame):
            decode(frame, HEARD, "")  # compiles what is compiled
    for _ in piece:
        frame = mutated(rng.choice(seeds), rng)
        begun = time.thread_time_ns()
        try:
            events = decode(frame, HEARD, "/api/v5/market/books?instId=ETH-USDT&symbol=ETHUSDT")
        except UndecodableFrame:
            events = None
        longest = max(longest, time.thread_time_ns() - begun)
        if events is None:
            continue
        tally["understood"] += 1
        try:
            judge(frame, events, venue, tally)
        except AssertionError as error:
            wrong.append(f"{venue}: {str(error)[:600]}")
    return Tally(
        len(piece),
        tally["understood"],
        tally["compared"],
        tally["unread"],
        longest / 1e6,
        tuple(wrong[:5]),
    )


def broken_depth(shared: Path, count: int, seed: str) -> list[bytes]:
    """Recorded depth frames of USD-M, most of them broken."""
    path = shared / "wire/hftbacktest/usdm/ethusdt_20240808.gz"
    sound = [frame for _, frame in frames.stamped(path) if b"@depth" in frame[:40]][:300]
    rng = random.Random(seed)
    return [
        mutated(frame, rng) if rng.random() < 0.7 else frame
        for frame in rng.choices(sound, k=count)
    ]


def typed(venue: str, frame: bytes) -> BookChange:
    """A depth frame as the typed shapes alone read it."""
    data = shapes.COMBINED.decode(frame).data
    [change] = decoder._depth(decoder._FAMILY.get(data.st, venue), data, HEARD)
    return change


def fuzz_depth(piece: range, shared: Path) -> Tally:
    """The compiled reader of depth frames, alone and in bulk, against the typed shapes."""
    broken, used, understood = broken_depth(shared, len(piece), f"alike {piece.start}"), 0, 0
    bulk = decoder.read_books("binance_usdm", broken, "ETHUSDT")
    wrong: list[str] = []
    for k, frame in enumerate(broken):
        read = read_one(frame)
        if read is None:
            if bulk.read[k]:
                wrong.append(f"depth: read in bulk and not alone: {frame[:300]!r}")
            continue
        used += 1
        whole = typed("binance_usdm", frame)
        if decoder._change(whole.venue, read, HEARD) != whole:
            wrong.append(f"depth: not as the typed shapes read it: {frame[:300]!r}")
        if bulk.read[k]:
            understood += 1
            if not _same_in_bulk(bulk, k, whole):
                wrong.append(f"depth: in bulk not as alone: {frame[:300]!r}")
        elif whole.symbol == "ETHUSDT" and whole.venue == "binance_usdm":
            wrong.append(f"depth: read alone and not in bulk: {frame[:300]!r}")
    return Tally(len(piece), used, understood, 0, 0.0, tuple(wrong[:5]))


def _same_in_bulk(bulk, k: int, whole: BookChange) -> bool:
    begin, middle, end = bulk.asks_end[k - 1] if k else 0, bulk.bids_end[k], bulk.asks_end[k]
    ids = (bulk.ts[k], bulk.first[k], bulk.last[k], bulk.previous[k])
    levels = list(zip(bulk.price.tolist(), bulk.size.tolist(), strict=True))
    previous = -1 if whole.previous is None else whole.previous
    return (
        ids == (whole.ts, whole.first, whole.last, previous)
        and tuple(levels[begin:middle]) == whole.bids
        and tuple(levels[middle:end]) == whole.asks
    )


def recorded() -> Path | None:
    """Where the recorded frames lie, if they are here."""
    named = os.environ.get("AIRPOCKET_SHARED")
    for folder in (Path(named) if named else ROOT.parent / "shared", ROOT / "shared"):
        if (folder / "wire").is_dir():
            return folder
    return None


def _work(part: tuple[str, range], shared: Path | None) -> Tally:
    name, piece = part
    if name == "depth, compiled":
        assert shared is not None
        return fuzz_depth(piece, shared)
    return fuzz(name, piece, shared)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 where a decoder was wrong or slow."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.faults.fuzz")
    parser.add_argument("--frames", type=int, default=1_000_000, help="of each decoder")
    parser.add_argument("--decoder", action="append", help="only this one; may be repeated")
    parser.add_argument("--processes", type=int, default=cores())
    given = parser.parse_args(arguments)
    shared = recorded()
    names = given.decoder or [*sorted(VENUES), *(("depth, compiled",) if shared else ())]
    if shared is None:
        say("no recorded frames beside the checkout: only those written by hand are broken")
        names = [name for name in names if name in wires.FRAMES]
    pieces = cut(given.frames, max(given.frames // 5_000, 1))
    parts = [(name, piece) for piece in pieces for name in names]
    progress, sums = Progress(given.frames * len(names), "frames"), dict.fromkeys(names, Tally())
    for (name, _), tally in spread(partial(_work, shared=shared), parts, given.processes):
        progress.add(tally.frames)
        sums[name] = sums[name].plus(tally)
        for each in tally.wrong:
            say(each)
    for name, tally in sums.items():
        print(  # noqa: T201
            f"{name:16} {tally.frames:>10,} frames, {tally.understood:>9,} understood, {tally.compared:>9,} events"
            f" compared, longest {tally.longest_ms:6.2f} ms, {len(tally.wrong)} wrong"
        )
    wrong = sum(len(tally.wrong) for tally in sums.values())
    slow = [name for name, tally in sums.items() if tally.longest_ms > LONGEST_MS]
    print(  # noqa: T201
        f"{progress.done:,} frames in {progress.took_s:,.0f} s, {wrong} wrong, longest frame"
        f" {max(tally.longest_ms for tally in sums.values()):.2f} ms"
    )
    return 1 if wrong or slow else 0


if __name__ == "__main__":
    sys.exit(main())

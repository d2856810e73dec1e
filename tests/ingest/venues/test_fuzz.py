"""Recorded frames, broken at random: every decoder gives what a second, slow reader reads too, or the one error."""

import contextlib
import json
import math
import random
import time
from collections import Counter
from decimal import Decimal

import msgspec
import pytest
from ingest.venues import frames, slow_reader, wires

from airpocket.domain.depth import Levels, plain
from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.wire import BookChange, Trade
from airpocket.ingest.venues.registry import VENUES

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


def seeds_of(shared, venue):
    """Recorded frames of the venue's family that are not too long to hit, and one written by hand of each kind."""
    found = []
    for name in FILES.get(venue) or FILES[venue.split("_")[0]]:
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


@pytest.mark.real
@pytest.mark.fault("V01", "V02", "V06", "V07", "V08", "V12", "V13", "V14")
@pytest.mark.parametrize("venue", sorted(VENUES))
@pytest.mark.parametrize("count", [4_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_broken_frames_give_what_a_slow_reader_reads_or_the_one_error(shared, venue, count):
    decode, seeds = VENUES[venue].decode, seeds_of(shared, venue)
    rng, tally, longest = random.Random(venue), Counter(), 0
    for frame in seeds[-3:]:
        with contextlib.suppress(UndecodableFrame):
            decode(frame, HEARD, "")  # compiles what is compiled
    for _ in range(count):
        frame = mutated(rng.choice(seeds), rng)
        begun = time.thread_time_ns()
        try:
            events = decode(frame, HEARD, "/api/v5/market/books?instId=ETH-USDT&symbol=ETHUSDT")
        except UndecodableFrame:
            events = None
        longest = max(longest, time.thread_time_ns() - begun)
        if events is not None:
            tally["understood"] += 1
            judge(frame, events, venue, tally)
    print(f"{venue}: {count:,} frames, longest {longest / 1e6:.2f} ms, {dict(tally)}")  # noqa: T201
    assert tally["understood"] > count // 200  # some frames stay whole: the test tests something
    if venue in wires.FRAMES:  # option chains hold neither trades nor books
        assert tally["compared"] > count // 200
    assert tally["unread"] <= tally["compared"] // 20
    assert longest < LONGEST_MS * 1e6


@pytest.mark.parametrize("venue", sorted(wires.FRAMES))
def test_the_slow_reader_catches_a_decoder_that_is_wrong(venue):
    """The oracle can fail: a price a cent off, a size doubled, a level left out."""
    body = wires.frame(venue, "trade")
    (trade,) = wires.decode(venue, body)
    trades, _ = slow_reader.read(venue, body)
    assert agrees(trade, trades, [])
    assert not agrees(msgspec.structs.replace(trade, price=trade.price + 0.01), trades, [])
    (change,) = wires.decode(venue, wires.frame(venue, "book"))
    _, books = slow_reader.read(venue, wires.frame(venue, "book"))
    assert agrees(change, [], books)
    assert not agrees(msgspec.structs.replace(change, bids=()), [], books)
    ((price, size),) = change.bids
    if venue not in ("binance_coinm", "okx"):
        assert not agrees(msgspec.structs.replace(change, bids=((price, size * 2),)), [], books)
    assert not agrees(msgspec.structs.replace(change, bids=((price, 0.0),)), [], books)
    assert books[0][0] == [(Decimal("3000.5"), Decimal("2.25"))]

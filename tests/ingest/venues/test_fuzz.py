"""Recorded frames, broken at random: every decoder gives events with finite values, or the one error."""

import json
import math
import random

import msgspec
import pytest
from ingest.venues import frames

from airpocket.domain.depth import Levels, plain
from airpocket.domain.errors import UndecodableFrame
from airpocket.ingest.venues.registry import VENUES

HEARD = 1_800_000_000_000_000_000
TOKENS = (b"null", b"NaN", b"1e999", b"18446744073709551616", b"-1", b'""', b"{}", b"[]", b"true", b"\xff",
          b'"1e18"', b'"0"', b"0", b"[[", b'"buy"', b"1e-400", "币".encode())  # fmt: skip
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
    """Frames of the venue's family; books cut short, so that a mutation is not lost in them."""
    found = []
    for name in FILES.get(venue) or FILES[venue.split("_")[0]]:
        path = shared / "wire" / name
        if "live-2026" in name:
            found += frames.lines(path)
        else:
            found += frames.wrapped(path, "raw" if "msg-parser" in name else "message")
    return [frame[:4_000] for frame in found]


def mutated(seed, rng):
    """One to four changes: bytes, gaps, tokens, repeated pieces, numbers."""
    frame = bytearray(seed)
    for _ in range(rng.randint(1, 4)):
        kind, at = rng.random(), rng.randrange(len(frame) + 1)
        if kind < 0.3 and at < len(frame):
            frame[at] = rng.randrange(256)
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


@pytest.mark.real
@pytest.mark.parametrize("venue", sorted(VENUES))
@pytest.mark.parametrize("count", [4_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_broken_frames_give_events_or_the_one_error(shared, venue, count):
    decode, seeds = VENUES[venue].decode, seeds_of(shared, venue)
    rng, understood = random.Random(venue), 0
    for _ in range(count):
        frame = mutated(rng.choice(seeds), rng)
        try:
            events = decode(frame, HEARD, "/api/v5/market/books?instId=ETH-USDT&symbol=ETHUSDT")
        except UndecodableFrame:
            continue
        understood += 1
        for event in events:
            for value in msgspec.structs.astuple(event):
                assert all(math.isfinite(each) for each in values_in(value)), (event, frame)
            json.loads(msgspec.json.encode(event, enc_hook=plain))
    assert (
        understood > count // 200
    )  # the mutations leave some frames whole: the test tests something

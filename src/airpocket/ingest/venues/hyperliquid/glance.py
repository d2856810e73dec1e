"""What to ask Hyperliquid for a coin at a glance: hours of bars, settlements, state, book."""

import json
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from airpocket.domain.events import Event
from airpocket.domain.units import DAY_NS
from airpocket.ingest.feed import Poll
from airpocket.ingest.glance import Question, closed, hour_bar, settlements
from airpocket.ingest.values import nonnegative

_URL = "https://api.hyperliquid.xyz/info"
_DAYS = 60
_Text = Annotated[str, Meta(max_length=64)]
_Ms = Annotated[int, Meta(ge=0, le=10**14)]


class _Candle(Struct):
    t: _Ms
    o: _Text
    h: _Text
    l: _Text  # noqa: E741 - the venue's name
    c: _Text
    v: _Text


class _Rate(Struct):
    time: _Ms
    rate: _Text = msgspec.field(name="fundingRate")


_CANDLES = msgspec.json.Decoder(list[_Candle])
_RATES = msgspec.json.Decoder(list[_Rate])


def questions(venue: str, symbol: str, now: int) -> tuple[Question, ...]:
    """What to ask for one coin, over the last two months."""
    start, end = (now - _DAYS * DAY_NS) // 1_000_000, now // 1_000_000
    span = {"coin": symbol, "interval": "1h", "startTime": start, "endTime": end}
    bars = _ask(venue, {"type": "candleSnapshot", "req": span})
    # at most 500 rows an answer, oldest first: three weeks of hours
    rates = _ask(
        venue,
        {"type": "fundingHistory", "coin": symbol, "startTime": (now - 20 * DAY_NS) // 1_000_000},
    )
    return (
        Question(bars, partial(_bars, venue, symbol)),
        Question(rates, partial(_rates, venue, symbol)),
        Question(_ask(venue, {"type": "metaAndAssetCtxs"})),
        Question(_ask(venue, {"type": "l2Book", "coin": symbol})),
    )


def _ask(venue: str, body: dict[str, object]) -> Poll:
    return Poll(venue, _URL, (), every_s=0.0, body=json.dumps(body), weight=20)


def _bars(venue: str, symbol: str, body: bytes, heard: int) -> list[Event]:
    bars = [
        hour_bar(
            venue, symbol, each.t * 1_000_000, (each.o, each.h, each.l, each.c),
            (nonnegative(each.v, "volume"), None, None),
        )
        for each in _CANDLES.decode(body)
    ]  # fmt: skip
    return closed(bars, heard)


def _rates(venue: str, symbol: str, body: bytes, heard: int) -> list[Event]:
    del heard
    rows = [(each.time * 1_000_000, each.rate) for each in _RATES.decode(body)]
    return settlements(venue, symbol, rows, fixed_hours=1)

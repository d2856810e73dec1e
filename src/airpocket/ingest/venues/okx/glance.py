"""What to ask OKX for a contract at a glance: hours of bars, settlements, open interest, mark, book."""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from airpocket.domain.events import Bar, Event
from airpocket.ingest.feed import Poll
from airpocket.ingest.glance import Question, Row, closed, hour_bar, settlements
from airpocket.ingest.values import nonnegative, number

_HOST = "https://www.okx.com/api/v5"
_Text = Annotated[str, Meta(max_length=64)]


class _Bars(Struct):
    data: list[list[_Text]]


class _Rate(Struct):
    time: _Text = field(name="fundingTime")
    rate: _Text = field(name="fundingRate")
    realized: _Text = field(name="realizedRate", default="")


class _Rates(Struct):
    data: list[_Rate]


_BARS = msgspec.json.Decoder(_Bars)
_RATES = msgspec.json.Decoder(_Rates)


def questions(venue: str, symbol: str, now: int) -> tuple[Question, ...]:
    """What to ask for one contract; `now` is not needed."""
    del now
    bars = Poll(venue, f"{_HOST}/market/candles?instId={symbol}&bar=1H&limit=300", (), every_s=0.0)
    book = Poll(venue, f"{_HOST}/market/books?instId={symbol}&sz=400", (), every_s=0.0)
    found = [Question(bars, partial(_bars, venue, symbol)), Question(book)]
    if symbol.endswith("-SWAP"):
        rates = Poll(
            venue, f"{_HOST}/public/funding-rate-history?instId={symbol}&limit=100", (), every_s=0.0
        )
        found.append(Question(rates, partial(_rates, venue, symbol)))
        for what in ("open-interest?instType=SWAP&", "mark-price?instType=SWAP&"):
            found.append(
                Question(Poll(venue, f"{_HOST}/public/{what}instId={symbol}", (), every_s=0.0))
            )
    return tuple(found)


def _bars(venue: str, symbol: str, body: bytes, heard: int) -> list[Event]:
    """vol counts contracts of derivatives, volCcy their coin; of spot, vol is coin."""
    coin = 6 if symbol.endswith("-SWAP") else 5
    bars: list[Bar] = []
    for values in _BARS.decode(body).data:
        row = Row(values, "candles")
        volumes = (
            nonnegative(row.text(coin), "volume"),
            nonnegative(row.text(7), "quote volume"),
            None,
        )
        prices = (row.text(1), row.text(2), row.text(3), row.text(4))
        bars.append(hour_bar(venue, symbol, row.stamp_ms(0), prices, volumes))
    return closed(bars, heard)


def _rates(venue: str, symbol: str, body: bytes, heard: int) -> list[Event]:
    """What was paid, where it is told apart from what was announced."""
    del heard
    rows = [
        (round(number(each.time, "time")) * 1_000_000, each.realized or each.rate)
        for each in _RATES.decode(body).data
    ]
    return settlements(venue, symbol, rows)

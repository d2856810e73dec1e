"""What to ask Bybit for a contract at a glance: hours of bars, settlements, open interest."""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from airpocket.domain.events import Bar, Event
from airpocket.ingest.feed import Poll
from airpocket.ingest.glance import Question, Row, closed, hour_bar, interest, settlements
from airpocket.ingest.values import BadValue, nonnegative, number

_HOST = "https://api.bybit.com/v5/market"
_FAMILY = {"bybit_linear": "linear", "bybit_inverse": "inverse", "bybit_spot": "spot"}
_Text = Annotated[str, Meta(max_length=64)]


class _Rate(Struct):
    time: _Text = field(name="fundingRateTimestamp")
    rate: _Text = field(name="fundingRate")


class _Interest(Struct):
    time: _Text = field(name="timestamp")
    amount: _Text = field(name="openInterest")


class _Bars(Struct):
    rows: list[list[_Text]] = field(name="list")


class _Rates(Struct):
    rows: list[_Rate] = field(name="list")


class _Interests(Struct):
    rows: list[_Interest] = field(name="list")


class _BarAnswer(Struct):
    result: _Bars


class _RateAnswer(Struct):
    result: _Rates


class _InterestAnswer(Struct):
    result: _Interests


_BARS = msgspec.json.Decoder(_BarAnswer)
_RATES = msgspec.json.Decoder(_RateAnswer)
_INTERESTS = msgspec.json.Decoder(_InterestAnswer)


def questions(venue: str, symbol: str, now: int) -> tuple[Question, ...]:
    """What to ask for one contract; `now` is not needed."""
    del now
    what = f"category={_FAMILY[venue]}&symbol={symbol}"
    bars = Poll(venue, f"{_HOST}/kline?{what}&interval=60&limit=1000", (), every_s=0.0)
    found = [Question(bars, partial(_bars, venue, symbol))]
    if venue != "bybit_spot":
        rates = Poll(venue, f"{_HOST}/funding/history?{what}&limit=200", (), every_s=0.0)
        held = Poll(
            venue, f"{_HOST}/open-interest?{what}&intervalTime=1h&limit=200", (), every_s=0.0
        )
        found += [
            Question(rates, partial(_rates, venue, symbol)),
            Question(held, partial(_interests, venue, symbol)),
        ]
    return tuple(found)


def _bars(venue: str, symbol: str, body: bytes, heard: int) -> list[Event]:
    """Volume is coin and turnover dollars; on inverse contracts the other way round."""
    coin, dollars = (6, 5) if venue == "bybit_inverse" else (5, 6)
    bars: list[Bar] = []
    for values in _BARS.decode(body).result.rows:
        row = Row(values, "kline")
        volumes = (
            nonnegative(row.text(coin), "volume"),
            nonnegative(row.text(dollars), "turnover"),
            None,
        )
        prices = (row.text(1), row.text(2), row.text(3), row.text(4))
        bars.append(hour_bar(venue, symbol, row.stamp_ms(0), prices, volumes))
    return closed(bars, heard)


def _rates(venue: str, symbol: str, body: bytes, heard: int) -> list[Event]:
    del heard
    rows = [(_ms(each.time), each.rate) for each in _RATES.decode(body).result.rows]
    return settlements(venue, symbol, rows)


def _interests(venue: str, symbol: str, body: bytes, heard: int) -> list[Event]:
    del heard
    unit = "usd" if venue == "bybit_inverse" else "coin"
    rows = sorted((_ms(each.time), each.amount) for each in _INTERESTS.decode(body).result.rows)
    return [interest(venue, symbol, ts, amount, unit) for ts, amount in rows]


def _ms(text: str) -> int:
    value = number(text, "time")
    if value < 0:
        raise BadValue(f"time {text!r}")
    return round(value) * 1_000_000

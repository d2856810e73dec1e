"""What to ask Binance for a contract at a glance: hours of bars, settlements, open interest, mark, book."""

from functools import partial

import msgspec
from msgspec import Struct, field

from airpocket.domain.events import Bar, Event
from airpocket.ingest.feed import Poll
from airpocket.ingest.glance import ROWS, Question, Row, closed, hour_bar, interest, settlements
from airpocket.ingest.values import nonnegative

_HOSTS = {
    "binance_usdm": "https://fapi.binance.com/fapi/v1",
    "binance_coinm": "https://dapi.binance.com/dapi/v1",
    "binance_spot": "https://api.binance.com/api/v3",
}


class _Rate(Struct):
    time: int = field(name="fundingTime")
    rate: str = field(name="fundingRate")


class _Interest(Struct):
    time: int = field(name="timestamp")
    amount: str = field(name="sumOpenInterest")


_RATES = msgspec.json.Decoder(list[_Rate])
_INTERESTS = msgspec.json.Decoder(list[_Interest])


def questions(venue: str, symbol: str, now: int) -> tuple[Question, ...]:
    """What to ask for one contract; `now` is not needed."""
    del now
    host = _HOSTS[venue]
    ask = partial(_ask, venue)
    bars = ask(f"{host}/klines?symbol={symbol}&interval=1h&limit=1000", 5)
    found = [
        Question(bars, partial(_bars, venue, symbol)),
        Question(ask(f"{host}/depth?symbol={symbol}&limit=1000", 50)),
    ]
    if venue == "binance_spot":
        return tuple(found)
    rates = ask(f"{host}/fundingRate?symbol={symbol}&limit=500", 1)
    found += [
        Question(rates, partial(_rates, venue, symbol)),
        Question(ask(f"{host}/openInterest?symbol={symbol}", 1)),
    ]
    if venue == "binance_usdm":
        url = f"https://fapi.binance.com/futures/data/openInterestHist?symbol={symbol}&period=1h&limit=500"
        found.append(Question(ask(url, 1), partial(_interests, venue, symbol)))
        found.append(Question(ask(f"{host}/premiumIndex?symbol={symbol}", 1)))
    return tuple(found)


def _ask(venue: str, url: str, weight: int) -> Poll:
    return Poll(venue, url, (), every_s=0.0, weight=weight)


def _bars(venue: str, symbol: str, body: bytes, heard: int) -> list[Event]:
    """COIN-M counts contracts first and coin second."""
    coin, taker = (7, 10) if venue == "binance_coinm" else (5, 9)
    bars: list[Bar] = []
    for values in ROWS.decode(body):
        row = Row(values, "klines")
        dollars = None if venue == "binance_coinm" else nonnegative(row.text(7), "quote volume")
        volumes = (
            nonnegative(row.text(coin), "volume"),
            dollars,
            nonnegative(row.text(taker), "taker volume"),
        )
        prices = (row.text(1), row.text(2), row.text(3), row.text(4))
        bars.append(hour_bar(venue, symbol, row.stamp_ms(0), prices, volumes))
    return closed(bars, heard)


def _rates(venue: str, symbol: str, body: bytes, heard: int) -> list[Event]:
    del heard
    rows = [(each.time * 1_000_000, each.rate) for each in _RATES.decode(body)]
    return settlements(venue, symbol, rows)


def _interests(venue: str, symbol: str, body: bytes, heard: int) -> list[Event]:
    del heard
    rows = sorted(_INTERESTS.decode(body), key=lambda each: each.time)
    return [interest(venue, symbol, each.time * 1_000_000, each.amount, "coin") for each in rows]

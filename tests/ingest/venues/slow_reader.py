"""A second reader of trades and books: standard JSON, decimals, written from the venues' pages; only for tests.

It shares nothing with the decoders. Of a frame that a decoder understands, both must tell the same figures.
"""

import json
from decimal import Decimal


class Unreadable(Exception):
    """Not JSON as the standard has it, or not the shape of a trade or book."""


def _constant(name):
    raise Unreadable(name)


def parse(body):
    """The frame with every number exact."""
    try:
        text = body.decode("utf-8")
        return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def number(value):
    if isinstance(value, str):
        return Decimal(value)
    if isinstance(value, Decimal):
        return value
    raise Unreadable(f"{value!r} is no number")


def rows(levels):
    return [(number(row[0]), number(row[1])) for row in levels]


def named(levels, price, size):
    return [(number(row[price]), number(row[size])) for row in levels]


def read(venue, body):
    """(trades, books): trades as (price, size), books as (bids, asks), sizes as they stand on the wire."""
    try:
        return _READERS[venue.split("_")[0] if venue != "kraken_futures" else venue](parse(body))
    except (KeyError, IndexError, TypeError, AttributeError, ArithmeticError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _binance(frame):
    data = frame["data"] if "stream" in frame else frame
    kind = data.get("e", "")
    if kind in ("trade", "aggTrade"):
        return [(number(data["p"]), number(data["q"]))], []
    if kind == "depthUpdate":
        return [], [(rows(data["b"]), rows(data["a"]))]
    if not kind and "lastUpdateId" in data:
        return [], [(rows(data["bids"]), rows(data["asks"]))]
    return [], []


def _bybit(frame):
    topic, data = frame.get("topic", "").split(".")[0], frame.get("data")
    if topic == "publicTrade":
        return named(data, "p", "v"), []
    return [], [(rows(data["b"]), rows(data["a"]))] if topic == "orderbook" else []


def _okx(frame):
    channel, data = frame.get("arg", {}).get("channel", ""), frame.get("data")
    if channel == "trades" or (not channel and "px" in data[0]):
        return named(data, "px", "sz"), []
    if channel.startswith("books") or (not channel and "asks" in data[0]):
        return [], [(rows(book["bids"]), rows(book["asks"])) for book in data]
    return [], []


def _deribit(frame):
    params = frame.get("params") or {}
    channel, data = params.get("channel", ""), params.get("data")
    if channel.startswith("trades"):
        return named(data, "price", "amount"), []
    if channel.startswith("book"):
        return [], [tuple(_entries(data[side]) for side in ("bids", "asks"))]
    return [], []


def _entries(levels):
    if levels and isinstance(levels[0][0], Decimal):
        return rows(levels)
    return [(number(p), Decimal(0) if what == "delete" else number(s)) for what, p, s in levels]


def _hyperliquid(frame):
    if isinstance(frame, list):
        return named([row for row in frame if "tid" in row], "px", "sz"), []
    channel, data = frame.get("channel"), frame.get("data")
    if channel == "trades":
        return named(data, "px", "sz"), []
    if channel == "l2Book" or (not channel and "levels" in frame):
        levels = (data or frame)["levels"]
        return [], [(named(levels[0], "px", "sz"), named(levels[1], "px", "sz"))]
    return [], []


def _kraken(frame):
    if isinstance(frame, list):
        return _kraken_v1(frame)
    channel, data = frame.get("channel"), frame.get("data")
    if channel == "trade":
        return named(data, "price", "qty"), []
    if channel == "book":
        sides = [
            [named(book.get(side, []), "price", "qty") for side in ("bids", "asks")]
            for book in data
        ]
        return [], [tuple(each) for each in sides]
    return [], []


def _kraken_v1(frame):
    if frame[-2] == "trade":
        return rows(frame[1]), []
    if str(frame[-2]).startswith("book"):
        bids = [row for part in frame[1:-2] for row in rows(part.get("bs") or part.get("b") or [])]
        asks = [row for part in frame[1:-2] for row in rows(part.get("as") or part.get("a") or [])]
        return [], [(bids, asks)]
    return [], []


def _kraken_futures(frame):
    feed = frame.get("feed")
    if feed == "trade":
        return named([frame], "price", "qty"), []
    if feed == "trade_snapshot":
        return named(frame["trades"], "price", "qty"), []
    if feed == "book_snapshot":
        return [], [tuple(named(frame[side], "price", "qty") for side in ("bids", "asks"))]
    if feed == "book":
        (level,) = named([frame], "price", "qty")
        return [], [([level], []) if frame["side"] == "buy" else ([], [level])]
    return [], []


def _coinbase(frame):
    channel, kind = frame.get("channel"), frame.get("type")
    if channel == "market_trades":
        return [t for event in frame["events"] for t in named(event["trades"], "price", "size")], []
    if channel == "l2_data":
        return [], [_sides(event["updates"]) for event in frame["events"]]
    if channel:
        return [], []
    if kind in ("match", "last_match"):
        return named([frame], "price", "size"), []
    if kind == "snapshot":
        return [], [(rows(frame["bids"]), rows(frame["asks"]))]
    if kind == "l2update":
        told = [(side, number(p), number(s)) for side, p, s in frame["changes"]]
        return [], [
            tuple([(p, s) for side, p, s in told if side == whose] for whose in ("buy", "sell"))
        ]
    return [], []


def _sides(updates):
    told = [
        (row["side"], number(row["price_level"]), number(row["new_quantity"])) for row in updates
    ]
    bids = [(p, s) for side, p, s in told if side in ("bid", "buy")]
    return bids, [(p, s) for side, p, s in told if side in ("offer", "sell")]


_READERS = {
    "binance": _binance, "bybit": _bybit, "okx": _okx, "deribit": _deribit, "hyperliquid": _hyperliquid,
    "kraken": _kraken, "kraken_futures": _kraken_futures, "coinbase": _coinbase,
}  # fmt: skip

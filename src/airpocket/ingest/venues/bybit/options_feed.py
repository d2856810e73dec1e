"""Where Bybit's options are heard, keyless: whole chains once a minute over REST, single options by websocket."""

import json

from airpocket.domain.channels import Channel
from airpocket.domain.errors import BadInput
from airpocket.ingest.feed import Feed, Poll, Socket

_CHAIN = "-OPTIONS"
_MOST_TOPICS = 2_000  # of options, on one connection (venue page on connecting, read 2026-11)
_AT_ONCE = 100  # keeps a request far below the venue's 21,000 characters


def feed(venue: str, symbols: tuple[str, ...]) -> Feed:
    """'ETH-OPTIONS' is a coin's chain: one answer of all its options each minute. Options named one by one
    ('ETH-27MAR26-3000-C') come by websocket instead, as they change.

    Raises:
        BadInput: more single options than one connection may carry.
    """
    coins = sorted(s.removesuffix(_CHAIN) for s in symbols if s.endswith(_CHAIN))
    single = [s for s in symbols if not s.endswith(_CHAIN)]
    if len(single) > _MOST_TOPICS:
        raise BadInput(f"{venue}: {len(single):,} options named, one connection takes 2,000")
    return Feed(
        venue,
        (_socket(venue, single),) if single else (),
        polls=tuple(_poll(venue, c) for c in coins),
    )


def _poll(venue: str, coin: str) -> Poll:
    url = f"https://api.bybit.com/v5/market/tickers?category=option&baseCoin={coin}"
    return Poll(venue, url, (Channel("options", coin, 180.0),), every_s=60.0)


def _socket(venue: str, single: list[str]) -> Socket:
    topics = [f"tickers.{symbol}" for symbol in single]
    coins = sorted({symbol.split("-", maxsplit=1)[0] for symbol in single})
    return Socket(
        venue, "public", "wss://stream.bybit.com/v5/public/option",
        tuple(Channel("options", coin, 60.0) for coin in coins),
        hello=tuple(
            json.dumps({"op": "subscribe", "args": topics[at : at + _AT_ONCE]}, separators=(",", ":"))
            for at in range(0, len(topics), _AT_ONCE)
        ),
        ping='{"op":"ping"}', ping_every_s=20.0,
    )  # fmt: skip

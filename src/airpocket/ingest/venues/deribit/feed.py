"""Where Deribit is heard, keyless: one socket; the option chain as a summary asked for each minute."""

import json
from collections.abc import Mapping

from airpocket.domain.channels import Channel
from airpocket.domain.errors import BadInput
from airpocket.ingest.feed import Feed, Poll, Socket
from airpocket.ingest.listed import list_poll

_REST = "https://www.deribit.com/api/v2/public"
_CHANNELS_A_CALL = 500
# A call costs 3,000 of 30,000 credits: ten at once, and eight leave room for books that are asked for anew.
_MOST_OPTIONS = 3_500


def feed(venue: str, symbols: tuple[str, ...]) -> Feed:
    """Perpetuals; the coins' options and volatility index come with them. The chain is a summary without
    greeks each minute; options named one by one are heard with their greeks, as they change.

    Raises:
        BadInput: more options named than the venue's credits let one socket subscribe.
    """
    options = [symbol for symbol in symbols if symbol[-2:] in ("-C", "-P")]
    if len(options) > _MOST_OPTIONS:
        raise BadInput(
            f"{venue}: {len(options):,} options named, one socket takes {_MOST_OPTIONS:,}"
        )
    perps = tuple(symbol for symbol in symbols if symbol.endswith("-PERPETUAL"))
    coins = sorted({symbol.split("-", maxsplit=1)[0].split("_")[0] for symbol in perps})
    names = [name for symbol in perps for name in _names(symbol)]
    names += [f"deribit_volatility_index.{coin.lower()}_usd" for coin in coins]
    names.append("platform_state")
    names += [f"ticker.{symbol}.agg2" for symbol in options]
    channels = [channel for symbol in perps for channel in _channels(symbol)]
    channels += [
        Channel("vol_index", coin, 60.0, topic=f"deribit_volatility_index.{coin.lower()}_usd")
        for coin in coins
    ]
    socket = Socket(
        venue, "public", "wss://www.deribit.com/ws/api/v2", tuple(channels),
        hello=(
            _say("public/set_heartbeat", {"interval": 30}),
            *(
                _say("public/subscribe", {"channels": names[at : at + _CHANNELS_A_CALL]})
                for at in range(0, len(names), _CHANNELS_A_CALL)
            ),
        ),
        replies=((b'"test_request"', _say("public/test", {})),),
        anew={name: _say("public/subscribe", {"channels": [name]}) for name in names},
    )  # fmt: skip
    return Feed(
        venue,
        (socket,),
        polls=(
            *(_chain(venue, coin) for coin in coins),
            list_poll(
                venue, f"{_REST}/get_instruments?currency=any&kind=future&expired=false", coins
            ),
        ),
        again={symbol: ("public", _again(symbol)) for symbol in perps},
    )


def _names(symbol: str) -> tuple[str, str, str]:
    return (f"book.{symbol}.100ms", f"ticker.{symbol}.100ms", f"trades.{symbol}.100ms")


def _channels(symbol: str) -> tuple[Channel, ...]:
    """An unknown name is left out of the confirmation without a word, so each channel says what carries it."""
    book, ticker, trades = _names(symbol)
    return (
        Channel("book", symbol, 10.0, topic=book), Channel("trades", symbol, 300.0, topic=trades),
        Channel("price", symbol, 10.0, topic=ticker), Channel("quote", symbol, 10.0, topic=ticker),
        Channel("open_interest", symbol, 10.0, topic=ticker), Channel("funding", symbol, 10.0, topic=ticker),
        Channel("liquidations", symbol, None, topic=trades),
    )  # fmt: skip


def _chain(venue: str, coin: str) -> Poll:
    url = f"{_REST}/get_book_summary_by_currency?currency={coin}&kind=option"
    return Poll(venue, url, (Channel("options", coin, 180.0),), every_s=60.0)


def _again(symbol: str) -> tuple[str, ...]:
    """A second subscription sends no snapshot, so the first is given up before."""
    names = {"channels": [f"book.{symbol}.100ms"]}
    return (_say("public/unsubscribe", names), _say("public/subscribe", names))


def _say(method: str, params: Mapping[str, object]) -> str:
    return json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, separators=(",", ":")
    )

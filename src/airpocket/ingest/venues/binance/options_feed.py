"""Where Binance's options are heard, keyless: one stream brings every option on a coin, each second."""

from airpocket.domain.channels import Channel
from airpocket.ingest.feed import Feed, Socket

# The route of marks since the streams moved to the futures' host (venue page on option marks, read 2026-11).
_HOST = "wss://fstream.binance.com/market/stream?streams="


def feed(venue: str, symbols: tuple[str, ...]) -> Feed:
    """Chains by coin ('ETH-OPTIONS'). Open interest would need a stream per expiry, so it stays unknown."""
    coins = sorted({symbol.split("-", maxsplit=1)[0] for symbol in symbols})
    streams = "/".join(f"{coin.lower()}usdt@optionMarkPrice" for coin in coins)
    channels = tuple(Channel("options", coin, 30.0) for coin in coins)
    return Feed(venue, (Socket(venue, "market", _HOST + streams, channels),))

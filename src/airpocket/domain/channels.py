"""What a venue's feed promises to bring, channel by channel, and which live event proves which channel."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

ChannelName: TypeAlias = Literal[
    "trades", "book", "quote", "price", "funding", "open_interest", "liquidations", "bars",
    "options", "option_prices", "vol_index", "listings",
]  # fmt: skip
Coverage: TypeAlias = Literal["all", "sample", "unknown"]

# These speak when the market moves, so how long one may be silent is learned from it; the others keep the
# venue's own beat.
MARKET_PACED: tuple[ChannelName, ...] = ("trades", "book", "quote")

# The tag of a live event → the channel it belongs to.
CHANNEL_OF: dict[str, ChannelName] = {
    "trade": "trades",
    "off_book": "trades",
    "book_change": "book",
    "quote": "quote",
    "ticker": "price",
    "funding_estimate": "funding",
    "open_interest": "open_interest",
    "liquidation": "liquidations",
    "bar": "bars",
    "option_tick": "options",
    "vol_tick": "vol_index",
    "listing": "listings",
}


@dataclass(frozen=True, slots=True)
class Channel:
    """What one subscription promises for one symbol; options, volatility indices and
    listings stand under their coin.

    options: messages with volatilities; option_prices: those with prices or open interest alone.

    `silence_s`: a healthy channel is never silent for longer; None where it speaks only when something
    happens, and silence alone proves nothing. `coverage`: whether all that happens is reported. `topic`:
    the venue's name of the subscription, where its acknowledgements list what they grant.
    """

    name: ChannelName
    symbol: str
    silence_s: float | None
    coverage: Coverage = "all"
    topic: str = ""

"""What a venue's feed promises to bring, channel by channel, and which live event proves which channel."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

ChannelName: TypeAlias = Literal[
    "trades", "book", "quote", "price", "funding", "open_interest", "liquidations", "bars",
    "options", "option_prices", "vol_index",
]  # fmt: skip
Coverage: TypeAlias = Literal["all", "sample", "unknown"]

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
}


@dataclass(frozen=True, slots=True)
class Channel:
    """What one subscription promises for one symbol; options and volatility indices stand under their coin.

    options: messages with volatilities; option_prices: those with prices or open interest alone.

    `silence_s`: a healthy channel is never silent for longer; None where it speaks only when something
    happens, and silence alone proves nothing. `coverage`: whether all that happens is reported.
    """

    name: ChannelName
    symbol: str
    silence_s: float | None
    coverage: Coverage = "all"

"""Every venue that can be decoded and heard, by name."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from airpocket.domain.errors import UnknownInstrument
from airpocket.ingest.feed import Feed
from airpocket.ingest.glance import Question
from airpocket.ingest.venue import Venue
from airpocket.ingest.venues.binance import decoder as binance
from airpocket.ingest.venues.binance import feed as binance_feed
from airpocket.ingest.venues.binance import glance as binance_glance
from airpocket.ingest.venues.binance import options as binance_options
from airpocket.ingest.venues.binance import options_feed as binance_options_feed
from airpocket.ingest.venues.bybit import decoder as bybit
from airpocket.ingest.venues.bybit import feed as bybit_feed
from airpocket.ingest.venues.bybit import glance as bybit_glance
from airpocket.ingest.venues.bybit import options as bybit_options
from airpocket.ingest.venues.bybit import options_feed as bybit_options_feed
from airpocket.ingest.venues.coinbase import decoder as coinbase
from airpocket.ingest.venues.coinbase import feed as coinbase_feed
from airpocket.ingest.venues.deribit import decoder as deribit
from airpocket.ingest.venues.deribit import feed as deribit_feed
from airpocket.ingest.venues.hyperliquid import decoder as hyperliquid
from airpocket.ingest.venues.hyperliquid import feed as hyperliquid_feed
from airpocket.ingest.venues.hyperliquid import glance as hyperliquid_glance
from airpocket.ingest.venues.kraken import feed as kraken_feed
from airpocket.ingest.venues.kraken import futures as kraken_futures
from airpocket.ingest.venues.kraken import spot as kraken_spot
from airpocket.ingest.venues.okx import decoder as okx
from airpocket.ingest.venues.okx import feed as okx_feed
from airpocket.ingest.venues.okx import glance as okx_glance

QuestionsOf: TypeAlias = Callable[[str, str, int], tuple[Question, ...]]
FeedOf: TypeAlias = Callable[[tuple[str, ...]], Feed]

VENUES: dict[str, Venue] = {
    venue.name: venue
    for venue in (
        *binance.VENUES,
        *binance_options.VENUES,
        *bybit.VENUES,
        *bybit_options.VENUES,
        *okx.VENUES,
        *deribit.VENUES,
        *hyperliquid.VENUES,
        *kraken_spot.VENUES,
        *kraken_futures.VENUES,
        *coinbase.VENUES,
    )
}

_FEEDS = {
    "binance_usdm": binance_feed.feed,
    "binance_coinm": binance_feed.feed,
    "binance_spot": binance_feed.feed,
    "binance_options": binance_options_feed.feed,
    "bybit_linear": bybit_feed.feed,
    "bybit_inverse": bybit_feed.feed,
    "bybit_spot": bybit_feed.feed,
    "bybit_options": bybit_options_feed.feed,
    "okx": okx_feed.feed,
    "deribit": deribit_feed.feed,
    "hyperliquid": hyperliquid_feed.feed,
    "kraken_spot": kraken_feed.feed,
    "kraken_futures": kraken_feed.feed,
    "coinbase": coinbase_feed.feed,
}
# Venue → the feed of given symbols; every one is keyless.
FEEDS: Mapping[str, FeedOf] = MappingProxyType(
    {name: partial(feed, name) for name, feed in _FEEDS.items()}
)

# Venue → what to ask for one contract at one moment (venue, symbol, now).
GLANCES: Mapping[str, QuestionsOf] = MappingProxyType(
    {
        "binance_usdm": binance_glance.questions,
        "binance_coinm": binance_glance.questions,
        "binance_spot": binance_glance.questions,
        "bybit_linear": bybit_glance.questions,
        "bybit_inverse": bybit_glance.questions,
        "bybit_spot": bybit_glance.questions,
        "okx": okx_glance.questions,
        "hyperliquid": hyperliquid_glance.questions,
    }
)


def venue_named(name: str) -> Venue:
    """The adapter of a venue.

    Raises:
        UnknownInstrument: there is none; names those there are.
    """
    if name not in VENUES:
        raise UnknownInstrument(f"no decoder of '{name}'; there are: {', '.join(sorted(VENUES))}")
    return VENUES[name]

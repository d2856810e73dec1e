"""Contracts that begin to be listed while recording: which feed each needs, and which routes to call anew."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.wire import Listing
from airpocket.ingest.feed import Feed
from airpocket.ingest.venues.registry import FEEDS
from airpocket.market.live.reference import Change, standing

_MOST = 20  # newcomers a recording takes up, over all venues


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A contract to be heard from now on: `feed` where nothing asks for it yet, else the routes to call anew."""

    venue: str
    symbol: str
    feed: Feed | None
    routes: tuple[str, ...] = ()


class Roster:
    """What is subscribed, by (venue, symbol), and what joins it."""

    def __init__(self, assets: Collection[str], feeds: Mapping[str, Feed]) -> None:
        self._assets = frozenset(assets)
        self._routes: dict[tuple[str, str], tuple[str, ...]] = {}
        self._joined = 0
        for feed in feeds.values():
            self._note(feed)

    def joining(self, change: Change) -> Newcomer | None:
        """Who is to be heard because of a change: newly listed, open for trading, and of one of our assets."""
        listing = change.version.listing
        key = (change.venue, change.symbol)
        if change.what != "listed" or standing(listing) or not self._ours(listing):
            return None
        if key in self._routes:  # asked for before it was there: most venues refused that
            return Newcomer(*key, None, self._routes[key])
        if change.venue not in FEEDS or self._joined >= _MOST:
            return None
        self._joined += 1
        feed = _apart(FEEDS[change.venue]((change.symbol,)), change.symbol)
        self._note(feed)
        return Newcomer(*key, feed)

    def _ours(self, listing: Listing) -> bool:
        if listing.base not in self._assets or listing.kind == "option":
            return False
        try:
            return instrument(listing.venue, listing.symbol).base == listing.base
        except UnknownInstrument:
            return False

    def _note(self, feed: Feed) -> None:
        for socket in feed.sockets:
            for channel in socket.channels:
                routes = self._routes.get((feed.venue, channel.symbol), ())
                if socket.route not in routes:
                    self._routes[feed.venue, channel.symbol] = (*routes, socket.route)


def _apart(feed: Feed, symbol: str) -> Feed:
    """The feed on routes of its own: nothing which already runs is disturbed, no list asked for twice."""
    sockets = tuple(replace(socket, route=_route(socket.route, symbol)) for socket in feed.sockets)
    polls = tuple(
        poll for poll in feed.polls if poll.channels and poll.channels[0].symbol == symbol
        and poll.channels[0].name != "listings"
    )  # fmt: skip
    again = {each: (_route(route, symbol), texts) for each, (route, texts) in feed.again.items()}
    own = tuple(
        replace(socket, channels=tuple(c for c in socket.channels if c.symbol == symbol))
        for socket in sockets
    )
    return replace(feed, sockets=own, polls=polls, again=again)


def _route(route: str, symbol: str) -> str:
    return f"{route}+{symbol}"

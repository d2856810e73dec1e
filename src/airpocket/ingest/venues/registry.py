"""Every venue that can be decoded, by name."""

from airpocket.domain.errors import UnknownInstrument
from airpocket.ingest.venue import Venue
from airpocket.ingest.venues.binance import decoder as binance
from airpocket.ingest.venues.bybit import decoder as bybit

VENUES: dict[str, Venue] = {venue.name: venue for venue in (*binance.VENUES, *bybit.VENUES)}


def venue_named(name: str) -> Venue:
    """The adapter of a venue.

    Raises:
        UnknownInstrument: there is none; names those there are.
    """
    if name not in VENUES:
        raise UnknownInstrument(f"no decoder of '{name}'; there are: {', '.join(sorted(VENUES))}")
    return VENUES[name]

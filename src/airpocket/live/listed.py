"""Reference data on its way: what was heard of listings reaches decoders, health and state, in log order."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from airpocket.domain.events import OpenInterest
from airpocket.domain.units import format_time
from airpocket.domain.wire import (
    FundingEstimate,
    FundingTerms,
    Listing,
    LiveEvent,
    Roll,
    VenueState,
)
from airpocket.ingest.venue import Decode, SizedDecode
from airpocket.market.live.reference import Change, Reference, standing
from airpocket.market.pulse import Pulse


class Follower(Protocol):
    """What is told of every change of a listing, before any later event."""

    def changed(self, change: Change) -> None: ...


class Listed:
    """Feeds one `Reference` and passes on what it finds. Nothing here but the records decides anything."""

    def __init__(
        self,
        decoders: Mapping[str, Decode],
        sized: Mapping[str, SizedDecode],
        pulse: Pulse,
        follower: Follower,
    ) -> None:
        """Args: sized: makers of decoders by venue, for those whose sizes are contracts."""
        self._plain, self._sized = decoders, sized
        self._pulse, self._follower = pulse, follower
        self.reference = Reference()
        self.decoders = dict(decoders)
        self.changes: list[Change] = []  # since whoever drives last took them
        self._takers: dict[type, Callable[[Any, str], LiveEvent]] = {
            Listing: self._heard,
            Roll: self._heard,
            FundingTerms: self._heard,
            VenueState: self._venue,
            FundingEstimate: self._funding,
            OpenInterest: self._interest,
        }

    def take(self, event: LiveEvent, connection: str) -> LiveEvent:
        """The event with what reference data adds to it; `connection` it came by."""
        taker = self._takers.get(type(event))
        return event if taker is None else taker(event, connection)

    def forget(self) -> None:
        """A recording begins: it knows only what it hears itself."""
        self.reference = Reference()
        self.decoders = dict(self._plain)

    def _heard(self, event: Listing | Roll | FundingTerms, connection: str) -> LiveEvent:
        for change in self.reference.hear(event):
            self._changed(change)
        if isinstance(
            event, Roll
        ):  # not believed: an illness of the list, never of the markets on it
            doubt = self.reference.doubts.get((event.venue, event.scope), "")
            self._pulse.unreadable(event.venue, connection.rpartition("#")[0], doubt)
        return event

    def _funding(self, event: FundingEstimate, connection: str) -> LiveEvent:
        """A rate whose interval nobody said is no rate yet."""
        del connection
        whole = self.reference.completed(event)
        assert isinstance(whole, FundingEstimate)
        unsaid = "" if whole.interval_s is not None else "how often it settles is not known"
        self._pulse.fault(event.venue, event.symbol, "funding", unsaid)
        return whole

    def _interest(self, event: OpenInterest, connection: str) -> LiveEvent:
        del connection
        return self.reference.completed(event)

    def _changed(self, change: Change) -> None:
        venue, symbol, listing = change.venue, change.symbol, change.version.listing
        if change.what == "vanished":
            last = self._pulse.last_heard(venue, symbol)
            if last is not None and last > change.at:
                self.reference.back(venue, symbol)
                return
            self._pulse.delisted(venue, symbol)
        elif change.what in ("status", "relisted", "listed"):
            why = standing(listing)
            self._pulse.delisted(venue, symbol, gone=why.startswith("delisted"))
            self._pulse.halt(venue, symbol, "" if why.startswith("delisted") else why)
        if change.what in ("size", "relisted") and venue in self._sized:
            self.decoders[venue] = self._sized[venue](self.reference.sizes(venue))
        conflict = self.reference.conflict(venue, symbol, sized=venue in self._sized)
        for channel in _MEASURED:
            self._pulse.fault(venue, symbol, channel, conflict)
        self.changes.append(change)
        self._follower.changed(change)

    def _venue(self, event: VenueState, connection: str) -> LiveEvent:
        """One incident for the whole venue, not one for each of its channels."""
        del connection
        since = format_time(event.usable_from)
        shut = "" if event.trading else f"{event.venue} is shut since {since}: {event.text}"
        known = dict(self._pulse.incidents)
        if not (shut and event.venue in known):  # the first word dates it
            self._pulse.halt(event.venue, "", shut)
        return event


# What can't be right where a contract is not of the kind it is read as.
_MEASURED = ("trades", "book", "quote", "open_interest", "liquidations")

"""The one owner of what every venue lists now: versions of each listing, funding terms, and who is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

import msgspec

from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.events import OpenInterest
from airpocket.domain.instruments import instrument
from airpocket.domain.units import day_of
from airpocket.domain.wire import FundingEstimate, FundingTerms, Listing, LiveEvent, Roll

# listed: not on the list before, which was whole. relisted: the symbol now names another contract.
# size: what a contract is worth. rules: tick or lot. status: live, halted, settling, an announced end.
# vanished: missing from two lists in a row.
What: TypeAlias = Literal["listed", "relisted", "size", "rules", "status", "funding", "vanished"]

_EIGHT_HOURS_S = 8 * 3_600
_ABSENCES = 2  # lists in a row: one that is cut short must not end a market
_BELIEVABLE = 0.5  # of what a list held before; a shorter one was cut short
_SMALL = 4  # on lists this short only an empty one is not believed
# Lists that name only what differs from the rule: who is not on them settles every eight hours
# (Binance futures, fundingInfo; venue documentation, 2026).
_ADJUSTED = "fundingInfo"
_KINDS = ("spot", "linear", "inverse")


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a listing, in force from `since` (ns, heard) until the next version."""

    number: int
    since: int
    listing: Listing

    @property
    def identity(self) -> str:
        """Venue, symbol and day of listing: a symbol used again names another contract."""
        at = self.listing
        day = "" if at.listed_at is None else f"@{day_of(at.listed_at)}"
        return f"{at.venue}:{at.symbol}{day}"


@dataclass(frozen=True, slots=True)
class Change:
    """What became different, and the version from now on; `text` says it to people."""

    venue: str
    symbol: str
    what: What
    at: int
    version: Version
    text: str


class Reference:
    """Takes listings, terms and rolls in the order heard; nothing else is read, so a replay ends the same.

    A list that comes empty or cut short changes nothing and is named in `doubts`.
    """

    def __init__(self) -> None:
        self._now: dict[tuple[str, str], Version] = {}
        self._terms: dict[tuple[str, str], FundingTerms] = {}
        self._rolls: dict[tuple[str, str], frozenset[str]] = {}
        self._absent: dict[tuple[str, str], tuple[int, int]] = {}  # lists missed, first missed (ns)
        self._sizes: dict[str, Mapping[str, float]] = {}
        self.doubts: dict[
            tuple[str, str], str
        ] = {}  # (venue, scope) → why its last list is not believed

    def version(self, venue: str, symbol: str) -> Version | None:
        """The listing in force; None where none was heard."""
        return self._now.get((venue, symbol))

    def sizes(self, venue: str) -> Mapping[str, float]:
        """Contract sizes by symbol as now listed, never changed in place: coin, or dollars of inverse ones."""
        return self._sizes.get(venue, _NO_SIZES)

    def conflict(self, venue: str, symbol: str, *, sized: bool) -> str:
        """Where the venue contradicts how this symbol is read, and its figures can't be trusted; '' if not.

        Args: sized: whether sizes are read by the list itself, so that no list can contradict them.
        """
        version = self._now.get((venue, symbol))
        if version is None:
            return ""
        try:
            assumed = instrument(venue, symbol)
        except UnknownInstrument:
            return ""
        said, size = version.listing.kind, version.listing.contract_size
        if said != assumed.kind:
            return f"the venue lists it as {said}, it is read as {assumed.kind}"
        if sized or None in (size, assumed.contract_size) or size == assumed.contract_size:
            return ""
        return f"a contract is {_size(version.listing)}, it is read as {assumed.contract_size:g}"

    def hear(self, event: Listing | FundingTerms | Roll) -> list[Change]:
        """Take one piece of reference data; what it changed."""
        if isinstance(event, Listing):
            return self._listing(event)
        if isinstance(event, FundingTerms):
            self._terms[event.venue, event.symbol] = event
            return []
        return self._roll(event)

    def completed(self, event: LiveEvent) -> LiveEvent:
        """The event with what the listing in force adds: funding interval and bounds, coin for contracts."""
        if isinstance(event, FundingEstimate):
            return self._with_terms(event)
        if isinstance(event, OpenInterest) and event.unit == "contracts":
            return self._with_size(event)
        return event

    def _listing(self, heard: Listing) -> list[Change]:
        key = (heard.venue, heard.symbol)
        self._absent.pop(key, None)
        before = self._now.get(key)
        old = None if before is None else before.listing
        new = _merged(old, heard)
        if old is not None and _told(old) == _told(new):
            return []
        number = 1 if before is None else before.number + 1
        version = self._now[key] = Version(number, heard.usable_from, new)
        self._resize(new, old)
        return [
            Change(heard.venue, heard.symbol, what, heard.usable_from, version, text)
            for what, text in _differences(old, new)
        ]

    def _resize(self, now: Listing, old: Listing | None) -> None:
        size = now.contract_size
        if size is None or (old is not None and old.contract_size == size):
            return
        if (now.size_unit == "usd") != (now.kind == "inverse"):
            return  # a linear contract counted in dollars: no size by which anything here is read
        held = dict(self._sizes.get(now.venue, _NO_SIZES))
        held[now.symbol] = size
        self._sizes[now.venue] = MappingProxyType(held)

    def _roll(self, roll: Roll) -> list[Change]:
        """Who is missing twice from believable lists has vanished; one short list proves nothing."""
        scope, symbols = (roll.venue, roll.scope), frozenset(roll.symbols)
        held = self._rolls.get(scope)
        doubt = _doubt(held, symbols)
        if doubt:
            self.doubts[scope] = doubt
            return []
        self.doubts.pop(scope, None)
        if held is None or roll.scope == _ADJUSTED:
            self._rolls[scope] = symbols
            return []
        found = [self._joined(roll, symbol) for symbol in sorted(symbols - held)]
        found += [self._missed(roll, symbol) for symbol in sorted(held - symbols)]
        changes = [change for change in found if change is not None]
        gone = {change.symbol for change in changes if change.what == "vanished"}
        self._rolls[scope] = symbols | (held - gone)
        return changes

    def _joined(self, roll: Roll, symbol: str) -> Change | None:
        version = self._now.get((roll.venue, symbol))
        if version is None:
            return None
        return Change(roll.venue, symbol, "listed", roll.usable_from, version, "newly listed")

    def _missed(self, roll: Roll, symbol: str) -> Change | None:
        key = (roll.venue, symbol)
        count, first = self._absent.get(key, (0, roll.usable_from))
        self._absent[key] = (count + 1, first)
        version = self._now.get(key)
        if count + 1 < _ABSENCES or version is None:
            return None
        text = f"missing from {count + 1} lists in a row"
        return Change(roll.venue, symbol, "vanished", first, version, text)

    def back(self, venue: str, symbol: str) -> None:
        """A vanished symbol still speaks: it is looked for on the next lists again."""
        for (whose, scope), symbols in list(self._rolls.items()):
            if whose == venue and scope != _ADJUSTED and (venue, symbol) in self._absent:
                self._rolls[whose, scope] = symbols | {symbol}

    def _with_terms(self, event: FundingEstimate) -> FundingEstimate:
        """Stated with the rate, else by the terms, else by the listing; else it stays unknown."""
        key = (event.venue, event.symbol)
        terms, version = self._terms.get(key), self._now.get(key)
        rolled = self._rolls.get((event.venue, _ADJUSTED))
        interval_s = event.interval_s
        if interval_s is None and rolled is not None:
            adjusted = event.symbol in rolled and terms is not None
            interval_s = terms.interval_s if adjusted and terms is not None else _EIGHT_HOURS_S
        if interval_s is None and version is not None:
            interval_s = version.listing.funding_interval_s
        cap, floor = event.cap, event.floor
        if cap is None and floor is None:
            cap, floor = _bounds(terms, version)
        if (interval_s, cap, floor) == (event.interval_s, event.cap, event.floor):
            return event
        return msgspec.structs.replace(event, interval_s=interval_s, cap=cap, floor=floor)

    def _with_size(self, event: OpenInterest) -> OpenInterest:
        version = self._now.get((event.venue, event.symbol))
        if version is None or version.listing.contract_size is None:
            return event
        listing, amount = version.listing, event.amount * version.listing.contract_size
        return msgspec.structs.replace(event, amount=amount, unit=listing.size_unit)


_NO_SIZES: Mapping[str, float] = MappingProxyType({})


def _bounds(
    terms: FundingTerms | None, version: Version | None
) -> tuple[float | None, float | None]:
    if terms is not None and (terms.cap is not None or terms.floor is not None):
        return terms.cap, terms.floor
    if version is None:
        return None, None
    return version.listing.funding_cap, version.listing.funding_floor


def _doubt(held: frozenset[str] | None, symbols: frozenset[str]) -> str:
    if not symbols:
        return "the list came empty: the last good one stands"
    missing = 0 if held is None else len(held - symbols)
    if held is None or len(held) < _SMALL or missing <= (1.0 - _BELIEVABLE) * len(held):
        return ""
    return f"the list lacks {missing} of the {len(held)} it held: the last good one stands"


def _told(listing: Listing) -> tuple[object, ...]:
    """All but when it was said."""
    fields = msgspec.structs.astuple(listing)
    return fields[:2] + fields[5:]


def _merged(old: Listing | None, new: Listing) -> Listing:
    """What a shorter message leaves out stays as it was, unless the symbol now names something else."""
    if old is None or _renamed(old, new):
        return new
    kept = {
        name: getattr(old, name)
        for name in ("contract_size", "tick_size", "lot_size", "funding_interval_s", "listed_at",
                     "funding_cap", "funding_floor")
        if getattr(new, name) is None
    }  # fmt: skip
    return msgspec.structs.replace(new, **kept) if kept else new


def _renamed(old: Listing, new: Listing) -> bool:
    later = (
        old.listed_at is not None and new.listed_at is not None and old.listed_at != new.listed_at
    )
    return later or old.base != new.base or old.kind != new.kind


def _differences(old: Listing | None, new: Listing) -> list[tuple[What, str]]:
    if old is None:
        first: list[tuple[What, str]] = [("size", f"a contract is {_size(new)}")]
        return [*first, ("status", standing(new))]
    if _renamed(old, new):
        return [("relisted", "the symbol names another contract now"), ("status", standing(new))]
    found: list[tuple[What, str]] = []
    if old.contract_size != new.contract_size or old.size_unit != new.size_unit:
        found.append(("size", f"a contract was {_size(old)}, now {_size(new)}"))
    for name, was, now in (
        ("tick", old.tick_size, new.tick_size), ("lot", old.lot_size, new.lot_size),
    ):  # fmt: skip
        if was != now:
            found.append(("rules", f"the {name} size was {was}, now {now}"))
    if standing(old) != standing(new):
        found.append(("status", standing(new)))
    if old.funding_interval_s != new.funding_interval_s:
        was_s, now_s = old.funding_interval_s, new.funding_interval_s
        found.append(("funding", f"funding was settled every {was_s} s, now every {now_s} s"))
    return found


def _size(listing: Listing) -> str:
    size = listing.contract_size
    return "of unknown size" if size is None else f"{size:g} {listing.size_unit}"


def standing(listing: Listing) -> str:
    """Why no new position may be opened in it, '' where one may; 'delisted' in front where it is over."""
    if listing.status == "delisted":
        return "delisted: the venue no longer lists it"
    if listing.status == "settling":
        return "the venue settles it: positions can only be closed"
    if listing.status == "halted":
        return "the venue has halted it"
    if listing.ends_at is not None and listing.kind in _KINDS:
        return f"the venue ends it on {day_of(listing.ends_at)}: positions can only be closed"
    return ""

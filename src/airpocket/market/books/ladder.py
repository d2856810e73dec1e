"""The levels of one book: whole-number prices inside, absolute sizes, the best of each side at hand."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from airpocket.domain.wire import Level

Texts: TypeAlias = tuple[str, str]  # price and size as the venue wrote them

_MOST = 1e18  # no price or size is beyond it
_EXACT = 2**53  # whole numbers a float holds without loss
_MOST_DECIMALS = 18
_FEW = 64  # levels that are quicker inserted one by one than sorted


class Touch(NamedTuple):
    """Best bid and ask with their sizes."""

    bid: float
    bid_size: float
    ask: float
    ask_size: float


class SideLadder:
    """One side. Keys are prices in units of 10^-decimals, asks negated: the best is always the last key.

    Inserting and removing near the touch then moves few keys, and the best is read without a search.
    Sizes are found by the price itself: a key is the one whole number behind it, so both are as exact.
    """

    __slots__ = ("edge", "keys", "sizes", "texts", "unit", "window")

    def __init__(self, sign: int) -> None:
        self.unit = float(sign)  # key = price × unit
        self.keys: list[int] = []  # ascending
        self.sizes: dict[float, float] = {}
        self.texts: dict[float, Texts] = {}
        self.edge: float | None = None  # a price beyond which the snapshot told nothing
        self.window: int | None = None  # as many levels as the venue tells of

    def __len__(self) -> int:
        return len(self.keys)

    def best(self) -> Level | None:
        """Price and size of the best level; None when the side is empty."""
        if not self.keys:
            return None
        price = self.keys[-1] / self.unit
        return price, self.sizes[price]

    def worst(self) -> float | None:
        """The price furthest from the touch; None when the side is empty."""
        return self.keys[0] / self.unit if self.keys else None

    def known_to(self) -> float | None:
        """The last price up to which the side is wholly known; None: all of it is."""
        if self.window is not None and len(self.keys) >= self.window:
            return self.worst()
        return self.edge

    def size_at(self, price: float) -> float:
        """The size at a price, 0 where there is no level."""
        return self.sizes.get(price, 0.0)

    def best_first(self) -> Iterator[Level]:
        """The levels from the best outwards."""
        unit, sizes = self.unit, self.sizes
        for key in reversed(self.keys):
            price = key / unit
            yield price, sizes[price]

    def top(self, count: int) -> list[Level]:
        """At most `count` levels, best first."""
        unit, sizes = self.unit, self.sizes
        return [(price := key / unit, sizes[price]) for key in self.keys[: -count - 1 : -1]]

    def put(self, levels: Sequence[Level]) -> tuple[int, int]:
        """Apply absolute sizes in order → (levels done, deletes of levels that were not there).

        Stops before the first level it can't hold: a price finer than the unit, or an impossible value.
        """
        if not self.keys and len(levels) > _FEW:
            return self._fill(levels)
        sizes, keys, unit = self.sizes, self.keys, self.unit
        done = absent = 0
        for price, size in levels:
            if 0.0 < size < _MOST:
                if price not in sizes:
                    if not 0.0 < price < _MOST or (key := round(price * unit)) / unit != price:
                        break
                    insort(keys, key)
                sizes[price] = size
            elif size != 0.0 or not 0.0 < price < _MOST:
                break
            elif sizes.pop(price, None) is None:
                absent += 1
            else:
                del keys[bisect_left(keys, round(price * unit))]
            done += 1
        return done, absent

    def _fill(self, levels: Sequence[Level]) -> tuple[int, int]:
        """The many levels of a snapshot into an empty side: sorted once."""
        keys: list[int] = []
        done = absent = 0
        for price, size in levels:
            key = self._key(price)
            if key is None or not 0.0 <= size < _MOST or price in self.sizes:
                break
            if size == 0.0:
                absent += 1
            else:
                keys.append(key)
                self.sizes[price] = size
            done += 1
        self.keys = sorted(keys)
        return done, absent

    def _key(self, price: float) -> int | None:
        """The whole number of units a price is; None if it is none."""
        if not 0.0 < price < _MOST:
            return None
        key = round(price * self.unit)
        # a quotient of two whole numbers is correctly rounded: equal only if the price is that decimal
        return key if key / self.unit == price else None

    def fits(self, price: float) -> bool:
        """Whether the unit is fine enough for a price."""
        return self._key(price) is not None

    def write(self, levels: Iterable[Level], texts: Iterable[Texts]) -> None:
        """Keep how the venue wrote the levels just put, for its checksum."""
        for (price, size), text in zip(levels, texts, strict=False):
            if size:
                self.texts[price] = text
            else:
                self.texts.pop(price, None)

    def top_texts(self, count: int) -> list[Texts] | None:
        """How the best levels were written, best first; None if one of them is not known."""
        found: list[Texts] = []
        for price, _ in self.top(count):
            text = self.texts.get(price)
            if text is None:
                return None
            found.append(text)
        return found

    def keep(self, count: int) -> int:
        """Drop the worst levels beyond `count`; how many that were."""
        beyond = len(self.keys) - count
        if beyond <= 0:
            return 0
        for key in self.keys[:beyond]:
            price = key / self.unit
            del self.sizes[price]
            self.texts.pop(price, None)
        del self.keys[:beyond]
        return beyond

    def rescale(self, factor: int) -> None:
        """Make the unit `factor` times finer."""
        self.unit *= factor
        self.keys = [key * factor for key in self.keys]

    def clear(self) -> None:
        self.keys.clear()
        self.sizes.clear()
        self.texts.clear()
        self.edge = self.window = None


class Ladder:
    """Both sides of one book. The unit of price is learned: it grows finer when a finer price comes."""

    __slots__ = ("asks", "bids", "decimals")

    def __init__(self, decimals: int = 0) -> None:
        self.bids = SideLadder(1)
        self.asks = SideLadder(-1)
        self.decimals = 0
        if decimals:
            self._refine(decimals)

    def apply(self, bids: Sequence[Level], asks: Sequence[Level]) -> tuple[int, str]:
        """Apply absolute sizes → (deletes of absent levels, what is wrong or '').

        On trouble the levels before the bad one have been applied: the book must not be trusted then.
        """
        gone, wrong = self._put(self.bids, bids)
        if wrong:
            return gone, f"bids: {wrong}"
        more, wrong = self._put(self.asks, asks)
        return gone + more, f"asks: {wrong}" if wrong else ""

    def _put(self, side: SideLadder, levels: Sequence[Level]) -> tuple[int, str]:
        done, absent = side.put(levels)
        rest = levels
        while done < len(rest):
            rest = rest[done:]
            wrong = self._make_room(*rest[0])
            if wrong:
                return absent, wrong
            done, more = side.put(rest)
            absent += more
        return absent, ""

    def _make_room(self, price: float, size: float) -> str:
        """Take a finer unit so that the price fits; what is wrong if it can't."""
        if not 0.0 < price < _MOST or not 0.0 <= size < _MOST:
            return f"impossible level {price!r} × {size!r}"
        if self.bids.fits(price):  # the side was only filled up to here
            return ""
        best, worst = self.bids.best(), self.asks.worst()
        largest = max(price, best[0] if best else 0.0, worst or 0.0)
        for decimals in range(self.decimals + 1, _MOST_DECIMALS + 1):
            scale = 10**decimals
            if largest * scale >= _EXACT:
                break
            if round(price * scale) / scale == price:
                self._refine(decimals)
                return ""
        return f"price {price!r} has more digits than can be kept"

    def _refine(self, decimals: int) -> None:
        factor = 10 ** (decimals - self.decimals)
        self.bids.rescale(factor)
        self.asks.rescale(factor)
        self.decimals = decimals

    def touch(self) -> Touch | None:
        """Best bid and ask; None while a side is empty."""
        bid, ask = self.bids.best(), self.asks.best()
        return None if bid is None or ask is None else Touch(*bid, *ask)

    def clear(self) -> None:
        self.bids.clear()
        self.asks.clear()

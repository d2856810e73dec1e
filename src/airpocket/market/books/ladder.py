"""The levels of one book: whole-number prices inside, absolute sizes, the best of each side at hand."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from airpocket.domain.depth import Floats, Ints, Level, Levels
from airpocket.market.books.side import (
    BASE,
    BEST,
    FAR,
    MOST,
    NEAR,
    key_of,
    lay,
    put_both,
    put_side,
    size_at,
    walk,
    worst_key,
)

Texts: TypeAlias = tuple[str, str]  # price and size as the venue wrote them

_EXACT = 2**53  # whole numbers a float holds without loss
_MOST_DECIMALS = 18
_FEW = 64  # levels that are quicker inserted one by one than sorted
_CHUNK = 64
_ROOM = 256
_NARROWEST, _WIDEST = 2**10, 2**20  # prices of a window; memory is only taken where levels are
_WINDOW_SHARE = (
    1.9  # of the price: what a window should span; a tenth of all changes is far from the touch
)
_NOTHING = np.zeros(1)


class Touch(NamedTuple):
    """Best bid and ask with their sizes."""

    bid: float
    bid_size: float
    ask: float
    ask_size: float


class SideLadder:
    """One side. Keys are prices in units of 10^-decimals, asks negated: the best has the largest key.

    The arrays are those of `market/books/side.py`.
    """

    __slots__ = (
        "_far_key",
        "_far_size",
        "_near",
        "_state",
        "arrays",
        "edge",
        "texts",
        "unit",
        "window",
    )

    def __init__(self, sign: int) -> None:
        self.unit = float(sign)  # key = price × unit
        self.texts: dict[float, Texts] = {}
        self.edge: float | None = None  # a price beyond which the snapshot told nothing
        self.window: int | None = None  # as many levels as the venue tells of
        self._far_key: Ints = np.empty(_ROOM, np.int64)
        self._far_size: Floats = np.empty(_ROOM)
        self._empty(_NARROWEST)

    def _empty(self, window: int) -> None:
        self._near: Floats = np.zeros(window)
        self._state: Ints = np.array([0, -1, window, 0, 0])
        self._show()

    def _show(self) -> None:
        """near, far_key, far_size, state: for kernels."""
        self.arrays = self._near, self._far_key, self._far_size, self._state

    def __len__(self) -> int:
        return self._state.item(NEAR) + self._state.item(FAR)

    def best(self) -> Level | None:
        """Price and size of the best level; None when the side is empty."""
        state = self._state
        at = state.item(BEST)
        return None if at < 0 else ((state.item(BASE) + at) / self.unit, self._near.item(at))

    def worst(self) -> float | None:
        """The price furthest from the touch; None when the side is empty."""
        if not len(self):
            return None
        return worst_key(self._near, self._far_key, self._state) / self.unit

    def known_to(self) -> float | None:
        """The last price up to which the side is wholly known; None: all of it is."""
        if self.window is not None and len(self) >= self.window:
            return self.worst()
        return self.edge

    def size_at(self, price: float) -> float:
        """The size at a price, 0 where there is no level."""
        key = key_of(price, self.unit)
        return size_at(*self.arrays, key) if key else 0.0

    def best_first(self) -> Iterator[Level]:
        """The levels from the best outwards."""
        at = 0
        while at >= 0:
            found, at = self._walk(_CHUNK, at)
            yield from found

    def top(self, count: int) -> list[Level]:
        """At most `count` levels, best first."""
        return self._walk(count, 0)[0]

    def _walk(self, most: int, at: int) -> tuple[list[Level], int]:
        keys, sizes = np.empty(most, np.int64), np.empty(most)
        found, at = walk(*self.arrays, at, keys, sizes)
        unit = self.unit
        pairs = zip(keys[:found].tolist(), sizes[:found].tolist(), strict=True)
        return [(key / unit, size) for key, size in pairs], at

    def make_room(self, more: int) -> None:
        """Room for so many levels beyond those there are."""
        needed = len(self) + more
        if needed > self._far_key.size:
            self._far_key = np.resize(self._far_key, 2 * needed)
            self._far_size = np.resize(self._far_size, 2 * needed)
            self._show()

    def put(self, levels: Levels) -> tuple[int, int]:
        """Apply absolute sizes in order → (levels done, deletes of levels that were not there).

        Stops before the first level it can't hold: a price finer than the unit, or an impossible value.
        """
        if not len(self) and len(levels) > _FEW and (absent := self._fill(levels)) is not None:
            return len(levels), absent
        self.make_room(len(levels))
        return put_side(*self.arrays, self.unit, levels.price, levels.size)

    def _fill(self, levels: Levels) -> int | None:
        """The many levels of a snapshot into an empty side, sorted once → deletes among them.

        None, and nothing done, unless every level is sound and tells of another price.
        """
        price, size = levels.price, levels.size
        if not (np.all((price > 0.0) & (price < MOST)) and np.all((size >= 0.0) & (size < MOST))):
            return None
        wanted = np.rint(price * self.unit)
        if np.any(np.abs(wanted) >= _EXACT) or np.any(wanted / self.unit != price):
            return None
        order = np.argsort(wanted, kind="stable")
        if np.any(np.diff(wanted[order]) == 0.0):
            return None
        order = order[size[order] > 0.0]
        if order.size:
            self._hold(wanted[order].astype(np.int64), size[order])
        return len(levels) - order.size

    def _hold(self, keys: Ints, sizes: Floats) -> None:
        """These levels (ascending, at least one) and no others, in a window as wide as the price asks for."""
        best = int(keys[-1])
        width = int(_WINDOW_SHARE * abs(best)).bit_length()
        self._empty(min(max(1 << width, _NARROWEST), _WIDEST))
        self.make_room(keys.size)
        self._far_key[: keys.size], self._far_size[: keys.size] = keys, sizes
        self._state[FAR] = keys.size
        lay(*self.arrays, best)

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
        beyond = len(self) - count
        for _ in range(beyond):
            price = self.worst()
            assert price is not None
            self.texts.pop(price, None)
            put_side(*self.arrays, self.unit, np.array([price]), _NOTHING)
        return max(beyond, 0)

    def rescale(self, factor: int) -> None:
        """Make the unit `factor` times finer."""
        count = len(self)
        keys, sizes = np.empty(count, np.int64), np.empty(count)
        walk(*self.arrays, 0, keys, sizes)
        self.unit *= factor
        self._empty(_NARROWEST)
        if count:
            self._hold(keys[::-1] * factor, sizes[::-1])

    def clear(self) -> None:
        self._empty(_NARROWEST)
        self.texts.clear()
        self.edge = self.window = None


class Ladder:
    """Both sides of one book. The unit of price is learned: it grows finer when a finer price comes."""

    __slots__ = ("_touch", "asks", "bids", "decimals")

    def __init__(self, decimals: int = 0) -> None:
        self.bids = SideLadder(1)
        self.asks = SideLadder(-1)
        self.decimals = 0
        self._touch: Touch | None = None
        if decimals:
            self._refine(decimals)

    def apply(self, bids: Sequence[Level], asks: Sequence[Level]) -> tuple[int, str]:
        """Apply absolute sizes → (deletes of absent levels, what is wrong or '').

        On trouble the levels before the bad one have been applied: the book must not be trusted then.
        """
        below, above = Levels.of(bids), Levels.of(asks)
        self._touch = None
        one, other = self.bids, self.asks
        below_done, above_done, gone = put_both(
            *one.arrays, below.price, below.size, *other.arrays, above.price, above.size, one.unit
        )
        if below_done == below.price.size and above_done == above.price.size:
            return gone, ""
        for name, side, levels, done in (
            ("bids", one, below, below_done),
            ("asks", other, above, above_done),
        ):
            more, wrong = self._put(side, levels[max(done, 0) :])
            gone += more
            if wrong:
                return gone, f"{name}: {wrong}"
        return gone, ""

    def _put(self, side: SideLadder, levels: Levels) -> tuple[int, str]:
        absent = 0
        while len(levels):
            done, more = side.put(levels)
            absent += more
            levels = levels[done:]
            if len(levels):
                wrong = self._make_room(*levels[0])
                if wrong:
                    return absent, wrong
        return absent, ""

    def _make_room(self, price: float, size: float) -> str:
        """Take a finer unit so that the price fits; what is wrong if it can't."""
        if not 0.0 < price < MOST or not 0.0 <= size < MOST:
            return f"impossible level {price!r} × {size!r}"
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
        if self._touch is None:
            bid, ask = self.bids.best(), self.asks.best()
            self._touch = None if bid is None or ask is None else Touch(*bid, *ask)
        return self._touch

    def changed(self) -> None:
        """Somebody wrote to the sides' arrays."""
        self._touch = None

    def clear(self) -> None:
        self.bids.clear()
        self.asks.clear()
        self._touch = None

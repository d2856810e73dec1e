"""Levels of a book as arrays: of one change, and of many changes of one market as columns."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias, cast, overload

import numpy as np
from numpy.typing import NDArray

Level: TypeAlias = tuple[float, float]  # price, size
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


class Levels(Sequence[Level]):
    """Levels of one side as two arrays; reads like the tuple of (price, size) that it equals.

    price, size: (n,) each, never written to once the levels are made.
    """

    __slots__ = ("price", "size")

    def __init__(self, price: Floats, size: Floats) -> None:
        self.price, self.size = price, size

    @classmethod
    def of(cls, levels: Sequence[Level]) -> "Levels":
        """The same levels as arrays."""
        if isinstance(levels, cls):
            return levels
        both = np.array(levels, dtype=np.float64).reshape(len(levels), 2)
        return cls(both[:, 0].copy(), both[:, 1].copy())

    def __len__(self) -> int:
        return self.price.size

    def __iter__(self) -> Iterator[Level]:
        prices: list[float] = self.price.tolist()
        sizes: list[float] = self.size.tolist()
        return iter(zip(prices, sizes, strict=True))

    @overload
    def __getitem__(self, index: int) -> Level: ...
    @overload
    def __getitem__(self, index: slice) -> "Levels": ...
    def __getitem__(self, index: int | slice) -> "Level | Levels":
        if isinstance(index, slice):
            return Levels(self.price[index], self.size[index])
        return float(self.price[index]), float(self.size[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Levels | tuple) and tuple(self) == tuple(
            cast("tuple[Level]", other)
        )

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


def plain(value: object) -> object:
    """For encoders: levels as pairs.

    Raises:
        NotImplementedError: for anything else that an encoder does not know.
    """
    if isinstance(value, Levels):
        return tuple(value)
    raise NotImplementedError(type(value))


class DepthColumns(NamedTuple):
    """n book changes of one market with m levels in all; the bids of a change come before its asks.

    read [n]: False where a frame needs the slow reader; its other values mean nothing.
    ts [n]: ns. first, last, previous [n]: update ids, previous −1 where unsaid.
    bids_end, asks_end [n]: where the levels of each side end; a change begins where the one before ended.
    price, size [m]: absolute sizes in coin, 0 takes a level away.
    """

    read: NDArray[np.bool_]
    ts: Ints
    first: Ints
    last: Ints
    previous: Ints
    bids_end: Ints
    asks_end: Ints
    price: Floats
    size: Floats


class Tops(NamedTuple):
    """Best bid and ask after each of n changes, sizes in coin; NaN while the book was not to be trusted."""

    bid: Floats
    bid_size: Floats
    ask: Floats
    ask_size: Floats

    @classmethod
    def unknown(cls, count: int) -> "Tops":
        """Room for `count` changes, nothing told yet."""
        return cls(*(np.full(count, np.nan) for _ in range(4)))

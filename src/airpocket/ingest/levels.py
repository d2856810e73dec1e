"""Levels of a book as nearly every venue writes them: [["3000.5", "1.25"], …], read in one go.

The types themselves refuse what no level can be: text that is not a plain decimal, NaN, infinities, a price
that is not above zero, a negative size. A test holds them against the reader of single values.
"""

from typing import Annotated, TypeAlias

from msgspec import Meta

from airpocket.domain.depth import Level

Price: TypeAlias = Annotated[float, Meta(ge=1e-18, lt=1e18)]
Size: TypeAlias = Annotated[float, Meta(ge=0.0, lt=1e18)]
# for decoders with strict=False: numbers written as text are numbers
Levels: TypeAlias = tuple[tuple[Price, Size], ...]


def in_coin(levels: Levels, dollars_each: float) -> tuple[Level, ...]:
    """Sizes in contracts of so many dollars → sizes in coin, each at its own price."""
    return tuple((price, size * dollars_each / price) for price, size in levels)

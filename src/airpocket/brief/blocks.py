"""The plain blocks every page is made of, which the terminal, Markdown and HTML each draw."""

from dataclasses import dataclass
from typing import TypeAlias

from airpocket.brief import words
from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import Reading, Tell

Cell: TypeAlias = str | Estimate


@dataclass(frozen=True, slots=True)
class Words:
    """One paragraph."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences under a short heading."""

    heading: str
    items: list[str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; `marked` is the row to stand out, if any."""

    caption: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    marked: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Tells: label, figure, and the condition it is held against."""

    caption: str
    tells: list[Tell]


Block: TypeAlias = Words | Points | Grid | Facts | Reading


@dataclass(frozen=True, slots=True)
class Part:
    """One headed section of the page."""

    id: str
    heading: str
    blocks: list[Block]


def nothing(reason: str | None) -> Words:
    """A section that cannot be given, and why."""
    return Words(f"{words.UNKNOWN}: {words.plain(reason or '') or 'no reason given'}")


def band(low: float, high: float) -> str:
    """A price band: '4,300.00 to 4,350.00', or one price when both ends are the same."""
    return words.price(low) if low == high else f"{words.price(low)} to {words.price(high)}"

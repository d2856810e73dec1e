"""How a kind of market fact is described: columns with units and checks, and what identifies a row."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Dtype: TypeAlias = Literal["f64", "i64", "str", "time"]  # time: UTC, µs in the store, ns in code
Check: TypeAlias = Literal["any", "positive", "nonnegative", "fraction", "percent"]
Span: TypeAlias = Literal["day", "month"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `check` is what a value must satisfy; a null is allowed only where `nullable`.

    optional: a table may come without it, as those written before it was thought of do; then it is null.
    """

    name: str
    dtype: Dtype
    unit: str = ""
    check: Check = "any"
    nullable: bool = False
    choices: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One family of facts. Every table also has ts, usable_from (times) and source (text).

    `ts` is the venue's own time: a bar's **open**, an observation's or settlement's moment, the start of an
    averaging window. `usable_from` is the earliest moment at which anyone could have known the row.
    `key` names the columns that identify a row inside (kind, venue, symbol); ts is always first.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("ts",)
    span: Span = "month"
    has_interval: bool = False  # the stored name carries it: bar_1h


def price(name: str, *, nullable: bool = False) -> Column:
    """A price: positive, quote per coin."""
    return Column(name, "f64", "quote per coin", "positive", nullable)


def amount(name: str, unit: str = "coin", *, nullable: bool = True) -> Column:
    """An amount: never negative."""
    return Column(name, "f64", unit, "nonnegative", nullable)

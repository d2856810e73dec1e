"""What a mapping says, as frozen records: which file, whose facts, which columns, usable from when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Lookup:
    """A value chosen by what a column says, or by two columns (`by` first).

    With `by`, an entry of the table is either a table of its own or one value for all of `column`.
    """

    column: str
    by: str
    table: Mapping[str, object]
    where: str  # the key of the mapping, for messages


@dataclass(frozen=True, slots=True)
class TimeRule:
    """Where a time comes from: a column read as `unit` (and `zone`), or one constant (ns)."""

    column: str = ""
    unit: str = ""  # us ms s iso date; empty: the file's own timestamp type says
    zone: str = ""
    constant_ns: int | None = None


@dataclass(frozen=True, slots=True)
class UsableRule:
    """usable_from = the latest of `times`, plus `plus_ns`; no times: the row's ts."""

    times: tuple[TimeRule, ...] = ()
    plus_ns: int = 0


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """How one column of a kind is filled."""

    column: str = ""
    constant: Scalar | None = None
    lookup: Lookup | None = None
    multiply: float | str | Lookup | None = None  # a number, a column of factors, a lookup
    null_if: Scalar | None = None
    number: bool = False  # 0, 1, … among the rows of a series that share ts, in file order
    time: TimeRule | None = None
    form: str = ""  # a spelling to rewrite: ccxt


@dataclass(frozen=True, slots=True)
class Drop:
    """Rows left out on purpose, with the reason that the report repeats."""

    reason: str
    column: str = ""
    equals: Scalar | None = None
    null: bool = False
    time_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Unpivot:
    """Wide to long: each column of `columns` becomes rows that carry its given name and its value."""

    columns: Mapping[str, str]
    name: str = "name"
    value: str = "value"


@dataclass(frozen=True, slots=True)
class TableRule:
    """One table of a mapping: rows of one kind out of one or more files."""

    label: str  # "mapping.toml: [[table]] 2", for messages
    files: tuple[str, ...]
    kind: str  # stored name
    venue: ColumnRule
    symbol: ColumnRule
    time: TimeRule
    usable: UsableRule
    columns: Mapping[str, ColumnRule]
    revision: str = ""
    where: tuple[tuple[str, tuple[Scalar, ...]], ...] = ()
    drops: tuple[Drop, ...] = ()
    unpivot: Unpivot | None = None
    unordered: bool = False
    expect_step_ns: int = 0
    other_symbols: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveRule:
    """Files of a public archive; what is empty is taken from the file's path.

    `symbols`: only these contracts of a file that holds many. `step_ns`: how often a replayed book gives its
    depth. `contract_sizes`: coin (inverse: USD) per contract, where airpocket does not know it.
    """

    label: str
    files: tuple[str, ...]
    format: str
    market: str = ""  # spot um cm; spot linear inverse
    type: str = ""
    interval: str = ""
    symbol: str = ""
    unit: str = ""
    symbols: tuple[str, ...] = ()
    step_ns: int = 0
    contract_sizes: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Skip:
    """A file that is known and left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class HistoryMapping:
    """One mapping file, read and checked."""

    path: Path
    source: str
    licence: str
    tables: tuple[TableRule | ArchiveRule, ...]
    skips: tuple[Skip, ...]

"""The whole exception tree, and the exit status each branch gives the command line.

AirpocketError
├── BadInput              2  what the user typed or supplied can't be used
│   ├── BadTable          2  a file to import: names file, row, column
│   ├── BadMapping        2  a mapping file: names file and key
│   └── MarginError       2  a position, a tier table or margin rules: names field and value
├── UnknownInstrument     2  no such venue, symbol or asset
├── StoreError            3
│   ├── StoreDamaged      3  a file of the store is not what its manifest says
│   ├── StoreConflict     3  new rows contradict rows already there
│   ├── StoreBusy         3  another process writes this store
│   └── LogFailed         3  the raw log can no longer be written; what was acknowledged is safe
├── NothingKnown          4  the store holds nothing that could answer
├── MissingExtra          5  an optional dependency is not installed
├── VenueRefused          6  a venue answered with an error, or not at all
└── UndecodableFrame      6  bytes from a venue that its decoder does not understand
    └── UnknownMessage    6  a kind of message that the venue did not send when the decoder was written
"""


class AirpocketError(Exception):
    """Base of everything airpocket raises on purpose."""

    exit_status = 1


class BadInput(AirpocketError):
    """What the user typed or supplied can't be used."""

    exit_status = 2


class BadTable(BadInput):
    """A file to import is wrong: the message names file, row (counted from 1 after the header), column."""

    def __init__(
        self, file: str, problem: str, *, row: int | None = None, column: str = ""
    ) -> None:
        where = f"{file}"
        if row is not None:
            where += f", row {row}"
        if column:
            where += f", column '{column}'"
        super().__init__(f"{where}: {problem}")
        self.file, self.row, self.column, self.problem = file, row, column, problem


class BadMapping(BadInput):
    """A mapping file is wrong: the message names file and key."""


class MarginError(BadInput):
    """A margin question has no answer as asked: the message names the field and its value."""


class UnknownInstrument(AirpocketError):
    """No such venue, symbol or asset."""

    exit_status = 2


class StoreError(AirpocketError):
    """The store can't be read or written as asked."""

    exit_status = 3


class StoreDamaged(StoreError):
    """A file of the store is not what its manifest says."""


class StoreConflict(StoreError):
    """New rows contradict rows that the store already holds."""


class StoreBusy(StoreError):
    """Another process is writing this store."""


class LogFailed(StoreError):
    """The raw log can no longer be written; what was acknowledged before is safe and readable."""


class NothingKnown(AirpocketError):
    """The store holds nothing that could answer."""

    exit_status = 4


class MissingExtra(AirpocketError):
    """An optional dependency is not installed."""

    exit_status = 5

    def __init__(self, command: str, extra: str) -> None:
        super().__init__(
            f"'airpocket {command}' needs the extra [{extra}]: pip install 'airpocket[{extra}]'"
        )


class VenueRefused(AirpocketError):
    """A venue answered with an error, or not at all."""

    exit_status = 6


class UndecodableFrame(AirpocketError):
    """Bytes from a venue that its decoder does not understand."""

    exit_status = 6


class UnknownMessage(UndecodableFrame):
    """A kind of message that the venue did not send when the decoder was written: new, not broken."""

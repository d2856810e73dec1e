"""A recorded book on its way through a replayer: changes in, resting orders at each step out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import polars as pl

from airpocket.domain.errors import BadTable
from airpocket.domain.instruments import Instrument
from airpocket.domain.units import MINUTE_NS, SECOND_NS, format_time
from airpocket.domain.wire import BookChange
from airpocket.ingest.history.files import ROW
from airpocket.ingest.history.table import Part, of_contract
from airpocket.ingest.history.values import UTC_US

Band: TypeAlias = tuple[float, float, float]  # per cent of the mid (bids negative), coin, USD


class BookReplay(Protocol):
    """The book of one contract by its venue's rules; ingest knows no books, whoever calls hands one in."""

    def take(self, change: BookChange) -> None:
        """Apply one change, in the order of the recording."""
        ...

    def bands(self, at: int) -> tuple[list[Band], str]:
        """Depth at a moment (ns); empty with the reason where the book can't be told.

        Empty without a reason: the book is live, and its levels reach beyond no band.
        """
        ...


NewReplay: TypeAlias = Callable[[Instrument], BookReplay]
Told: TypeAlias = tuple[int, BookChange]  # line, change; its usable_from is when it was published


@dataclass(frozen=True, slots=True)
class Recording:
    """What is known of one file of book changes: times in ns, `start` to `end` is the day or hour it names."""

    file: str
    contract: Instrument
    start: int
    end: int
    step_ns: int


def depth_part(recording: Recording, told: Iterable[Told], new_replay: NewReplay | None) -> Part:
    """`depth` rows at every step at which the book is live; other steps are counted by their reason.

    A row holds every change published up to its ts, and nothing later.

    Raises:
        BadTable: changes out of time or order, of another contract, or no step with a live book.
    """
    if new_replay is None:
        raise BadTable(recording.file, "is a recorded book: airpocket import replays it")
    steps = _Steps(recording, new_replay(recording.contract))
    for row, at, change in _in_time(recording, told):
        steps.up_to(at - 1)
        steps.take(row, at, change)
    return steps.part()


def _in_time(recording: Recording, told: Iterable[Told]) -> Iterator[tuple[int, int, BookChange]]:
    """Line, time published (ns, never falling), change."""
    file, symbol, latest = recording.file, recording.contract.symbol, 0
    for row, change in told:
        at = change.usable_from
        if change.symbol != symbol:
            raise BadTable(file, f"tells of {change.symbol[:40]!r}, not of {symbol}", row=row)
        if not recording.start - MINUTE_NS <= at <= recording.end + MINUTE_NS:
            when = f"{format_time(recording.start)} to {format_time(recording.end)}"
            raise BadTable(file, f"{format_time(at)} lies outside {when}, its own name", row=row)
        if at < latest - SECOND_NS:
            raise BadTable(file, f"{format_time(at)} comes after {format_time(latest)}", row=row)
        latest = max(latest, at)
        yield row, latest, change


class _Steps:
    """The steps of one recording: after its first change, to the first one after its last."""

    def __init__(self, recording: Recording, replay: BookReplay) -> None:
        self._recording, self._replay = recording, replay
        self._next = self._last = 0  # ns; 0 before the first change
        self._row = self._read = 0
        self._lived = False
        self._left_out: Counter[str] = Counter()
        self._rows: list[int] = []
        self._times: list[int] = []
        self._bands: list[Band] = []

    def take(self, row: int, at: int, change: BookChange) -> None:
        if not self._next:
            # a step at the file's very start belongs to the file before, which has all until then
            step_ns, first = self._recording.step_ns, max(at, self._recording.start)
            self._next = (first // step_ns + 1) * step_ns
        self._row, self._last = row, at
        self._read += 1
        self._replay.take(change)

    def up_to(self, moment: int) -> None:
        """Look at the book at every step that is due at `moment`."""
        while self._next and self._next <= moment:
            bands, reason = self._replay.bands(self._next)
            self._lived = self._lived or not reason
            if not bands:
                why = reason or "the recorded levels reach beyond no band"
                self._left_out[f"steps without depth: {why}"] += 1
            for band in bands:
                self._rows.append(self._row)
                self._times.append(self._next // 1_000)
                self._bands.append(band)
            self._next += self._recording.step_ns

    def part(self) -> Part:
        recording = self._recording
        if not self._read:
            raise BadTable(recording.file, "holds no change of a book")
        self.up_to(min(self._last + MINUTE_NS, recording.end))
        if not self._lived:
            reasons = "; ".join(sorted(self._left_out)) or "it ends before the first step"
            raise BadTable(recording.file, f"gives no depth: {reasons[:300]}")
        times = pl.Series(self._times, dtype=pl.Int64).cast(UTC_US)
        frame = pl.DataFrame(
            {
                ROW: pl.Series(self._rows, dtype=pl.UInt32),
                "ts": times,
                "usable_from": times,
                "percent": pl.Series([band[0] for band in self._bands], dtype=pl.Float64),
                "depth_coin": pl.Series([band[1] for band in self._bands], dtype=pl.Float64),
                "notional_usd": pl.Series([band[2] for band in self._bands], dtype=pl.Float64),
            }
        )
        return Part(
            recording.file, "depth", of_contract(frame, recording.contract), self._read,
            tuple(sorted(self._left_out.items())), expect_step_ns=recording.step_ns,
        )  # fmt: skip

"""The best prices of a recorded book after each of its changes: many at a time where a venue's frames allow it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from airpocket.domain.depth import DepthColumns, Ints, Tops
from airpocket.domain.errors import NothingKnown, UndecodableFrame
from airpocket.domain.wire import BookChange
from airpocket.ingest.log import reader
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.segment import LogDamage
from airpocket.ingest.origin import label_of, told_by
from airpocket.ingest.venue import Venue
from airpocket.ingest.venues.registry import venue_named
from airpocket.live.intake import MEASURED
from airpocket.market.books.book import Book
from airpocket.market.books.ladder import Touch
from airpocket.market.live.market import DEPTH

AT_ONCE = 256  # frames whose levels stay in a core's own cache
_UNKNOWN = Touch(np.nan, np.nan, np.nan, np.nan)
_NOWHERE: Mapping[int, str] = {}


class TopRows(NamedTuple):
    """n changes of a book, in the order heard: ts, heard (ns), last update id (−1 where unsaid), the top after."""

    ts: Ints
    heard: Ints
    last: Ints
    tops: Tops


class TopReader:
    """Follows one book through frames: `book` is what it knows, `refused` counts frames that can't be read."""

    def __init__(self, venue: Venue, symbol: str, *, depth: int | None = None) -> None:
        self._venue, self._symbol = venue, symbol
        self.book = Book(venue.name, symbol, depth=depth)
        self.refused = 0

    def take(
        self, frames: Sequence[bytes], heard: Ints, addresses: Mapping[int, str] = _NOWHERE
    ) -> TopRows:
        """Frames in the order heard (ns) → a row for every change applied.

        addresses: by position, where a REST answer came from.
        """
        return _joined(list(self._through(_batches(frames, heard, addresses))))

    def take_all(self, records: Iterable[Record]) -> Iterator[TopRows]:
        """A log's records of this venue; a lost connection leaves the book in doubt, as it did live."""
        return self._through(self._steps(records))

    def _steps(self, records: Iterable[Record]) -> Iterator["_Batch | str"]:
        """The frames that concern a book, many at a time, and between them why the book came in doubt."""
        bulk, waiting, speaker = self._venue.books, list[Record](), ""
        for record in records:
            if record.venue != self._venue.name and record.kind != "marker":
                continue
            if record.kind in ("text", "binary", "rest"):
                if bulk is None or bulk.concerns(record.body):
                    waiting.append(record)
                    speaker = speaker if record.kind == "rest" else record.connection
            elif record.about != MEASURED and (
                record.kind == "marker" or record.connection == speaker
            ):
                yield _batch_of(waiting)
                yield record.about or "the recording was interrupted"
                waiting = []
            if len(waiting) == AT_ONCE:
                yield _batch_of(waiting)
                waiting = []
        yield _batch_of(waiting)

    def _through(self, steps: Iterable["_Batch | str"]) -> Iterator[TopRows]:
        """Step by step; while the book takes one batch, a thread reads the next (compiled, without the lock)."""
        with ThreadPoolExecutor(1) as beside:
            reading: tuple[_Batch, Future[DepthColumns | None]] | None = None
            for step in steps:
                coming = (
                    None
                    if isinstance(step, str)
                    else (step, beside.submit(self._read, step.frames))
                )
                if reading is not None:
                    yield from self._applied(reading[0], reading[1].result())
                reading = coming
                if isinstance(step, str):
                    self.book.distrust(step)
            if reading is not None:
                yield from self._applied(reading[0], reading[1].result())

    def _read(self, frames: Sequence[bytes]) -> DepthColumns | None:
        return None if self._venue.books is None else self._venue.books.read(frames, self._symbol)

    def _applied(self, batch: "_Batch", columns: DepthColumns | None) -> Iterator[TopRows]:
        frames, heard, addresses = batch
        tops, at = Tops.unknown(len(frames)), 0
        while at < len(frames):
            stop = at if columns is None else self.book.run(columns, heard, at, tops)
            if columns is not None and stop > at:
                yield _cut(columns, heard, tops, at, stop)
                at = stop
            else:
                yield self._one(frames[at], int(heard[at]), addresses.get(at, ""))
                at += 1

    def _one(self, frame: bytes, heard: int, address: str) -> TopRows:
        """What `decode` makes of one frame."""
        try:
            events = self._venue.decode(frame, heard, address)
        except UndecodableFrame:
            self.refused += 1
            events = []
        rows: list[tuple[int, int, int]] = []
        found: list[Touch] = []
        for event in events:
            before = self.book.applied
            if isinstance(event, BookChange) and event.symbol == self._symbol:
                self.book.apply(event)
                if self.book.applied > before:
                    levels = self.book.levels
                    best = levels.touch() if levels is not None else None
                    last = -1 if event.last is None else event.last
                    rows.append((event.ts, heard, last))
                    found.append(_UNKNOWN if best is None else best)
        ts, hearing, ids = np.array(rows, np.int64).reshape(len(rows), 3).T
        bid, bid_size, ask, ask_size = np.array(found).reshape(len(found), 4).T
        return TopRows(ts, hearing, ids, Tops(bid, bid_size, ask, ask_size))


class _Batch(NamedTuple):
    """Frames in the order heard, when (ns), and by position where a REST answer came from."""

    frames: Sequence[bytes]
    heard: Ints
    addresses: Mapping[int, str]


def _batches(
    frames: Sequence[bytes], heard: Ints, addresses: Mapping[int, str]
) -> Iterator[_Batch]:
    for start in range(0, len(frames), AT_ONCE):
        end = start + AT_ONCE
        told = {k - start: address for k, address in addresses.items() if start <= k < end}
        yield _Batch(frames[start:end], heard[start:end], told)


def _batch_of(records: Sequence[Record]) -> _Batch:
    rest = {k: record.about for k, record in enumerate(records) if record.kind == "rest"}
    heard = np.array([record.heard for record in records], np.int64)
    return _Batch([record.body for record in records], heard, rest)


def _cut(columns: DepthColumns, heard: Ints, tops: Tops, start: int, stop: int) -> TopRows:
    part = slice(start, stop)
    return TopRows(
        columns.ts[part], heard[part], columns.last[part], Tops(*(t[part] for t in tops))
    )


def _joined(parts: Sequence[TopRows]) -> TopRows:
    if not parts:
        none = np.empty(0, np.int64)
        return TopRows(none, none, none, Tops.unknown(0))
    return TopRows(
        np.concatenate([part.ts for part in parts]),
        np.concatenate([part.heard for part in parts]),
        np.concatenate([part.last for part in parts]),
        Tops(*(np.concatenate([part.tops[k] for part in parts]) for k in range(4))),
    )


@dataclass(frozen=True)
class LogTops:
    """A log's book. table: ts, heard, update_id, bid, bid_size, ask, ask_size, a row a change; null: not known."""

    table: pl.DataFrame
    book: Book
    refused: int
    damages: tuple[LogDamage, ...]
    simulated: str = ""  # the label of a market that is invented


def tops_of_log(folder: Path, venue: str, symbol: str) -> LogTops:
    """Rebuild one book from a recorded log.

    Raises:
        NothingKnown: no log lies there, or it holds nothing of that book.
        UnknownInstrument: no such venue.
    """
    if not folder.is_dir():
        raise NothingKnown(f"{folder}: no recorded log lies here; airpocket record makes one")
    following = TopReader(venue_named(venue), symbol, depth=DEPTH.get(venue))
    damages, labels = list[LogDamage](), [label_of(folder)]

    def sound() -> Iterator[Record]:
        for found in reader.read(folder):
            if isinstance(found, LogDamage):
                damages.append(found)
                continue
            if found.kind == "marker":
                labels.append(told_by(found))
            yield found

    rows = _joined(list(following.take_all(sound())))
    if not rows.ts.size:
        raise NothingKnown(f"{folder}: no book of {venue}:{symbol} was recorded")
    columns = {
        "bid": rows.tops.bid,
        "bid_size": rows.tops.bid_size,
        "ask": rows.tops.ask,
        "ask_size": rows.tops.ask_size,
    }
    table = pl.DataFrame(
        {"ts": rows.ts, "heard": rows.heard, "update_id": rows.last, **columns}
    ).with_columns(
        pl.col("ts", "heard").cast(pl.Datetime("ns", "UTC")),
        pl.when(pl.col("update_id") >= 0).then(pl.col("update_id")).alias("update_id"),
        *(pl.col(name).fill_nan(None) for name in columns),
    )
    simulated = next(filter(None, labels), "")
    return LogTops(table, following.book, following.refused, tuple(damages), simulated)

"""Sealed segments: one compressed Parquet file each, listed with its SHA-256 in a checksummed manifest."""

import hashlib
import io
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import msgspec
import polars as pl
from msgspec import Struct

from airpocket.domain.errors import StoreDamaged, StoreError
from airpocket.ingest import disk
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.segment import segments_in

FOLDER = "sealed"
MANIFEST = "manifest.jsonl"
NAMES = "[0-9]" * 10 + "-" + "[0-9a-f]" * 12 + ".parquet"
FORMAT = 1
REMEDY = "bring the manifest back from a copy, or make it anew (airpocket.ingest.log.seal.rebuild)"
_HEADER = re.compile(rb"airpocket-log ([1-9][0-9]{0,5}) ([0-9a-f]{64})\n")
_ROWS = 20_000  # of a row group, and of one slice read back
_SCHEMA = {
    "sequence": pl.Int64(),
    "heard": pl.Int64(),
    "monotonic": pl.Int64(),
    "venue": pl.String(),
    "connection": pl.String(),
    "connection_sequence": pl.Int64(),
    "kind": pl.String(),
    "about": pl.String(),
    "body": pl.Binary(),
}


class Noted(Struct, frozen=True, kw_only=True):
    """A damage that a segment had when it was sealed: `bytes` at `offset` that were no record.

    `lost` counts the records they held, None where that can't be known; `before` is the sequence of the
    next whole record, 0 where none follows. The bytes lie in the segment's `.damaged` file, in order.
    """

    offset: int
    bytes: int
    lost: int | None
    problem: str
    before: int


class SealedEntry(Struct, frozen=True, kw_only=True):
    """One sealed segment; `path` is relative to the log folder, times are UTC ns, sequences inclusive.

    `heard_first` and `heard_last` are the least and greatest; all four are 0 without records.
    """

    number: int
    path: str
    sha256: str
    size: int
    records: int
    first_sequence: int
    last_sequence: int
    heard_first: int
    heard_last: int
    venues: tuple[str, ...]
    log_bytes: int  # of the segment it replaced
    damages: tuple[Noted, ...] = ()


_ENTRY = msgspec.json.Decoder(SealedEntry)


def load(folder: Path) -> dict[int, SealedEntry]:
    """The sealed segments of a log folder by number, in order; {} where nothing was sealed.

    Raises:
        StoreDamaged: the manifest is damaged, or missing where segments were sealed and removed.
        StoreError: written by a newer version, or unreadable.
    """
    path = folder / FOLDER / MANIFEST
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        orphans = orphans_in(folder, ())
        if not orphans:
            return {}
        if path.exists():  # the first sealing ended between these looks
            return load(folder)
        raise StoreDamaged(f"{path}: missing, but {orphans[0]} is there; {REMEDY}") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error
    header = _HEADER.match(raw)
    body = raw[header.end() :] if header else b""
    if header is None or _digest(int(header[1]), body) != header[2]:
        raise StoreDamaged(f"{path}: the checksum does not match; {REMEDY}")
    if int(header[1]) > FORMAT:
        raise StoreError(
            f"{path}: format {int(header[1])} is newer than this airpocket knows ({FORMAT}); upgrade it"
        )
    try:
        entries = _ENTRY.decode_lines(body)
    except msgspec.MsgspecError as error:
        raise StoreDamaged(f"{path}: {error}") from error
    return {entry.number: entry for entry in sorted(entries, key=lambda entry: entry.number)}


def damaged_file(number: int) -> str:
    """Where the bytes of a sealed segment that were no record lie, relative to the log folder."""
    return f"{FOLDER}/{number:010d}.damaged"


def orphans_in(folder: Path, listed: Collection[str]) -> list[Path]:
    """Sealed files not listed, by their path in the log folder, whose segments are gone: the only copy.

    Where the segment is still there, such a file is what an interrupted sealing left.
    """
    segments = segments_in(folder)
    return [
        path
        for path in sorted((folder / FOLDER).glob(NAMES))
        if f"{FOLDER}/{path.name}" not in listed and int(path.name[:10]) not in segments
    ]


def commit(folder: Path, entries: Iterable[SealedEntry]) -> None:
    """The moment at which sealed segments become visible."""
    lines = (msgspec.json.encode(entry) + b"\n" for entry in entries)
    body = b"".join(lines)
    data = b"airpocket-log %d %s\n%s" % (FORMAT, _digest(FORMAT, body), body)
    disk.put(folder / FOLDER / MANIFEST, data)
    disk.sync_folder(folder / FOLDER)


def _digest(version: int, body: bytes) -> bytes:
    return hashlib.sha256(b"airpocket-log %d\n" % version + body).hexdigest().encode()


def packed(
    number: int,
    records: list[Record],
    log_bytes: int,
    damages: tuple[Noted, ...] = (),
    level: int = 3,
) -> tuple[SealedEntry, bytes]:
    """Records as Parquet bytes with their manifest entry; the same records give the same bytes.

    Args: level: of the compression; a higher one is smaller, slower to write, and read as fast.
    """
    columns = {name: [getattr(record, name) for record in records] for name in _SCHEMA}
    buffer = io.BytesIO()
    pl.DataFrame(columns, schema=_SCHEMA).write_parquet(
        buffer, compression="zstd", compression_level=level, row_group_size=_ROWS,
        metadata={"airpocket.log": str(FORMAT)},
    )  # fmt: skip
    data = buffer.getvalue()
    return _entry(number, data, records, log_bytes, damages), data


def entry_of(path: Path) -> SealedEntry:
    """The manifest entry of a sealed file, from its name and bytes alone; `log_bytes` is lost, thus 0.

    Raises:
        StoreDamaged: the bytes are not those that the name promises.
    """
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest()[:12] != path.stem[11:]:
        raise StoreDamaged(f"{path}: its SHA-256 is not the one in its name")
    rows = pl.scan_parquet(io.BytesIO(data)).select(pl.len()).collect().item()
    return _entry(int(path.name[:10]), data, list(records_of(path, rows)), 0)


def _entry(
    number: int,
    data: bytes,
    records: list[Record],
    log_bytes: int,
    damages: tuple[Noted, ...] = (),
) -> SealedEntry:
    digest = hashlib.sha256(data).hexdigest()
    heard = [record.heard for record in records]
    return SealedEntry(
        number=number,
        path=f"{FOLDER}/{number:010d}-{digest[:12]}.parquet",
        sha256=digest,
        size=len(data),
        records=len(records),
        first_sequence=records[0].sequence if records else 0,
        last_sequence=records[-1].sequence if records else 0,
        heard_first=min(heard, default=0),
        heard_last=max(heard, default=0),
        venues=tuple(sorted({record.venue for record in records})),
        log_bytes=log_bytes,
        damages=damages,
    )


def problem_with(folder: Path, entry: SealedEntry) -> str:
    """What is wrong with a sealed file, read in full; '' when it is what was written."""
    try:
        with (folder / entry.path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "the file is missing"
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    return "" if digest == entry.sha256 else "its SHA-256 is not the manifest's"


def records_of(path: Path, rows: int) -> Iterator[Record]:
    """The records of a verified sealed file of `rows`, a row group at a time."""
    lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    for start in range(0, rows, _ROWS):
        for values in lazy.slice(start, _ROWS).select(list(_SCHEMA)).collect().iter_rows():
            sequence, heard, monotonic, venue, connection, own, kind, about, body = values
            yield Record(heard, venue, connection, kind, body, about, own, monotonic, sequence)

"""The documented layout of a raw log, read and written a second time: shares no code with the product."""

import hashlib
import json
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import duckdb

READER = duckdb.connect(":memory:")
KINDS = ("text", "binary", "connect", "disconnect", "sent", "rest", "marker")


class Plain(NamedTuple):
    """A record, field by field in the order of docs/log.md."""

    sequence: int
    heard: int
    monotonic: int
    connection_sequence: int
    kind: str
    venue: str
    connection: str
    about: str
    body: bytes


def plain_of(record):
    return Plain(*(getattr(record, name) for name in Plain._fields))


def header_of(number, first_sequence):
    head = struct.pack(
        "<8sHHIqqqq16s", b"airplog\n", 1, 68, 0, number, first_sequence, 1_700_000_000_000_000_000, 5, b""
    )  # fmt: skip
    return head + struct.pack("<I", zlib.crc32(head))


def bytes_of(record, number):
    venue, connection, about = (
        record.venue.encode(), record.connection.encode(), record.about.encode(),
    )  # fmt: skip
    names = venue + connection + about
    covered = struct.pack(
        "<IqqqqBBBBH", 42 + len(names) + len(record.body), record.sequence, record.heard,
        record.monotonic, record.connection_sequence, 1 + KINDS.index(record.kind), len(venue),
        len(connection), 0, len(about),
    ) + names + record.body  # fmt: skip
    seed = zlib.crc32(struct.pack("<q", number))
    return b"\xa9APr" + struct.pack("<I", zlib.crc32(covered, seed)) + covered


def records_in(data, number):
    """The records at the front of a segment's bytes, up to the first that is not whole."""
    magic, version, size, _, own, first = struct.unpack_from("<8sHHIqq", data)
    assert (magic, version, size, own) == (b"airplog\n", 1, 68, number)
    assert zlib.crc32(data[:64]) == struct.unpack_from("<I", data, 64)[0]
    found, at = [], 68
    seed = zlib.crc32(struct.pack("<q", number))
    while len(data) - at >= 50 and data[at : at + 4] == b"\xa9APr":
        crc, length = struct.unpack_from("<II", data, at + 4)
        covered = data[at + 8 : at + 8 + length]
        if len(covered) < length or zlib.crc32(covered, seed) != crc:
            break
        _, sequence, heard, monotonic, own, kind, v, c, zero, a = struct.unpack_from(
            "<IqqqqBBBBH", covered
        )
        assert zero == 0
        assert sequence == first + len(found)
        venue, connection, about = (
            covered[42 : 42 + v], covered[42 + v : 42 + v + c], covered[42 + v + c : 42 + v + c + a],
        )  # fmt: skip
        found.append(
            Plain(sequence, heard, monotonic, own, KINDS[kind - 1], venue.decode(),
                  connection.decode(), about.decode(), covered[42 + v + c + a :])
        )  # fmt: skip
        at += 8 + length
    return found, len(data) - at


def plain_segments(folder: Path, above: int = 0):
    """Every record in the segments of a folder, and how many bytes at their ends are none."""
    found, rest = [], 0
    for path in sorted(folder.glob("*.log")):
        if int(path.stem) > above:
            records, left = records_in(path.read_bytes(), int(path.stem))
            found += records
            rest += left
    return found, rest


def plain_sealed(folder: Path):
    """Every record in the sealed files that the manifest lists, read by DuckDB."""
    path = folder / "sealed" / "manifest.jsonl"
    if not path.exists():
        return []
    first, _, body = path.read_bytes().partition(b"\n")
    name, version, digest = first.split(b" ")
    assert hashlib.sha256(name + b" " + version + b"\n" + body).hexdigest().encode() == digest
    found = []
    for entry in map(json.loads, body.splitlines()):
        file = folder / entry["path"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == entry["sha256"]
        rows = READER.read_parquet(str(file)).project(", ".join(Plain._fields)).fetchall()
        assert len(rows) == entry["records"]
        found += [Plain(*row) for row in rows]
    return found


def plain_log(folder: Path):
    """Every record of a log in order of sequence; a segment that is sealed too counts once."""
    both = {record.sequence: record for record in plain_sealed(folder)}
    segments, _ = plain_segments(folder)
    for record in segments:
        assert both.setdefault(record.sequence, record) == record
    return [both[sequence] for sequence in sorted(both)]

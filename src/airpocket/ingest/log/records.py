"""One record of the raw log, and its bytes: what was heard, when, from whom, on which connection."""

import struct
import zlib
from collections.abc import Collection
from functools import lru_cache
from typing import Literal, TypeAlias, get_args
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from msgspec import Struct

from airpocket.domain.errors import BadInput
from airpocket.domain.units import TimeNs

RecordKind: TypeAlias = Literal[
    "text",  # a text frame, its UTF-8 bytes as they came
    "binary",  # a binary frame
    "connect",  # a connection opened; `about` is its public address
    "disconnect",  # a connection ended; `about` says why
    "sent",  # what we sent: subscriptions, pings
    "rest",  # the body of a REST answer; `about` is its public address
    "marker",  # a note of the log itself, JSON: a repair
]
KINDS: tuple[RecordKind, ...] = get_args(RecordKind)


class Record(Struct, frozen=True, gc=False):
    """What a session heard or did, complete enough to replay it.

    `heard` is our wall clock at receipt (UTC ns), `monotonic` the clock that never steps (ns, meaningful
    within one boot). `connection_sequence` counts within the connection. `sequence` is the place in the
    log, from 1 without a gap; the writer gives it, before that it is 0. Replay order is `sequence`.
    """

    heard: TimeNs
    venue: str
    connection: str
    kind: RecordKind
    body: bytes
    about: str = ""
    connection_sequence: int = 0
    monotonic: int = 0
    sequence: int = 0


# On disk, little-endian: magic, CRC-32, length | the rest, `length - 4` bytes. The CRC covers everything
# behind it and starts from the segment's seed, so a block of another segment never passes.
MAGIC = b"\xa9APr"
HEAD = struct.Struct("<4sI")
FIXED = struct.Struct("<IqqqqBBBBH")  # length, sequence, heard, monotonic, connection_sequence, …
SMALLEST = FIXED.size  # of `length`: the length field itself counts
LARGEST_BODY = 64 * 1024 * 1024
LARGEST = SMALLEST + 255 + 255 + 65_535 + LARGEST_BODY
OVERHEAD = HEAD.size + FIXED.size  # bytes that a record costs beyond its texts and body

_CODE = {kind: code for code, kind in enumerate(KINDS, 1)}
_KIND_OF = dict(enumerate(KINDS, 1))


def seed_of(segment: int) -> int:
    """Where the CRC of every record of a segment starts."""
    return zlib.crc32(segment.to_bytes(8, "little"))


def packed(record: Record, sequence: int) -> bytes:
    """The bytes of a record that its CRC covers.

    Raises:
        BadInput: a text too long, a body over 64 MiB, a number outside 64 bits, an unknown kind.
    """
    venue, connection = _name(record.venue), _name(record.connection)
    about = record.about.encode("utf-8", "backslashreplace") if record.about else b""
    names = len(venue) + len(connection) + len(about)
    if len(record.body) > LARGEST_BODY or len(about) > 65_535:
        raise BadInput(
            f"log: a {record.kind} of {record.venue} has {len(record.body)} bytes, its note {len(about)};"
            f" at most {LARGEST_BODY} and 65535 are kept"
        )
    try:
        fixed = FIXED.pack(
            SMALLEST + names + len(record.body), sequence, record.heard, record.monotonic,
            record.connection_sequence, _CODE[record.kind], len(venue), len(connection), 0, len(about),
        )  # fmt: skip
    except (struct.error, KeyError) as error:
        raise BadInput(
            f"log: a record of {record.venue} cannot be written: {error} ({record.kind!r}, heard"
            f" {record.heard}, monotonic {record.monotonic}, number {record.connection_sequence})"
        ) from error
    return b"".join((fixed, venue, connection, about, record.body))


def unpacked(data: memoryview) -> Record | None:
    """The record in the bytes that a CRC has vouched for; None where they contradict themselves."""
    length, sequence, heard, monotonic, own, code, venue, connection, zero, about = (
        FIXED.unpack_from(data)
    )
    first = FIXED.size
    second, third = first + venue, first + venue + connection
    body = third + about
    kind = _KIND_OF.get(code)
    if kind is None or zero or length != len(data) or body > length:
        return None
    try:
        return Record(
            heard=heard,
            venue=_text(bytes(data[first:second])),
            connection=_text(bytes(data[second:third])),
            kind=kind,
            body=bytes(data[body:]),
            about=str(data[third:body], "utf-8") if about else "",
            connection_sequence=own,
            monotonic=monotonic,
            sequence=sequence,
        )
    except UnicodeDecodeError:
        return None


@lru_cache(maxsize=4096)
def _name(text: str) -> bytes:
    try:
        name = text.encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"log: the name {text!r} is not valid text") from error
    if len(name) > 255:
        raise BadInput(f"log: the name {text[:60]}… has {len(name)} bytes, at most 255 are kept")
    return name


@lru_cache(maxsize=4096)
def _text(name: bytes) -> str:
    return name.decode()


def public_url(url: str, keep: Collection[str]) -> str:
    """An address fit for the log: no user, no password, no fragment, and *** for every parameter not in `keep`.

    `keep` lists what is known to be harmless (symbol, limit); lists of secret names would rot.
    """
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    shown = [f"{quote(k)}={quote(v) if k in keep else '***'}" for k, v in pairs]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "&".join(shown), ""))

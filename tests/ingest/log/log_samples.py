"""Made records of every kind, and a writer set up for tests: small segments, no reserve."""

from dataclasses import replace

from airpocket.ingest.log.records import KINDS, Record
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.world import SystemClock

SMALL = LogSettings(commit_every_ms=1, reserve_bytes=0)
HOUR_NS = 3_600_000_000_000
START = 1_800_000_000_000_000_000 - 1_800_000_000_000_000_000 % HOUR_NS


def record(number, kind="text", body=None, heard=None):
    return Record(
        heard=START + number if heard is None else heard,
        venue="binance_usdm",
        connection=f"public#{number % 3}",
        kind=kind,
        body=f'{{"n":{number}}}'.encode() * (1 + number % 5) if body is None else body,
        about="" if kind == "text" else f"note {number} é",
        connection_sequence=number // 3,
        monotonic=10 * number,
    )


def records(count, first=1):
    return [record(n, KINDS[n % len(KINDS)]) for n in range(first, first + count)]


def writer(folder, **settings):
    return LogWriter(folder, SystemClock(), replace(SMALL, **settings))


def write(folder, given, **settings):
    """Append all and close; the records as the log numbers them."""
    with writer(folder, **settings) as log:
        tickets = [log.append(one) for one in given]
    return [
        Record(*(getattr(one, name) for name in one.__struct_fields__[:-1]), ticket.sequence)
        for one, ticket in zip(given, tickets, strict=True)
    ]

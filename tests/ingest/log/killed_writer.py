"""A child process for the kill tests: appends records for ever and says which are acknowledged."""

import sys
from pathlib import Path

from airpocket.ingest.log.records import Record
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.world import SystemClock


def body_of(number):
    """What record `number` of a run holds: checkable without a list of what was written."""
    return f"{number}:".encode() + bytes((number * 7 + k) % 251 for k in range(number % 900))


def main(folder):
    clock = SystemClock()
    settings = LogSettings(commit_every_ms=1.0, segment_bytes=64 * 1024, reserve_bytes=0)
    with LogWriter(Path(folder), clock, settings) as log:
        first = log.state.appended
        for number in range(first, first + 1_000_000):
            ticket = log.append(Record(clock.now(), "v", "c#1", "text", body_of(number)))
            if number % 7 == 0:
                ticket.wait()
                sys.stdout.write(f"{ticket.sequence} {number}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])

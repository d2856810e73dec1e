"""Gaps derived from a log's connection records, whatever other tables a crash left behind."""

import pytest
from ingest.log.log_samples import START, write

from airpocket.ingest.log import reader
from airpocket.ingest.log.gaps import Gap, gaps_in
from airpocket.ingest.log.records import Record

S = 10**9
SET = Record(START + 8 * S, "", "", "marker", b"{}", about="clock set")
BEGUN = b'{"event":"begun"}'


def of(at_s, kind, connection="public#1", about="", venue="okx"):
    return Record(START + at_s * S, venue, connection, kind, b"", about)


def marker(at_s):
    return Record(START + at_s * S, "", "log", "marker", BEGUN)


def gap(since_s, until_s, cause, route="public"):
    until = None if until_s is None else START + until_s * S
    return Gap("okx", route, START + since_s * S, until, cause)


@pytest.mark.fault("S20")
@pytest.mark.parametrize(
    ("records", "gaps"),
    [
        ([of(0, "connect"), of(5, "disconnect", about="1006"), of(7, "connect", "public#2")], [gap(5, 7, "1006")]),
        # a rotation: the successor is there before the old one goes
        ([of(0, "connect"), of(4, "connect", "public#2"), of(5, "disconnect", about="relieved")], []),
        # killed: the last thing heard was at 6
        ([of(0, "connect"), of(6, "text"), marker(20), of(21, "connect", "public#2")],
         [gap(6, 21, "the recorder ended without a word")]),
        ([of(0, "connect"), SET, of(9, "text")], []),
        ([of(0, "connect"), of(5, "disconnect", about="1001")], [gap(5, None, "1001")]),
        # a second start finds nothing open, and the gap goes on
        ([of(0, "connect"), of(6, "text"), marker(20), marker(30), of(31, "connect", "public#9")],
         [gap(6, 31, "the recorder ended without a word")]),
        ([of(0, "connect", "a#1"), of(0, "connect", "b#1"),
          of(2, "disconnect", "b#1", "x"), of(3, "connect", "b#2")],
         [gap(2, 3, "x", "b")]),
    ],
)  # fmt: skip
def test_a_gap_lasts_from_the_last_that_was_heard_to_the_next_connection(tmp_path, records, gaps):
    write(tmp_path, records)
    assert gaps_in(reader.records(tmp_path)) == gaps

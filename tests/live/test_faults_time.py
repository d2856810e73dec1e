"""Faults of time itself: impossible stamps, zones, leap seconds, and clocks measured over a slow network."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.channels import Channel
from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.units import parse_time
from airpocket.ingest.log.records import Record
from airpocket.ingest.skew import Sample, SkewEstimate
from airpocket.ingest.values import BadValue, rfc3339_ns, stamp_ns
from airpocket.ingest.venues.registry import VENUES
from airpocket.live.alarms import alarms
from airpocket.live.clocks import Clocks
from airpocket.live.feeds import decoders
from airpocket.live.intake import MEASURED, MISDATED, SLEPT, Intake
from airpocket.live.session import States
from airpocket.live.watch import Watch
from airpocket.market.pulse import Pulse

S = 1_000_000_000
NOW = 1_790_000_000 * S
TRADE = b'{"e":"trade","E":%d,"T":%d,"s":"ETHUSDT","t":1,"p":"3000","q":"1","X":"MARKET","m":false}'


def trade(ms):
    return TRADE % (ms, ms)


@pytest.mark.fault("C11")
@pytest.mark.parametrize(
    "ms", [0, -1, 1, 2**31, 253_402_300_799_000, 2**53, 2**63 - 1, 2**63, 10**30]
)
def test_a_stamp_of_no_year_between_2009_and_2100_is_refused(ms):
    with pytest.raises(UndecodableFrame):
        VENUES["binance_usdm"].decode(trade(ms), NOW, "")


@pytest.mark.fault("C11")
def test_the_year_2038_is_a_year_like_others():
    for ms in (2_147_483_647_000, 2_147_483_648_000):
        (event,) = VENUES["binance_usdm"].decode(trade(ms), ms * 1_000_000, "")
        assert event.ts == ms * 1_000_000


@pytest.mark.fault("C01")
@given(
    st.integers(parse_time("2009-01-02T00:00Z") // S, parse_time("2099-12-31T00:00Z") // S),
    st.sampled_from(["s", "ms", "us", "ns"]),
    st.sampled_from(["s", "ms", "us", "ns"]),
)
def test_no_stamp_can_be_read_in_two_units(second, unit, other):
    per_s = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    value = second * per_s[unit]
    if unit == other:
        assert stamp_ns(value, "time", unit) == second * S
    else:
        with pytest.raises(BadValue, match=f"comes in {unit}, not in {other}"):
            stamp_ns(value, "time", other)


def intake():
    pulse = Pulse([("binance_usdm", "public", Channel("trades", "ETHUSDT", 60.0))])
    return Intake(decoders(), States(("ETH",)), pulse)


def heard(body, at=NOW):
    return Record(heard=at, venue="binance_usdm", connection="public#1", kind="text", body=body,
                  monotonic=at)  # fmt: skip


@pytest.mark.fault("C01")
def test_a_unit_that_flips_in_mid_stream_is_refused_counted_and_said():
    taken = intake()
    ms = NOW // 1_000_000
    for n in range(6):
        taken.take(heard(trade(ms if n < 3 else ms * 1_000)))
    assert (taken.events, sum(taken.refused.values())) == (3, 3)
    told = alarms((), {}, refused=taken.refused)
    assert len(told) == 1
    assert "comes in us, not in ms: has the venue changed its unit? (3 times)" in told[0]


@pytest.mark.fault("C01", "C02")
@pytest.mark.parametrize("days", [-366, -2, 2, 366])
def test_an_event_stamped_days_from_when_it_was_heard_is_kept_raw_and_used_nowhere(days):
    taken = intake()
    taken.take(heard(trade((NOW + days * 86_400 * S) // 1_000_000)))
    assert taken.refused == {("binance_usdm", MISDATED): 1}
    assert taken.pulse.status(NOW)[0].messages == 0


@pytest.mark.fault("C08")
@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00Z"),
        ("2028-02-29T12:00:00Z", "2028-02-29T13:00:00+01:00"),
    ],
)
def test_leap_seconds_and_days_are_moments_like_others(text, same):
    assert rfc3339_ns(text, "time") == rfc3339_ns(same, "time")


@pytest.mark.fault("C08")
@pytest.mark.parametrize(
    "text", ["2027-02-29T00:00:00Z", "2026-01-01T00:00:60Z", "2026-01-01T24:00:00Z"]
)
def test_a_moment_that_no_calendar_has_is_refused(text):
    with pytest.raises(BadValue, match="is no time"):
        rfc3339_ns(text, "time")


@pytest.mark.fault("C07")
@pytest.mark.parametrize("text", ["2026-01-01", "2026-01-01T00:00", "2026-01-01 00:00:00"])
def test_a_time_without_a_zone_is_refused(text):
    with pytest.raises(ValueError, match="no time zone; write it like"):
        parse_time(text)


SCRIPT = """
from airpocket.domain.units import format_time
from airpocket.ingest.log.records import Record
from airpocket.live.replay import Replay
from airpocket.live.session import States
S = 10**9
replay = Replay(("ETH",))
for edge in (1772953200, 1793512800):  # New York's clocks turn: 2026-03-08 07:00, 2026-11-01 06:00 UTC
    for second in range(-200, 200):
        at = (edge + second) * S
        body = b'{"e":"trade","E":%d,"T":%d,"s":"ETHUSDT","t":%d,"p":"3000","q":"1","X":"MARKET","m":false}' % (
            at // 10**6, at // 10**6, edge + second)
        replay.feed([Record(heard=at, venue="binance_usdm", connection="public#1", kind="text", body=body,
                            monotonic=at)])
    print(format_time(edge * S))
print(replay.report().journal)
for batch in replay.states.by_asset["ETH"].facts:
    print(batch.kind, {name: column.tolist() for name, column in batch.columns.items()})
"""


@pytest.mark.fault("C06")
def test_the_zone_of_the_machine_changes_no_byte():
    told = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], env={**os.environ, "TZ": zone, "PYTHONPATH": "src"},
            capture_output=True, check=True,
        ).stdout
        for zone in ("UTC", "America/New_York", "Asia/Kathmandu")
    }  # fmt: skip
    assert len(told) == 1
    (text,) = told
    assert b"2026-11-01T06:00" in text
    assert b"tape_1m" in text


@pytest.mark.fault("C04")
@given(
    st.floats(-5_000, 5_000),
    st.lists(st.tuples(st.floats(0, 2_000), st.floats(0, 2_000)), min_size=1, max_size=12),
)
def test_however_slow_and_lopsided_the_network_the_true_offset_lies_within_the_error(
    offset_ms, trips
):
    estimate = SkewEstimate("v")
    for n, (there_ms, back_ms) in enumerate(trips):
        sent = NOW + n * S
        server = sent + int((there_ms + offset_ms) * 1e6)
        estimate.add(Sample(sent, sent + int((there_ms + back_ms) * 1e6), server), n * S)
        estimate.message((back_ms - offset_ms) / 1e3, n * S)
    skew = estimate.at(len(trips) * S)
    assert abs(skew.offset_ms - offset_ms) <= skew.error_ms + 0.01
    assert (
        skew.error_ms <= min(sum(trip) for trip in trips[-8:]) / 2 + 2.0
    )  # delay is not counted as offset


@pytest.mark.fault("C04")
def test_a_slow_answer_alone_is_no_clock_that_is_off():
    estimate = SkewEstimate("v")
    estimate.add(Sample(NOW, NOW + 3 * S, NOW + int(2.9 * S)), 0)
    assert alarms((), {}, [estimate.at(0)]) == ()
    estimate.add(Sample(NOW, NOW + S // 10, NOW + S // 20 + S), 0)
    assert (
        "our clock is -1,000 ± 50 ms off, by that of v (1 of 1 venues say so)"
        in alarms((), {}, [estimate.at(0)])[0]
    )


@pytest.mark.fault("C03", "C10", "T16")
@given(st.integers(-(10**15), 10**15), st.integers(0, 10**14), st.integers(0, 10**11))
def test_a_step_a_sleep_and_a_hold_up_are_told_apart(step, slept, late):
    watch = Watch(1.0)
    watch.look(5 * S, NOW, 0)
    look = watch.look(6 * S + late, NOW + S + late + slept + step, slept)
    assert look.stepped_s == (step / S if abs(step / S) >= 0.05 else 0.0)
    assert look.slept_s == (slept / S if slept > S else 0.0)
    assert look.late_s == pytest.approx(late / S if late / S > 2.0 else 0.0)


@pytest.mark.fault("C08")
def test_a_replay_knows_that_the_machine_slept():
    """The steady clock stood still for an hour: what comes 20 s late afterwards is told as late."""
    found = intake()

    def record(kind, seconds, body=b"", about="", slept=0):
        at = NOW + seconds * S
        return Record(
            at, "binance_usdm", "public#1", kind, body, about, monotonic=(1 + seconds - slept) * S
        )

    found.take(record("connect", 0))
    found.take(record("text", 1, trade((NOW + S) // 1_000_000)))
    found.take(record("marker", 3_602, b'{"event":"slept","for_s":3600.0}', SLEPT, slept=3_600))
    late = trade((NOW + (3_605 - 20) * S) // 1_000_000)
    found.take(record("text", 3_605, late.replace(b'"t":1', b'"t":2'), slept=3_600))
    state, reason = found.pulse.state_of("binance_usdm", "ETHUSDT", "trades", 6 * S)
    assert state == "stale"
    assert "20 s old" in reason


@pytest.mark.fault("C04")
def test_a_replay_knows_what_was_measured_of_a_venue_s_clock():
    """Our clock is half an hour ahead: by it alone a recording begun then takes every trade for old."""
    found, ahead = intake(), 1_800 * S

    def record(kind, seconds, body=b"", about=""):
        at = NOW + ahead + seconds * S
        return Record(
            at, "binance_usdm", "public#1", kind, body, about, monotonic=(1 + seconds) * S
        )

    def stale():
        return found.pulse.state_of("binance_usdm", "ETHUSDT", "trades", 4 * S)[0] == "stale"

    found.take(record("connect", 0))
    found.take(record("text", 1, trade((NOW + S) // 1_000_000)))
    assert stale()
    body = f'{{"event":"clock measured","venue":"binance_usdm","base_ns":{NOW - S}}}'
    found.take(record("marker", 2, body.encode(), MEASURED))
    assert not stale()


@pytest.mark.fault("C04")
@pytest.mark.parametrize(("ahead_s", "first"), [(0, False), (1_800, True)])
def test_the_log_is_told_of_a_venue_s_clock_what_ours_does_not_tell(ahead_s, first):
    """Where our clock was right at the beginning, nothing; then each quarter of a second that it moved."""
    venue, steady, theirs = "binance_usdm", S, NOW
    clock = SimpleNamespace(now=lambda: theirs + ahead_s * S, monotonic=lambda: steady)
    clocks = Clocks({venue: None}, SimpleNamespace(clock=clock), 600.0)
    heard = SimpleNamespace(base=None, least_lag_s=lambda *_: None)

    def told():
        asked = clock.now()
        clocks._estimates[venue].add(Sample(asked - 1_000, asked + 1_000, theirs), steady)
        return clocks.listen(heard, steady)

    assert told() == []  # nothing came whose age it could tell
    heard.base = clock.now() - steady
    assert told() == ([(venue, NOW - S)] if first else [])
    assert told() == []
    for at_s, moved_s, news in ((60, 0.2, False), (10_000, 0.3, True), (20_000, 0.3, False)):
        steady, theirs = (at_s + 1) * S, NOW + at_s * S + round(moved_s * S)
        assert bool(told()) is news

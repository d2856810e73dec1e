"""The whole middle: no look-ahead, and the same bits however facts arrive."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import samples
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airpocket.brief.compose import compose
from airpocket.domain.errors import NothingKnown
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.pipeline import Assessor, assess

HOURS = 24 * 60
WORLD = [
    samples.bars(HOURS, drop=range(300, 310)),
    samples.bars(HOURS, seed=5, venue="binance_spot"),
    samples.funding(HOURS // 8),
    samples.funding(HOURS, hours=1, venue="hyperliquid", symbol="ETH", seed=7),
    samples.interest(HOURS),
]
AFTER = samples.START + (HOURS + 1) * HOUR_NS


def brief_at(batches, now):
    assessor = Assessor("ETH")
    for batch in batches:
        assessor.apply(batch)
    return msgspec.json.encode(msgspec.to_builtins(compose(assessor.assess(TimeNs(now)))))


EVERY = 5 * 24 * HOUR_NS


def told_until(stop):
    """(time, brief) every five days of a run through the facts that were usable by `stop`."""
    facts = []
    for batch in WORLD:
        known = samples.cut(batch, stop)
        usable = known.ints("usable_from")
        last = int(usable[-1]) // EVERY + 1
        edges = [int(np.searchsorted(usable, day * EVERY, "right")) for day in range(last + 1)]
        facts += [known.slice(a, b) for a, b in itertools.pairwise([*edges, len(known)]) if a < b]
    facts.sort(key=lambda fact: int(fact.ints("usable_from")[0]))
    found = ((each.market.now, compose(each)) for each in assess("ETH", facts, EVERY))
    return [(now, msgspec.json.encode(msgspec.to_builtins(brief))) for now, brief in found]


@pytest.fixture(scope="module")
def run_to_the_end():
    """What a run through everything says on its way."""
    return told_until(AFTER)


@pytest.mark.fault("D01")
@settings(max_examples=3, deadline=None)
@given(second=st.integers(40 * 24 * 3_600, HOURS * 3_600))
@example(second=45 * 24 * 3_600)  # the last fact is known at the moment that is asked for
@example(second=45 * 24 * 3_600 + 3_600)  # and one more after it
def test_a_run_that_is_cut_says_what_the_whole_run_said_until_then(run_to_the_end, second):
    stop = samples.START + second * 1_000_000_000
    until = [told for told in run_to_the_end if told[0] <= stop]
    assert [told for told in told_until(stop) if told[0] <= stop] == until
    assert len(until) >= 7


@pytest.mark.fault("D01", "D06")
def test_a_fact_from_the_future_is_refused():
    assessor = Assessor("ETH")
    assessor.apply(WORLD[0])
    with pytest.raises(ValueError, match="look-ahead"):
        assessor.assess(TimeNs(samples.START + HOUR_NS))


@pytest.fixture(scope="module")
def whole():
    """The brief of all facts at once."""
    return brief_at(WORLD, AFTER)


@pytest.mark.fault("D07")
@settings(max_examples=6, deadline=None)
@given(cuts=st.lists(st.integers(1, HOURS - 1), min_size=1, max_size=6, unique=True))
def test_chunks_of_any_size_give_the_same_bits(whole, cuts):
    chunked = []
    for batch in WORLD:
        edges = [0, *sorted(c for c in cuts if c < len(batch)), len(batch)]
        chunked += [batch.slice(a, b) for a, b in itertools.pairwise(edges)]
    assert brief_at(chunked, AFTER) == whole


@pytest.mark.fault("D07", "D08")
@settings(max_examples=4, deadline=None)
@given(order=st.permutations(range(len(WORLD))))
def test_facts_of_one_moment_give_the_same_bits_in_any_order(whole, order):
    assert brief_at([WORLD[k] for k in order], AFTER) == whole


@pytest.mark.slow
@pytest.mark.fault("D07", "D10")
def test_another_hash_seed_zone_locale_and_number_of_threads_give_the_same_bits(whole):
    script = "import sys, test_pipeline as t\nsys.stdout.buffer.write(t.brief_at(t.WORLD, t.AFTER))"
    root = Path(__file__).parent
    elsewhere = {
        "PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "POLARS_MAX_THREADS": "1",
        "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(root.parent / "src"), str(root), str(root.parent)]),
    }  # fmt: skip
    there = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **elsewhere},
        capture_output=True,
        check=True,
    )
    assert there.stdout == whole


@pytest.mark.fault("D09")
def test_history_and_event_at_a_time_give_the_same_assessments():
    start, n = HOURS - 40, 40
    history = [b.slice(0, int(np.searchsorted(b.ints("usable_from"), samples.START + start * HOUR_NS, "right")))
               for b in WORLD]  # fmt: skip
    rest = [b.slice(len(h), len(b)) for b, h in zip(WORLD, history, strict=True)]
    singles = sorted(
        (b.slice(k, k + 1) for b in rest for k in range(len(b))),
        key=lambda one: int(one.ints("usable_from")[0]),
    )
    live = Assessor("ETH")
    for batch in history:
        live.apply(batch)
    position = 0
    for hour in range(start + 1, start + n, 4):
        now = samples.START + hour * HOUR_NS
        while position < len(singles) and singles[position].ints("usable_from")[0] <= now:
            live.apply(singles[position])
            position += 1
        told = msgspec.json.encode(msgspec.to_builtins(compose(live.assess(TimeNs(now)))))
        assert told == brief_at([samples.cut(b, now) for b in WORLD], now)


def test_assess_walks_through_data_time():
    times = [a.market.now for a in assess("ETH", [WORLD[0].slice(0, 100)], 24 * HOUR_NS)]
    assert times
    assert all(b > a for a, b in itertools.pairwise(times))


def test_without_a_price_nothing_is_known():
    assessor = Assessor("ETH")
    assessor.apply(WORLD[2])
    with pytest.raises(NothingKnown):
        assessor.assess(TimeNs(samples.START + HOURS * HOUR_NS))


def test_a_missing_tell_makes_its_trigger_unknown_never_quiet():
    assessor = Assessor("ETH")
    for batch in WORLD:
        assessor.apply(batch)
    rows = {
        row.id: row
        for row in assessor.assess(TimeNs(samples.START + (HOURS + 1) * HOUR_NS)).triggers
    }
    assert list(rows) == [
        "clean_break",
        "thin_hour_impulse",
        "funding_spike_oi_drop",
        "spot_led_burst",
    ]
    assert rows["clean_break"].state == "unknown"  # volume is here, depth is not: it can't stand in
    assert rows["thin_hour_impulse"].state == "unknown"
    assert rows["funding_spike_oi_drop"].state in ("quiet", "armed", "firing")
    assert {row.odds for row in rows.values()} == {"not yet evaluated"}

"""The state machine: each change for its reason, no flicker, no leap on what is unknown, mirror and prefix."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.verdict.evidence import Evidence
from airpocket.verdict.machine import fold
from airpocket.verdict.settings import VerdictSettings

S = VerdictSettings()
HOUR = 3_600_000_000_000
ATR = 10.0


def evidence(
    closes, *, interest=None, opened=None, funding=None, moves=None, volume=None, gaps=None
):
    """Hours with a level fixed at 1,000 above and 900 below until price is beyond it for a while."""
    close = np.asarray(closes, float)
    n = len(close)
    before = np.concatenate([close[:1], close[:-1]])
    top = np.maximum.accumulate(np.concatenate([[1000.0], np.maximum(close, 1000.0)[:-1]]))
    bottom = np.minimum.accumulate(np.concatenate([[900.0], np.minimum(close, 900.0)[:-1]]))

    def column(given, otherwise):
        return np.full(n, otherwise) if given is None else np.asarray(given, float)

    return Evidence(
        end=HOUR * np.arange(1, n + 1), open=before, high=np.maximum(close, before),
        low=np.minimum(close, before), close=close, top=top, bottom=bottom, atr=np.full(n, ATR),
        move_sd=column(moves, np.nan) if moves is not None else (close - before) / 8.0,
        volume_ratio=column(volume, 1.0), interest=column(interest, np.nan),
        opened=column(opened, np.nan), funding_sd=column(funding, np.nan), gap_h=column(gaps, 0.0),
    )  # fmt: skip


SQUEEZE = [950, 985, 995, 996, 1015, 1025, 1040, 1055, 1056, 1052, 1050, 1051, 1049, 1050, 1048]
COVERED = [0, 0, 0, 0, -0.004, -0.006, -0.006, -0.004, 0.001, 0.002, 0.004, 0.004, 0.0, 0.0, 0.0]


def states(path):
    return [change.after for change in path]


def test_a_break_with_covering_runs_from_armed_to_exhaustion():
    found = evidence(SQUEEZE, interest=COVERED, funding=[-1.5] * len(SQUEEZE))
    course, path = fold(found, "up", S)
    assert states(path) == ["armed", "ignition", "squeeze on", "exhaustion"]
    assert course.state == "exhaustion"
    assert "funding 1.5 sd" in path[0].because[1]
    assert "open interest -1.6 %" in path[2].because[0]


def test_what_is_given_back_is_a_retrace_and_then_quiet():
    closes = SQUEEZE + [1030, 1010, 990] + [985] * 30
    interest = COVERED + [0.0] * 33
    _, path = fold(evidence(closes, interest=interest, funding=[-1.5] * len(closes)), "up", S)
    assert states(path)[-2:] == ["retrace", "quiet"]


def test_a_leg_that_is_kept_is_a_consolidation():
    closes = SQUEEZE + [1050] * 14
    interest = COVERED + [0.0] * 14
    _, path = fold(evidence(closes, interest=interest, funding=[-1.5] * len(closes)), "up", S)
    assert states(path)[-1] == "consolidation"


def test_a_break_that_falls_back_is_called_failed():
    closes = [950, 995, 996, 1015, 990, 988]
    _, path = fold(evidence(closes, funding=[-2.0] * 6), "up", S)
    assert states(path) == ["armed", "ignition", "quiet"]
    assert "failed break" in path[-1].because[0]


def test_unknown_funding_and_interest_never_arm_and_never_squeeze():
    _, path = fold(evidence(SQUEEZE), "up", S)
    assert path == []
    known = evidence(SQUEEZE + [1050] * 10, funding=[-1.5] * (len(SQUEEZE) + 10))
    _, path = fold(known, "up", S)
    assert states(path) == ["armed", "ignition", "consolidation"]
    assert "not known" in path[-1].because[1]


def test_one_unknown_hour_of_interest_forbids_the_squeeze():
    holed = list(COVERED)
    holed[5] = np.nan
    _, path = fold(evidence(SQUEEZE, interest=holed, funding=[-1.5] * len(SQUEEZE)), "up", S)
    assert "squeeze on" not in states(path)


@pytest.mark.fault("D12")
def test_a_hole_in_the_bars_starts_again():
    gaps = [0.0] * len(SQUEEZE)
    gaps[6] = 12.0
    found = evidence(SQUEEZE, interest=COVERED, funding=[-1.5] * len(SQUEEZE), gaps=gaps)
    _, path = fold(found, "up", S)
    assert path[2].after == "quiet"
    assert "12 hours are missing" in path[2].because[0]


def mirrored(found):
    return dataclasses.replace(
        found, open=1900 - found.open, close=1900 - found.close, high=1900 - found.low,
        low=1900 - found.high, top=1900 - found.bottom, bottom=1900 - found.top,
        move_sd=-found.move_sd, funding_sd=-found.funding_sd,
    )  # fmt: skip


@st.composite
def courses(draw):
    n = draw(st.integers(2, 120))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    closes = 960 + np.cumsum(rng.standard_t(3, n) * 8.0)
    interest = rng.normal(-0.001, 0.004, n)
    interest[rng.random(n) < 0.02] = np.nan
    return evidence(
        closes, interest=interest, opened=rng.normal(0.01, 0.02, n), funding=rng.normal(0, 1.5, n),
        volume=rng.gamma(2.0, 1.0, n),
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(courses())
def test_mirrored_hours_give_the_mirrored_course(found):
    up, path = fold(found, "up", S)
    down, other = fold(mirrored(found), "down", S)
    assert up.state == down.state
    assert [(c.at, c.after) for c in path] == [(c.at, c.after) for c in other]


@pytest.mark.fault("D01")
@settings(max_examples=100, deadline=None)
@given(courses(), st.integers(1, 119))
def test_later_hours_do_not_change_the_path(found, stop):
    head = Evidence(*(getattr(found, f.name)[:stop] for f in dataclasses.fields(found)))
    whole, part = fold(found, "up", S)[1], fold(head, "up", S)[1]
    assert whole[: len(part)] == part
    assert all(change.at > head.end[-1] for change in whole[len(part) :])


@settings(max_examples=100, deadline=None)
@given(courses())
def test_states_do_not_flicker_and_always_say_why(found):
    _, path = fold(found, "up", S)
    for change, following in pairwise(path):
        assert following.before == change.after
        assert following.after != following.before
        if change.after in {"squeeze on", "exhaustion"}:
            assert following.at - change.at >= S.dwell_h * HOUR
    assert all(change.because and all(change.because) for change in path)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_calm_market_stays_quiet(direction):
    rng = np.random.default_rng(3)
    closes = 950 + 3 * rng.standard_normal(200)
    found = evidence(closes, interest=[0.0] * 200, opened=[0.0] * 200, funding=[0.0] * 200)
    assert fold(found, direction, S)[1] == []

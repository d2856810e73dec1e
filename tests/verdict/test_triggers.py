"""Judging tells: unknown beats everything, firing needs all."""

import pytest

from airpocket.domain.estimates import known, unknown
from airpocket.domain.tells import Tell
from airpocket.verdict.triggers import _level_in_question, judged


def tell(met):
    estimate = (
        unknown("sd", "gone") if met is None else known(1.0, "sd", as_of=1, now=1, source="x")
    )
    return Tell(id="t", label="t", estimate=estimate, condition="c", met=met)


@pytest.mark.parametrize(
    ("mets", "armed_by", "state"),
    [([True, True], None, "firing"), ([True, False], None, "armed"), ([False, False], None, "quiet"),
     ([False, False], True, "armed"), ([True, None], True, "unknown"), ([False, None], None, "unknown")],
)  # fmt: skip
def test_states_follow_from_tells(mets, armed_by, state):
    assert judged([tell(met) for met in mets], armed_by)[0] == state


def test_the_level_in_question_is_the_highest_broken_today_else_the_nearest_above():
    import numpy as np

    from airpocket.domain.units import DAY_NS, HOUR_NS

    end = HOUR_NS * np.arange(1, 201, dtype=np.int64)
    close = np.full(200, 100.0)
    close[190:] = 111.0
    formed = np.array([HOUR_NS, HOUR_NS, HOUR_NS], np.int64)
    now = int(end[-1])
    assert _level_in_question(np.array([105.0, 110.0, 120.0]), formed, end, close, now) == 110.0
    assert _level_in_question(np.array([130.0, 120.0]), formed[:2], end, close, now) == 120.0
    close[: -(DAY_NS // HOUR_NS)] = 112.0  # broken long ago
    assert np.isnan(_level_in_question(np.array([105.0]), formed[:1], end, close, now))

"""Depth by hour of the week: what was published, and what it means for the hours ahead."""

import itertools
import math

import pytest

from airpocket.cascade.deals import PathPriors, PathSettings
from airpocket.cascade.hours import HOURS, PUBLISHED, HourlyDepth
from airpocket.cascade.paths import Course
from airpocket.cascade.phase import course_of
from airpocket.domain.units import HOUR_NS, parse_time


def test_the_prior_says_what_was_published():
    day = PUBLISHED.factor[:24]
    assert PUBLISHED.factor == day * 7
    assert max(day) == day[11]
    assert min(day) == day[21]
    assert day[21] / day[11] == pytest.approx(2.36 / 3.86)
    assert math.fsum(day) / 24 == pytest.approx(1.0)
    assert all(b < a for a, b in itertools.pairwise(day[11:22]))


def test_a_week_begins_on_monday():
    monday = HourlyDepth(tuple(2.0 if hour == 0 else 1.0 for hour in range(HOURS)), "made")
    assert monday.at(parse_time("2026-06-01T00:30Z")) == pytest.approx(2.0)
    assert monday.at(parse_time("2026-06-02T00:30Z")) == pytest.approx(1.0)
    assert monday.at(parse_time("2026-06-01T01:00Z")) == pytest.approx(1.5)
    assert monday.at(parse_time("2026-05-31T23:59:59Z")) == pytest.approx(1.5, abs=1e-3)


def test_what_lies_ahead_is_over_the_depth_of_now():
    now = parse_time("2026-06-03T18:30Z")
    ahead = PUBLISHED.ahead(now, 3 * 3_600.0)
    assert len(ahead) == 180
    assert all(b < a for a, b in itertools.pairwise(ahead))
    last = now + 3 * HOUR_NS
    assert ahead[-1] == pytest.approx(PUBLISHED.at(last) / PUBLISHED.at(now), rel=0.01)
    assert PUBLISHED.ahead(now, 20.0) == pytest.approx([1.0], abs=0.01)


def test_a_course_takes_the_hours_unless_it_is_told():
    now, course = parse_time("2026-06-03T18:30Z"), Course(steps=1_200)
    assert course_of(PathSettings(course=course), now).ahead == PUBLISHED.ahead(now, 1_200.0)
    told = course_of(PathSettings(course=Course(ahead=(0.5,))), now)
    assert told.ahead == (0.5,)
    none = PathSettings(course=course, priors=PathPriors(hours=None))
    assert course_of(none, now).ahead == ()


@pytest.mark.parametrize("factor", [(1.0,) * 24, (1.0,) * 167 + (0.0,), (1.0,) * 167 + (math.nan,)])
def test_a_profile_that_cannot_be_is_refused(factor):
    with pytest.raises(ValueError, match="hour of the week"):
        HourlyDepth(factor, "made")

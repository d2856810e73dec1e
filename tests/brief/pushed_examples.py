"""Sections of standard pushes made by hand, for tests and for looking at."""

import math

from airpocket.brief.model import (
    PathSpread,
    PhasePoint,
    PushRow,
    PushSection,
    PushWay,
    ReachChance,
)


def walked(figure) -> PushSection:
    """Two ways of two pushes each; figure: makes a modelled ratio of value, low, high."""
    return PushSection(
        unknown=None, push_s=60.0, within_s=900.0, paths=8_192, seed=0,
        fan_s=[300.0, 600.0, 900.0], notes=["one book stands for all venues"],
        ways=[_way("up", 1.0, figure), _way("down", -1.0, figure)],
    )  # fmt: skip


def unwalked(why) -> PushSection:
    """Nothing was walked."""
    return PushSection(
        unknown=why, push_s=0.0, within_s=0.0, paths=0, seed=0, fan_s=[], ways=[], notes=[]
    )


def spread(middle) -> PathSpread:
    return PathSpread(
        low=0.5 * middle, middle=middle, high=2.0 * middle, mean=1.1 * middle, error=0.01
    )


def _way(direction, sign, figure) -> PushWay:
    return PushWay(
        direction=direction, likely_percent=64.0, reproduction=figure(1.4, 0.6, 3.9),
        kappa_tau=figure(0.27, 0.11, 0.72), growth=1.27, runaway=2.31, squeeze=figure(0.61, 0.21, 1.9),
        pocket_squeeze=figure(1.2, 0.4, 3.1),
        along=[PhasePoint(percent=at, reproduction=1.4 + 0.4 * at) for at in (0.0, 1.0, 2.0)],
        pushes=[_row(0.0), _row(0.1), _row(1.0, gone=0.97)], drawn_usd=180e6,
        fan=[[sign * (k + 0.2 * at) for k in range(5)][:: int(sign)] for at in range(3)],
    )  # fmt: skip


def _row(share, *, gone=0.0) -> PushRow:
    inside = None if gone > 0.95 else spread(0.4 + share)
    return PushRow(
        share_percent=share, push_usd=180e6 * share,
        reach=[
            ReachChance(percent=at, chance=math.exp(-at / (0.4 + share)), error=0.004) for at in (1.0, 5.0)
        ],
        beyond=ReachChance(percent=15.0, chance=gone, error=0.002), stop=spread(15.0 if gone else 0.6 + share),
        overshoot_points=inside, retrace_percent=inside, forced_usd=spread(3.1e8 * share),
        off_book_percent=28.0 if share else None, stop_s=spread(60.0),
    )  # fmt: skip

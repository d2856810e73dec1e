"""Resilience: how fast the fading part of an impact fades, and which share stays; and the path after large flow."""

from dataclasses import dataclass

import numpy as np

from airpocket.cascade.calibrate.blocks import (
    blocks_of,
    drawn,
    interval,
    robust_weights,
    slopes,
    sums_of,
    total,
)
from airpocket.cascade.calibrate.figures import Figure, figure, missing
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.cascade.calibrate.tape import Tape
from airpocket.domain.estimates import RATIO, SECONDS
from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import TimeNs

_EDGE = 0.1  # share of draws at an end of the half-lives tried from which on nothing is told


@dataclass(frozen=True, slots=True)
class Recovery:
    """half_s: in which half of the fading part is gone, κ = ln 2 / half_s. lasts: share of an impact that stays."""

    half_s: Figure
    lasts: Figure


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What became of price after large net flow: shares of the move made in the bar itself, (k,) at after_s.

    Later flow of the same side is in it: a share that does not fall is no proof that nothing fades.
    """

    events: int
    after_s: tuple[float, ...]
    share: tuple[Figure, ...]


def recovery_of(tape: Tape, now: TimeNs, source: str, settings: CalibrationSettings) -> Recovery:
    """κ and the lasting share by regression of each move on its own flow and on the flow before.

    The displacement that fades is z ← e^(−κΔ)(z + (1 − θ)λq), what lasts grows by θλq, as in
    `airpocket.cascade.step`. Hence Δm = a q − b Z with Z = Σ φ^j q₋ⱼ over the flows before, φ = e^(−κΔ),
    a = λ(θ + (1 − θ)φ) and b = λ(1 − θ)(1 − φ): for each κ a least squares of two regressors, κ the one of least
    error. It is the propagator of Bouchaud et al. (2004) with an exponential and a constant part; as later flow
    is in the regression, that buyers follow buyers does not hide what fades.
    """
    use = tape.joined
    rows, size = int(use.sum()), settings.recovery_block_s
    block = blocks_of(len(tape), tape.step_s, size, settings)[use]
    blocks = len(np.unique(block))
    if blocks < settings.least_blocks or not np.any(tape.flow_usd[use]):
        why = f"{rows} bars of {tape.step_s:g} s: {settings.least_blocks} blocks of {size:g} s are needed"
        return Recovery(missing(SECONDS, why, rows), missing(RATIO, why, rows))
    longest = max(min(settings.longest_half, len(tape) / 6.0), 4.0 * settings.shortest_half)
    halves = np.geomspace(settings.shortest_half, longest, settings.halves)
    found = _best(_fits(tape, block, halves, settings), halves)
    told = f"{source}, {tape.step_s:g} s bars"
    doubtful = float(np.mean(~found.inside[1:]))
    if doubtful > _EDGE or not found.inside[0]:
        why = (
            f"{told}: in {rows:,} bars no part of an impact that fades by half within "
            f"{halves[0] * tape.step_s:.2g} to {halves[-1] * tape.step_s:,.0f} s can be told from none "
            f"({100 * doubtful:.0f} % of draws)"
        )
        return Recovery(missing(SECONDS, why, rows), missing(RATIO, why, rows))
    half, times = found.half * tape.step_s, (int(tape.end[-1]), now)
    return Recovery(
        figure(float(half[0]), interval(half[1:]), SECONDS, rows, times, told),
        figure(float(found.lasts[0]), interval(found.lasts[1:]), RATIO, rows, times, told),
    )


@dataclass(frozen=True, slots=True)
class _Fits:
    """(1 + D, H) by draw, the data themselves first, and half-life: squared error, b, and the lasting share."""

    error: FloatArray
    b: FloatArray
    lasting: FloatArray


@dataclass(frozen=True, slots=True)
class _Best:
    """(1 + D,): half-life in bars, lasting share, and whether something fades at a half-life not at the edge."""

    half: FloatArray
    lasts: FloatArray
    inside: BoolArray


def _best(fits: _Fits, halves: FloatArray) -> _Best:
    """The half-life of least error, by a parabola through it and its neighbours on the scale of logarithms."""
    draw = np.arange(len(fits.error))
    at = np.argmin(fits.error, axis=1)
    inside = (at > 0) & (at < len(halves) - 1) & (fits.b[draw, at] > 0.0)
    mid = np.clip(at, 1, len(halves) - 2)
    left, here, right = (fits.error[draw, mid + k] for k in (-1, 0, 1))
    bend = left - 2.0 * here + right
    shift = np.where(bend > 0.0, 0.5 * (left - right) / np.where(bend > 0.0, bend, 1.0), 0.0)
    shift = np.clip(shift, -0.5, 0.5)
    step = float(np.log(halves[1] / halves[0]))
    neighbour = mid + np.where(shift >= 0.0, 1, -1)
    near, far = fits.lasting[draw, mid], fits.lasting[draw, neighbour]
    return _Best(
        np.exp(np.log(halves[mid]) + shift * step), near + np.abs(shift) * (far - near), inside
    )


def _fits(tape: Tape, block: IntArray, halves: FloatArray, settings: CalibrationSettings) -> _Fits:
    use = tape.joined
    move, flow = tape.moves[use], tape.flow_usd / max(float(np.std(tape.flow_usd)), 1e-300)
    kept: FloatArray = np.exp(-np.log(2.0) / halves)
    before: FloatArray = np.stack([memory(flow, use, float(one))[use] for one in kept])
    mine = flow[use]
    # weights of the best fit without any: the same for all half-lives, else their errors could not be compared
    plain = [_left_over(np.stack([mine, -one], axis=1), move) for one in before]
    best = np.stack([mine, -before[int(np.argmin(plain))]], axis=1)
    weight = robust_weights(best, move, settings)
    counts = drawn(len(np.unique(block)), settings)
    counts = np.concatenate([np.ones((1, counts.shape[1])), counts])
    shape = (len(counts), len(halves))
    error, b, lasting = np.empty(shape), np.empty(shape), np.empty(shape)
    for k in range(len(halves)):
        sums = sums_of(np.stack([mine, -before[k]], axis=1), move, weight, block)
        xx, xy = total(counts, sums.xx), total(counts, sums.xy)
        beta = np.nan_to_num(slopes(xx, xy))
        error[:, k] = counts @ sums.yy - (beta * xy).sum(axis=1)
        fading = beta[:, 1] / (1.0 - kept[k])  # λ(1 − θ)
        whole = beta[:, 0] + beta[:, 1]  # λ
        b[:, k] = beta[:, 1]
        lasting[:, k] = np.clip(1.0 - fading / np.where(whole > 0.0, whole, np.nan), 0.0, 1.0)
    return _Fits(error, b, lasting)


def _left_over(x: FloatArray, y: FloatArray) -> float:
    """Squared error of the least squares of y on x (n, K)."""
    xy: FloatArray = x.T @ y
    return float(y @ y - np.nan_to_num(slopes(x.T @ x, xy)) @ xy)


@kernel
def memory(flow: FloatArray, joined: BoolArray, kept: float) -> FloatArray:
    """(n,) Σ kept^j · flow a bar j before, j from 1 on; forgotten where a bar is missing."""
    out = np.zeros(len(flow))
    z = 0.0
    for k in range(len(flow)):
        if not joined[k]:
            z = 0.0
        out[k] = z
        z = kept * (z + flow[k])
    return out


def aftermath_of(tape: Tape, now: TimeNs, source: str, settings: CalibrationSettings) -> Aftermath:
    """The event study: mean move since before large bars, over their own mean move, some seconds later.

    Large: the largest few per cent of net flows, none within the last mark of another; intervals by events.
    """
    after = [mark for mark in settings.marks_s if mark >= tape.step_s]
    bars = np.array([round(mark / tape.step_s) for mark in after], dtype=np.int64)
    reach = int(bars.max()) if len(bars) else 0
    rows = _large(tape, reach, settings)
    as_of = int(tape.end[-1]) if len(tape) else 0
    if len(rows) < settings.least_shocks:
        why = (
            f"{source}: {len(rows)} large bars that stand apart, {settings.least_shocks} are needed"
        )
        return Aftermath(
            len(rows), tuple(after), tuple(missing(RATIO, why, len(rows)) for _ in after)
        )
    sign = np.sign(tape.flow_usd[rows])
    first = sign * (tape.log_price[rows] - tape.log_price[rows - 1])
    later = sign[:, None] * (
        tape.log_price[rows[:, None] + bars] - tape.log_price[rows - 1][:, None]
    )
    counts = drawn(len(rows), settings)
    base = counts @ first
    shares = (counts @ later) / np.where(base > 0.0, base, np.nan)[:, None]
    centre = later.sum(axis=0) / first.sum()
    return Aftermath(
        len(rows), tuple(after),
        tuple(
            figure(float(centre[k]), interval(shares[:, k]), RATIO, len(rows), (as_of, now), source)
            for k in range(len(after))
        ),
    )  # fmt: skip


def _large(tape: Tape, reach: int, settings: CalibrationSettings) -> IntArray:
    """Rows of large bars with whole bars around them, largest first in claiming their neighbourhood."""
    size = np.abs(tape.flow_usd)
    if len(size) < 2 * reach + 2:
        return np.empty(0, np.int64)
    run = np.cumsum(~tape.joined)
    found: list[int] = []
    limit = float(np.quantile(size, 1.0 - settings.large))
    for row in np.argsort(-size, kind="stable"):
        if size[row] < limit:
            break
        inside = 1 <= row < len(size) - reach and run[row - 1] == run[row + reach]
        if inside and tape.joined[row] and all(abs(row - other) > reach for other in found):
            found.append(int(row))
    return np.array(sorted(found), dtype=np.int64)

"""Kyle's λ: how far a dollar of taker flow moves price within a bar, buying and selling apart; and its law."""

from dataclasses import dataclass

import numpy as np

from airpocket.cascade.calibrate.bent import Bent, bent_law
from airpocket.cascade.calibrate.blocks import (
    blocks_of,
    drawn,
    enough,
    interval,
    robust_weights,
    slopes,
    sums_of,
    total,
)
from airpocket.cascade.calibrate.figures import Figure, figure, missing
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.cascade.calibrate.tape import Tape
from airpocket.domain.estimates import RATIO
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs

BPS_PER_MILLION = "bp per million USD"
BPS_PER_ROOT = "bp per root million USD"
_BPS = 1e4
_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Impact:
    """λ on bars of one length, bp per million dollars of net taking: of all bars, of net buying, of net selling.

    root: of the square-root law, E[r] = c √|Q| sign(Q) (Tóth et al. 2011), bp of a million dollars; y: the same as
    Y = c √V/σ with σ and V of the bars themselves, of order one in every published market. traded_usd: a bar.
    law: of the exponent that bars show, None where they show none.
    """

    step_s: float
    both: Figure
    buying: Figure
    selling: Figure
    y: Figure
    root: Figure
    traded_usd: float
    law: Bent | None = None


def impact_of(tape: Tape, now: TimeNs, source: str, settings: CalibrationSettings) -> Impact:
    """λ of Δm = λ q + ε through the origin (Kyle 1985), Huber's weights, intervals by blocks of bars."""
    use = tape.joined & np.isfinite(tape.moves)
    move, flow = tape.moves[use], tape.flow_usd[use]
    block = blocks_of(len(move), tape.step_s, settings.block_s, settings)
    blocks = int(block[-1]) + 1 if len(block) else 0
    if blocks < settings.least_blocks or len(move) < settings.least_bars or not np.any(flow):
        why = f"{len(move)} bars of {tape.step_s:g} s: {enough(tape.step_s, settings)} are needed"
        none = {name: missing(unit, why, len(move)) for name, unit in _UNITS.items()}
        return Impact(tape.step_s, **none, traded_usd=float("nan"), law=None)
    counts = drawn(blocks, settings)
    as_of = int(tape.end[-1])

    def one(x: FloatArray, scale: float, column: int, unit: str, events: int) -> Figure:
        sums = sums_of(x, move, robust_weights(x, move, settings), block)
        centre = slopes(sums.xx.sum(axis=0), sums.xy.sum(axis=0))[column] * scale
        draws = slopes(total(counts, sums.xx), total(counts, sums.xy))[:, column] * scale
        told = f"{source}, {tape.step_s:g} s bars"
        return figure(float(centre), interval(draws), unit, events, (as_of, now), told)

    split = np.stack([np.maximum(flow, 0.0), np.minimum(flow, 0.0)], axis=1)
    rough, typical = float(np.sqrt(np.mean(move**2))), float(tape.traded_usd[use].mean())
    root = (np.sign(flow) * np.sqrt(np.abs(flow)))[:, None]
    per_million, per_root = _BPS * _MILLION, _BPS * np.sqrt(_MILLION)
    y = np.sqrt(typical) / rough if rough > 0.0 else float("nan")
    return Impact(
        tape.step_s,
        one(flow[:, None], per_million, 0, BPS_PER_MILLION, len(move)),
        one(split, per_million, 0, BPS_PER_MILLION, int((flow > 0.0).sum())),
        one(split, per_million, 1, BPS_PER_MILLION, int((flow < 0.0).sum())),
        one(root, y, 0, RATIO, len(move)),
        one(root, per_root, 0, BPS_PER_ROOT, len(move)),
        typical,
        bent_law(move, flow, block, counts, settings),
    )


_UNITS = {
    "both": BPS_PER_MILLION, "buying": BPS_PER_MILLION, "selling": BPS_PER_MILLION, "y": RATIO,
    "root": BPS_PER_ROOT,
}  # fmt: skip

"""A stretch of the way on the phase diagram: what is forced in it over what comes to rest, against κτ."""

from dataclasses import dataclass

import numpy as np

from airpocket.cascade.dynamics import runaway_threshold
from airpocket.cascade.paths import Deal, Ground
from airpocket.cascade.records import Direction
from airpocket.domain.events import FloatArray

STRETCH = 0.01  # of the price: what R is taken over


@dataclass(frozen=True, slots=True)
class Footing:
    """A stretch on the phase diagram, by the medians of what is likely: R, κτ, and S = R/(1 + √κτ)².

    growth: 1 + κτ, the R from which a burst speeds up first.
    """

    reproduction: float
    kappa_tau: float
    squeeze: float
    growth: float


def footing_over(
    ground: Ground, deal: Deal, direction: Direction, start: float
) -> tuple[Footing, FloatArray]:
    """R over the per cent that begins `start` (a fraction) away, against κτ: by medians, and R of every path (N,).

    Depth is the book's at rest times what the priors let come; that makers step back is not in it.
    """
    sign = 1.0 if direction == "up" else -1.0
    ends = np.log1p(sign * np.array([start, start + STRETCH]))
    ends = np.clip(ends, ground.edges[0], ground.edges[-1])
    rows: list[FloatArray] = [np.interp(ends, ground.edges, row) for row in ground.forced_usd]
    reached = np.stack(rows)
    forced: FloatArray = np.maximum(reached[:, 1] - reached[:, 0], 0.0)
    width = float(ground.edges[1] - ground.edges[0])
    total = np.concatenate([[0.0], np.cumsum(ground.usd_per_log)]) * width
    rests = abs(float(np.diff(np.interp(ends, ground.edges, total))[0]))
    share = deal.fuel * deal.booked / deal.depth
    kappa_tau = float(np.median(deal.latency_s / deal.recovery_s))
    reproduction = float(np.median(share)) * float(forced.mean()) / rests if rests > 0.0 else 0.0
    footing = Footing(
        reproduction, kappa_tau, reproduction / runaway_threshold(kappa_tau), 1.0 + kappa_tau
    )
    return footing, share * forced[deal.draw] / max(rests, 1.0)

"""Impact as a power of flow: how bent the law is, from a root to a straight line, and where a large push ends."""

from dataclasses import dataclass

import numpy as np

from airpocket.cascade.calibrate.blocks import interval, robust_weights, slopes, sums_of, total
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.domain.events import FloatArray, IntArray

_EXPONENTS: FloatArray = np.arange(10, 21, dtype=np.float64) / 20.0  # a root to a line
_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Bent:
    """E[r] = c |Q|^δ sign(Q), Q in millions of dollars: of the data first, then of each bootstrap draw, (1 + D,).

    exponent: δ. scale: c, log-price of a million.
    """

    exponent: FloatArray
    scale: FloatArray

    def moves(self, usd: float) -> tuple[float, tuple[float, float] | None]:
        """Log-price that so many dollars move, and its 10 to 90 %; no interval where draws give none."""
        each: FloatArray = self.scale * (usd / _MILLION) ** self.exponent
        return float(each[0]), interval(each[1:])


def bent_law(
    move: FloatArray, flow_usd: FloatArray, block: IntArray, counts: FloatArray, settings: CalibrationSettings
) -> Bent:  # fmt: skip
    """The exponent of least squared error, and its slope, of bars (n,) and of every draw of their blocks.

    Between a root, as large orders worked patiently have it (Tóth et al. 2011), and a line, as Kyle's market
    maker has it (1985). Which of them a market follows decides what a push far larger than any flow heard would
    do, so it is measured with the rest. counts: (D, B) how often each block is drawn.
    """
    flow = flow_usd / _MILLION
    powers: list[FloatArray] = [np.sign(flow) * np.abs(flow) ** one for one in _EXPONENTS]
    plain = [float(move @ move) - float(x @ move) ** 2 / max(float(x @ x), 1e-300) for x in powers]
    # the weights of the best fit: the same for all exponents, else their errors could not be compared
    weight = robust_weights(powers[int(np.argmin(plain))][:, None], move, settings)
    counts = np.concatenate([np.ones((1, counts.shape[1])), counts])
    error, slope = np.empty((len(counts), len(powers))), np.empty((len(counts), len(powers)))
    for k, x in enumerate(powers):
        sums = sums_of(x[:, None], move, weight, block)
        xy = total(counts, sums.xy)
        beta = slopes(total(counts, sums.xx), xy)[:, 0]
        error[:, k] = counts @ sums.yy - np.nan_to_num(beta) * xy[:, 0]
        slope[:, k] = beta
    best = np.argmin(error, axis=1)
    return Bent(_EXPONENTS[best], slope[np.arange(len(best)), best])

"""What open interest tells of stops: it falls when price runs through them, and no liquidation is told."""

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.kernel import kernel

# Slots of `moments`: weight, means and centred products of an hour's fall of open interest, of what price
# forced out if nobody had a stop, and of what stops add to it.
HOURS, MEANS, PRODUCTS = 0, 1, 4
MOMENTS = 10
_SHARES, _SLOPES = 24, 7
_MOST_FALL = 0.2  # of open interest in an hour: more is another unit or a gap
_LEAST_HOURS = 24.0


@kernel
def fall_seen(
    moments: FloatArray, fall: float, unstopped: float, added: float, fade: float
) -> None:
    """Takes an hour into the moments, the past counting `fade` of itself; shares of open interest."""
    if not abs(fall) < _MOST_FALL:
        return
    moments[HOURS] *= fade
    moments[PRODUCTS:] *= fade
    moments[HOURS] += 1.0
    new = np.array([fall, unstopped, added])
    before = new - moments[MEANS : MEANS + 3]
    moments[MEANS : MEANS + 3] += before / moments[HOURS]
    after = new - moments[MEANS : MEANS + 3]
    at = PRODUCTS
    for i in range(3):
        for j in range(i, 3):
            moments[at] += before[i] * after[j]
            at += 1


@kernel
def share_of_stops(
    moments: FloatArray, shares: FloatArray, slopes: FloatArray, quantile: float, trust: float
) -> float:
    """Share of positions with a stop at a quantile of what is believed of it, all of the range `shares` at first.

    Falls of open interest are Gaussian about a constant and slope × (unstopped + share × added); the slope
    is as likely anywhere in the range `slopes`, the noise is profiled out. The slope is below 1: a position
    that closes takes a contract off only if who takes the other side closes one too, and what the model
    has forced out is not just what was. trust: exponent of the likelihood.
    """
    low, high = shares
    if high <= low or moments[HOURS] < _LEAST_HOURS or moments[PRODUCTS + 5] <= 0.0:
        return low + quantile * (high - low)
    ff, fu, fa, uu, ua, aa = moments[PRODUCTS : PRODUCTS + 6]
    scores = np.empty((_SHARES, _SLOPES))
    for i in range(_SHARES):
        share = low + (high - low) * (i + 0.5) / _SHARES
        for j in range(_SLOPES):
            slope = slopes[0] + (slopes[1] - slopes[0]) * (j + 0.5) / _SLOPES
            rest = ff - 2.0 * slope * (fu + share * fa)
            rest += slope**2 * (uu + 2.0 * share * ua + share**2 * aa)
            scores[i, j] = -0.5 * trust * moments[HOURS] * np.log(max(rest, 1e-12 * ff) / ff)
    likely = np.exp(scores - scores.max())
    total, below = likely.sum(), 0.0
    for i in range(_SHARES):
        own = likely[i].sum() / total
        if below + own >= quantile:
            return low + (high - low) * (i + (quantile - below) / max(own, 1e-12)) / _SHARES
        below += own
    return high

"""Made tapes with known parameters for the calibration's tests."""

import numpy as np

from airpocket.cascade.calibrate.tape import Tape
from airpocket.domain.units import SECOND_NS, TimeNs

NOW = TimeNs(3 * 10**18)


def tape(n, *, half=10.0, lasts=1 / 3, impact=1e-10, noise=2e-5, seed=0, follow=0.3):
    """The path model of one second a step: a share of each impact lasts, the rest fades by half in `half` s.

    follow: how much of a second's flow comes again in the next; buyers follow buyers.
    """
    rng = np.random.default_rng(seed)
    flow = rng.standard_t(3, n) * 1e5
    for k in range(1, n):
        flow[k] += follow * flow[k - 1]
    kept = 0.5 ** (1.0 / half)
    price, lasting, fading = np.empty(n), 0.0, 0.0
    for k in range(n):
        fading = (fading + (1.0 - lasts) * impact * flow[k]) * kept
        lasting += lasts * impact * flow[k] + noise * rng.normal()
        price[k] = lasting + fading
    end = np.arange(1, n + 1, dtype=np.int64) * SECOND_NS
    return Tape(1.0, end, price, flow, np.abs(flow), np.arange(n) > 0)

"""What prints teach: the leverage mix by MAP-EM under a reporting rate, and how likely each hour was.

Liquidations told in hour t are Gamma-Poisson with mean r(t) Σ_k π_k Y_k(t): emission tomography (Shepp and
Vardi 1982) with a Dirichlet prior, in which each hour's Gamma is another unknown of the E-step. Amounts are
counted in typical prints, their size-weighted mean size, which makes the variance of
sums of unequal prints that of a Poisson count.
"""

from math import exp, lgamma, log

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel

SWEEPS = 15  # a day; five left classes up to a tenth off
_ROOT_STEPS = 30
_ROOT_NEAR = 1e-9  # of all that was forced
_BACKGROUND = 0.02  # of the mean hour, told of nothing that the model holds
_LEAST_PRINTS = 3.0
_ALL_TOLD = 0.999
_KNEE_SPAN = 12.0  # of the logarithm, about the busiest hour


@kernel
def typical_print(sizes: FloatArray) -> float:
    """Coin of a typical print: Σs²/Σs; 0 before the first one."""
    return sizes[1] / sizes[0] if sizes[0] > 0.0 else 0.0


@kernel
def heard_hour(  # noqa: PLR0913, PLR0917 - arrays of the pass, passed apart so that learning knows no cohorts
    hour: FloatArray,
    unstopped: FloatArray,
    told: FloatArray,
    burst: FloatArray,
    flows: FloatArray,
    tells: FloatArray,
    spread: FloatArray,
    mix: FloatArray,
    sizes: FloatArray,
    foreseen: FloatArray,
    score: FloatArray,
    number: int,
    knee: float,
    rate: float,
    shape: float,
    fade: float,
) -> None:
    """Files an hour's flows and prints, what was foreseen of them, and its log-likelihood under the mix before."""
    at = number % len(tells)
    one = typical_print(sizes)
    both = 0.0
    for side in range(2):
        for k in range(hour.shape[1]):
            both += mix[side, k + 1] * unstopped[side, k] * hour[side, k]
    spread[at] = burst[0] ** 2 / burst[1] if burst[1] > 0.0 else 1.0
    told_share = told_of(both / one, knee * spread[at], rate) if one > 0.0 else rate
    score[0] *= fade
    foreseen[at, 2] = 0.0
    for side in range(2):
        mean = 0.0
        for k in range(hour.shape[1]):
            flows[at, side, k] = hour[side, k]
            mean += mix[side, k + 1] * unstopped[side, k] * hour[side, k]
        tells[at, side] = told[side]
        foreseen[at, side] = mean
        if one > 0.0 and told[side] >= 0.0:
            foreseen[at, 2] += gamma_poisson(
                told[side] / one, told_share * mean / one + _BACKGROUND, shape
            )
    score[0] += foreseen[at, 2]


@kernel
def told_of(forced: float, knee: float, rate: float) -> float:
    """Share of an hour's forced prints that a feed tells: ln(1 + x)/x, x = forced/knee.

    A feed that tells one a window tells every lone one and few of a burst; where windows fill at random
    the share is (1 − e^{−x})/x, and the logarithm is what that becomes when they fill in clusters. knee: in
    prints an hour, 0 where it is not known yet: then `rate`, the share of the whole.
    """
    if knee <= 0.0:
        return rate
    x = forced / knee
    return np.log1p(x) / x if x > 1e-9 else 1.0


@kernel
def knee_of(forced: FloatArray, spread: FloatArray, weight: FloatArray, rate: float) -> float:
    """The knee with which hours tell `rate` of all that was forced; 0: nothing was."""
    if rate >= _ALL_TOLD:
        return np.inf
    total = (weight * forced).sum()
    if total <= 0.0:
        return 0.0
    low, high = log(forced.max()) - _KNEE_SPAN, log(forced.max()) + _KNEE_SPAN
    below, above = (
        _lack(forced, spread, weight, rate, low),
        _lack(forced, spread, weight, rate, high),
    )
    middle, side = 0.5 * (low + high), 0
    for _ in range(_ROOT_STEPS):
        if not below < 0.0 < above:
            break
        middle = (low * above - high * below) / (above - below)
        found = _lack(forced, spread, weight, rate, middle)
        if abs(found) < _ROOT_NEAR * total:
            break
        # a side that stays is held at half its distance (Illinois), or it would stay for good
        if found < 0.0:
            low, below, above, side = middle, found, above * (0.5 if side < 0 else 1.0), -1
        else:
            high, above, below, side = middle, found, below * (0.5 if side > 0 else 1.0), 1
    return exp(middle)


@kernel
def _lack(
    forced: FloatArray, spread: FloatArray, weight: FloatArray, rate: float, knee: float
) -> float:
    """Prints told beyond `rate` of all that was forced, with a knee of e^knee; rises with it."""
    found = 0.0
    for at in range(len(forced)):
        if forced[at] > 0.0:
            share = told_of(forced[at], exp(knee) * spread[at], rate)
            found += weight[at] * forced[at] * (share - rate)
    return found


@kernel
def gamma_poisson(count: float, mean: float, shape: float) -> float:
    """Log-likelihood of a count of prints (it need not be whole), up to what depends on it alone."""
    found = lgamma(count + shape) - lgamma(shape) + shape * log(shape / (shape + mean))
    return found + count * log(mean / (shape + mean))


@kernel
def learned(  # noqa: PLR0913, PLR0917
    flows: FloatArray,
    unstopped: FloatArray,
    tells: FloatArray,
    spread: FloatArray,
    mix: FloatArray,
    caught: FloatArray,
    sizes: FloatArray,
    knee: FloatArray,
    count: int,
    prior: FloatArray,
    rate: float,
    strength: float,
    likeness: float,
    shape: float,
    fade: float,
) -> None:
    """A few MAP-EM sweeps from the present mix over the hours on file, older ones counting less.

    mix: (3, K + 1) of shorts, longs and both together. Both sides' prints teach the common mix from the
    prior; each side's own departs from it by its own prints, against `likeness` prints' worth of it.
    """
    one = typical_print(sizes)
    if one == 0.0 or sizes[0] < _LEAST_PRINTS * one:
        return
    background = _background(tells)
    hours, weight = _telling(flows, tells, count, one, fade)
    given = flows[hours] * unstopped / one
    forced = _forced(given, mix)
    knee[0] = knee_of(forced, spread[hours], weight, rate)
    told = np.empty(len(hours))
    for at in range(len(hours)):
        told[at] = told_of(forced[at], knee[0] * spread[hours[at]], rate)
    offered = np.empty(flows.shape[2])
    for _ in range(SWEEPS):
        caught[0, :] = 0.0
        offered[:] = 0.0
        for side in range(2):
            _shared(
                given, tells / one, hours, weight, mix[2], side, background / one, told, shape, caught[0], offered
            )  # fmt: skip
        maximised(mix[2], caught[0], offered, 0.5 * (prior[0] + prior[1]), strength)
    for side in range(2):
        own = mix[2] * prior[side]
        own /= 0.5 * (prior[0] + prior[1]) + 1e-300
        own /= own.sum()
        for _ in range(SWEEPS):
            caught[side, :] = 0.0
            offered[:] = 0.0
            _shared(
                given, tells / one, hours, weight, mix[side], side, background / one, told, shape, caught[side],
                offered,
            )  # fmt: skip
            maximised(mix[side], caught[side], offered, own, likeness)


@kernel
def _telling(
    flows: FloatArray, tells: FloatArray, count: int, one: float, fade: float
) -> tuple[IntArray, FloatArray]:
    """Hours on file that teach something, and the weight of a print in each."""
    size = len(tells)
    hours = np.empty(size, np.int64)
    weight = np.empty(size)
    found = 0
    for t in range(min(count, size)):
        listened = tells[t, 0] >= 0.0 and tells[t, 1] >= 0.0
        if listened and tells[t, 0] + tells[t, 1] + flows[t].sum() > 0.0:
            hours[found] = t
            weight[found] = fade ** ((count - 1 - t) % size)
            found += 1
    return hours[:found], weight[:found]


@kernel
def _forced(given: FloatArray, mix: FloatArray) -> FloatArray:
    """(n,) coin forced out in each hour, both sides, as the mix has it."""
    found = np.zeros(len(given))
    for at in range(len(given)):
        for side in range(2):
            for k in range(given.shape[2]):
                found[at] += mix[side, k + 1] * given[at, side, k]
    return found


@kernel
def _background(tells: FloatArray) -> float:
    """A little of the mean hour's prints, which come from nothing that the model holds."""
    total, hours = 0.0, 0
    for t in range(len(tells)):
        for side in range(2):
            if tells[t, side] >= 0.0:
                total += tells[t, side]
                hours += 1
    return _BACKGROUND * total / hours if hours else 0.0


@kernel
def _shared(  # noqa: PLR0913, PLR0917
    given: FloatArray,
    tells: FloatArray,
    hours: IntArray,
    weight: FloatArray,
    mix: FloatArray,
    side: int,
    background: float,
    told: FloatArray,
    shape: float,
    caught: FloatArray,
    offered: FloatArray,
) -> None:
    """The E-step of one side: shares each hour's prints among the classes by what each had to give.

    What an hour offered counts times the posterior mean of its Gamma, (α + y)/(α + μ): an hour that told far
    more or less than foreseen was another hour, and says little of the mix.
    """
    for at in range(len(hours)):
        flow = given[at, side]
        mean = background
        for k in range(len(flow)):
            mean += told[at] * flow[k] * mix[k + 1]
        if not mean > 0.0:
            continue
        prints = tells[hours[at], side]
        factor = (shape + prints) / (shape + mean)
        for k in range(len(flow)):
            own = weight[at] * told[at] * flow[k]
            caught[k] += prints / mean * own * mix[k + 1]
            offered[k] += factor * own


@kernel
def maximised(
    mix: FloatArray, caught: FloatArray, offered: FloatArray, prior: FloatArray, strength: float
) -> None:
    """The M-step on the simplex: π_k = (caught_k + α π0_k) / (offered_k + α + λ), Σ π = 1 by λ.

    mix, prior: (K + 1,) never first, which offers nothing and catches nothing. The sum falls in λ, so
    the root is bracketed above the first pole and halved.
    """
    least = strength + (offered.min() if len(offered) else 0.0)
    low, high = -min(least, strength), 0.0
    step = 1.0 + strength
    while _sum(caught, offered, prior, strength, high) > 1.0:
        high += step
        step *= 2.0
    for _ in range(_ROOT_STEPS):
        middle = 0.5 * (low + high)
        if _sum(caught, offered, prior, strength, middle) > 1.0:
            low = middle
        else:
            high = middle
    mix[0] = strength * prior[0] / (strength + high)
    total = mix[0]
    for k in range(len(caught)):
        mix[k + 1] = (caught[k] + strength * prior[k + 1]) / (offered[k] + strength + high)
        total += mix[k + 1]
    mix /= total


@kernel
def _sum(
    caught: FloatArray, offered: FloatArray, prior: FloatArray, strength: float, root: float
) -> float:
    total = strength * prior[0] / (strength + root) if strength + root > 0.0 else np.inf
    for k in range(len(caught)):
        below = offered[k] + strength + root
        total += (caught[k] + strength * prior[k + 1]) / below if below > 0.0 else np.inf
    return total


def weights_of(scores: FloatArray) -> FloatArray:
    """(P,) shares of the ways the world may be, by their log-likelihoods."""
    weight = np.exp(scores - scores.max())
    return np.asarray(weight / weight.sum(), dtype=np.float64)

"""One cascade without noise, integrated finely: what the closed forms say, on any ladder and any book."""

from typing import NamedTuple

import numpy as np

from airpocket.cascade.paths import Ground
from airpocket.domain.events import FloatArray
from airpocket.domain.kernel import inlined, kernel

_FINE = 400  # steps a latency
_MOST = 2_000  # latencies


class Peak(NamedTuple):
    """Where a jump and those it forces out take price. high: log-price from the start, signed; after_s: when.

    forced_usd: forced on the way. inside: False where price left the ground, which then knows no end.
    settled: False where it still rose when looking ended.
    """

    high: float
    after_s: float
    forced_usd: float
    inside: bool
    settled: bool


def peak_of(
    ground: Ground, jump: float, latency_s: float, recovery_s: float, *, fuel: float = 1.0, draw: int = 0
) -> Peak:  # fmt: skip
    """First peak of ż = −κz + λ(z) u/τ, u̇ = ρ(z)(Ṁ)⁺ − u/τ from z(0) = jump, u(0) what the jump forced.

    Only a new extreme forces anybody out, so the first peak is the last (science of `cascade.dynamics`). Fuel
    beyond the ground does not exist for it. Fourth-order Runge-Kutta, 400 steps a latency; where ladder and
    book are even it is the closed form to better than 1e-6.

    Raises:
        ValueError: a time that is not positive, a jump that leaves the ground, an unknown draw.
    """
    rows = np.atleast_2d(ground.forced_usd)
    if not (latency_s > 0.0 and recovery_s > 0.0 and fuel >= 0.0 and np.isfinite(latency_s + fuel)):
        raise ValueError("latency_s and recovery_s must be positive, fuel not negative")
    if not 0 <= draw < len(rows):
        raise ValueError(f"draw {draw} of {len(rows)}")
    if not ground.edges[0] < jump < ground.edges[-1]:
        raise ValueError(f"a jump of {jump:g} leaves the ground")
    if jump == 0.0:
        return Peak(0.0, 0.0, 0.0, inside=True, settled=True)
    away, ladder, impact = _one_way(ground, rows[draw] * fuel, up=jump > 0.0)
    high, after, forced, inside, settled = _integrate(
        away, ladder, impact, abs(jump), latency_s / recovery_s
    )
    return Peak(float(np.sign(jump)) * high, after * latency_s, forced, inside, settled)


def _one_way(
    ground: Ground, row: FloatArray, *, up: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Edges from 0 outwards, what is forced up to each, and the impact between them."""
    edges = ground.edges if up else -ground.edges[::-1]
    ladder = row if up else row[::-1]
    depth = ground.usd_per_log if up else ground.usd_per_log[::-1]
    first = int(np.searchsorted(edges, 0.0, side="right"))
    away = np.concatenate([[0.0], edges[first:]])
    behind = np.interp(0.0, edges, ladder)
    held = np.concatenate([[0.0], np.maximum(ladder[first:] - behind, 0.0)])
    return away, held, 1.0 / depth[first - 1 :]


@inlined
def _at(away: FloatArray, z: float) -> int:
    return min(max(int(np.searchsorted(away, z, side="right")) - 1, 0), away.size - 2)


@inlined
def _slopes(
    away: FloatArray, ladder: FloatArray, impact: FloatArray, ratio: float, z: float, u: float
) -> tuple[float, float]:
    """(ż, u̇) at a new extreme, time in latencies; beyond the ground nobody is left to be forced."""
    k = _at(away, z)
    rises = -ratio * z + impact[k] * u
    density = (ladder[k + 1] - ladder[k]) / (away[k + 1] - away[k]) if z < away[-1] else 0.0
    return rises, density * max(rises, 0.0) - u


@kernel
def _integrate(
    away: FloatArray, ladder: FloatArray, impact: FloatArray, jump: float, ratio: float
) -> tuple[float, float, float, bool, bool]:
    """(peak, when in latencies, forced, still on the ground, settled); ratio: κτ."""
    k = _at(away, jump)
    inside = (jump - away[k]) / (away[k + 1] - away[k])
    z, u, h = jump, ladder[k] + inside * (ladder[k + 1] - ladder[k]), 1.0 / _FINE
    count, before, rose = 0, z, 0.0
    while count < _MOST * _FINE:
        rises, waits = _slopes(away, ladder, impact, ratio, z, u)
        if rises <= 0.0 or z >= away[-1]:
            if rises <= 0.0 < rose:  # the turning lies inside the last step
                z = before + 0.5 * rose * h * rose / (rose - rises)
            break
        before, rose = z, rises
        a, b = _slopes(away, ladder, impact, ratio, z + h / 2.0 * rises, u + h / 2.0 * waits)
        c, d = _slopes(away, ladder, impact, ratio, z + h / 2.0 * a, u + h / 2.0 * b)
        e, f = _slopes(away, ladder, impact, ratio, z + h * c, u + h * d)
        z += h / 6.0 * (rises + 2.0 * a + 2.0 * c + e)
        u += h / 6.0 * (waits + 2.0 * b + 2.0 * d + f)
        count += 1
    k = _at(away, z)
    share = min((z - away[k]) / (away[k + 1] - away[k]), 1.0)
    forced = ladder[k] + share * (ladder[k + 1] - ladder[k])
    return z, count * h, forced, z < away[-1], count < _MOST * _FINE

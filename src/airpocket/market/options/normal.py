"""The tail of the standard normal for kernels, without underflow: one exponential then serves d₁ and d₂."""

import math

from airpocket.domain.kernel import fused, inlined

ROOT_2PI = math.sqrt(2.0 * math.pi)
# (x + 4) N(−x) / n(x) by powers of (x − 4)/(x + 4), the constant first: the Chebyshev interpolant of degree 22,
# computed with 50 digits
SERIES: tuple[float, ...] = (
    1.8932190633084853, -1.5237709108199855, 0.9704095548675924, -0.4675409629981585,
    0.15139176231205376, -0.018900450866100364, -0.008722295263838522, 0.004087855732516909,
    0.0003342444896278021, -0.0005792696390945318, -4.7824148557878045e-06, 8.8097066448958e-05,
    1.7929254081847193e-06, -1.4846708706118606e-05, -1.5696678628944614e-06, 2.574545068720035e-06,
    6.673466387680476e-07, -4.068738380935784e-07, -2.0027585806454293e-07, 4.915081730923252e-08,
    4.144971738484837e-08, -3.2199692790142684e-09, -4.446108100174491e-09,
)  # fmt: skip


@inlined
def mills(x: float) -> float:
    """N(−x) / n(x), the tail over the density, for x ≥ 0; relative error below 1e-15 up to infinity."""
    scale = 1.0 / (x + 4.0)
    return _scaled((x - 4.0) * scale) * scale


@inlined
def mills_of_two(x: float, y: float) -> tuple[float, float]:
    """`mills` of x and of y, both at most 1e100, for one division."""
    over_x, over_y = x + 4.0, y + 4.0
    scale = 1.0 / (over_x * over_y)
    to_x, to_y = scale * over_y, scale * over_x
    return _scaled((x - 4.0) * to_x) * to_x, _scaled((y - 4.0) * to_y) * to_y


@inlined
def _scaled(u: float) -> float:
    """(x + 4) N(−x) / n(x) of u = (x − 4)/(x + 4): no branch, no exponential, no cancellation, however far out.

    The four interleaved parts of the polynomial run side by side.
    """
    c = SERIES
    two = u * u
    q = two * two
    first = fused(c[20], q, c[16])
    first = fused(first, q, c[12])
    first = fused(first, q, c[8])
    first = fused(first, q, c[4])
    first = fused(first, q, c[0])
    second = fused(c[21], q, c[17])
    second = fused(second, q, c[13])
    second = fused(second, q, c[9])
    second = fused(second, q, c[5])
    second = fused(second, q, c[1])
    third = fused(c[22], q, c[18])
    third = fused(third, q, c[14])
    third = fused(third, q, c[10])
    third = fused(third, q, c[6])
    third = fused(third, q, c[2])
    fourth = fused(c[19], q, c[15])
    fourth = fused(fourth, q, c[11])
    fourth = fused(fourth, q, c[7])
    fourth = fused(fourth, q, c[3])
    return fused(two, fused(u, fourth, third), fused(u, second, first))

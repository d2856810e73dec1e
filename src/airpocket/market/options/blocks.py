"""Options through a kernel in blocks of one size, a row for each number, so that the loops are vector code."""

from airpocket.domain.events import BoolArray, FloatArray
from airpocket.domain.kernel import inlined
from airpocket.market.options.elementary import exponential
from airpocket.market.options.normal import ROOT_2PI, mills_of_two

# The rows lie in one array at distances the compiler knows, so it need not ask whether they overlap; a short last
# block is filled up with what was there. Every option takes the same way: none depends on where it stood. A
# loop does a third of the work and leaves it in rows: of short loops the processor has several rounds under way.
LANES = 128
ROW = LANES + 8  # rows a power of two apart would share few places in the cache
D1, ROOT, RATIO, DENSITY, TAIL1, TAIL2 = (row * ROW for row in range(6))
FIRST_FREE = 6

STILL = 1e-100  # a σ√T up to this moves nothing
SURE = 1e3  # a d₁ that leaves nothing open
_FAR = 37.6  # the density there is the last above zero
_PEAK = 1.0 / ROOT_2PI


@inlined
def tails(block: FloatArray, i: int) -> None:
    """DENSITY n(d₁), TAIL1 N(−|d₁|), TAIL2 N(−|d₂|) of D1, ROOT σ√T, and RATIO n(d₂)/n(d₁)."""
    d1 = block[D1 + i]
    far1, far2 = min(abs(d1), _FAR), min(abs(d1 - block[ROOT + i]), _FAR)
    density = exponential(-0.5 * far1 * far1) * _PEAK
    density = density if far1 < _FAR else 0.0
    mills1, mills2 = mills_of_two(far1, far2)
    block[DENSITY + i] = density
    block[TAIL1 + i] = density * mills1
    block[TAIL2 + i] = density * block[RATIO + i] * mills2


@inlined
def move(source: FloatArray | BoolArray, to: FloatArray) -> None:
    """Copy a short array to the beginning of another."""
    for i in range(len(source)):
        to[i] = source[i]

"""What the map's step carries from bar to bar, and the constants of one way the world may be."""

from typing import NamedTuple

from airpocket.domain.events import FloatArray, IntArray

# Rows of `facts`.
REACH_HIGH, REACH_LOW, TYPICAL, LOW, HIGH, VOLUME, INTEREST, BOUGHT, SOLD, SQUARES = range(10)
# Slots of `live` by side and of `span` by side and column: first and last row that may hold mass.
FIRST, LAST = 0, 1
NOWHERE = (1 << 40, -1)
# Slots of `counts`.
HOUR, SNAPSHOTS, CLIPPED, IMPOSSIBLE, BARS, HEARD = range(6)
# Slots of `memory`: open interest before, volume since it changed; by side the closing hazard of the hour and
# the factor that cells still lack.
LAST_INTEREST, VOLUME_SINCE, HAZARD, RATIO, HOUR_INTEREST = 0, 1, 2, 4, 6


class Cohorts(NamedTuple):
    """Everything the pass carries from bar to bar; arrays are changed in place.

    Columns are classes times layers: column k·L holds class k without a stop, the next L − 1 its
    positions with one. cells: (2, K·L, B) coin by side, column and bucket outward of the trigger, as if
    each column took all openings. Buckets of side 1 (longs) are mirrored, j ↦ −1 − j, so
    that for both sides "outward" is up. base: (2,) bucket of row 0. live: (2, 2) rows, the last
    one that was ever opened into; span: (2, K·L, 2) rows outside of which a column is empty. held, scale:
    (2, K·L) coin in each column, and coin per unit of its cells. never: (2,) coin that no price forces
    out, as if it took all openings. mix: (3, K + 1) share of openings of shorts, longs and both, never
    first. stops: (1,) share of positions with a stop. weight: (2, K·L) share of openings by column, from
    both. unstopped: (2, K) share of a class that no stop takes first. memory: (7,). counts: (6,).

    hour: (2, K) forced of each class in this hour, had none a stop; told (2,) what the venue told of it;
    burst (2,) sum and sum of squares of its steps' forced flow. flows (H, 2, K), tells (H, 2) and spread
    (H,) the same of past hours, NaN where nobody listened, spread as the number of equal steps. knee: (1,)
    prints a step from which on the feed tells less, 0 before it is known. foreseen (H, 3) forced flow by
    side as the mix of then had it, and the hour's log-likelihood. sizes: (2,) sums of prints and of their
    squares. caught: (2, K) prints that taught of each class. score: (1,) log-likelihood of what was told.
    exits: (2,) what price forced out in this hour had nobody a stop, and what stops add; moments: see
    `stops`. ring: (T, 2, B) coin at the last T whole hours; stamps: (T,) ns.
    """

    cells: FloatArray
    base: IntArray
    live: IntArray
    span: IntArray
    held: FloatArray
    scale: FloatArray
    never: FloatArray
    mix: FloatArray
    memory: FloatArray
    counts: IntArray
    hour: FloatArray
    told: FloatArray
    flows: FloatArray
    tells: FloatArray
    foreseen: FloatArray
    sizes: FloatArray
    caught: FloatArray
    knee: FloatArray
    weight: FloatArray
    unstopped: FloatArray
    stops: FloatArray
    exits: FloatArray
    moments: FloatArray
    burst: FloatArray
    spread: FloatArray
    score: FloatArray
    ring: FloatArray
    stamps: IntArray


class Rules(NamedTuple):
    """One way the world may be, as the step needs it.

    prior: (2, K + 1) mix of openings, never first. shift: (2, K) buckets from entry to liquidation.
    trigger: (2, K, L) buckets from entry to where a layer leaves: liquidation first, then at its stop.
    margin: (2, K) buckets in which the whole margin is lost, never fewer than shift. before: (2, K) share
    of stops that lie before liquidation. pace: (K + 1,) closing hazard against the common one, never
    first. ageing: (3,). width; sticky; gain, loss: closing hazard of winners beyond `taken` of margin and
    of losers beyond `lost`, against the rest. top_up: share of losers that in a spell add as much margin
    as they have left. rate: share of forced closes that the venue tells. strength: of the prior, and
    likeness: of the sides to one another, in prints. shape: of the Gamma in an hour's Gamma-Poisson. fade:
    of an hour in the memory of prints. stops: (2,) range of the share with a stop, stops_at: quantile of
    what is believed of it; slopes, trust: see `MapSettings`.
    """

    prior: FloatArray
    shift: FloatArray
    trigger: FloatArray
    margin: FloatArray
    before: FloatArray
    pace: FloatArray
    ageing: FloatArray
    width: float
    sticky: float
    gain: float
    taken: float
    loss: float
    lost: float
    top_up: float
    rate: float
    strength: float
    likeness: float
    shape: float
    fade: float
    stops: FloatArray
    slopes: FloatArray
    stops_at: float
    trust: float

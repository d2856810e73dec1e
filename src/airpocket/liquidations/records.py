"""What the liquidation map is: forced notional per price bucket and side, with intervals, clusters and heat."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import USD, Estimate, known
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import PositionSide, TimeNs


@dataclass(frozen=True, slots=True)
class Ladder:
    """Forced notional of one side by price bucket, arrays (B,) in USD at the bucket's own price.

    `draws` (M, B) holds one row for each way it may be; `usd` is their centre. A sum over buckets takes
    its interval from the sums of the draws, never from the sum of bucket intervals. beyond: USD at the
    map's price that no price on the ladder forces out (hedged, or backed by a whole wallet).
    """

    usd: FloatArray
    draws: FloatArray
    beyond: float = 0.0

    def within(self, inside: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> "Amount":
        """Total over the buckets chosen, with the 10 to 90 % range of the draws."""
        sums = self.draws[:, inside].sum(axis=1)
        low, high = np.quantile(sums, (0.1, 0.9)) if len(sums) else (np.nan, np.nan)
        centre = float(self.usd[inside].sum())
        return Amount(centre, min(float(low), centre), max(float(high), centre))


@dataclass(frozen=True, slots=True)
class Amount:
    """A notional in USD with its 10 to 90 % range under the prior."""

    usd: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """A run of neighbouring buckets that holds more than its surroundings.

    side: whose positions are forced (short: forced buying above the price). low, high, peak: quote per
    coin. distance_percent: from the price to `peak`, signed. share: of all that side's mapped notional.
    """

    side: PositionSide
    low: float
    high: float
    peak: float
    distance_percent: float
    amount: Amount
    share: float


@dataclass(frozen=True, slots=True)
class Heat:
    """Price × time picture: ts (T,) ns, shorts and longs (T, B) in coin, over the map's own buckets."""

    ts: IntArray
    close: FloatArray  # (T,) price at each column, quote per coin
    shorts: FloatArray
    longs: FloatArray


@dataclass(frozen=True, slots=True)
class Source:
    """One contract the map was made from, and what had to be assumed for it."""

    key: str  # venue:symbol
    interest_coin: float
    as_of: TimeNs
    bars: int
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiquidationMap:
    """Who is forced out where, as modelled at `as_of` (the youngest input) and asked for at `now`.

    edge: (B + 1,) bucket edges, quote per coin, log-spaced, the same grid for every venue. Shorts sit
    above the price, longs below. hedged_shorts, hedged_longs: share (%) believed offset elsewhere; the
    amounts are gross of it. notes: sentences on what the map rests on.
    """

    asset: str
    now: TimeNs
    as_of: TimeNs
    price: float
    edge: FloatArray
    shorts: Ladder
    longs: Ladder
    hedged_shorts: Estimate
    hedged_longs: Estimate
    clusters: tuple[Cluster, ...]
    heat: Heat
    sources: tuple[Source, ...]
    notes: tuple[str, ...]

    @property
    def middle(self) -> FloatArray:
        """(B,) geometric middle of each bucket, quote per coin."""
        return np.sqrt(self.edge[:-1] * self.edge[1:])

    def ladder(self, side: PositionSide) -> Ladder:
        return self.shorts if side == "short" else self.longs

    def at_risk(self, side: PositionSide, percent: float) -> Estimate:
        """Notional of `side` forced out if price moves `percent` against it, USD, gross of hedges."""
        factor = 1.0 + percent / 100.0 if side == "short" else 1.0 - percent / 100.0
        low, high = sorted((self.price, self.price * factor))
        inside = (self.middle >= low) & (self.middle <= high)
        amount = self.ladder(side).within(inside)
        return known(
            amount.usd, USD, as_of=self.as_of, now=self.now, provenance="modelled",
            source=", ".join(source.key for source in self.sources), interval=(amount.low, amount.high),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unmapped:
    """There is no map, and why."""

    reason: str

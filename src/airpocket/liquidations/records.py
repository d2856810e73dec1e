"""What the liquidation map is: forced notional per price bucket and side, with intervals, clusters and heat."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from airpocket.domain.estimates import USD, Estimate, Provenance, known, lower_bound
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import PositionSide, TimeNs


@dataclass(frozen=True, slots=True)
class Ladder:
    """Forced notional of one side by price bucket, arrays (B,) in USD at the bucket's own price.

    `draws` (M, B) holds one row for each way it may be; `usd` is their centre. A sum over buckets takes
    its interval from the sums of the draws, never from the sum of bucket intervals. `exact` (B,) is the
    part of `usd`, and of every draw, that public accounts hold; None: nothing was measured. `beyond`: USD
    at the map's price that no price on the ladder forces out (hedged, or backed by a whole wallet).
    """

    usd: FloatArray
    draws: FloatArray
    exact: FloatArray | None = None
    beyond: float = 0.0

    @property
    def exact_share(self) -> FloatArray:
        """(B,) share of each bucket that is known exactly, 0 to 1; 0 where the bucket is empty."""
        known_usd = np.zeros_like(self.usd) if self.exact is None else self.exact
        return np.divide(known_usd, self.usd, out=np.zeros_like(self.usd), where=self.usd > 0.0)

    def within(self, inside: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> "Amount":
        """Total over the buckets chosen, with the 10 to 90 % range of the draws."""
        sums = self.draws[:, inside].sum(axis=1)
        low, high = np.quantile(sums, (0.1, 0.9)) if len(sums) else (np.nan, np.nan)
        centre = float(self.usd[inside].sum())
        exact = 0.0 if self.exact is None else float(self.exact[inside].sum())
        return Amount(centre, min(float(low), centre), max(float(high), centre), exact)


@dataclass(frozen=True, slots=True)
class Amount:
    """A notional in USD with its 10 to 90 % range under the prior; `exact` of it is measured."""

    usd: float
    low: float
    high: float
    exact: float = 0.0

    @property
    def exact_share(self) -> float:
        """Share of the amount that is known exactly, 0 to 1."""
        return min(self.exact / self.usd, 1.0) if self.usd > 0.0 else 0.0

    @property
    def provenance(self) -> Provenance:
        """measured: known exactly, all of it; modelled: none of it; mixed: some."""
        if self.exact > 0.0 and self.exact >= self.usd * (1.0 - 1e-9) and self.high <= self.usd:
            return "measured"
        return "mixed" if self.exact > 0.0 else "modelled"


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
    """Price × time picture: ts (T,) ns, shorts and longs (T, B) in coin, over the map's own buckets.

    exact: (T,) share of each column's coin that accounts held, as it was known then; None: of no column.
    """

    ts: IntArray
    close: FloatArray  # (T,) price at each column, quote per coin
    shorts: FloatArray
    longs: FloatArray
    exact: FloatArray | None = None

    @property
    def exact_share(self) -> FloatArray:
        """(T,) share of each column that is known exactly, 0 to 1."""
        return np.zeros(len(self.ts)) if self.exact is None else self.exact

    @property
    def provenance(self) -> Provenance:
        """Of the picture as a whole: measured where every column is, modelled where none is."""
        share = self.exact_share
        if len(share) and share.min() > 1.0 - 1e-9:
            return "measured"
        return "mixed" if share.any() else "modelled"


@dataclass(frozen=True, slots=True)
class Source:
    """One contract the map was made from, and what had to be assumed for it."""

    key: str  # venue:symbol
    interest_coin: float
    as_of: TimeNs
    bars: int
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One contract's share of the map, on the map's own buckets.

    past: its share of the heat. past_coin: (T,) open interest at each of its columns. None: not followed.
    """

    key: str  # venue:symbol
    shorts: Ladder
    longs: Ladder
    past: Heat | None = None
    past_coin: FloatArray | None = None

    def ladder(self, side: PositionSide) -> Ladder:
        return self.shorts if side == "short" else self.longs


@dataclass(frozen=True, slots=True)
class Measured:
    """What public accounts said of one contract, or of one lending protocol's loans.

    Coin by side, (shorts, longs): held in all; endless: without a liquidation price, as the venue says; passed:
    whose price was traded since they were heard, so no longer counted. interest_coin: the contract's open
    interest, None where unknown. heard_first, heard_last: ns; median_age_s: at `now`. stale: accounts too old to
    count. as_told: positions kept at the price the venue told, since its rule was not reproduced here. scaled:
    what each side was multiplied with to fit open interest, 1 where it does.
    """

    key: str
    kind: Literal["perpetual", "loans"]
    accounts: int
    held: tuple[float, float]
    endless: tuple[float, float]
    passed: tuple[float, float]
    interest_coin: float | None
    heard_first: TimeNs
    heard_last: TimeNs
    median_age_s: float
    stale: int = 0
    as_told: int = 0
    scaled: tuple[float, float] = (1.0, 1.0)

    def coverage(self, side: PositionSide) -> float | None:
        """Share of the side's open interest that the accounts hold, 0 to 1; None: open interest unknown."""
        if not self.interest_coin:
            return None
        row = 0 if side == "short" else 1
        return min(self.held[row] * self.scaled[row] / self.interest_coin, 1.0)


@dataclass(frozen=True, slots=True)
class LiquidationMap:
    """Who is forced out where, as modelled at `as_of` (the youngest input) and asked for at `now`.

    edge: (B + 1,) bucket edges, quote per coin, log-spaced, the same grid for every venue. Shorts sit
    above the price, longs below. hedged_shorts, hedged_longs: share (%) believed offset elsewhere; the
    amounts are gross of it. notes: sentences on what the map rests on. parts: the same by contract, before any
    blending. measured: the public accounts blended in. at_least: nothing stands for those who were not counted.
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
    parts: tuple[Part, ...] = ()
    measured: tuple[Measured, ...] = ()
    at_least: bool = False

    @property
    def middle(self) -> FloatArray:
        """(B,) geometric middle of each bucket, quote per coin."""
        return np.sqrt(self.edge[:-1] * self.edge[1:])

    def ladder(self, side: PositionSide) -> Ladder:
        return self.shorts if side == "short" else self.longs

    def at_risk(self, side: PositionSide, percent: float) -> Estimate:
        """Notional of `side` forced out if price moves `percent` against it, USD, gross of hedges."""
        amount = self.within(side, percent)
        return self.estimate(amount, ", ".join(source.key for source in self.sources))

    def within(self, side: PositionSide, percent: float) -> Amount:
        """The same as an amount, with what of it is exact."""
        factor = 1.0 + percent / 100.0 if side == "short" else 1.0 - percent / 100.0
        low, high = sorted((self.price, self.price * factor))
        return self.ladder(side).within((self.middle >= low) & (self.middle <= high))

    def estimate(self, amount: Amount, source: str) -> Estimate:
        """An amount of the map as a figure, labelled by what of it is measured; that alone has no interval."""
        provenance = "measured" if self.at_least else amount.provenance
        found = known(
            amount.usd, USD, as_of=self.as_of, now=self.now, provenance=provenance, source=source,
            interval=None if provenance == "measured" else (amount.low, amount.high),
        )  # fmt: skip
        return lower_bound(found) if self.at_least else found


@dataclass(frozen=True, slots=True)
class Unmapped:
    """There is no map, and why."""

    reason: str

"""What absorbs a push: a stored book or depth bands and their own slope beyond, or the square-root law instead."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.dynamics import sqrt_absorbed
from airpocket.cascade.records import Direction, Profile
from airpocket.cascade.settings import CascadeSettings
from airpocket.domain.events import FloatArray
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.market.state import Contract, Market, Observations


@dataclass(frozen=True, slots=True)
class Law:
    """The square-root law's two measured figures: a day's volume in USD and a day's volatility, a fraction."""

    volume_usd: float
    volatility: float
    as_of: TimeNs
    source: str

    def absorbed(self, distance: FloatArray, y: float) -> FloatArray:
        """(B,) USD it takes to move price by each distance: V (x/(Yσ))²."""
        return sqrt_absorbed(distance, y, self.volatility, self.volume_usd)


@dataclass(frozen=True, slots=True)
class Resting:
    """Stored orders of one side: cumulative USD at rising distances (n,), and what they come from.

    passed: why nearer choices were passed over.
    """

    distance: FloatArray
    usd: FloatArray
    as_of: TimeNs
    source: str
    contracts: tuple[str, ...] = ()
    passed: str = ""

    def within(self, distance: FloatArray) -> FloatArray:
        """(B,) cumulative USD, straight between the points known and flat beyond the last."""
        xs, ys = np.concatenate([[0.0], self.distance]), np.concatenate([[0.0], self.usd])
        return np.interp(distance, xs, ys)


def law_of(market: Market, settings: CascadeSettings) -> Law | str:
    """V and σ of the reference contract over the last days of closed hours, or why they are not known.

    V: mean USD volume of an hour × 24. σ: √(24 × mean squared hourly log return). Hours that are
    missing are left out; too many of them leave both unknown.
    """
    contract, days = market.reference, settings.law_days
    hours = contract.hours.since(market.now - (days * 24 + 1) * HOUR_NS)
    usd = np.where(np.isfinite(hours.volume_usd), hours.volume_usd, hours.volume * hours.close)
    steps = np.log(hours.close[1:] / hours.close[:-1])[~hours.gap_before()[1:]]
    usd = usd[np.isfinite(usd)]
    for name, have in (("volume", len(usd)), ("returns", len(steps))):
        if have < settings.law_coverage * days * 24:
            return (
                f"the square-root law needs {days} days of hourly {name} of {contract.key}, "
                f"has {have} of {days * 24} hours"
            )
    volume, volatility = 24.0 * float(usd.mean()), float(np.sqrt(24.0 * np.mean(steps**2)))
    if volume <= 0.0 or volatility <= 0.0:
        return f"{contract.key} did not trade or did not move in the last {days} days"
    return Law(volume, volatility, TimeNs(int(hours.end[-1])), f"{contract.key}, {days} days")


def resting_of(
    market: Market, price: float, direction: Direction, settings: CascadeSettings
) -> Resting | str:
    """Stored orders of the side a push of this direction meets, of one contract; or why there are none.

    The reference contract's if it has any that can be used, else the first other's: a full book where
    it reaches far enough, else depth bands, else whatever book there is.
    """
    reference = market.reference.key
    reasons: list[str] = []
    for contract in sorted(market.perps or market.spots, key=lambda c: (c.key != reference, c.key)):
        found = resting_in(contract, market.now, price, direction, settings, passed=reasons)
        if isinstance(found, Resting):
            return found
        reasons += [found] if found else []
    return "; ".join(reasons) if reasons else "no book is stored for this time"


def resting_in(
    contract: Contract, now: TimeNs, price: float, direction: Direction, settings: CascadeSettings,
    *, passed: Sequence[str] = (),
) -> Resting | str:  # fmt: skip
    """Stored orders of one contract; or why there are none, empty text where none were ever stored.

    passed: why books before this one were passed over, told with what is found.
    """
    found = [
        _book(contract, now, price, direction, settings),
        _bands(contract, now, direction, settings),
    ]
    own = [resting for resting in found if isinstance(resting, str) and resting]
    usable = [resting for resting in found if isinstance(resting, Resting)]
    if not usable:
        return "; ".join(own)
    far = [r for r in usable if r.distance[-1] >= settings.book_reach]
    chosen = (far or usable)[0]
    return replace(chosen, passed="; ".join([*passed, *own]))


def far_books(market: Market, price: float, settings: CascadeSettings) -> tuple[str, ...]:
    """Contracts, spot too, whose stored orders can be used and reach far enough on both sides, by name.

    Arbitrage lets all of them absorb what is forced on one.
    """
    return tuple(
        contract.key
        for contract in sorted(market.contracts, key=lambda c: c.key)
        if all(
            isinstance(found, Resting) and found.distance[-1] >= settings.book_reach
            for found in (
                resting_in(contract, market.now, price, way, settings) for way in ("up", "down")
            )
        )
    )


def resting_on(
    market: Market, keys: tuple[str, ...], price: float, direction: Direction, settings: CascadeSettings
) -> Resting | str:  # fmt: skip
    """Stored orders of the contracts named, added up as far as the nearest of their books reaches."""
    every: list[Resting] = []
    for contract in (c for c in market.contracts if c.key in keys):
        found = resting_in(contract, market.now, price, direction, settings)
        if isinstance(found, str):
            return found or f"no book of {contract.key} is stored for this time"
        every.append(found)
    if not every:
        return f"none of {', '.join(keys)} is stored"
    reach = min(float(one.distance[-1]) for one in every)
    distance = np.unique(np.concatenate([one.distance for one in every]))
    distance = distance[distance <= reach]
    usd = np.sum([one.within(distance) for one in every], axis=0)
    as_of = TimeNs(min(one.as_of for one in every))
    keys = tuple(key for one in every for key in one.contracts)
    return Resting(distance, usd, as_of, _named([one.source for one in every]), keys)


def _named(sources: list[str]) -> str:
    """What is called alike, named once: "the depth bands of A, B and the book of C"."""
    kinds: dict[str, list[str]] = {}
    for source in sources:
        kind, _, contract = source.rpartition(" of ")
        kinds.setdefault(kind, []).append(contract)
    return " and ".join(f"{kind} of {', '.join(names)}" for kind, names in kinds.items())


def _book(
    contract: Contract, now: TimeNs, price: float, direction: Direction, settings: CascadeSettings
) -> Resting | str:
    """The newest stored book by distance from its mid; empty text where none is stored at all."""
    table = contract.table("book")
    if table is None or len(table) == 0:
        return ""
    at, newest = _newest(table)
    if now - at > settings.fresh_h * HOUR_NS:
        return f"the book of {contract.key} is {(now - at) / HOUR_NS:,.1f} h old"
    prices, sizes, sides = newest.floats("price"), newest.floats("size"), newest.texts("book_side")
    bids, asks = prices[sides == "bid"], prices[sides == "ask"]
    if len(bids) == 0 or len(asks) == 0:
        return f"the book of {contract.key} has an empty side"
    if asks.min() <= bids.max():
        return f"the book of {contract.key} is crossed"
    mid = (float(asks.min()) + float(bids.max())) / 2.0
    if abs(mid / price - 1.0) > settings.mid_gap:
        return f"the book of {contract.key} is {100 * abs(mid / price - 1):.1f} % from the price"
    mine = sides == ("ask" if direction == "up" else "bid")
    away = np.abs(prices[mine] / mid - 1.0)
    order = np.argsort(away)
    usd = np.cumsum((prices[mine] * sizes[mine])[order])
    return Resting(away[order], usd, at, f"the book of {contract.key}", (contract.key,))


def _bands(
    contract: Contract, now: TimeNs, direction: Direction, settings: CascadeSettings
) -> Resting | str:
    """The newest depth bands; empty text where none are stored at all."""
    table = contract.table("depth")
    if table is None or len(table) == 0:
        return ""
    at, newest = _newest(table)
    if now - at > settings.fresh_h * HOUR_NS:
        return f"the depth of {contract.key} is {(now - at) / HOUR_NS:,.1f} h old"
    percent, usd = newest.floats("percent"), newest.floats("notional_usd")
    mine = (percent > 0) if direction == "up" else (percent < 0)
    if not mine.any() or not usd[mine].any():
        return f"the depth of {contract.key} has an empty side"
    order = np.argsort(np.abs(percent[mine]))
    # a band holds all nearer ones: a sampled row that says less can't be so
    cumulative = np.maximum.accumulate(usd[mine][order])
    away = np.abs(percent[mine][order]) / 100.0
    return Resting(away, cumulative, at, f"the depth bands of {contract.key}", (contract.key,))


def _newest(table: Observations) -> tuple[TimeNs, Observations]:
    ts = table.ints("ts")
    at = int(ts[-1])
    return TimeNs(at), table.where(ts == at)


def profile_of(
    resting: Resting | str, law: Law | str, distance: FloatArray, settings: CascadeSettings
) -> Profile | str:
    """Stored orders, and past the last one the density of their outer half; else the law; or why neither.

    distance: (B,) rising from 0. The law does not take over where a book ends: it speaks of a day's
    patient trading, a book of now, and its slope there would be a wall that nobody has put up.
    """
    if isinstance(resting, Resting):
        return _from_orders(resting, distance, settings)
    if isinstance(law, str):
        return f"{resting}; {law}"
    y = settings.impact_y.centre
    latent = law.absorbed(distance, y)
    label = (
        f"square-root law, Y {y:g}, ${law.volume_usd / 1e6:,.0f} mn and {100 * law.volatility:.2f} % a day "
        f"({law.source}); {resting}"
    )
    return Profile("square_root", distance, latent, label, latent, 0.0, law.as_of, missing=resting)


def _from_orders(resting: Resting, distance: FloatArray, settings: CascadeSettings) -> Profile:
    reach, prior = float(resting.distance[-1]), settings.beyond_book
    half, whole = resting.within(np.array([reach / 2.0, reach]))
    density = prior.centre * (whole - half) / (reach / 2.0)
    latent = density * np.maximum(distance - reach, 0.0)
    passed = f" ({resting.passed})" if resting.passed else ""
    label = (
        f"{resting.source}{passed} to {100 * reach:.2f} %, beyond it as dense as in its outer half "
        f"({prior.low:g} to {prior.high:g} times): measured, then modelled"
    )
    absorb = resting.within(distance) + latent
    return Profile("book", distance, absorb, label, latent, reach, resting.as_of, resting.contracts)

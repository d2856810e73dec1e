"""The margin kernel: where equity meets maintenance, linear and inverse in one form, with the tier scan."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from airpocket.domain.errors import MarginError
from airpocket.domain.events import FloatArray
from airpocket.domain.units import PositionSide
from airpocket.margin.tiers import Schedule, SizeSlope, TierTable

ContractForm: TypeAlias = Literal["linear", "inverse"]
End: TypeAlias = Literal["root", "never", "always"]


@dataclass(frozen=True, slots=True)
class Leg:
    """One perpetual position and what backs it.

    linear: quantity in coin, collateral in the quote currency. inverse: quantity in USD of contracts,
    collateral in coin. `collateral` is the position's margin (isolated) or wallet + the other legs'
    unrealised profit − their maintenance (cross). `fee` (fraction of notional) is what the venue counts
    for the closing order on top of maintenance; 0 where it counts none.

    In notional n (linear q p in quote, inverse q/p in coin) both forms are one: equity
    E = W − d n_0 + d n with d = +1 for a linear long and an inverse short, −1 for the others.

    Raises:
        MarginError: quantity or entry is not positive, collateral is no number, fee not in [0, 1).
    """

    form: ContractForm
    side: PositionSide
    quantity: float
    entry: float
    collateral: float
    fee: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("quantity", self.quantity), ("entry price", self.entry)):
            if not (value > 0.0 and math.isfinite(value)):
                raise MarginError(f"{name} must be positive, not {value:g}")
        if not math.isfinite(self.collateral):
            raise MarginError(f"collateral must be a number, not {self.collateral:g}")
        if not 0.0 <= self.fee < 1.0:
            raise MarginError(f"fee must lie between 0 and 1, not {self.fee:g}")

    @property
    def sign(self) -> int:
        return 1 if self.side == "long" else -1

    @property
    def direction(self) -> int:
        """d: how equity moves with notional."""
        return self.sign if self.form == "linear" else -self.sign

    @property
    def constant(self) -> float:
        """W − d n_0: equity at a notional of zero."""
        return self.collateral - self.direction * self.notional(self.entry)

    def notional(self, price: float) -> float:
        """Quote (linear) or coin (inverse)."""
        return self.quantity * price if self.form == "linear" else self.quantity / price

    def price_of(self, notional: float) -> float:
        """The price at which the notional is `notional`."""
        return notional / self.quantity if self.form == "linear" else self.quantity / notional

    def equity(self, price: float) -> float:
        """Collateral plus unrealised profit, in the collateral's currency."""
        return self.constant + self.direction * self.notional(price)

    def maintenance(self, price: float, schedule: Schedule) -> float:
        """Maintenance plus the counted closing fee, in the collateral's currency."""
        notional = self.notional(price)
        if isinstance(schedule, TierTable):
            return schedule.maintenance(notional) + self.fee * notional
        size = self.quantity if self.form == "linear" else notional
        return (schedule.mmr_of(size) + self.fee) * notional


@dataclass(frozen=True, slots=True)
class Liquidation:
    """Where a leg is liquidated.

    price: quote per coin, None without a root. end: `root`; `never`: equity covers maintenance at every
    price the leg can lose to; `always`: it covers it at none. mmr: the rate in force at the root, tier
    its index (None under a size-sloped rule).
    """

    price: float | None
    end: End = "root"
    mmr: float | None = None
    tier: int | None = None


def liquidation(leg: Leg, schedule: Schedule) -> Liquidation:
    """The one price at which equity equals maintenance under the tier of that price.

    n = (W + c_k − d n_0) / (m_k + f − d) on the tier k that holds n. Above the last published cap the
    last tier's rate goes on.

    Raises:
        MarginError: a rate and the fee together reach 1.
    """
    if isinstance(schedule, SizeSlope):
        return _sloped(leg, schedule)
    return _tiered(leg, schedule.floor, schedule.mmr, schedule.deduction)


def liquidation_at_rate(leg: Leg, mmr: float, deduction: float = 0.0) -> Liquidation:
    """The same with one rate (fraction) and one deduction (collateral's currency) given directly."""
    if not 0.0 <= mmr < 1.0:
        raise MarginError(f"maintenance rate must lie between 0 and 1, not {mmr:g}")
    return _tiered(leg, np.zeros(1), np.array([mmr]), np.array([deduction]))


def bankruptcy(leg: Leg) -> Liquidation:
    """Where equity, less the counted fee, is zero: the price the venue takes the position over at."""
    return liquidation_at_rate(leg, 0.0)


def _tiered(leg: Leg, floor: FloatArray, mmr: FloatArray, deduction: FloatArray) -> Liquidation:
    """Equity minus maintenance is monotone in notional: its signs at the floors name the tier.

    d = −1: the surplus falls as notional rises, so the root is on the last tier whose floor still has
    one. d = +1: it rises, so the root is on the last tier whose floor has none.
    """
    direction = leg.direction
    if float(mmr[-1]) + leg.fee >= 1.0:
        raise MarginError(
            f"maintenance rate {mmr[-1]:g} and fee {leg.fee:g} together reach 1: no leverage is left"
        )
    surplus = leg.constant + direction * floor - ((mmr + leg.fee) * floor - deduction)
    if direction == 1 and surplus[0] >= 0.0:
        return Liquidation(None, "never")
    if direction == -1 and surplus[0] <= 0.0:
        return Liquidation(None, "always")
    left = surplus < 0.0 if direction == 1 else surplus > 0.0
    tier = int(np.count_nonzero(left)) - 1
    rate, cut = float(mmr[tier]), float(deduction[tier])
    notional = (leg.constant + cut) / (rate + leg.fee - direction)
    return Liquidation(leg.price_of(notional), "root", rate, tier)


def _sloped(leg: Leg, rule: SizeSlope) -> Liquidation:
    """Linear: the size is fixed, so the rate is. Inverse: slope n² + (base + f − d) n = W − d n_0."""
    if leg.form == "linear":
        found = liquidation_at_rate(leg, rule.mmr_of(leg.quantity))
        return Liquidation(found.price, found.end, found.mmr)
    if rule.mm_base + leg.fee >= 1.0:
        raise MarginError(f"maintenance rate {rule.mm_base:g} and fee {leg.fee:g} together reach 1")
    linear = rule.mm_base + leg.fee - leg.direction
    constant = leg.constant
    if leg.direction == 1 and constant >= 0.0:
        return Liquidation(None, "never")
    if leg.direction == -1 and constant <= 0.0:
        return Liquidation(None, "always")
    inside = linear**2 + 4.0 * rule.slope * constant
    if inside < 0.0:  # a short so large that its own rate passes 1 before it gains
        return Liquidation(None, "always")
    notional = 2.0 * constant / (linear + math.copysign(math.sqrt(inside), linear))
    return Liquidation(leg.price_of(notional), "root", rule.mmr_of(notional))


def maintenance_over(leg: Leg, price: FloatArray | float, schedule: Schedule) -> FloatArray:
    """`Leg.maintenance` at many prices, shape kept; above the last published cap the last tier's rate goes on."""
    at = np.asarray(price, dtype=np.float64)
    notional = leg.quantity * at if leg.form == "linear" else leg.quantity / at
    if isinstance(schedule, TierTable):
        tier = np.maximum(np.searchsorted(schedule.floor, notional, side="left") - 1, 0)
        return (schedule.mmr[tier] + leg.fee) * notional - schedule.deduction[tier]
    size = leg.quantity if leg.form == "linear" else notional
    return (schedule.mm_base + schedule.slope * size + leg.fee) * notional


def round_to_tick(price: float, tick: float, side: PositionSide) -> float:
    """To the venue's tick, against the holder: a long's price up, a short's down."""
    if not tick > 0.0:
        raise MarginError(f"price tick must be positive, not {tick:g}")
    steps = price / tick
    nearest = round(steps)
    if math.isclose(steps, nearest, rel_tol=1e-12, abs_tol=1e-9):
        return nearest * tick  # already on the grid, but for the last digit
    return (math.ceil(steps) if side == "long" else math.floor(steps)) * tick


def initial_margin(leg: Leg, leverage: float) -> float:
    """Entry notional over leverage, in the collateral's currency: quote (linear), coin (inverse)."""
    if not (leverage > 0.0 and math.isfinite(leverage)):
        raise MarginError(f"leverage must be positive, not {leverage:g}")
    return leg.notional(leg.entry) / leverage

"""How a position stands: equity, maintenance, buffer, liquidation and bankruptcy price under its venue's rules."""

import math
from dataclasses import dataclass

from airpocket.domain.errors import MarginError
from airpocket.domain.positions import Position
from airpocket.margin.kernel import Leg, Liquidation, bankruptcy, liquidation
from airpocket.margin.legacy import entry_value_liquidation
from airpocket.margin.rules import VenueRules
from airpocket.margin.tiers import Schedule, TierTable


@dataclass(frozen=True, slots=True)
class Reserve:
    """What a position has and must keep at one price, USD.

    maintenance_usd includes the closing fee where the venue counts it. buffer_multiple: equity over
    maintenance; at 1 or below the venue may liquidate.
    """

    price: float
    equity_usd: float
    maintenance_usd: float

    @property
    def buffer_multiple(self) -> float:
        return self.equity_usd / self.maintenance_usd if self.maintenance_usd else math.inf

    @property
    def liquidatable(self) -> bool:
        return self.equity_usd <= self.maintenance_usd


@dataclass(frozen=True, slots=True)
class Standing:
    """A position at a mark price.

    liquidation_price: None when equity covers maintenance at every price, or (already_liquidatable) at
    none. liquidation_distance_percent: the way to it in % of the mark, positive while there is room.
    effective_leverage: notional over equity, None without equity. mmr fractions: the rate of the tier at
    the mark and at liquidation. venue_max_leverage: what the venue grants at this size, None where not
    published. schedule_as_of: the date (ns) of the maintenance schedule used.
    """

    mark: float
    notional_usd: float
    unrealised_usd: float
    equity_usd: float
    maintenance_usd: float
    buffer_multiple: float
    liquidation_price: float | None
    bankruptcy_price: float | None
    liquidation_distance_percent: float | None
    effective_leverage: float | None
    mmr_fraction: float
    mmr_at_liquidation: float | None
    venue_max_leverage: float | None
    already_liquidatable: bool
    schedule_as_of: int
    schedule_source: str


def standing(
    position: Position, mark: float, tiers: Schedule | None, rules: VenueRules | None
) -> Standing:
    """How a position stands at `mark` (quote per coin), taken alone.

    What `position.wallet_usd` means: isolated, the margin assigned to the position (entry notional over
    leverage where it is not given); cross, the wallet balance behind it without unrealised profit, as if
    no other position used it. Inverse contracts hold coin: there it is the coin's value at `mark`, and
    the position is size_coin × entry_price USD of contracts.

    Raises:
        MarginError: no rules or tiers, a size above the last cap, more leverage than the tier allows,
            collateral missing or not positive, portfolio margin; the message names field and value.
    """
    leg, schedule, known = _prepared(position, mark, tiers, rules)
    now = _reserve(leg, mark, schedule, known, position)
    found = _liquidation(leg, schedule, known, position)
    distance = None if found.price is None else -leg.sign * (found.price / mark - 1.0) * 100.0
    usd = _usd_per_unit(leg, mark)
    notional = leg.notional(mark) * usd
    size = leg.quantity if leg.form == "linear" else leg.notional(mark)
    return Standing(
        mark=mark,
        notional_usd=notional,
        unrealised_usd=(leg.equity(mark) - leg.collateral) * usd,
        equity_usd=now.equity_usd,
        maintenance_usd=now.maintenance_usd,
        buffer_multiple=now.buffer_multiple,
        liquidation_price=found.price,
        bankruptcy_price=bankruptcy(leg).price,
        liquidation_distance_percent=distance,
        effective_leverage=notional / now.equity_usd if now.equity_usd > 0.0 else None,
        mmr_fraction=_rate(schedule, leg.notional(mark), size),
        mmr_at_liquidation=found.mmr,
        venue_max_leverage=_venue_leverage(schedule, leg.notional(mark), size),
        already_liquidatable=now.liquidatable,
        schedule_as_of=schedule.as_of,
        schedule_source=schedule.source,
    )


def leg_of(position: Position, mark: float, rules: VenueRules) -> Leg:
    """The position as the kernel takes it, in the contract's own currencies; see `standing`."""
    coin, entry = position.size_coin, position.entry_price
    inverse = rules.form == "inverse"
    wallet = position.wallet_usd
    if wallet is not None:
        collateral = _positive("wallet_usd", wallet) / (mark if inverse else 1.0)
    elif position.margin_mode != "isolated":
        raise MarginError(
            f"wallet_usd is missing: a {position.margin_mode} position is backed by its wallet"
        )
    elif position.leverage_x is None:
        raise MarginError("leverage_x is missing: an isolated position needs it, or wallet_usd")
    else:
        leverage = _positive("leverage_x", position.leverage_x)
        collateral = coin * (1.0 if inverse else entry) / leverage
    quantity = coin * entry if inverse else coin
    return Leg(rules.form, position.side, quantity, entry, collateral, rules.liquidation_fee)


def _prepared(
    position: Position, mark: float, tiers: Schedule | None, rules: VenueRules | None
) -> tuple[Leg, Schedule, VenueRules]:
    name = f"{position.venue} {position.symbol}"
    if position.margin_mode == "portfolio":
        raise MarginError("margin_mode 'portfolio' is not supported; isolated and cross are")
    if rules is None:
        raise MarginError(f"no margin rules are known for {name}")
    if tiers is None:
        raise MarginError(f"no maintenance tiers are known for {name} at this time")
    _positive("mark", mark)
    leg = leg_of(position, mark, rules)
    check_size(position, leg, tiers, mark)
    return leg, tiers, rules


def check_size(position: Position, leg: Leg, tiers: Schedule, mark: float) -> None:
    """Refuse what the venue's schedule does not speak of.

    Raises:
        MarginError: the notional is above the top tier, or the leverage above what the venue grants.
    """
    name, notional = f"{position.venue} {position.symbol}", leg.notional(leg.entry)
    for price in (leg.entry, mark):
        at = leg.notional(price)
        if isinstance(tiers, TierTable) and at > tiers.top_cap:
            raise MarginError(
                f"size_coin {position.size_coin:g}: {at:,.6g} {tiers.currency} at {price:g} is above the "
                f"largest tier of {name}, {tiers.top_cap:,.6g}"
            )
    size = leg.quantity if leg.form == "linear" else notional
    most, asked = _venue_leverage(tiers, notional, size), position.leverage_x
    if (
        most is not None
        and asked is not None
        and _positive("leverage_x", asked) > most * (1.0 + 1e-9)
    ):
        raise MarginError(
            f"leverage_x {asked:g} is above the {most:g} that {name} grants at this size "
            f"(tiers of {tiers.day})"
        )


def _reserve(
    leg: Leg, price: float, schedule: Schedule, rules: VenueRules, position: Position
) -> Reserve:
    usd = _usd_per_unit(leg, price)
    if _on_entry(rules, position):
        maintenance = leg.maintenance(leg.entry, schedule)
    else:
        maintenance = leg.maintenance(price, schedule)
    return Reserve(price, leg.equity(price) * usd, maintenance * usd)


def _liquidation(
    leg: Leg, schedule: Schedule, rules: VenueRules, position: Position
) -> Liquidation:
    if _on_entry(rules, position) and isinstance(schedule, TierTable):
        mmr, deduction = schedule.rate_at(leg.notional(leg.entry))
        return entry_value_liquidation(leg, mmr, deduction)
    return liquidation(leg, schedule)


def _on_entry(rules: VenueRules, position: Position) -> bool:
    return rules.maintenance_on == "entry" and position.margin_mode == "isolated"


def _usd_per_unit(leg: Leg, price: float) -> float:
    """USD per unit of the collateral's currency: stablecoins count as dollars, coin at `price`."""
    return 1.0 if leg.form == "linear" else price


def _rate(schedule: Schedule, notional: float, size: float) -> float:
    if isinstance(schedule, TierTable):
        return schedule.rate_at(notional)[0]
    return schedule.mmr_of(size)


def _venue_leverage(schedule: Schedule, notional: float, size: float) -> float | None:
    if isinstance(schedule, TierTable):
        return schedule.max_leverage_at(notional)
    return 1.0 / schedule.imr_of(size)


def _positive(name: str, value: float) -> float:
    if not (value > 0.0 and math.isfinite(value)):
        raise MarginError(f"{name} must be positive, not {value:g}")
    return value

"""Where public accounts and loans are liquidated: each position's own price, at the marks of now."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from airpocket.domain.accounts import AccountState, Holding, LoanState
from airpocket.domain.units import PositionSide, TimeNs
from airpocket.margin.bundled import hyperliquid_mmr, schedules_of
from airpocket.margin.kernel import Leg, liquidation
from airpocket.margin.tiers import Schedule, TierTable, table_from

# venue, symbol, moment (ns), largest leverage told → its maintenance schedule; None: not known
ScheduleOf: TypeAlias = Callable[[str, str, int, float | None], Schedule | None]

REPRODUCED = 1e-3  # of the price: nearer than this, the venue's own figure is what the kernel gives


def schedule_in_force(
    venue: str, symbol: str, at: int, max_leverage_x: float | None
) -> Schedule | None:
    """The bundled schedule in force, unless the venue now tells another largest leverage: then one flat tier.

    Hyperliquid's maintenance is half the initial margin at the largest leverage (its documentation).
    """
    found = schedules_of(venue, symbol, TimeNs(at))
    if found and not _outdated(found[-1], max_leverage_x):
        return found[-1]
    if max_leverage_x is None or max_leverage_x < 1.0:
        return None
    rows = {"floor": (0.0,), "mmr": (hyperliquid_mmr(max_leverage_x),)}
    return table_from(
        venue, symbol, TimeNs(at), f"told: {max_leverage_x:g}x", rows, currency="USDC"
    )


def _outdated(schedule: Schedule, max_leverage_x: float | None) -> bool:
    if max_leverage_x is None or not isinstance(schedule, TierTable):
        return False
    first = float(schedule.max_leverage[0])
    return not math.isnan(first) and abs(first - max_leverage_x) > 0.5


def liquidation_of(
    state: AccountState, holding: Holding, marks: Mapping[str, float], schedule_of: ScheduleOf
) -> float | None:
    """Quote per coin at which equity meets maintenance, other cross legs at `marks`; None: at no price.

    Isolated: cash and the position alone. Cross: the account's cash, all cross legs valued at `marks` and their
    maintenance kept aside (the kernel's collateral for one leg of a cross account).

    Raises:
        LookupError: the maintenance of a leg is not known; names it.
    """
    collateral = holding.cash_usd
    if holding.backing == "cross":
        for other in state.holdings:
            if other is not holding and other.backing == "cross":
                price = marks.get(other.symbol, other.mark)
                kept = _schedule(state, other, schedule_of)
                collateral += other.size_coin * price
                collateral -= _leg(other, price, 0.0).maintenance(price, kept)
    entry = holding.mark  # cash has the entry value taken off: any entry will do
    leg = _leg(holding, entry, collateral + holding.size_coin * entry)
    return liquidation(leg, _schedule(state, holding, schedule_of)).price


def maintenance_at(
    state: AccountState, holding: Holding, price: float, schedule_of: ScheduleOf
) -> float:
    """Maintenance margin of a position at a mark, USD.

    Raises:
        LookupError: the maintenance of its contract is not known; names it.
    """
    return _leg(holding, price, 0.0).maintenance(price, _schedule(state, holding, schedule_of))


def _leg(holding: Holding, entry: float, collateral: float) -> Leg:
    return Leg("linear", holding.side, abs(holding.size_coin), entry, collateral)


def _schedule(state: AccountState, holding: Holding, schedule_of: ScheduleOf) -> Schedule:
    found = schedule_of(state.venue, holding.symbol, state.ts, holding.max_leverage_x)
    if found is None:
        raise LookupError(f"maintenance of {state.venue} {holding.symbol}")
    return found


def newest_marks(states: Sequence[AccountState]) -> dict[str, float]:
    """Each contract's mark as told last among all accounts, quote per coin."""
    found: dict[str, tuple[int, float]] = {}
    for state in states:
        for each in state.holdings:
            if each.symbol not in found or found[each.symbol][0] < state.ts:
                found[each.symbol] = (state.ts, each.mark)
    return {symbol: mark for symbol, (_, mark) in found.items()}


def price_now(
    state: AccountState, holding: Holding, marks: Mapping[str, float], schedule_of: ScheduleOf
) -> tuple[float | None, bool]:
    """A position's liquidation price at the marks of now, and whether it is only the price told.

    The kernel is trusted where, at the marks of the telling, it gives what the venue told; elsewhere the
    account is on terms that are not known here (portfolio margin, other tiers), and what was told stands. A
    price that the venue does not give is never made up.
    """
    told = holding.liquidation_price
    try:
        then = liquidation_of(state, holding, {}, schedule_of)
    except LookupError:
        return told, True
    if not _same(then, told):
        return told, True
    alone = holding.backing == "isolated" or len(state.holdings) == 1
    return (told if alone else liquidation_of(state, holding, marks, schedule_of)), False


def _same(computed: float | None, told: float | None) -> bool:
    if computed is None or told is None:
        return computed is told
    return abs(computed - told) <= REPRODUCED * told


def loan_liquidation(loan: LoanState) -> tuple[PositionSide, float, float | None]:
    """Side, coin that is traded by force, and the asset's price at which the loan may be liquidated.

    Healthy while (collateral × threshold − debt) × price + other collateral − other debt ≥ 0. A loan against
    the asset falls with it: a long; one of the asset against something else: a short. None: at no price.
    """
    slope = loan.collateral_coin * loan.threshold - loan.debt_coin
    rest = loan.other_collateral_usd - loan.other_debt_usd
    side: PositionSide = "long" if slope > 0.0 else "short"
    coin = loan.close_share * (loan.collateral_coin if side == "long" else loan.debt_coin)
    price = -rest / slope if slope != 0.0 else 0.0
    return side, coin, price if price > 0.0 else None

"""What the plays say to either side without knowing anyone's position: the plan of a stated model position."""

from dataclasses import replace
from math import floor, log10

from airpocket.domain.errors import BadInput, NothingKnown
from airpocket.domain.positions import Position
from airpocket.domain.units import PositionSide
from airpocket.playbook.plan import plan_for
from airpocket.playbook.records import Plan
from airpocket.playbook.settings import PlanSettings
from airpocket.playbook.situation import Situation

MODEL_NOTIONAL_USD = 100_000.0  # also the portfolio that risk budgets are taken of
MODEL_LEVERAGE_X = 5.0


def model_position(side: PositionSide, situation: Situation) -> Position:
    """A position of about 100,000 USD in the reference contract, opened now, isolated at 5 times.

    Raises:
        NothingKnown: there is no fresh price.
    """
    last = situation.signals.last
    if last.value is None:
        raise NothingKnown(last.unknown or "no price")
    contract = situation.market.reference.instrument
    return Position(
        venue=contract.venue, symbol=contract.symbol, side=side,
        size_coin=rounded(MODEL_NOTIONAL_USD / last.value), entry_price=last.value,
        opened_at=situation.now, margin_mode="isolated", leverage_x=MODEL_LEVERAGE_X,
    )  # fmt: skip


def stance(
    side: PositionSide, situation: Situation, settings: PlanSettings | None = None
) -> Plan | str:
    """The model position's plan, or why there is none."""
    if not situation.market.reference.instrument.is_perp:
        return "no perpetual with a fresh price to take the rules of"
    try:
        model = model_position(side, situation)
        return plan_for(model, replace(situation, portfolio_usd=MODEL_NOTIONAL_USD), settings)
    except (NothingKnown, BadInput) as error:
        return str(error)


def rounded(size: float) -> float:
    """The nearest of 1, 2, 5, 10, 20, 50 … below."""
    power = 10.0 ** floor(log10(size))
    return power * max(step for step in (1.0, 2.0, 5.0) if step * power <= size * (1.0 + 1e-12))

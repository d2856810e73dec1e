"""Where a drill begins, and what is held then."""

from airpocket.domain.errors import BadInput
from airpocket.domain.units import PositionSide
from airpocket.drill.market import LabMarket
from airpocket.drill.play import Ticket
from airpocket.lab.runs.worldfile import World

_LEAD_H = 0.5  # before the first turn of the scenario


def begin_h(world: World) -> float:
    """Hour of the world: half an hour before its first turn."""
    turns = [phase.from_h for phase in world.phase if phase.from_h > 0.0]
    return max(0.0, turns[0] - _LEAD_H) if turns else 0.0


def ticket_for(market: LabMarket, side: PositionSide, size: float, leverage: float) -> Ticket:
    """A position of `size` coin, entered at the market, with its notional over `leverage` behind it, isolated.

    Raises:
        BadInput: a size or leverage that can't be had there.
    """
    most = market.world.venue[market.book].max_leverage_x
    if not 0.0 < size < 1e9:
        raise BadInput(f"--size must be above 0, not {size:g}")
    if not 1.0 <= leverage <= most:
        raise BadInput(
            f"--leverage must lie between 1 and {most:g} on {market.venue}, not {leverage:g}"
        )
    return Ticket(side, size, size * market.mark() / leverage)

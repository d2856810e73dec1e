"""How each step is sent and until when it stands: plans are data that an executor runs as they are."""

from msgspec import structs

from airpocket.domain.units import HOUR_NS
from airpocket.playbook.records import OrderType, Play, Step

# steps by the start of their id; what trades nothing is not here
_SENT: tuple[tuple[str, OrderType], ...] = (
    ("first_extension", "stop_market"), ("hard_stop", "stop_market"), ("stop", "stop_market"),
    ("trail", "stop_market"), ("momentum", "market_on_close"), ("price_invalidation", "market_on_close"),
    ("confirmation", "market_on_close"), ("re_entry", "market_on_close"), ("bid_", "limit"), ("target_", "limit"),
    ("funding_reset", "limit"), ("spot_premium_widens", "oco"), ("trend_acceleration", "market"),
    ("funding_spike", "market"), ("trim", "market"), ("volatility_exit", "market"),
    ("funding_discipline", "market"), ("before_event", "market"), ("close_now", "market"),
)  # fmt: skip
# what protects the position stands until it is closed; everything else ages with its levels
_STANDING = ("hard_stop", "stop", "trail", "close_now")


def sent(plays: list[Play], now: int, valid_h: float) -> list[Play]:
    """The same plays with order types and the time at which steps lapse, `valid_h` hours from `now` (ns)."""
    return [
        structs.replace(play, steps=[_sent(step, now, valid_h) for step in play.steps])
        for play in plays
    ]


def _sent(step: Step, now: int, valid_h: float) -> Step:
    order = next((kind for start, kind in _SENT if step.id.startswith(start)), "none")
    if step.size_coin is None or order == "none":
        return step
    stands = step.id.startswith(_STANDING)
    lapses = None if stands else now + int(valid_h * HOUR_NS)
    return structs.replace(step, order=order, expires_at=lapses)

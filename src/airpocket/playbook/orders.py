"""How each step is sent and until when it stands: plans are data that an executor runs as they are."""

from msgspec import structs

from airpocket.domain.units import HOUR_NS
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import OrderType, Play, Step

# steps by the start of their id; what trades nothing is not here
_SENT: tuple[tuple[str, OrderType], ...] = (
    ("first_extension", "stop_market"), ("hard_stop", "stop_market"), ("stop", "stop_market"),
    ("trail", "stop_market"), ("momentum", "market_on_close"), ("price_invalidation", "market_on_close"),
    ("confirmation", "market_on_close"), ("re_entry", "market_on_close"), ("bid_", "limit"), ("target_", "limit"),
    ("funding_reset", "limit"), ("spot_premium_widens", "oco"), ("trend_acceleration", "market"),
    ("funding_spike", "market"), ("trim", "market"), ("volatility_exit", "market"),
    ("funding_discipline", "market"), ("before_event", "market"), ("close_now", "market"), ("hedge_", "limit"),
)  # fmt: skip
# what protects the position stands until it is closed; everything else ages with its levels
_STANDING = ("hard_stop", "stop", "trail", "close_now")
_OPENS = ("bid_", "confirmation", "funding_reset", "re_entry")
_REST = ("hard_stop", "stop", "trail", "price_invalidation", "spot_premium_widens", "close_now")


def sent(plays: list[Play], ground: Ground) -> list[Play]:
    """The same plays with order type, side, and the time at which steps lapse with their levels or quotes."""
    return [
        structs.replace(play, steps=[_sent(step, ground) for step in play.steps]) for play in plays
    ]


def _sent(step: Step, ground: Ground) -> Step:
    order = next((kind for start, kind in _SENT if step.id.startswith(start)), "none")
    if order == "none" or (step.size_coin is None and not step.legs):
        return step
    now, s = ground.situation.now, ground.settings
    if step.size_coin is None:  # options alone
        lapses = now + int(s.quotes_h * HOUR_NS)
        return structs.replace(step, order=order, expires_at=lapses)
    lapses = None if step.id.startswith(_STANDING) else now + int(s.valid_h * HOUR_NS)
    opens = step.id.startswith(_OPENS)
    return structs.replace(
        step, order=order, expires_at=lapses, side="buy" if ground.is_short != opens else "sell",
        reduce_only=not opens, rest=step.id.startswith(_REST),
    )  # fmt: skip

"""Where a stop belongs: structure first, then multiples of ATR, never past the margin (M30, M45)."""

from dataclasses import dataclass

from airpocket.domain.catalysts import ahead
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.levels.words import price_text
from airpocket.playbook.ground import Ground
from airpocket.playbook.structure import Shelf, Structure

_EVENT_BUFFER_D = 3


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop price (quote per coin) with what it rests on; None: nothing to rest one on, says `because`.

    clipped: the rule asked for more room than the margin has.
    """

    price: float | None
    basis: str
    because: list[str]
    clipped: bool = False


def structural(structure: Structure, ground: Ground) -> tuple[float, Shelf] | None:
    """Just beyond the nearest zone that is out of the noise: its far edge and a quarter of a 4 h ATR."""
    span = structure.atr_4h.value
    if span is None:
        return None
    s = ground.settings
    for shelf in structure.against:
        price = structure.beyond(shelf.far, s.pad_atr * span)
        if structure.away(price) >= s.noise_atr * span:
            return price, shelf
    return None


def atr_multiple(ground: Ground) -> tuple[float, list[str]]:
    """Wider before a known event and while open interest swells with funding, tighter when momentum stalls."""
    s, signals = ground.settings, ground.situation.signals
    multiple, because = s.stop_atr, [f"{s.stop_atr:g} × ATR 14 of daily bars is the rule"]
    events = ahead(ground.situation.catalysts or (), ground.situation.now, _EVENT_BUFFER_D * DAY_NS)
    if any(event.confidence != "rumoured" for event in events):
        multiple += s.stop_atr_step
        because.append(f"wider: {events[0].name} is within {_EVENT_BUFFER_D} days")
    interest = signals.tells.get("interest_change_4h")
    funding = signals.tells.get("funding_8h")
    if interest is not None and funding is not None:
        swelling = interest.estimate.above(1.0) and funding.estimate.above(s.neutral_funding_8h)
        if swelling:
            multiple += s.stop_atr_step
            because.append("wider: open interest swells with positive funding")
    if ground.cover:
        multiple += s.stop_atr_step
        because.append(f"wider: {ground.hedged} pays beyond it")
    if _stalls(ground):
        multiple -= s.stop_atr_step
        because.append("tighter: momentum stalls just before the next zone that would pay")
    low, high = s.stop_atr_range
    return min(max(multiple, low), high), because


def _stalls(ground: Ground) -> bool:
    """Price within one 4 h ATR of the next zone that pays, and the 4 h RSI back in its middle."""
    strength = ground.situation.roadmap.averages["rsi_14_4h"].value
    span = ground.structure.atr_4h.value
    if strength is None or span is None or not ground.structure.along:
        return False
    return abs(ground.structure.along[0].near - ground.price) <= span and 45.0 <= strength <= 60.0


def volatility_stop(ground: Ground) -> Stop:
    """The ATR stop from the mark, cut to what the margin allows."""
    span = ground.structure.atr_day.value
    if span is None:
        return Stop(None, "", [ground.structure.atr_day.unknown or "no daily ATR"])
    multiple, because = atr_multiple(ground)
    price = ground.structure.beyond(ground.price, multiple * span)
    return clipped(ground, Stop(price, f"{multiple:g} × ATR 14 (daily)", because))


def best_stop(ground: Ground) -> Stop:
    """Structure first, if it lies within the widest ATR stop; else the ATR stop; never past the margin."""
    structure, widest = ground.structure, ground.settings.stop_atr_range[1]
    found, day = structural(structure, ground), structure.atr_day.value
    if found is None:
        return volatility_stop(ground)
    price, shelf = found
    if day is not None and structure.away(price) > widest * day:
        far = (
            f"structure ({shelf.words}) is over {widest:g} daily ATRs away, so the ATR rule decides"
        )
        stop = volatility_stop(ground)
        return Stop(stop.price, stop.basis, [far, *stop.because], stop.clipped)
    side = "above" if ground.is_short else "below"
    pad = f"{ground.settings.pad_atr:g} × ATR 14 (4 h) {side} {shelf.words}"
    return clipped(ground, Stop(price, "structure", [pad]))


def clipped(ground: Ground, stop: Stop) -> Stop:
    """The stop, moved in to `margin_share` of the way to liquidation where it lay further out."""
    limit = ground.margin_limit
    if (
        limit is None
        or stop.price is None
        or ground.structure.nearer(stop.price, limit) == stop.price
    ):
        return stop
    share = f"{100 * ground.settings.margin_share:.0f} %"
    told = (
        f"{price_text(stop.price)} would be right by {stop.basis}, but liquidation comes at "
        f"{price_text(ground.liquidation or 0.0)}: the stop is pulled in to {share} of the way there"
    )
    return Stop(limit, f"{stop.basis}, cut by margin", [told, *stop.because], clipped=True)


def trail(ground: Ground, multiple: float) -> float | None:
    """`multiple` daily ATRs behind the best close since the position was opened; None without bars."""
    span = ground.structure.atr_day.value
    hours = ground.situation.market.reference.hours
    since = hours.since(ground.position.opened_at - ground.position.opened_at % HOUR_NS)
    if span is None:
        return None
    closes = [*since.close.tolist(), ground.price]
    best = min(closes) if ground.is_short else max(closes)
    return ground.structure.beyond(best, multiple * span)

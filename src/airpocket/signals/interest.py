"""Who is opening and who is covering: price and open interest in coin, together (M2, M9)."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import COIN, PERCENT, RATIO, SD, Estimate, known, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.tells import Reading, Tell, context
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS
from airpocket.market.carry import InterestHistory, interest_of
from airpocket.market.health import unwell
from airpocket.market.state import Contract, Market
from airpocket.signals.windows import log_changes, score, value_at, values_at

_TOLERANCE_NS = HOUR_NS // 2


@dataclass(frozen=True, slots=True)
class InterestSettings:
    """Windows of the price-and-OI quadrant; a quadrant needs both moves beyond `noise_sd`."""

    windows_h: tuple[int, ...] = (4, 24)
    score_days: int = 30
    least_days: int = 20
    noise_sd: float = 0.5
    stale_h: int = 3


@dataclass(frozen=True, slots=True)
class Quadrant:
    """Price and OI change over one window at one venue, raw (%) and in standard deviations."""

    window_h: int
    price_percent: Estimate
    interest_percent: Estimate
    price_sd: Estimate
    interest_sd: Estimate


_NAMES = {
    (True, False): ("covering", "price up while positions close: shorts are buying back"),
    (True, True): ("new longs", "price up while positions open: new risk is being taken"),
    (False, True): ("new shorts", "price down while positions open: new shorts are pressing"),
    (False, False): ("long unwinding", "price down while positions close: longs are leaving"),
}
_CLOSING = ("covering", "long unwinding")


def venue_interests(market: Market) -> list[InterestHistory]:
    """Open interest in coin of every perpetual that has it."""
    reference = market.reference
    found = (interest_of(contract, reference) for contract in market.perps)
    return [history for history in found if history is not None]


def lead_interest(venues: list[InterestHistory], now: int, stale_h: int) -> InterestHistory | None:
    """The fresh history that covers the most of the last month; None if none is fresh."""
    fresh = [v for v in venues if now - int(v.known_at[-1]) <= stale_h * HOUR_NS]
    return max(fresh, key=lambda v: int((v.known_at >= now - 30 * DAY_NS).sum()), default=None)


def level(history: InterestHistory | None, now: int, settings: InterestSettings) -> Estimate:
    """Open interest in coin, one venue."""
    if history is None:
        return unknown(COIN, "no open interest fresh enough")
    at = int(history.known_at[-1])
    if now - at > settings.stale_h * HOUR_NS:
        hours = (now - at) / HOUR_NS
        return unknown(COIN, f"open interest of {history.source} is {hours:,.0f} h old")
    return known(
        float(history.coin[-1]), COIN, as_of=at, now=now, source=history.source,
        provenance=history.provenance,
    )  # fmt: skip


def live_level(
    history: InterestHistory | None, market: Market, settings: InterestSettings
) -> Estimate:
    """Open interest in coin; unknown where the recorder says that the channel is not alive."""
    contract = _contract_of(history, market)
    ill = {} if contract is None else unwell(contract, "open_interest")
    if history is None or not ill:
        return level(history, market.now, settings)
    age_s = (market.now - int(history.known_at[-1])) / SECOND_NS
    reason = f"open interest of {history.source}, {age_s:,.0f} s old, is {ill['open_interest']}"
    return unknown(COIN, reason)


def closing_doubt(history: InterestHistory | None, market: Market) -> str:
    """Why it can't be told who closes positions, though fewer are held; '' where nothing speaks against it."""
    contract = _contract_of(history, market)
    ill = {} if contract is None else unwell(contract, "liquidations")
    return (
        f"the liquidation channel of {contract.key} is {ill['liquidations']}"
        if contract and ill
        else ""
    )


def _contract_of(history: InterestHistory | None, market: Market) -> Contract | None:
    """Whose open interest a history is: its source begins with the contract's key."""
    if history is None:
        return None
    key = history.source.split(" ", maxsplit=1)[0]
    return next((contract for contract in market.perps if contract.key == key), None)


def quadrant(
    history: InterestHistory | None, market: Market, window_h: int, settings: InterestSettings
) -> Quadrant:
    """Changes over `window_h` of OI and of the reference price between the same two moments."""
    now = market.now
    present = live_level(history, market, settings)
    if history is None or present.value is None:
        missing = present.unknown or ""
        return Quadrant(
            window_h, unknown(PERCENT, missing), unknown(PERCENT, missing), unknown(SD, missing),
            unknown(SD, missing),
        )  # fmt: skip
    recent = history.known_at >= now - (settings.score_days + 2) * DAY_NS
    times, coin = history.known_at[recent], history.coin[recent]
    hours = market.reference.hours
    price = values_at(hours.end, hours.close, times, _TOLERANCE_NS)
    over = window_h * HOUR_NS
    interest = log_changes(times, coin, over, _TOLERANCE_NS)
    moves = log_changes(times, price, over, _TOLERANCE_NS)
    source = f"{history.source}; price {market.reference.key}"

    def stated(series: FloatArray, unit: str) -> Estimate:
        value = _percent(series) if unit == PERCENT else _scored(series, settings)
        if not np.isfinite(value):
            what = (
                "the value then is missing" if unit == PERCENT else "too little history to score by"
            )
            return unknown(unit, f"{window_h} h change: {what} ({source})")
        return known(
            value, unit, as_of=int(times[-1]), now=now, source=source, provenance=history.provenance
        )

    return Quadrant(
        window_h, stated(moves, PERCENT), stated(interest, PERCENT), stated(moves, SD),
        stated(interest, SD),
    )  # fmt: skip


def _percent(log_change: FloatArray) -> float:
    return 100.0 * float(np.expm1(log_change[-1]))


def _scored(log_change: FloatArray, settings: InterestSettings) -> float:
    return score(log_change[:-1], float(log_change[-1]), settings.least_days * 24)


def named(quadrant: Quadrant, settings: InterestSettings) -> tuple[str, str]:
    """The quadrant's name and what it means; 'no clear move' inside the noise."""
    price, interest = quadrant.price_sd.value, quadrant.interest_sd.value
    if price is None or interest is None:
        return "unknown", quadrant.interest_sd.unknown or quadrant.price_sd.unknown or ""
    if min(abs(price), abs(interest)) < settings.noise_sd:
        return "no clear move", f"price {price:+.1f} sd, open interest {interest:+.1f} sd"
    return _NAMES[price > 0, interest > 0]


def reading(history: InterestHistory | None, market: Market, settings: InterestSettings) -> Reading:
    """M2 at the leading venue: the quadrant over each window, and how strong it is."""
    tells: list[Tell] = [
        context("interest", "open interest", live_level(history, market, settings))
    ]
    doubt = closing_doubt(history, market)
    states: list[str] = []
    because: list[str] = []
    for window_h in settings.windows_h:
        found = quadrant(history, market, window_h, settings)
        name, meaning = named(found, settings)
        if doubt and name in _CLOSING:  # whether they leave or are forced out can't be told
            name, meaning = "unknown", f"{name} can't be told: {doubt}"
        states.append(name)
        because.append(f"{window_h} h: {name} – {meaning}")
        tells += quadrant_tells(found)
    return Reading(
        id="interest", title="Open interest and price", state=states[0], because=because,
        tells=tells, refs=["M2"],
    )  # fmt: skip


def quadrant_tells(found: Quadrant) -> list[Tell]:
    """The four figures behind a quadrant, and its strength."""
    h = found.window_h
    return [
        context(f"price_change_{h}h", f"price, {h} h", found.price_percent),
        context(f"interest_change_{h}h", f"open interest in coin, {h} h", found.interest_percent),
        context(f"price_sd_{h}h", f"price, {h} h, scored", found.price_sd),
        context(f"interest_sd_{h}h", f"open interest, {h} h, scored", found.interest_sd),
        context(f"quadrant_strength_{h}h", f"strength of the quadrant, {h} h", strength(found)),
    ]


def strength(found: Quadrant) -> Estimate:
    """Length of the (price, OI) vector in standard deviations: √(z_p² + z_oi²)."""
    price, interest = found.price_sd, found.interest_sd
    if price.value is None or interest.value is None or interest.as_of is None:
        return unknown(SD, interest.unknown or price.unknown or "")
    return Estimate(
        unit=SD, value=float(np.hypot(price.value, interest.value)), as_of=interest.as_of,
        age_s=interest.age_s, provenance=interest.provenance, source=interest.source,
    )  # fmt: skip


def turnover(
    market: Market, history: InterestHistory | None, settings: InterestSettings
) -> Reading:
    """M9: open interest held against a day of spot trading, and the spot share of volume."""
    now = market.now
    interest = live_level(history, market, settings)
    spot, perp = spot_and_perp_volume(market)
    tells = [
        context("oi_to_spot", "open interest / 24 h spot volume", _ratio(interest, spot, now)),
        context("spot_share", "spot share of 24 h volume", _share(spot, perp, now)),
    ]
    ratio = tells[0].estimate
    if ratio.value is None:
        state, because = "unknown", [ratio.unknown or ""]
    elif ratio.value >= 1.0:
        state = "amplifying"
        because = [
            "more is held on leverage than trades spot in a day: breaks and whipsaws run further"
        ]
    else:
        state, because = "balanced", ["a day of spot trading exceeds the positions held"]
    return Reading(
        id="turnover", title="Open interest against spot turnover", state=state, because=because,
        tells=tells, refs=["M9"],
    )  # fmt: skip


def spot_and_perp_volume(market: Market) -> tuple[Estimate, Estimate]:
    """Coin traded in the last 24 h on the spot and perp venues whose every hour is here."""
    return (
        _day_volume([c.key for c in market.spots], market),
        _day_volume([c.key for c in market.perps], market),
    )


def _day_volume(keys: list[str], market: Market) -> Estimate:
    total, used, as_of = 0.0, list[str](), market.now
    for contract in market.contracts:
        hours = contract.hours.since(market.now - 25 * HOUR_NS)
        run = hours.last_run() if len(hours) else hours
        if contract.key not in keys or len(run) < 24 or market.now - int(run.end[-1]) > HOUR_NS:
            continue
        volume = float(run.volume[-24:].sum())
        if np.isfinite(volume):
            total += volume
            used.append(contract.key)
            as_of = min(as_of, int(run.end[-1]))
    if not used:
        return unknown(COIN, "no market of that kind with 24 unbroken hours of volume")
    return known(total, COIN, as_of=as_of, now=market.now, source=", ".join(used))


def _ratio(interest: Estimate, spot: Estimate, now: int) -> Estimate:
    if interest.value is None or spot.value is None or interest.as_of is None or spot.as_of is None:
        return unknown(RATIO, spot.unknown or interest.unknown or "")
    return known(
        interest.value / spot.value, RATIO, as_of=min(interest.as_of, spot.as_of), now=now,
        source=f"{interest.source}; {spot.source}", provenance=interest.provenance,
    )  # fmt: skip


def _share(spot: Estimate, perp: Estimate, now: int) -> Estimate:
    if spot.value is None or perp.value is None or spot.as_of is None or perp.as_of is None:
        return unknown(PERCENT, spot.unknown or perp.unknown or "")
    return known(
        100.0 * spot.value / (spot.value + perp.value), PERCENT,
        as_of=min(spot.as_of, perp.as_of), now=now, source=f"{spot.source}; {perp.source}",
    )  # fmt: skip


def change_over(history: InterestHistory, now: int, days: int) -> float:
    """Per cent change of OI in coin over `days`; NaN when either end is missing."""
    before = value_at(history.known_at, history.coin, now - days * DAY_NS, 3 * HOUR_NS)
    after = value_at(history.known_at, history.coin, now, 3 * HOUR_NS)
    return 100.0 * (after / before - 1.0)

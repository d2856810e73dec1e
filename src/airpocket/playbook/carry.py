"""What funding costs or pays this position, by its own contract's settled rate (M34, M37)."""

from dataclasses import dataclass

from airpocket.domain.estimates import FUNDING_8H, PERCENT, USD, Estimate, known, unknown
from airpocket.domain.tells import at_least, context
from airpocket.domain.units import HOUR_NS
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Facts, Step
from airpocket.playbook.sizes import rounded_up
from airpocket.playbook.words import moment

_PERIODS_A_DAY = 3


@dataclass(frozen=True, slots=True)
class Bleed:
    """Funding of the position. rate: % per 8 h as settled; paid: the same, positive when this side pays."""

    rate: Estimate
    paid: Estimate
    day_usd: Estimate  # negative: paid out
    week_usd: Estimate
    week_percent: Estimate  # of equity


def bleed_of(ground: Ground) -> Bleed:
    """From the newest whole 8 h period of the position's own contract, at the present notional."""
    rate = _own_rate(ground)
    if rate.value is None or rate.as_of is None:
        why = rate.unknown or ""
        return Bleed(rate, rate, unknown(USD, why), unknown(USD, why), unknown(PERCENT, why))
    sign = 1.0 if ground.position.side == "long" else -1.0
    notional = ground.notional(ground.position.size_coin, ground.price)
    received = -sign * rate.value / 100.0 * notional * _PERIODS_A_DAY

    def figure(value: float, unit: str) -> Estimate:
        return known(
            value, unit, as_of=rate.as_of or 0, now=ground.situation.now, provenance="modelled",
            source=f"{rate.source} rate kept up, notional at {ground.price:,.6g}",
        )  # fmt: skip

    share = unknown(PERCENT, ground.no_account or "equity is not positive")
    if ground.account is not None and ground.account.equity > 0:
        share = figure(100.0 * 7 * received / ground.account.equity, PERCENT)
    paid = known(
        sign * rate.value,
        FUNDING_8H,
        as_of=rate.as_of,
        now=ground.situation.now,
        source=rate.source,
    )
    return Bleed(rate, paid, figure(received, USD), figure(7 * received, USD), share)


def _own_rate(ground: Ground) -> Estimate:
    tell = ground.situation.signals.tells.get(f"funding_8h:{ground.position.key}")
    if tell is None:
        return unknown(FUNDING_8H, f"no settled funding of {ground.position.key} is stored")
    return tell.estimate


def funding_facts(ground: Ground, bleed: Bleed) -> Facts:
    """The bleed as a section."""
    tells = [
        context("funding_rate", f"{ground.position.key}, last settled", bleed.rate),
        context("funding_day", "a day (minus: you pay)", bleed.day_usd),
        context("funding_week", "a week", bleed.week_usd),
        context("funding_week_share", "a week, of equity", bleed.week_percent),
    ]
    if bleed.rate.value is None:
        return Facts(unknown=bleed.rate.unknown, tells=[], notes=[])
    return Facts(unknown=None, tells=tells, notes=[_sentence(ground, bleed)])


def _sentence(ground: Ground, bleed: Bleed) -> str:
    side = ground.position.side
    paid = bleed.paid.value or 0.0
    if paid == 0.0:
        return "The rate is zero: neither side pays."
    who = (
        "positive: longs pay shorts"
        if (bleed.rate.value or 0.0) > 0
        else "negative: shorts pay longs"
    )
    verb = "pays" if paid > 0 else "receives"
    return f"The rate is {who}, so this {side} {verb}, as long as the rate stays; it changes every period."


def funding_step(ground: Ground, bleed: Bleed, instead: str) -> Step:
    """M37: when funding is rich and paid by this side, reduce before the next settlement, or hold options instead.

    instead: the option that could be held in place of the part that is closed, with its price.
    """
    s = ground.settings
    tell = at_least(
        "funding_paid", "funding this side pays", bleed.paid, s.rich_funding_8h,
        f"rich at {s.rich_funding_8h:.2f} %/8 h",
    )  # fmt: skip
    cut = funding_cut(ground)
    state = "unknown" if tell.met is None else "firing" if tell.met else "quiet"
    paid = bleed.paid.value
    because = [bleed.paid.unknown or ""] if paid is None else [
        f"this side pays {paid:.4f} % per 8 h" if paid > 0 else "this side does not pay"
    ]  # fmt: skip
    return Step(
        id="funding_discipline", title="Funding discipline", refs=["M30", "M37"], state=state,
        condition=f"this side pays {s.rich_funding_8h:.2f} % per 8 h or more",
        because=because,
        action=f"close {ground.text(cut)} before the next settlement{_next(ground)}{instead}",
        size_coin=ground.coins(cut), tells=[tell],
        invalidation="the rate settles back below the threshold",
        cost=ground.cost(cut, ground.price),
        uncovered="the price risk of what is left",
    )  # fmt: skip


def funding_cut(ground: Ground) -> float:
    """Coins closed when funding is rich."""
    size = ground.position.size_coin
    return rounded_up(ground.settings.funding_share * size, size)


def _next(ground: Ground) -> str:
    contract = ground.situation.contract(ground.position)
    interval = None if contract is None else contract.instrument.funding_interval_ns
    if interval is None:
        return ""
    at = (ground.situation.now // interval + 1) * interval
    return f" at {moment(at)}" if interval >= HOUR_NS else ""

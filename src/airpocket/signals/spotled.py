"""Whether spot or perps lead: spot premium, taker flow of each, dated basis (M1, M4)."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import BPS, PERCENT, PERCENT_YEAR, Estimate, known, unknown
from airpocket.domain.tells import Reading, at_least, context
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.carry import PremiumHistory, premium_of
from airpocket.market.health import ill
from airpocket.market.state import Contract, Market
from airpocket.signals.windows import value_at

_TRADED = ("trades", "bars")
NO_INDEX = "no venue with a fresh index price"


@dataclass(frozen=True, slots=True)
class SpotLedSettings:
    """`premium_bps`: spot over perp that counts as a spot-led bid; `flow_hours`: window of taker flow."""

    premium_bps: float = 3.0
    flow_hours: int = 4
    flow_gap_percent: float = 5.0


def _freshest(contracts: tuple[Contract, ...], now: int) -> Contract | None:
    """Of those whose last bar is of the last two hours and, where recorded live, still comes."""
    fresh = [
        c for c in contracts
        if len(c.base) and now - int(c.base.end[-1]) <= 2 * HOUR_NS and not ill(c, *_TRADED)
    ]  # fmt: skip
    return max(fresh, key=lambda c: (int(c.base.end[-1]), float(c.base.close[-1])), default=None)


def spot_premium(market: Market) -> Estimate:
    """Spot close over the reference perpetual's close at the same moment, bp."""
    spot = _freshest(market.spots, market.now)
    perp = market.reference
    if spot is None or not perp.instrument.is_perp:
        silent = [why for c in market.spots if (why := ill(c, *_TRADED))]
        return unknown(BPS, "; ".join(["needs a fresh spot market and a fresh perpetual", *silent]))
    if silent := ill(perp, *_TRADED):
        return unknown(BPS, silent)
    shared = min(int(spot.base.end[-1]), int(perp.base.end[-1]))
    prices: list[float] = []
    for contract in (spot, perp):
        row = int(np.searchsorted(contract.base.end, shared))
        if int(contract.base.end[row]) != shared:
            return unknown(BPS, f"{spot.key} and {perp.key} have no bar ending at the same moment")
        prices.append(float(contract.base.close[row]))
    source = f"{spot.key} over {perp.key}"
    return known(
        1e4 * (prices[0] / prices[1] - 1), BPS, as_of=shared, now=market.now, source=source
    )


def taker_imbalance(contracts: tuple[Contract, ...], market: Market, hours: int) -> Estimate:
    """Σ(taker buys − taker sells) / Σ volume over the last `hours`, per cent; markets that publish it."""
    net, total, used, as_of = 0.0, 0.0, list[str](), market.now
    for contract in contracts:
        bars = contract.hours.since(market.now - (hours + 1) * HOUR_NS)
        run = bars.last_run() if len(bars) else bars
        if len(run) < hours or market.now - int(run.end[-1]) > HOUR_NS or ill(contract, *_TRADED):
            continue
        bought, volume = run.taker_buy[-hours:], run.volume[-hours:]
        if not (np.isfinite(bought).all() and np.isfinite(volume).all() and volume.sum() > 0):
            continue
        net += float((2 * bought - volume).sum())
        total += float(volume.sum())
        used.append(contract.key)
        as_of = min(as_of, int(run.end[-1]))
    if not used:
        return unknown(PERCENT, f"no market with {hours} unbroken hours of taker volume")
    return known(100.0 * net / total, PERCENT, as_of=as_of, now=market.now, source=", ".join(used))


def _premium_history(market: Market) -> PremiumHistory | None:
    """The reference's premium history if it is fresh, else the first other fresh one."""
    for contract in sorted(market.perps, key=lambda c: c.key != market.reference.key):
        history = premium_of(contract)
        if (
            history is not None
            and not ill(contract, "price")
            and market.now - int(history.at[-1]) <= 2 * HOUR_NS
        ):
            return history
    return None


def perp_premium(market: Market) -> Estimate:
    """Perpetual over its index, bp."""
    history = _premium_history(market)
    if history is None:
        return unknown(BPS, NO_INDEX)
    at, value = int(history.at[-1]), 1e4 * float(history.premium[-1])
    return known(value, BPS, as_of=at, now=market.now, source=history.source)


def premium_change(market: Market, hours: int) -> Estimate:
    """How far the perpetual's premium over index widened in the last `hours`, bp."""
    history = _premium_history(market)
    if history is None:
        return unknown(BPS, NO_INDEX)
    at = int(history.at[-1])
    before = value_at(history.at, history.premium, at - hours * HOUR_NS, HOUR_NS)
    if not np.isfinite(before):
        return unknown(BPS, f"no premium {hours} h earlier")
    value = 1e4 * (float(history.premium[-1]) - before)
    return known(value, BPS, as_of=at, now=market.now, source=history.source)


def dated_basis(market: Market) -> Estimate:
    """Annualised basis of the listed forward nearest to 90 days over the reference price, % a year."""
    for contract in market.contracts:
        table = contract.table("forward")
        if table is None:
            continue
        ts, usable = table.ints("ts"), table.ints("usable_from")
        newest = ts == ts[-1]
        if market.now - int(usable[-1]) > DAY_NS:
            continue
        expiry, price = table.ints("expiry")[newest], table.floats("price")[newest]
        spot = _price_at(market.reference, int(ts[-1]))
        days = (expiry - int(ts[-1])) / DAY_NS
        row = int(np.argmin(np.abs(days - 90.0)))
        if not np.isfinite(spot) or days[row] < 20.0:
            continue
        yearly = 100.0 * float(np.log(price[row] / spot)) * 365.0 / float(days[row])
        source = f"{contract.key}, {days[row]:.0f} days, over {market.reference.key}"
        return known(
            yearly, PERCENT_YEAR, as_of=int(usable[-1]), now=market.now, source=source,
            provenance="mixed",
        )  # fmt: skip
    return unknown(PERCENT_YEAR, "no fresh dated futures or option forwards are stored")


def _price_at(contract: Contract, at: int) -> float:
    row = int(np.searchsorted(contract.base.end, at, side="right")) - 1
    if row < 0 or at - int(contract.base.end[row]) > HOUR_NS:
        return float("nan")
    return float(contract.base.close[row])


def reading(market: Market, settings: SpotLedSettings, first: Reading) -> Reading:
    """M4: spot over perp, and whose takers buy more. That spot leads is said only where `first`, the measured
    lead, says so.
    """
    premium = spot_premium(market)
    spot = taker_imbalance(market.spots, market, settings.flow_hours)
    perp = taker_imbalance(market.perps, market, settings.flow_hours)
    gap = _gap(spot, perp, market.now)
    h = settings.flow_hours
    tells = [
        at_least("spot_premium", "spot over perpetual", premium, settings.premium_bps,
                 f"spot-led at {settings.premium_bps:g} bp"),
        context("spot_flow", f"spot takers, net of {h} h volume", spot),
        context("perp_flow", f"perp takers, net of {h} h volume", perp),
        at_least("flow_gap", "spot minus perp taker flow", gap, settings.flow_gap_percent,
                 f"spot-led at {settings.flow_gap_percent:g} %"),
        context("perp_premium", "perpetual over index", perp_premium(market)),
        at_least("premium_change", f"its widening in {h} h", premium_change(market, h), 1.0,
                 "widening at 1 bp"),
        context("dated_basis", "dated basis, annualised", dated_basis(market)),
    ]  # fmt: skip
    state, because = _state([tells[0].met, tells[3].met], first)
    if state == "unknown":
        because = [premium.unknown or gap.unknown or ""]
    return Reading(
        id="spot_led", title="Spot against perps", state=state, because=because, tells=tells,
        refs=["M1", "M4"],
    )  # fmt: skip


def _state(met: list[bool | None], first: Reading) -> tuple[str, list[str]]:
    if None in met:
        return "unknown", []
    if not any(met):
        return "no spot bid", ["neither spot premium nor spot taker flow points to spot"]
    if not all(met):
        return "mixed", ["only one of spot premium and spot taker flow points to spot"]
    bid = "spot trades above the perpetual and its takers buy more"
    if first.state == "spot leads":
        return "spot leads", [bid, *first.because]
    if first.state == "unknown":
        return "spot bid", [bid, "whether spot moves first is not measured"]
    return "spot bid", [bid, "but it is not measured to move first: " + "; ".join(first.because)]


def _gap(spot: Estimate, perp: Estimate, now: int) -> Estimate:
    if spot.value is None or perp.value is None or spot.as_of is None or perp.as_of is None:
        return unknown(PERCENT, spot.unknown or perp.unknown or "")
    return known(
        spot.value - perp.value, PERCENT, as_of=min(spot.as_of, perp.as_of), now=now,
        source=f"{spot.source}; {perp.source}",
    )  # fmt: skip

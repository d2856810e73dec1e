"""Leverage rules against the leverage in use: distance, gap with buffer, the venue's limit (M34, M36)."""

import math

from airpocket.domain.errors import MarginError
from airpocket.domain.estimates import COIN, Estimate, unknown
from airpocket.margin.caps import (
    caps_with_tiers,
    leverage_cap_distance,
    leverage_cap_gap,
    leverage_cap_inverse,
)
from airpocket.margin.tiers import TierTable
from airpocket.playbook.account import Account
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Cap, Caps
from airpocket.playbook.sizes import rounded_down
from airpocket.playbook.tide import against

LEVERAGE = "x"


def required_distance(ground: Ground) -> tuple[float, str]:
    """Least liquidation distance in per cent, and the rule in words.

    2.5 one-day standard deviations of the implied-volatility index (else of 30-day realised volatility),
    not under 8 %; at least 12 % when realised volatility ranks high or nothing is known of volatility.
    """
    s, signals = ground.settings, ground.situation.signals
    implied, realised = signals.figure("implied_index"), signals.figure("rv_30d")
    yearly, name = (
        (implied, "implied-volatility index")
        if implied.known
        else (realised, "30-day realised volatility")
    )
    rank = signals.figure("rv_rank").value
    high = rank is not None and rank >= s.high_vol_rank
    if yearly.value is None:
        return s.high_vol_distance_percent, (
            f"volatility is unknown, so the wide end of the rule: {s.high_vol_distance_percent:g} %"
        )
    daily = yearly.value / math.sqrt(365)
    floor = s.high_vol_distance_percent if high else s.distance_percent
    distance = max(floor, s.distance_sigmas * daily)
    why = "volatility ranks high in its year" if high else "the ordinary floor"
    return distance, (
        f"{s.distance_sigmas:g} × one day's deviation ({daily:.1f} %, from {name} of {yearly.value:.0f} %), "
        f"at least {floor:g} % ({why}): {distance:.1f} %"
    )


def caps_of(ground: Ground) -> Caps:
    """Every cap at this size's own maintenance rate; the smallest binds."""
    account = ground.account
    if account is None:
        return no_caps(ground.no_account)
    s = ground.settings
    distance, rule = required_distance(ground)
    buffer = max(s.buffers)
    gap = max(s.survive_percent)
    try:
        by_distance, by_gap = _both(ground, account, distance / 100, gap / 100, buffer)
    except MarginError as error:
        return no_caps(str(error))
    rules: list[tuple[str, str, float]] = [
        ("distance", f"liquidation at least {distance:.1f} % away", by_distance),
        ("gap", f"{buffer:g} × maintenance left after {gap:g} % against you", by_gap),
    ]
    keeps = {"distance": (distance, 1.0), "gap": (gap, buffer)}
    tide = against(ground)
    if tide:
        wide = s.squeeze_gap_percent
        keeps["squeeze"] = (wide, buffer)
        rules.append(_squeeze(ground, account, tide, wide, buffer))
    if ground.venue_leverage is not None:
        rules.append(("venue", "the venue's limit at this size", ground.venue_leverage))
    binding, _, least = min(rules, key=lambda rule: rule[2])
    kept_after = account.size_surviving(*keeps[binding]) if binding in keeps else None
    used = _effective(ground)
    caps = [
        Cap(
            id=cap_id,
            rule=words,
            max_leverage_x=ground.modelled(value, LEVERAGE),
            binding=cap_id == binding,
        )
        for cap_id, words, value in rules
    ]
    kept = None if used.value is None else used.value <= least
    cut = unknown(COIN, "no size keeps the rule that binds, or none has to be closed")
    if kept is False and kept_after is not None:
        size = rounded_down(kept_after, ground.position.size_coin)
        cut = ground.modelled(ground.rest(size), COIN)
    return Caps(
        unknown=None, effective_leverage_x=used, caps=caps, kept=kept, cut_coin=cut,
        notes=[f"Distance rule: {rule}.", _verdict(ground, used, least, cut)],
    )  # fmt: skip


def no_caps(why: str) -> Caps:
    """Caps that can't be told."""
    return Caps(
        unknown=why, effective_leverage_x=unknown(LEVERAGE, why), caps=[], kept=None,
        cut_coin=unknown(COIN, why), notes=[],
    )  # fmt: skip


def _both(
    ground: Ground, account: Account, distance: float, gap: float, buffer: float
) -> tuple[float, float]:
    """Caps of the distance and the gap rule, at the rates of the tiers this size has there."""
    side, tiers = ground.position.side, account.leg.schedule
    modelled, linear = account.ledger.modelled_margin, account.leg.leg.form == "linear"
    if isinstance(tiers, TierTable) and linear and not modelled:
        notional = account.notional(account.price)
        found = caps_with_tiers(side, notional, tiers, distance=distance, gap=gap, buffer=buffer)
        return found.distance_x, found.gap_x
    at = [_rate(account, 100.0 * move) for move in (distance, gap)]
    if linear:
        return leverage_cap_distance(side, distance, at[0]), leverage_cap_gap(
            side, gap, buffer, at[1]
        )
    return (
        leverage_cap_inverse(side, distance, 1.0, at[0]),
        leverage_cap_inverse(side, gap, buffer, at[1]),
    )


def _squeeze(
    ground: Ground, account: Account, tide: str, percent: float, buffer: float
) -> tuple[str, str, float]:
    """M34: while this side is being forced out, the gap to survive is wider."""
    rate = _rate(account, percent)
    cap = leverage_cap_gap if account.leg.leg.form == "linear" else leverage_cap_inverse
    words = f"the verdict is {tide}: {buffer:g} × maintenance left after {percent:g} % against you"
    return "squeeze", words, cap(ground.position.side, percent / 100.0, buffer, rate)


def _rate(account: Account, percent: float) -> float:
    """Maintenance over the position's notional after an adverse move, a fraction."""
    price = account.gap_price(percent)
    return account.maintenance(price, account.size_coin) / account.notional(price)


def _effective(ground: Ground) -> Estimate:
    account = ground.account
    if account is None or account.equity <= 0:
        return unknown(LEVERAGE, "equity is not positive: no leverage can be named")
    return ground.modelled(account.notional(account.price) / account.equity, LEVERAGE)


def _verdict(ground: Ground, used: Estimate, least: float, cut: Estimate) -> str:
    if used.value is None:
        return used.unknown or ""
    if used.value <= least:
        return f"In use: {used.value:.2f}x, within the cap of {least:.2f}x."
    told = f"In use: {used.value:.2f}x, above the cap of {least:.2f}x"
    if cut.value is None:
        return f"{told}."
    return f"{told}: closing {ground.text(cut.value)} keeps the rule that binds."

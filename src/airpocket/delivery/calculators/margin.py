"""Calculators of maintenance, margin, leverage caps, funding and mark prices."""

from typing import Literal

from airpocket.delivery.calculators.liquidation import (
    bankruptcy_price,
    liquidation_price,
    liquidation_price_tiers,
)
from airpocket.delivery.calculators.numbers import NotNegative, Positive, Rate, SideName
from airpocket.delivery.calculators.registry import Calculator
from airpocket.domain.errors import BadInput
from airpocket.domain.units import TimeNs
from airpocket.margin import caps, funding, mark
from airpocket.margin.bundled import hyperliquid_mmr
from airpocket.margin.kernel import Leg
from airpocket.margin.kernel import initial_margin as margin_of
from airpocket.margin.tiers import SizeSlope, table_from


def maintenance_and_pnl(
    *,
    side: SideName,
    mark_price_usd: Positive,
    quantity_coin: Positive,
    entry_price_usd: Positive,
    mmr_fraction: Rate,
    maintenance_amount_usd: NotNegative = 0.0,
    venue: str | None = None,
) -> dict[str, object]:
    """Maintenance margin and unrealised profit of a linear position at a mark price."""
    leg = Leg("linear", side, quantity_coin, entry_price_usd, 0.0)
    return {
        "maintenance_margin_usd": leg.notional(mark_price_usd) * mmr_fraction
        - maintenance_amount_usd,
        "unrealised_pnl_usd": leg.equity(mark_price_usd),
    }


def maintenance_amounts(
    *,
    floor_usd: list[float],
    mmr_fraction: list[float],
    symbol: str = "these tiers",
    as_of: str | None = None,
) -> dict[str, object]:
    """Amounts that make a tier table continuous: c_k = c_{k-1} + floor_k (m_k - m_{k-1})."""
    rows = {"floor": floor_usd, "mmr": mmr_fraction}
    table = table_from("inputs", symbol, TimeNs(0), as_of or "inputs", rows)
    return {"maintenance_amount_usd": table.deduction}


def margin_requirement(
    *,
    price_usd: Positive,
    im_base_fraction: Rate,
    mm_base_fraction: Rate,
    slope_fraction_per_coin: NotNegative,
    quantity_coin: NotNegative,
    venue: str = "",
    coin: str = "",
) -> dict[str, object]:
    """Initial and maintenance margin where the rate is base + slope times the size in coin."""
    rule = SizeSlope(
        venue,
        coin,
        TimeNs(0),
        "inputs",
        im_base_fraction,
        mm_base_fraction,
        slope_fraction_per_coin,
    )
    said: dict[str, object] = {}
    for name, rate in (("im", rule.imr_of(quantity_coin)), ("mm", rule.mmr_of(quantity_coin))):
        amount = rate * quantity_coin
        said |= {
            f"{name}_fraction": rate,
            f"{name}_coin": amount,
            f"{name}_usd": amount * price_usd,
        }
    return said


def initial_margin(
    *,
    quantity_usd: Positive,
    entry_price_usd: Positive,
    leverage_x: Positive,
    venue: str | None = None,
    contract: Literal["inverse"] = "inverse",
) -> dict[str, object]:
    """Initial margin of an inverse contract in coin: size / (entry × leverage)."""
    leg = Leg(contract, "long", quantity_usd, entry_price_usd, 0.0)
    return {"initial_margin_coin": margin_of(leg, leverage_x)}


def tier_deduction(
    *,
    tier_floor_usd: NotNegative,
    max_leverage_below_x: Positive,
    max_leverage_above_x: Positive,
    venue: str | None = None,
    coin: str | None = None,
) -> dict[str, object]:
    """Hyperliquid's deduction of its second tier: floor × (0.5/L_above - 0.5/L_below)."""
    below, above = hyperliquid_mmr(max_leverage_below_x), hyperliquid_mmr(max_leverage_above_x)
    if above < below:
        raise BadInput("max_leverage_above_x must not exceed max_leverage_below_x")
    return {"maintenance_deduction_usd": tier_floor_usd * (above - below)}


def leverage_cap_distance(
    *, side: SideName, liquidation_distance_fraction: NotNegative, mmr_fraction: Rate
) -> dict[str, object]:
    """Largest leverage that keeps a distance to liquidation."""
    if not (liquidation_distance_fraction or mmr_fraction):
        raise BadInput("liquidation_distance_fraction 0 and mmr_fraction 0 cap nothing")
    cap = caps.leverage_cap_distance(side, liquidation_distance_fraction, mmr_fraction)
    return {"leverage_x": cap}


def leverage_cap_gap(
    *,
    side: SideName,
    gap_fraction: NotNegative,
    buffer_multiple_of_maintenance: NotNegative,
    mmr_fraction: Rate,
) -> dict[str, object]:
    """Largest leverage that survives an adverse gap with a multiple of maintenance left."""
    cap = caps.leverage_cap_gap(side, gap_fraction, buffer_multiple_of_maintenance, mmr_fraction)
    return {"leverage_x": cap}


def liquidation_distance(
    *, side: SideName, leverage_x: Positive, mmr_fraction: Rate
) -> dict[str, object]:
    """Fraction of the entry price between it and liquidation, from leverage."""
    return {"distance_fraction": caps.liquidation_distance(side, leverage_x, mmr_fraction)}


def funding_rate_clamped(
    *,
    average_premium_fraction: float,
    interest_fraction: float,
    clamp_fraction: NotNegative,
    funding_interval_hours: Positive,
) -> dict[str, object]:
    """Funding rate per interval: [P + clamp(I - P, -c, +c)] / (8 / interval)."""
    rate = funding.clamped_rate(
        average_premium_fraction, interest_fraction, clamp_fraction, funding_interval_hours
    )
    return {"funding_fraction": rate}


def funding_rate_damped(
    *,
    damper_fraction: NotNegative,
    premium_fraction: float | None = None,
    mark_price_usd: Positive | None = None,
    index_price_usd: Positive | None = None,
) -> dict[str, object]:
    """Funding rate per 8 h: max(d, premium) + min(-d, premium); the premium from mark and index if given."""
    if mark_price_usd is not None and index_price_usd is not None:
        premium_fraction = mark_price_usd / index_price_usd - 1.0
    elif mark_price_usd is not None or index_price_usd is not None:
        raise BadInput("mark_price_usd and index_price_usd belong together")
    if premium_fraction is None:
        raise BadInput("premium_fraction is missing, and so are mark_price_usd and index_price_usd")
    rate = funding.damped_rate(premium_fraction, damper_fraction)
    return {"funding_fraction": rate, "premium_fraction": premium_fraction}


def mark_price_from_funding(
    *,
    index_price_usd: Positive,
    last_funding_fraction: float,
    hours_to_funding: NotNegative,
    funding_interval_hours: Positive,
) -> dict[str, object]:
    """Index × (1 + last funding × time left / interval): Binance's price 1, BitMEX's fair price."""
    due = (last_funding_fraction, hours_to_funding, funding_interval_hours)
    return {
        "basis_fraction": mark.funding_basis(*due),
        "mark_price_usd": mark.price_one(index_price_usd, *due),
    }


def mark_ema(
    *, samples: list[float], sample_spacing_s: Positive, time_constant_s: Positive
) -> dict[str, object]:
    """Time-decayed average of evenly spaced samples, numerator and denominator fading alike."""
    return {"ema": mark.ema_of(samples, sample_spacing_s, time_constant_s)}


CALCULATORS: dict[str, Calculator] = {
    function.__name__: function
    for function in (
        liquidation_price, liquidation_price_tiers, bankruptcy_price, maintenance_and_pnl,
        maintenance_amounts, margin_requirement, initial_margin, tier_deduction,
        leverage_cap_distance, leverage_cap_gap, liquidation_distance, funding_rate_clamped,
        funding_rate_damped, mark_price_from_funding, mark_ema,
    )
}  # fmt: skip

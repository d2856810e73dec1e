"""How venues make a funding rate from the premium: clamped, damped, capped; and the price it implies."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from airpocket.domain.errors import MarginError
from airpocket.margin.rules import FundingRule

Payoff: TypeAlias = Literal["linear", "inverse"]


def clamped_rate(
    premium: float, interest: float, clamp: float, interval_h: float, cap: float | None = None
) -> float:
    """[P + clamp(I − P, ±c)] / (8/N): Binance and its kin; Hyperliquid with N = 1. Fraction per interval.

    premium, interest, clamp: fractions per 8 h; cap: fraction per interval.
    """
    if not clamp >= 0.0:
        raise MarginError(f"clamp must not be negative, not {clamp:g}")
    if not 0.0 < interval_h <= 24.0 * 365.0:
        raise MarginError(f"funding interval must be positive, not {interval_h:g} hours")
    rate = (premium + min(max(interest - premium, -clamp), clamp)) / (8.0 / interval_h)
    return rate if cap is None else min(max(rate, -cap), cap)


def damped_rate(premium: float, damper: float, cap: float | None = None) -> float:
    """max(d, P) + min(−d, P): Deribit; premiums within ±d cost nothing. Fraction per 8 h."""
    if not damper >= 0.0:
        raise MarginError(f"damper must not be negative, not {damper:g}")
    rate = max(damper, premium) + min(-damper, premium)
    return rate if cap is None else min(max(rate, -cap), cap)


def funding_rate(
    rule: FundingRule, premium: float, interval_h: float | None = None
) -> float | None:
    """The rate a rule makes of an average premium (fraction): per interval, or per 8 h where continuous.

    None where the rule has neither clamp nor damper: not known here.
    """
    if rule.damper is not None:
        return damped_rate(premium, rule.damper, rule.cap)
    if rule.clamp is None:
        return None
    return clamped_rate(
        premium,
        rule.interest,
        rule.clamp,
        rule.interval_h if interval_h is None else interval_h,
        rule.cap,
    )


def impact_premium(impact_bid: float, impact_ask: float, oracle: float) -> float:
    """Hyperliquid's premium: (max(bid − o, 0) − max(o − ask, 0)) / o, fraction."""
    if not oracle > 0.0:
        raise MarginError(f"oracle price must be positive, not {oracle:g}")
    return (max(impact_bid - oracle, 0.0) - max(oracle - impact_ask, 0.0)) / oracle


def oracle_of_payment(payment_usd: float, size_coin: float, rate: float) -> float:
    """The oracle price behind a payment: payment = −size × oracle × rate, size signed."""
    if size_coin == 0.0 or rate == 0.0:
        raise MarginError(f"size {size_coin:g} and rate {rate:g} must not be zero")
    return -payment_usd / (size_coin * rate)


@dataclass(frozen=True, slots=True)
class PerpetualTerms:
    """What a perpetual's no-arbitrage price depends on besides the spot.

    rate, carry: yields of quote and coin per year, continuous. weight (k) and interest (i): funding
    pays k (price − spot) + i spot per interval, or per year where interval_years is None (continuous).
    on: whether funding looks at the prices of the interval's start (`previous`) or end (`current`).
    """

    rate: float
    carry: float
    weight: float
    interest: float
    interval_years: float | None = None
    payoff: Payoff = "linear"
    on: Literal["previous", "current"] = "previous"


def fair_price(spot: float, terms: PerpetualTerms) -> float:
    """No-arbitrage price of a perpetual (Ackerer, Hugonnier & Jermann, Perpetual futures pricing).

    Linear, R = e^{r t}, Q = e^{q t}: s (k − i) B / (Q − R + k B) with B = Q on previous prices, R on
    current ones; continuous s (k − i) / (q − r + k). Inverse: the same for 1/price with r and q swapped.

    Raises:
        MarginError: the interval is not positive, or the terms admit no positive price.
    """
    linear = terms.payoff == "linear"
    r, q = (terms.rate, terms.carry) if linear else (terms.carry, terms.rate)
    step = terms.interval_years
    if step is None:
        ratio = (terms.weight - terms.interest), q - r + terms.weight
    elif step > 0.0:
        grow, pay = math.exp(r * step), math.exp(q * step)
        base = pay if terms.on == "previous" else grow
        ratio = (terms.weight - terms.interest) * base, pay - grow + terms.weight * base
    else:
        raise MarginError(f"the funding interval must be positive, not {step:g} years")
    above, below = ratio if linear else ratio[::-1]
    if not (spot > 0.0 and above > 0.0 and below > 0.0):
        raise MarginError(f"spot {spot:g} and these terms admit no positive price")
    return spot * above / below

"""Calculators of options: prices, greeks, coin-settled ones, implied volatility, smiles, the hedge programme."""

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Literal, TypeAlias

import numpy as np
from msgspec import Meta, Struct

from airpocket.delivery.calculators.numbers import NotNegative, Positive
from airpocket.domain.errors import BadInput
from airpocket.market.options.greeks import SpotGreeks, greeks, spot_greeks
from airpocket.market.options.implied import implied_volatility
from airpocket.market.options.svi import Svi
from airpocket.playbook.hedging.programme import Programme, Unsolved, solve

OptionType: TypeAlias = Literal["call", "put"]
Rate: TypeAlias = Annotated[float, Meta(ge=0.0, lt=1.0)]
Move: TypeAlias = Annotated[float, Meta(gt=-1.0)]
Correlation: TypeAlias = Annotated[float, Meta(gt=-1.0, lt=1.0)]
_MOST_POINTS = 2_000_000


class SpotOption(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A European option on a spot with a yield; rates a year, continuously compounded."""

    option_type: OptionType
    strike: Positive
    spot: Positive
    dividend_yield_per_year: float
    rate_per_year: float
    expiry_years: NotNegative
    vol_per_sqrt_year: NotNegative

    def greeks(self) -> SpotGreeks:
        return spot_greeks(
            self.option_type == "call", self.spot, self.strike, self.expiry_years,
            self.vol_per_sqrt_year, self.rate_per_year, self.dividend_yield_per_year,
        )  # fmt: skip


class DatedOption(SpotOption, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The same, with the days that a year is counted in."""

    days_per_year: Positive = 365.0


def generalised_black_scholes(option: SpotOption) -> dict[str, object]:
    """Price of a European option on a spot with a yield (Black and Scholes 1973, Merton 1973)."""
    return {"price": option.greeks().price}


def option_delta(option: SpotOption) -> dict[str, object]:
    """Change of the price per unit of spot."""
    return {"delta": option.greeks().delta}


def option_gamma(option: SpotOption) -> dict[str, object]:
    """Change of the delta per unit of spot."""
    return {"gamma": option.greeks().gamma}


def option_vega(option: SpotOption) -> dict[str, object]:
    """Change of the price per 1.00 of volatility."""
    return {"vega_per_unit_vol": option.greeks().vega}


def option_theta(option: DatedOption) -> dict[str, object]:
    """Change of the price as time passes, a year and a day."""
    theta = option.greeks().theta
    return {"theta_per_year": theta, "theta_per_day": theta / option.days_per_year}


def option_rho(option: SpotOption) -> dict[str, object]:
    """Change of the price per 1.00 of the interest rate."""
    return {"rho_per_unit_rate": option.greeks().rho}


def black76(
    *, option_type: OptionType, forward: Positive, strike: Positive, rate_per_year: float,
    vol_per_sqrt_year: NotNegative, expiry_years: NotNegative,
) -> dict[str, object]:  # fmt: skip
    """Price of a European option on a forward, discounted (Black 1976)."""
    call = option_type == "call"
    found = greeks(call, forward, strike, expiry_years, vol_per_sqrt_year, rate_per_year)
    return {"price": float(found.price)}


def option_price_and_greeks(
    *, option_type: OptionType, strike_usd: Positive, spot_usd: Positive, vol_per_sqrt_year: NotNegative,
    rate_per_year: float, days_per_year: Positive, expiry_days: NotNegative,
) -> dict[str, object]:  # fmt: skip
    """Price, theta a day and gamma; with a rate of 0 the spot is the forward."""
    years = expiry_days / days_per_year
    found = spot_greeks(
        option_type == "call", spot_usd, strike_usd, years, vol_per_sqrt_year, rate_per_year, 0.0
    )
    return {
        "price_usd": found.price,
        "theta_usd_per_day": found.theta / days_per_year,
        "gamma_per_usd": found.gamma,
    }


def inverse_option(
    *, option_type: OptionType, forward_usd: Positive, strike_usd: Positive, expiry_years: NotNegative,
    vol_per_sqrt_year: NotNegative,
) -> dict[str, object]:  # fmt: skip
    """An option settled in coin: price in dollars and in coin, and both deltas (Lucic and Sepp 2024)."""
    found = greeks(option_type == "call", forward_usd, strike_usd, expiry_years, vol_per_sqrt_year)
    return {
        "price_usd": float(found.price),
        "price_coin": float(found.price) / forward_usd,
        "bs_delta": float(found.delta),
        "premium_adjusted_delta": float(found.delta_coin),
    }


def inverse_option_payoff(
    *, option_type: OptionType, position_contracts: float, strike_usd: Positive,
    settlement_price_usd: Positive, premium_coin: NotNegative,
) -> dict[str, object]:  # fmt: skip
    """What a coin-settled option pays at settlement, and the profit after its premium, in coin."""
    payoff = _inside(option_type, strike_usd, settlement_price_usd) / settlement_price_usd
    return {
        "payoff_coin_per_contract": payoff,
        "pnl_coin": position_contracts * (payoff - premium_coin),
    }


def inverse_option_intrinsic(
    *, option_type: OptionType, strike_usd: Positive, underlying_price_usd: Positive
) -> dict[str, object]:
    """Coin value of a coin-settled option that has expired."""
    return {
        "mark_coin": _inside(option_type, strike_usd, underlying_price_usd) / underlying_price_usd
    }


def implied_vol(
    *, option_type: OptionType, forward: Positive, strike: Positive, expiry_years: Positive,
    rate_per_year: float, price: NotNegative,
) -> dict[str, object]:  # fmt: skip
    """The volatility at which Black-76 gives a price."""
    call = option_type == "call"
    found = float(implied_volatility(call, forward, strike, expiry_years, price, rate_per_year))
    if math.isnan(found):
        most = forward if option_type == "call" else strike
        discount = math.exp(-rate_per_year * expiry_years)
        raise BadInput(
            f"price must lie above the discounted intrinsic value "
            f"{discount * _inside(option_type, strike, forward):g} and below {discount * most:g}; "
            f"no volatility gives {price:g}"
        )
    return {"vol_per_sqrt_year": found}


def svi_butterfly(  # noqa: PLR0913 - the inputs of the oracle
    *, svi_a: float, svi_b: NotNegative, svi_m: float, svi_rho: Correlation, svi_sigma: Positive,
    expiry_years: Positive, scan_log_moneyness: Sequence[float], scan_step: Positive,
) -> dict[str, object]:  # fmt: skip
    """Whether a raw SVI smile of total variance has butterfly arbitrage, by a scan of Durrleman's g.

    The smile is of total variance, so that the time to expiry changes nothing.
    """
    del expiry_years
    if len(scan_log_moneyness) != 2 or not scan_log_moneyness[0] < scan_log_moneyness[1]:
        raise BadInput("scan_log_moneyness must be two numbers, the lower first")
    low, high = scan_log_moneyness
    if (high - low) / scan_step > _MOST_POINTS:
        raise BadInput(f"scan_step {scan_step:g} gives more than {_MOST_POINTS:,} points")
    try:
        found = Svi(svi_a, svi_b, svi_rho, svi_m, svi_sigma).butterflies(low, high, scan_step)
    except ValueError as error:
        raise BadInput(str(error)) from error
    return {
        "arbitrage_free": found.since is None,
        "min_g": found.least,
        "argmin_log_moneyness": found.at,
        "negative_from_log_moneyness": found.since,
        "negative_to_log_moneyness": found.until,
    }


def vol_shock_factor(
    *, days_to_expiry: NotNegative, short_power: NotNegative, long_power: NotNegative
) -> dict[str, object]:
    """(30 / days)^p, what portfolio margin makes of a shock to volatility: p by whether 30 days are left."""
    power = short_power if days_to_expiry < 30.0 else long_power
    return {"factor": (30.0 / max(1.0, days_to_expiry)) ** power}


def hedge_lp(  # noqa: PLR0913 - the inputs of the oracle
    *, position_coin: float, entry_price_usd: Positive, wallet_usd: NotNegative, mmr_fraction: Rate,
    buffer_multiple_of_maintenance: NotNegative, option_type: Sequence[OptionType],
    strike_usd: Sequence[Positive], premium_usd: Sequence[NotNegative],
    price_moves_fraction: Sequence[Move], max_quantity: Sequence[NotNegative] | None = None,
) -> dict[str, object]:  # fmt: skip
    """The cheapest options that keep b times maintenance after every move, at intrinsic value."""
    kinds, count = np.array([each == "call" for each in option_type]), len(option_type)
    for name, given in (
        ("strike_usd", strike_usd),
        ("premium_usd", premium_usd),
        ("max_quantity", max_quantity),
    ):
        if given is not None and len(given) != count:
            raise BadInput(f"{name} has {len(given)} numbers for {count} options")
    if not count or not len(price_moves_fraction):
        raise BadInput("hedge_lp needs at least one option and one move")
    price = entry_price_usd * (1.0 + np.array(price_moves_fraction))
    strike, premium = np.array(strike_usd), np.array(premium_usd)
    inside = np.maximum(np.where(kinds, price[:, None] - strike, strike - price[:, None]), 0.0)
    needed = buffer_multiple_of_maintenance * mmr_fraction * abs(position_coin) * price
    found = solve(
        Programme(
            cost=premium, rows=inside - premium,
            at_least=needed - wallet_usd - position_coin * (price - entry_price_usd),
            upper=np.full(count, math.inf) if max_quantity is None else np.array(max_quantity),
        )
    )  # fmt: skip
    if isinstance(found, Unsolved):
        raise BadInput(f"price_moves_fraction, max_quantity: {found.reason}")
    return {"quantity": found.x, "cost_usd": found.cost}


def _inside(option_type: OptionType, strike: float, price: float) -> float:
    """Intrinsic value, in the quote."""
    return max(price - strike if option_type == "call" else strike - price, 0.0)


CALCULATORS: dict[str, Callable[..., dict[str, object]]] = {
    each.__name__: each
    for each in (
        generalised_black_scholes, option_delta, option_gamma, option_vega, option_theta, option_rho, black76,
        option_price_and_greeks, inverse_option, inverse_option_payoff, inverse_option_intrinsic, implied_vol,
        svi_butterfly, vol_shock_factor, hedge_lp,
    )
}  # fmt: skip

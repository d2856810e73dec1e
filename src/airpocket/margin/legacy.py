"""Forms of one venue that are not the kernel: Bybit's estimates on entry value, Binance's hedge mode."""

from collections.abc import Sequence

import numpy as np

from airpocket.domain.errors import MarginError
from airpocket.margin.kernel import End, Leg, Liquidation, bankruptcy
from airpocket.margin.tiers import TierTable


def entry_value_liquidation(leg: Leg, mmr: float, deduction: float = 0.0) -> Liquidation:
    """Bybit's USDT isolated estimate: maintenance on the entry value, LP = e − s (W − MM)/q.

    MM = q e m − deduction. It lies e·m·d further from the entry than the kernel (d the kernel's distance).
    """
    maintenance = leg.notional(leg.entry) * mmr - deduction
    price = leg.entry - leg.sign * (leg.collateral - maintenance) / leg.quantity
    if price > 0.0:
        return Liquidation(price, "root", mmr)
    end: End = "never" if leg.side == "long" else "always"
    return Liquidation(None, end)


def inverse_cross_liquidation(leg: Leg, mmr: float) -> Liquidation:
    """Bybit's inverse cross of old: maintenance on entry value, the fee paid at the bankruptcy price.

    s q (1/e − 1/LP) = −(W − (q/e) m − fee q/BP).
    """
    at_bankruptcy = bankruptcy(leg)
    if at_bankruptcy.price is None:
        return Liquidation(None, at_bankruptcy.end)
    at_entry = leg.notional(leg.entry)
    reserve = leg.collateral - at_entry * mmr - leg.fee * leg.notional(at_bankruptcy.price)
    notional = at_entry + leg.sign * reserve
    if notional > 0.0:
        return Liquidation(leg.price_of(notional), "root", mmr)
    return Liquidation(None, "never" if leg.side == "short" else "always")


def hedged_liquidation(
    legs: tuple[Leg, Leg], wallet: float, tiers: TierTable, mark: float
) -> tuple[float | None, float | None]:
    """Binance's hedge mode, long and short of one linear contract on one wallet.

    The closest prices below and above `mark` at which equity no longer covers both maintenances; None
    where there is none. With the tiers in force there, the published
    LP = (W + cum_L + cum_S − q_L e_L + q_S e_S) / (q_L m_L + q_S m_S − q_L + q_S).
    Equity is linear in price and maintenance convex, so there is at most one on each side.

    Raises:
        MarginError: not a long and a short of a linear contract, or already short of margin at `mark`.
    """
    if [leg.side for leg in legs] != ["long", "short"] or any(leg.form != "linear" for leg in legs):
        raise MarginError(
            "hedge mode: needs a long and a short of a linear contract, in this order"
        )
    if _surplus(legs, wallet, tiers, mark) <= 0.0:
        raise MarginError(f"mark price {mark:g}: equity no longer covers maintenance there")
    edges = np.unique(np.concatenate([tiers.floor / leg.quantity for leg in legs]))
    at = int(np.searchsorted(edges, mark, side="right"))
    beyond = 2.0 * max(float(edges[-1]), mark)  # the last stretch is straight, however far it goes
    below = _crossing(legs, wallet, tiers, [mark, *edges[:at][::-1]])
    above = _crossing(legs, wallet, tiers, [mark, *edges[at:], beyond])
    return below, above


def _surplus(legs: Sequence[Leg], wallet: float, tiers: TierTable, price: float) -> float:
    """Wallet and both profits less both maintenances; above the last cap the last tier goes on."""
    total = wallet
    for leg in legs:
        mmr, deduction = tiers.rate_at(leg.notional(price))
        profit = leg.sign * leg.quantity * (price - leg.entry)
        total += profit - (mmr * leg.notional(price) - deduction)
    return total


def _crossing(
    legs: Sequence[Leg], wallet: float, tiers: TierTable, prices: Sequence[float]
) -> float | None:
    """Where the surplus, straight between neighbouring `prices`, first falls to zero."""
    values = [_surplus(legs, wallet, tiers, price) for price in prices]
    for k in range(1, len(prices)):
        last = k == len(prices) - 1
        if values[k] > 0.0 and not (last and prices[k] > prices[0]):
            continue
        fall = (values[k - 1] - values[k]) / (prices[k] - prices[k - 1])
        root = prices[k - 1] + values[k - 1] / fall if fall else 0.0
        ahead = root > prices[0] if prices[k] > prices[0] else 0.0 < root < prices[0]
        return float(root) if ahead else None
    return None

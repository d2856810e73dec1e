"""Calculators of signals and levels: value area, retracement, lead and lag, order-flow imbalance."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from airpocket.domain.errors import BadInput
from airpocket.domain.events import FloatArray
from airpocket.levels import profile, retracement
from airpocket.signals import flow, leadlag

_RULES: dict[str, Literal["one_row", "two_rows"]] = {
    "one_row": "one_row", "two_row": "two_rows", "two_rows": "two_rows",
}  # fmt: skip
_TIES = (
    "POC: the row nearest the middle of the range, then the lower price. Expansion: equal volumes, "
    "the row nearer the POC, then the lower price."
)


def value_area(
    *,
    price: Sequence[float],
    volume: Sequence[float],
    share_fraction: float = 0.7,
    rule: str = "one_row",
    tie_rule: str = _TIES,
) -> dict[str, object]:
    """Point of control and the band around it that holds a share of the volume.

    There is one tie rule, and the answer says which; `tie_rule` is taken as a remark.
    """
    del tie_rule
    prices, volumes = _row("price", price), _row("volume", volume)
    if len(prices) != len(volumes) or len(prices) == 0:
        raise BadInput(f"{len(prices)} prices but {len(volumes)} volumes")
    if (np.diff(prices) <= 0).any():
        raise BadInput("price must rise from row to row")
    if (volumes < 0).any() or not volumes.any():
        raise BadInput("volume can't be negative, nor zero in every row")
    if not 0.0 < share_fraction <= 1.0:
        raise BadInput(f"share_fraction must be above 0 and at most 1, not {share_fraction}")
    if rule not in _RULES:
        raise BadInput(f"no rule '{rule}'; there are: {', '.join(_RULES)}")
    found = profile.value_area(prices, volumes, share_fraction, _RULES[rule])
    return {
        "poc": found.poc,
        "value_area_low": found.low,
        "value_area_high": found.high,
        "value_area_volume": found.volume,
        "total_volume": found.total,
        "tie_rule": _TIES,
    }


def fibonacci_level(*, low_usd: float, high_usd: float, ratio: float) -> dict[str, object]:
    """The price after a rise has given back a share of itself."""
    if not all(math.isfinite(number) for number in (low_usd, high_usd, ratio)):
        raise BadInput("low_usd, high_usd and ratio must be finite")
    if not 0.0 < low_usd < high_usd:
        raise BadInput(f"low_usd must be positive and below high_usd, not {low_usd} and {high_usd}")
    return {"level_usd": retracement.fibonacci_level(low_usd, high_usd, ratio)}


def hayashi_yoshida(
    *,
    x_times: Sequence[float],
    x_values: Sequence[float],
    y_times: Sequence[float],
    y_values: Sequence[float],
) -> dict[str, object]:
    """Covariance and correlation of two paths that are known at different times."""
    rows = _row("x_times", x_times), _row("x_values", x_values)
    others = _row("y_times", y_times), _row("y_values", y_values)
    try:
        found = leadlag.hayashi_yoshida(*rows, *others)
    except ValueError as error:
        raise BadInput(str(error)) from error
    known = math.isfinite(found.correlation)
    return {
        "covariance": found.covariance,
        "correlation": found.correlation if known else None,
    }


def order_flow_imbalance(
    *,
    bid_price: Sequence[float],
    bid_size: Sequence[float],
    ask_price: Sequence[float],
    ask_size: Sequence[float],
) -> dict[str, object]:
    """Buying less selling pressure at the best quotes, per change and in all."""
    bids = _row("bid_price", bid_price), _row("bid_size", bid_size)
    asks = _row("ask_price", ask_price), _row("ask_size", ask_size)
    try:
        found = flow.order_flow_imbalance(*bids, *asks)
    except ValueError as error:
        raise BadInput(str(error)) from error
    return {"ofi": found.tolist(), "sum": float(found.sum())}


def _row(name: str, numbers: Sequence[float]) -> FloatArray:
    row = np.array(numbers, dtype=np.float64)
    if row.ndim != 1 or not np.isfinite(row).all():
        raise BadInput(f"{name} must be a list of finite numbers")
    return row


CALCULATORS: dict[str, Callable[..., dict[str, object]]] = {
    "value_area": value_area,
    "fibonacci_level": fibonacci_level,
    "hayashi_yoshida": hayashi_yoshida,
    "order_flow_imbalance": order_flow_imbalance,
}

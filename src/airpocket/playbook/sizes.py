"""Coin sizes a person would type: rounded to three or four digits of the position, adding up to the whole."""

import math


def grid_of(whole_coin: float) -> float:
    """The step sizes are rounded to: a thousandth of the position's power of ten.

    >>> grid_of(500.0), grid_of(0.5)
    (0.1, 0.0001)
    """
    return float(f"1e{math.floor(math.log10(whole_coin)) - 3}")


def rounded_down(coin: float, whole_coin: float) -> float:
    """The nearest step at or below `coin`, never below zero; the whole stays whole, whatever its digits."""
    if coin >= whole_coin * (1.0 - 1e-12):
        return whole_coin
    return _on_grid(math.floor(coin / grid_of(whole_coin) + 1e-9), whole_coin)


def rounded_up(coin: float, whole_coin: float) -> float:
    """The nearest step at or above `coin`, never above the whole."""
    return min(_on_grid(math.ceil(coin / grid_of(whole_coin) - 1e-9), whole_coin), whole_coin)


def split(whole_coin: float, shares: tuple[float, ...]) -> list[float]:
    """The whole in parts by `shares` (summing to 1 or less), the last taking what rounding leaves.

    >>> split(500.0, (1 / 3, 1 / 3, 1 / 3))
    [166.6, 166.6, 166.8]
    """
    parts = [rounded_down(share * whole_coin, whole_coin) for share in shares[:-1]]
    return [*parts, _trimmed(whole_coin - math.fsum(parts), whole_coin)]


def rest_of(whole_coin: float, part_coin: float) -> float:
    """What is left of the whole, without the dust of binary fractions."""
    return _trimmed(whole_coin - part_coin, whole_coin)


def _on_grid(steps: int, whole_coin: float) -> float:
    return _trimmed(max(steps, 0) * grid_of(whole_coin), whole_coin)


def _trimmed(coin: float, whole_coin: float) -> float:
    """Without the dust of binary fractions, ten digits below the grid."""
    return round(coin, 10 - math.floor(math.log10(whole_coin)))

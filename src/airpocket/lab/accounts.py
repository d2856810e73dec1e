"""Public accounts of the bundled market's second venue: what a census that met most of them would have kept."""

from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.units import DAY_NS, MINUTE_NS, PositionSide
from airpocket.lab.latent import Cohort, LatentSide
from airpocket.lab.tables import BundledTable, build
from airpocket.lab.world import PERPS, World

OPEN = 1  # the venue whose accounts anyone may ask for
MET = 7  # of ten accounts
LEAST_COIN = 100.0  # smaller ones are not met: a census finds the large first
_TOOK_NS = 20 * MINUTE_NS  # a census asks one after the other


_FLAT = (0.0, 0.0, 0.0, 0.0)


class _Row(NamedTuple):
    """One answer: signed coin, entry, leverage and liquidation price are 0 of a flat account."""

    at: int
    name: str
    mark: float
    coin: float
    entry: float
    leverage: float
    price: float


def account_table(world: World, source: str) -> BundledTable:
    """Two rounds, one a day before the end and one right before it; each cohort is one account.

    An account of the first round that closed since tells so in the second.
    """
    end = int(world.steps.close_ns[-1])
    rounds = [
        (end - DAY_NS, world.day_before[OPEN]),
        (end, world.latent[OPEN]),
    ]
    rows: list[_Row] = []
    before: set[str] = set()
    for at, sides in rounds:
        mark = round(float(world.close[world.first_step_from(at) - 1]), 2)
        held = [
            (_address(side.side, cohort.number), side, cohort)
            for side in sides
            for cohort in sorted(side.cohorts, key=lambda cohort: cohort.number)
            if cohort.number % 10 < MET and cohort.weight * side.survival >= LEAST_COIN
        ]
        names = {name for name, _, _ in held}
        told = [(name, _position(side, cohort)) for name, side, cohort in held]
        told += [(name, _FLAT) for name in sorted(before - names)]
        for number, (name, position) in enumerate(told):
            asked = at - _TOOK_NS + _TOOK_NS * (number + 1) // len(told)
            rows.append(_Row(asked // 1_000_000 * 1_000_000, name, mark, *position))
        before = names
    return _table(rows, source)


def _address(side: PositionSide, number: int) -> str:
    return f"sim-{side}-{number:05d}"


def _position(side: LatentSide, cohort: Cohort) -> tuple[float, float, float, float]:
    """Signed coin, entry, leverage, liquidation price."""
    coin = round(cohort.weight * side.survival, 1)
    signed = -coin if side.side == "short" else coin
    return signed, cohort.entry_price, cohort.leverage_x, round(abs(cohort.rank), 4)


def _table(rows: list[_Row], source: str) -> BundledTable:
    at = np.array([row.at for row in rows], dtype=np.int64)
    mark, coin, entry = (np.array([row[k] for row in rows]) for k in range(2, 5))
    leverage, price = (np.array([row[k] for row in rows]) for k in range(5, 7))
    flat = coin == 0.0
    safe = np.where(flat, 1.0, leverage)
    # isolated: the margin assigned is entry notional over leverage
    cash: FloatArray = np.round(
        np.where(flat, 0.0, np.abs(coin) * entry / safe - coin * entry), 1
    ).astype(np.float64)

    def known(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[float | None]:
        return [None if none else float(value) for value, none in zip(values, flat, strict=True)]

    return build(
        "account", (PERPS[OPEN], "ACCOUNTS"), source, (at, at),
        {
            "account": [row.name for row in rows],
            "contract": ["" if none else "ETHUSDT" for none in flat],
            "size_coin": coin, "mark": known(mark),
            "backing": ["none" if none else "isolated" for none in flat],
            "cash_usd": cash, "entry_price": known(entry), "leverage_x": known(leverage),
            "max_leverage_x": None, "liquidation_price": known(price),
        },
    )  # fmt: skip

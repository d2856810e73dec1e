"""Prices where others must act: walls of forced positions on the map, and strikes with much open interest."""

import numpy as np

from airpocket.domain.units import DAY_NS, PositionSide
from airpocket.levels.roadmap import Found, Level
from airpocket.levels.settings import PROMINENCE, LevelSettings
from airpocket.liquidations.records import Cluster, LiquidationMap, Unmapped
from airpocket.market.options.chain import ChainSnapshot
from airpocket.market.options.gravity import interest_by_strike

_SIDES: tuple[PositionSide, ...] = ("short", "long")


def wall_levels(mapped: LiquidationMap | Unmapped | None, settings: LevelSettings) -> Found:
    """The largest clusters of each side of the liquidation map, at their peaks."""
    if mapped is None or isinstance(mapped, Unmapped):
        why = "no map was asked for" if mapped is None else mapped.reason
        return [], [f"liquidation walls: {why}"]
    levels: list[Level] = []
    for side in _SIDES:
        mine = [each for each in mapped.clusters if each.side == side]
        largest = sorted(mine, key=lambda each: -each.amount.usd)[: settings.walls]
        levels += [_wall(each, int(mapped.as_of)) for each in largest]
    return levels, []


def _wall(cluster: Cluster, as_of: int) -> Level:
    forced = "shorts forced to buy" if cluster.side == "short" else "longs forced to sell"
    return Level(
        price=cluster.peak,
        kind="liquidation_wall",
        label=f"liquidation wall: {forced}, ${cluster.amount.usd / 1e6:,.0f} million ({cluster.amount.provenance})",
        formed_at=as_of,
        confirmed_at=as_of,
        prominence=PROMINENCE["liquidation_wall"],
    )


def gravity_levels(chain: ChainSnapshot | str, settings: LevelSettings) -> Found:
    """The strikes with most open interest among the expiries of the coming weeks; unsigned, calls and puts."""
    if isinstance(chain, str):
        return [], [f"options open-interest gravity: {chain}"]
    found = interest_by_strike(chain, settings.gravity_days * DAY_NS)
    held = found.calls + found.puts
    reach = settings.reach_percent / 100.0
    near = np.flatnonzero(np.abs(found.strike / chain.index - 1.0) <= reach)
    total = float(held[near].sum())
    if total <= 0.0:
        return [], ["options open-interest gravity: no open interest within reach is known"]
    largest = near[np.argsort(-held[near], kind="stable")][: settings.gravity_strikes]
    seen = int(chain.usable_from)
    levels = [
        Level(
            price=float(found.strike[k]),
            kind="option_gravity",
            label=f"option open interest at {found.strike[k]:g}: {held[k]:,.0f} coin, "
            f"{found.calls[k]:,.0f} in calls, expiring within {settings.gravity_days} d",
            formed_at=int(chain.ts),
            confirmed_at=seen,
            prominence=PROMINENCE["option_gravity"],
        )
        for k in largest.tolist()
    ]
    return levels, []

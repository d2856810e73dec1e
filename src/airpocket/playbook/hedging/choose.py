"""The cheapest hedge of a set of columns, in any amounts and legs: a linear programme with its prices."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.playbook.hedging.candidates import Candidates
from airpocket.playbook.hedging.columns import Columns
from airpocket.playbook.hedging.programme import Programme, Unsolved, solve
from airpocket.playbook.hedging.rows import Base, Rows
from airpocket.playbook.hedging.settings import HedgeSettings

_NO_TASTE = 1e-5  # of the price, a coin sold: of equal hedges the one that sells less


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What to solve. coins: signed, of the position, which stands behind what is sold in its direction. price: USD.

    paired: as much is sold as is bought, at least. floor_usd: equity that every kept row must leave besides.
    """

    columns: Columns
    rows: Rows
    base: Base
    coins: float
    price: float
    settings: HedgeSettings
    candidates: Candidates | None = None
    paired: bool = False
    floor_usd: float = -np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """coins: (n,) of each column. cost: USD at once, fees in it. held: USD over the horizon, which is made least.

    bound: no hedge of these columns costs less over it. price: (r,) what it rises by per USD that a row asks more;
    of the linear programme.
    """

    coins: FloatArray
    cost: float
    held: float
    bound: float
    price: FloatArray


def cheapest(task: Task) -> Chosen | Unsolved:
    """The linear optimum: any amounts, any number of legs."""
    programme = programme_of(task)
    found = solve(programme)
    if isinstance(found, Unsolved):
        return found
    count = len(task.rows)
    price = found.price[:count].copy()
    if np.isfinite(task.floor_usd):
        price += found.price[count : 2 * count]
    return chosen_of(task, found.x[: len(task.columns)], price, None)


def slack(task: Task, coins: FloatArray) -> FloatArray:
    """(r,) USD that a hedge leaves over what each row asks; below zero the row is not held."""
    c, b = task.columns, task.settings.buffer
    gain = c.worth - np.where(task.rows.kept[:, None], c.cost + b * c.margin, 0.0)
    over = gain @ coins - _asked(task)
    left, least = _floor(task)
    return np.minimum(over, left @ coins - least) if len(least) else over


def _asked(task: Task) -> FloatArray:
    """(r,) USD that the hedge must bring: up to the multiple of maintenance, or not below nothing."""
    needed = task.settings.buffer * task.base.maintenance
    return np.where(task.rows.kept, needed - task.base.equity, _behind(task))


def _floor(task: Task) -> tuple[FloatArray, FloatArray]:
    """Rows and what they ask for the equity that is to be left, whatever margin needs; none without a floor."""
    if not np.isfinite(task.floor_usd):
        return np.zeros((0, len(task.columns))), np.zeros(0)
    kept = task.rows.kept[:, None]
    gain = np.where(kept, task.columns.worth - task.columns.cost, 0.0)
    return gain, np.where(task.rows.kept, task.floor_usd - task.base.equity, -1.0)


def programme_of(task: Task) -> Programme:
    """Rows of equity, of the tails, of cover, of money; columns of the trades, then of cover by expiry."""
    c, b, s = task.columns, task.settings.buffer, task.settings
    wide = len(c)
    held = task.rows.kept[:, None]
    equity = np.where(held, c.worth - c.cost - b * c.margin, c.worth)
    floor, floor_least = _floor(task)
    blocks, least = [equity, floor], [_asked(task), floor_least]
    cover, cover_least, extra = _cover(task)
    blocks.append(cover)
    least.append(cover_least)
    if (c.sign < 0).any():  # what is sold pays for what is bought, and earns nothing beyond
        blocks += [c.cost[None, :], c.held[None, :]]
        least += [np.zeros(1), np.zeros(1)]
    if (c.initial > 0.0).any():
        opening, opening_least = _opening(task)
        blocks.append(opening[None, :])
        least.append(np.array([opening_least]))
    if task.paired:
        blocks.append(-c.sign[None, :].astype(np.float64))
        least.append(np.zeros(1))
    if s.budget_usd is not None:
        blocks.append(-c.cost[None, :])
        least.append(np.array([-s.budget_usd]))
    rows = np.vstack(
        [np.hstack([each, np.zeros((len(each), wide + extra - each.shape[1]))]) for each in blocks]
    )
    taste = _NO_TASTE * task.price
    core = np.ones(len(rows), dtype=np.bool_)
    core[: len(equity) + len(floor)] = False
    return Programme(
        cost=np.concatenate([c.held + np.where(c.sign < 0, taste, 0.0), np.zeros(extra)]), rows=rows,
        at_least=np.concatenate(least), upper=np.concatenate([c.upper, np.full(extra, abs(task.coins))]),
        core=core,
    )  # fmt: skip


def _opening(task: Task) -> tuple[FloatArray, float]:
    """What is free now, beyond the multiple, must cover the initial margin of what is sold."""
    c, rows = task.columns, task.rows
    now = int(np.argmin(np.abs(rows.move) + np.abs(rows.shift) + rows.days))
    free = float(task.base.equity[now] - task.settings.buffer * task.base.maintenance[now])
    return c.worth[now] - c.cost - c.initial, -free


def _behind(task: Task) -> FloatArray:
    """(r,) what the hedge may be worth at least in rows that keep nothing: nothing, or what the position gained.

    A sold option that the position stands behind may lose there what the position makes.
    """
    return -np.maximum(task.coins * task.rows.move * task.price, 0.0) - 1e-6


def _cover(task: Task) -> tuple[FloatArray, FloatArray, int]:
    """Never net short a tail: sold calls struck up to K never exceed bought ones struck up to K, per expiry.

    Puts mirrored. The position itself stands behind sold calls (a long) or sold puts (a short), once over all
    expiries: the further columns say how much of it behind which expiry.
    """
    c, found = task.columns, task.candidates
    sold = np.flatnonzero(c.sign < 0)
    if found is None or not len(sold):
        return np.zeros((0, len(c))), np.zeros(0), 0
    expiries = np.unique(found.expiry[c.option[sold]])
    option = c.option >= 0
    strike, expiry = (
        np.where(option, found.strike[c.option], np.nan),
        np.where(option, found.expiry[c.option], -1),
    )
    call = option & found.call[c.option]
    rows, place = list[FloatArray](), {int(each): at for at, each in enumerate(expiries)}
    for j in sold.tolist():
        if call[j]:
            inside = call & (expiry == expiry[j]) & (strike <= strike[j])
        else:
            inside = option & ~call & (expiry == expiry[j]) & (strike >= strike[j])
        row: FloatArray = np.zeros(len(c) + len(expiries))
        row[: len(c)] = np.where(inside, c.sign, 0).astype(np.float64)
        if (task.coins > 0.0) == bool(call[j]):
            row[len(c) + place[int(expiry[j])]] = 1.0
        rows.append(row)
    once: FloatArray = np.concatenate([np.zeros(len(c)), -np.ones(len(expiries))])
    unique = np.unique(np.array(rows, dtype=np.float64), axis=0)
    return (
        np.vstack([unique, once[None, :]]), np.append(np.zeros(len(unique)), -abs(task.coins)), len(expiries)
    )  # fmt: skip


def chosen_of(task: Task, coins: FloatArray, price: FloatArray, bound: float | None) -> Chosen:
    """What amounts cost; `bound` None: they are the linear optimum."""
    cost, held = float(task.columns.cost @ coins), float(task.columns.held @ coins)
    return Chosen(coins, cost, held, held if bound is None else min(bound, held), price)

"""The cheapest hedge in whole lots and few legs, of the columns nearest to the linear optimum."""

from dataclasses import replace

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.playbook.hedging.choose import Chosen, Task, chosen_of, programme_of
from airpocket.playbook.hedging.programme import Optimum, Programme, Unsolved, solve

_PROVEN = 0.1  # of what is near enough: a search ends once it can't be better by more


def tradable(task: Task, linear: Chosen) -> Chosen | Unsolved:
    """The cheapest in whole lots and at most so many legs.

    Searched among the few columns nearest to the linear optimum first, and among more while what is found costs
    more than that by over the settings' share. `bound` is the linear optimum's, of all columns: what the choice
    could still be better by.
    """
    s, best = task.settings, None
    reason = "no column"
    enough = linear.held + s.near_enough * abs(task.coins) * task.price
    order = _nearest(task, linear)
    for count in s.kept_columns:
        found = _whole(task, linear, np.sort(order[:count]))
        if isinstance(found, Unsolved):
            reason = found.reason
        elif best is None or found.held < best.held:
            best = found
        if count >= len(order) or (best is not None and best.held <= enough):
            break
    return best or Unsolved(f"in whole lots and at most {s.legs} legs: {reason}")


def _nearest(task: Task, linear: Chosen) -> IntArray:
    """Columns of the linear optimum, then those whose use would cost least beyond it."""
    c, held = task.columns, task.rows.kept[:, None]
    gain = np.where(held, c.worth - c.cost - task.settings.buffer * c.margin, c.worth)
    beyond = (c.held - gain.T @ linear.price) / np.maximum(np.abs(c.cost), 1e-3)
    beyond = np.where(linear.coins > 1e-9, -np.inf, beyond)
    return np.argsort(beyond, kind="stable")


def _whole(task: Task, linear: Chosen, kept: IntArray) -> Chosen | Unsolved:
    part = replace(task, columns=task.columns.part(kept))
    lot = part.columns.lot
    unit = np.where(lot > 0.0, lot, 1.0)
    within = _PROVEN * task.settings.near_enough * abs(task.coins) * task.price
    found = solve(_in_lots(part, unit), task.settings.search_s, within)
    if isinstance(found, Unsolved):
        return found
    coins = np.zeros(len(task.columns))
    coins[kept] = _amounts(found, lot) * unit
    return chosen_of(task, coins, linear.price, linear.held)


def _amounts(found: Optimum, lot: FloatArray) -> FloatArray:
    x = found.x[: len(lot)]
    return np.where(lot > 0.0, np.round(x), x)


def _in_lots(part: Task, unit: FloatArray) -> Programme:
    """The same programme in lots of `unit`, with a flag for every leg that is used and a most of flags."""
    plain = programme_of(part)
    n, count = len(part.columns), len(plain.rows)
    extra = plain.rows.shape[1] - n
    most = np.floor(part.columns.upper / unit + 1e-9)
    lots = np.concatenate([unit, np.ones(extra)])
    rows = np.hstack([plain.rows * lots, np.zeros((count, n))])
    # a leg that is used switches its flag on, and only so many flags may be on
    switch = np.hstack([-np.eye(n), np.zeros((n, extra)), np.diag(most)])
    few = np.concatenate([np.zeros(n + extra), -np.ones(n)])[None, :]
    core = plain.core if plain.core is not None else np.zeros(count, dtype=np.bool_)
    none: FloatArray = np.zeros(n)
    return Programme(
        cost=np.concatenate([plain.cost * lots, none]), rows=np.vstack([rows, switch, few]),
        at_least=np.concatenate([plain.at_least, none, [-float(part.settings.legs)]]),
        upper=np.concatenate([most, plain.upper[n:], np.ones(n)]),
        whole=np.concatenate(
            [part.columns.lot > 0.0, np.zeros(extra, dtype=np.bool_), np.ones(n, dtype=np.bool_)]
        ),
        core=np.concatenate([core, np.ones(n + 1, dtype=np.bool_)]),
    )  # fmt: skip

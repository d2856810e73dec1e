"""Linear and mixed-integer programmes through HiGHS: the cheapest mix that holds every row, and its prices."""

import math
from dataclasses import dataclass

import highspy
import numpy as np

from airpocket.domain.events import BoolArray, FloatArray, IntArray

_FIRST, _MORE = 60, 120  # rows to begin with, and the most that one round adds
_ROUNDS = 100
_SLIP = 1e-9  # of a row's own size: closer than this it holds
_DUST = 1e-10  # of a row's largest entry: what the solver would drop as well
_GAP = 1e-4  # a mixed-integer optimum is proven within this share


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """Minimise cost · x where rows · x ≥ at_least and 0 ≤ x ≤ upper.

    cost, upper: (n,), upper may be infinite. rows: (m, n). at_least: (m,). whole: (n,), which of x are whole
    numbers. core: (m,), rows to hold from the start; the others are added once they are violated.

    Raises:
        ValueError: shapes that don't belong together, or a number that is none.
    """

    cost: FloatArray
    rows: FloatArray
    at_least: FloatArray
    upper: FloatArray
    whole: BoolArray | None = None
    core: BoolArray | None = None

    def __post_init__(self) -> None:
        count, wide = self.rows.shape
        if self.cost.shape != (wide,) or self.upper.shape != (wide,):
            raise ValueError(f"cost and upper need {wide} numbers each, as rows has columns")
        if self.at_least.shape != (count,):
            raise ValueError(f"at_least needs {count} numbers, as there are rows")
        for name, mine, length in (("whole", self.whole, wide), ("core", self.core, count)):
            if mine is not None and mine.shape != (length,):
                raise ValueError(f"{name} needs {length} flags")
        for name, numbers in (
            ("cost", self.cost),
            ("rows", self.rows),
            ("at_least", self.at_least),
        ):
            if not np.isfinite(numbers).all():
                raise ValueError(f"{name} holds a number that is not finite")
        if not (self.upper >= 0.0).all():
            raise ValueError("upper must not be negative")


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """x: (n,). price: (m,) what cost rises by per unit of at_least, of a linear programme (else zeros).

    reduced: (n,) what a unit of a column costs beyond its worth. bound: no solution is cheaper. used: rows that
    the solver saw; the others hold without.
    """

    x: FloatArray
    cost: float
    price: FloatArray
    reduced: FloatArray
    bound: float
    used: int


@dataclass(frozen=True, slots=True)
class Unsolved:
    """Why there is no optimum."""

    reason: str


def solve(
    programme: Programme, seconds: float = math.inf, within: float = 0.0
) -> Optimum | Unsolved:
    """The optimum, by row generation: begin with few rows, add those that its solution violates, until none is.

    Each round goes on from the basis of the one before. `seconds` limits a mixed-integer search; what was found by
    then is returned, with the bound that is left. It also ends once nothing can be cheaper by more than `within`.
    """
    scaled = _scaled(programme)
    solver = _solver(programme, seconds)
    if within > 0.0:
        solver.setOptionValue("mip_abs_gap", within)
    order = _first_rows(scaled, programme.core)
    _add(solver, scaled, order)
    for _ in range(_ROUNDS):
        solver.run()
        status = solver.getModelStatus()
        rest = np.setdiff1d(np.arange(len(scaled.at_least)), order)
        if status in (_STATUS.kUnbounded, _STATUS.kUnboundedOrInfeasible) and len(rest):
            worst = rest  # what bounds it may be among them
        else:
            told = _refusal(solver, status)
            if told is not None:
                return told
            x = np.maximum(np.asarray(solver.getSolution().col_value, dtype=np.float64), 0.0)
            short = scaled.at_least[rest] - scaled.rows[rest] @ x
            bad = np.flatnonzero(short > _SLIP * np.maximum(1.0, np.abs(scaled.at_least[rest])))
            if not len(bad):
                return _optimum(programme, scaled, solver, x, order)
            worst = rest[bad[np.argsort(-short[bad], kind="stable")[:_MORE]]]
        order = np.concatenate([order, worst])
        _add(solver, scaled, worst)
    return Unsolved(f"no optimum in {_ROUNDS} rounds of added rows")


_STATUS = highspy.HighsModelStatus


@dataclass(frozen=True, slots=True, eq=False)
class _Scaled:
    """The rows, each divided by `size`, so that one tolerance means the same in all."""

    rows: FloatArray
    at_least: FloatArray
    size: FloatArray


def _scaled(programme: Programme) -> _Scaled:
    size = np.abs(programme.rows).max(axis=1, initial=0.0)
    size = np.where(size > _DUST, size, 1.0)
    rows = programme.rows / size[:, None]
    return _Scaled(np.where(np.abs(rows) > _DUST, rows, 0.0), programme.at_least / size, size)


def _first_rows(scaled: _Scaled, core: BoolArray | None) -> IntArray:
    """The core, and the rows that nothing at all would violate most."""
    using = np.zeros(len(scaled.at_least), dtype=np.bool_) if core is None else core.copy()
    using[np.argsort(-scaled.at_least, kind="stable")[:_FIRST]] = True
    return np.flatnonzero(using)


class _Quiet(highspy.Highs):
    """Without the banner that the first solver of a process prints."""

    def enableCallbacks(self) -> None:  # noqa: N802 - the binding's name; its constructor calls it
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()


def _solver(programme: Programme, seconds: float) -> highspy.Highs:
    solver = _Quiet()
    solver.setOptionValue("threads", 1)  # the same answer on every machine
    solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
    solver.setOptionValue("dual_feasibility_tolerance", 1e-9)
    solver.setOptionValue("mip_rel_gap", _GAP)
    if math.isfinite(seconds):
        solver.setOptionValue("time_limit", float(seconds))
    wide = len(programme.cost)
    solver.addVars(wide, np.zeros(wide), np.minimum(programme.upper, solver.inf))
    columns = np.arange(wide, dtype=np.int32)
    solver.changeColsCost(wide, columns, programme.cost)
    if programme.whole is not None and programme.whole.any():
        kinds = np.where(
            programme.whole, int(highspy.HighsVarType.kInteger), int(highspy.HighsVarType.kContinuous)
        ).astype(np.uint8)  # fmt: skip
        solver.changeColsIntegrality(wide, columns, kinds)
    return solver


def _add(solver: highspy.Highs, scaled: _Scaled, rows: IntArray) -> None:
    count = len(rows)
    picked = scaled.rows[rows]
    at, column = np.nonzero(picked)
    starts = np.searchsorted(at, np.arange(count)).astype(np.int32)
    solver.addRows(
        count, scaled.at_least[rows], np.full(count, solver.inf), len(column), starts,
        column.astype(np.int32), picked[at, column],
    )  # fmt: skip


def _refusal(solver: highspy.Highs, status: highspy.HighsModelStatus) -> Unsolved | None:
    if status == _STATUS.kOptimal:
        return None
    if status in (_STATUS.kTimeLimit, _STATUS.kSolutionLimit):
        feasible = solver.getInfo().primal_solution_status == int(
            highspy.SolutionStatus.kSolutionStatusFeasible
        )
        return None if feasible else Unsolved("no mix was found in the time given")
    if status in (_STATUS.kInfeasible, _STATUS.kUnboundedOrInfeasible):
        return Unsolved("no mix of the candidates holds every row")
    return Unsolved(f"the solver stopped: {solver.modelStatusToString(status).lower()}")


def _optimum(
    programme: Programme, scaled: _Scaled, solver: highspy.Highs, x: FloatArray, order: IntArray
) -> Optimum:
    cost = float(programme.cost @ x)
    price, reduced, bound = np.zeros(len(scaled.at_least)), np.zeros(len(x)), cost
    if programme.whole is not None and programme.whole.any():
        bound = min(float(solver.getInfo().mip_dual_bound), cost)
    else:
        dual = np.asarray(solver.getSolution().row_dual, dtype=np.float64)
        price[order] = dual / scaled.size[order]
        reduced = programme.cost - programme.rows.T @ price
    return Optimum(x, cost, price, reduced, bound, len(order))

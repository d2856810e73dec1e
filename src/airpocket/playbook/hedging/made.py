"""One shape of hedge solved and judged: its legs, how far it holds, what the next per cent costs, its picture."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import (
    COIN,
    PERCENT,
    PERCENT_YEAR,
    PRICE,
    USD,
    Estimate,
    lower_bound,
    unknown,
)
from airpocket.domain.events import FloatArray, IntArray
from airpocket.playbook.hedging.asked import CLOSED, Asked, Maker, task_of, used_maker
from airpocket.playbook.hedging.candidates import Candidates
from airpocket.playbook.hedging.choose import Chosen, Task, cheapest, slack
from airpocket.playbook.hedging.columns import Columns
from airpocket.playbook.hedging.lots import tradable
from airpocket.playbook.hedging.programme import Unsolved
from airpocket.playbook.hedging.records import CurvePoint, Hedge, HedgeLeg
from airpocket.playbook.hedging.rows import Rows, line_of, rows_of
from airpocket.playbook.hedging.tail import tail_loss
from airpocket.playbook.hedging.templates import Template
from airpocket.playbook.words import moment

_FINE, _COARSE = (
    np.arange(0.0, 0.6, 0.0025),
    np.array([0.7, 0.8, 0.9, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0]),
)
_NUDGE = 0.0025  # of price: how far the edge is moved to see what it asks for
_USED = 1e-6  # coins
_CLOSE = 1e-4  # of the notional: between two rows of the grid equity sags by less


@dataclass(frozen=True, slots=True)
class Shape:
    """A template with its columns. whole: to be had in lots and few legs. capital: USD a coin tied up."""

    template: Template
    maker: Maker
    whole: bool = False
    capital: float = 0.0
    notes: tuple[str, ...] = ()


def hedge_of(asked: Asked, shape: Shape) -> Hedge:
    """The cheapest of a shape that holds every row up to the gap, or why there is none."""
    t, s = shape.template, asked.settings
    rows = rows_of(asked.short, s.gap_percent, s, days=t.days, paths=asked.paths)
    task = task_of(asked, shape.maker, rows, paired=t.paired)
    linear = cheapest(task)
    if isinstance(linear, Unsolved):
        return Hedge(
            id=t.id, title=t.title, refs=list(t.refs), unknown=_why(asked, task, linear.reason)
        )
    chosen = tradable(task, linear) if shape.whole else linear
    if isinstance(chosen, Unsolved):
        return Hedge(id=t.id, title=t.title, refs=list(t.refs), unknown=chosen.reason)
    if (slack(task, chosen.coins) < -1e-6 * asked.mark * abs(asked.coins)).any():
        raise AssertionError(f"{t.id}: a row is not held by what was chosen")
    return _written(asked, shape, task, linear, chosen)


def _why(asked: Asked, task: Task, reason: str) -> str:
    sold = task.columns.margin[task.rows.kept].max(axis=0)
    if not (sold > 0.0).any():
        return reason
    least = float(sold[sold > 0.0].min())
    return (
        f"{reason}: every sold coin needs its own margin, ${least:,.0f} and more in the worst row"
    )


def plain_protected(asked: Asked) -> Estimate:
    """How far the account keeps its multiple without any hedge, signed per cent."""
    rows = _line(asked, asked.settings.days)
    base = asked.base(rows)
    return _furthest(asked, rows, base.equity - asked.settings.buffer * base.maintenance)


def at_gap(asked: Asked) -> tuple[float, float]:
    """Equity now, and in the worst row at the gap, without any hedge, USD; spot beside it by its gains alone."""
    now = asked.base(line_of(np.zeros(1), asked.settings, (0.0,))).equity
    there = asked.base(_edge(asked, asked.settings.days)).equity
    return float(now.min()), float(there.min())


def top_up(asked: Asked) -> Estimate:
    """USD that the position's own venue lacks at the gap for the multiple, with what is held there alone."""
    rows = _edge(asked, asked.settings.days)
    held = asked.valued(rows)
    short = float((asked.settings.buffer * held.maintenance - held.equity).max())
    return asked.figure(max(short, 0.0), USD, f"{asked.position.key} alone, at the gap")


def _written(asked: Asked, shape: Shape, task: Task, linear: Chosen, chosen: Chosen) -> Hedge:
    t, c = shape.template, task.columns
    days = tuple(t.days or asked.settings.days)
    used = np.flatnonzero(chosen.coins > _USED)
    coins = chosen.coins[used]
    maker = _of_used(asked, shape, c, used)
    notional = asked.mark * abs(asked.coins)
    rows = _line(asked, days)
    line = _slack_of(asked, maker, rows, coins)
    edge = maker(_edge(asked, days))
    source = "asks and bids of the chain, with fees" if shape.whole else "taker fees"
    return Hedge(
        id=t.id, title=t.title, refs=list(t.refs), legs=[_leg(asked, c, int(j), chosen.coins[j]) for j in used],
        cost=asked.figure(chosen.cost, USD, source),
        held=asked.figure(chosen.held, USD, f"{source}; closed after {asked.hold_d:.3g} days of nothing"),
        cost_percent=asked.figure(100.0 * chosen.cost / notional, PERCENT, "of the position's notional"),
        bound=asked.figure(chosen.bound, USD, "linear programme, any amounts and legs"),
        margin=asked.figure(
            float(c.initial[used] @ coins), USD, "Deribit's standard initial margin of what is sold"
        ),
        capital=asked.figure(shape.capital * float(coins.sum()), USD, "tied up, not spent"),
        protected=_furthest(asked, rows, line),
        worth_at_gap=asked.figure(float((edge.worth @ coins).min()), USD, "the worst row at the gap"),
        next_percent=_next(asked, shape, task, linear),
        tail_loss=tail_loss(asked, maker, coins), uncovered=_uncovered(asked, task, used, days),
        notes=list(shape.notes), curve=_curve(asked, maker, coins, days),
    )  # fmt: skip


def _of_used(asked: Asked, shape: Shape, columns: Columns, used: IntArray) -> Maker:
    if isinstance(asked.candidates, Candidates) and shape.whole:
        return used_maker(asked, asked.candidates, columns, used)
    return shape.maker if len(used) else lambda rows: _nothing(shape.maker(rows))


def _nothing(columns: Columns) -> Columns:
    return columns.part(np.zeros(0, dtype=np.int64))


def _slack_of(asked: Asked, maker: Maker, rows: Rows, coins: FloatArray) -> FloatArray:
    return slack(task_of(asked, maker, rows), coins)


def _line(asked: Asked, days: tuple[float, ...]) -> Rows:
    moves = np.concatenate([_FINE, _COARSE])
    if not asked.short:
        moves = -moves[moves < 0.95]
    return line_of(moves, asked.settings, days)


def _edge(asked: Asked, days: tuple[float, ...], beyond: float = 0.0) -> Rows:
    way = 1.0 if asked.short else -1.0
    gap = asked.settings.gap_percent / 100.0
    return line_of(np.array([way * (gap + beyond)]), asked.settings, days)


def _furthest(asked: Asked, rows: Rows, over: FloatArray) -> Estimate:
    """The last move before the first at which a row is not held; at least the last tried where none fails."""
    moves, at = np.unique(np.abs(rows.move), return_inverse=True)
    worst = np.full(len(moves), np.inf)
    np.minimum.at(worst, at, over)
    failed = np.flatnonzero(worst < -_CLOSE * asked.mark * abs(asked.coins))
    way = 100.0 if asked.short else -100.0
    source = f"{asked.settings.buffer:g} × maintenance in every row"
    if not len(failed):
        return lower_bound(asked.figure(way * float(moves[-1]), PERCENT, source))
    if failed[0] == 0:
        return unknown(PERCENT, "the multiple is not kept even where price stands now")
    return asked.figure(way * float(moves[failed[0] - 1]), PERCENT, source)


def _next(asked: Asked, shape: Shape, task: Task, linear: Chosen) -> Estimate:
    """By the duals (envelope theorem): what the edge's rows ask more, one nudge on, at the price of each."""
    gap = asked.settings.gap_percent / 100.0
    edge = np.flatnonzero(
        np.isclose(np.abs(task.rows.move), gap) & task.rows.kept & (linear.price > 0.0)
    )
    edge = edge[(task.rows.move[edge] > 0.0) == asked.short]
    if not len(edge):
        return asked.figure(0.0, USD, "no row at the gap binds")
    way = 1.0 if asked.short else -1.0
    on = Rows(
        task.rows.move[edge] + way * _NUDGE, task.rows.shift[edge], task.rows.days[edge], task.rows.kept[edge]
    )  # fmt: skip
    used = np.flatnonzero(linear.coins > _USED)
    there = _slack_of(asked, _of_used(asked, shape, task.columns, used), on, linear.coins[used])
    lost = slack(task, linear.coins)[edge] - there
    return asked.figure(
        float(linear.price[edge] @ lost) / (100.0 * _NUDGE), USD, "duals of the linear programme"
    )


def _leg(asked: Asked, c: Columns, j: int, coins: float) -> HedgeLeg:
    found, option = asked.candidates, int(c.option[j])
    size = asked.figure(float(coins), COIN, "the programme's optimum")
    if option < 0 or isinstance(found, str):
        side = "close" if c.name[j] == CLOSED else ("buy" if asked.short else "sell")
        return HedgeLeg(
            side=side, name=str(c.name[j]), size=size, price=asked.figure(asked.mark, PRICE, "mark")
        )
    bought = c.sign[j] > 0
    price = float((found.ask if bought else found.bid)[option])
    vol = float((found.ask_vol if bought else found.bid_vol)[option])
    return HedgeLeg(
        side="buy" if bought else "sell", name=str(found.name[option]), size=size,
        price=asked.figure(price, PRICE, f"{found.venue} {'ask' if bought else 'bid'}"),
        price_coin=price / found.index,
        volatility=asked.figure(100.0 * vol, PERCENT_YEAR, "of that price"),
        delta=float(found.delta[option]), days=float(found.days[option]),
    )  # fmt: skip


def _uncovered(asked: Asked, task: Task, used: IntArray, days: tuple[float, ...]) -> list[str]:
    found, c = asked.candidates, task.columns
    told = [
        f"what a row does not say: more than {days[-1]:g} days ahead at the same price, and gaps in quotes"
    ]
    if isinstance(found, str) or not len(used) or (c.option[used] < 0).any():
        return told
    last = (
        int(found.expiry[c.option[used[c.sign[used] > 0]]].max()) if (c.sign[used] > 0).any() else 0
    )
    told.insert(0, f"everything after {moment(last)}, when the last bought option expires")
    sold = used[c.sign[used] < 0]
    if len(sold):
        told.append(_given_up(asked, found, c.option[sold]))
    return told


def _given_up(asked: Asked, found: Candidates, sold: IntArray) -> str:
    strikes = found.strike[sold]
    behind = found.call[sold] != asked.short  # the position itself stands behind these
    if behind.any():
        where, at = (
            ("below", strikes[behind].max()) if asked.short else ("above", strikes[behind].min())
        )
        return (
            f"gains {where} {at:,.10g} on what is sold; "
            "close the sold legs when you close the position: without it they are naked"
        )
    beyond = "above" if asked.short else "below"
    return f"the part of the hedge {beyond} {strikes.min() if asked.short else strikes.max():,.10g}, which is sold"


def _curve(
    asked: Asked, maker: Maker, coins: FloatArray, days: tuple[float, ...]
) -> list[CurvePoint]:
    moves = np.arange(-0.4, 0.601, 0.02)
    both = [_middle(moves, day) for day in (0.0, days[-1])]
    plain = asked.base(both[0]).equity
    made = [(each.worth - each.cost) @ coins for each in map(maker, both)]
    later = asked.base(both[1]).equity + made[1]
    return [
        CurvePoint(
            move_percent=100.0 * float(m), plain_usd=float(p), hedged_usd=float(p + h),
            hedged_later_usd=float(w),
        )
        for m, p, h, w in zip(moves, plain, made[0], later, strict=True)
    ]  # fmt: skip


def _middle(moves: FloatArray, day: float) -> Rows:
    none = np.zeros(len(moves))
    return Rows(moves, none, none + day, np.ones(len(moves), dtype=np.bool_))

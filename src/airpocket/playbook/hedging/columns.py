"""What may be traded as columns of the programme: cost, gain and margin of one coin of it in every scenario."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray, IntArray, TextArray
from airpocket.margin.options import written_initial, written_maintenance
from airpocket.margin.stressgrid import shock_factor
from airpocket.market.options.revalue import value_grid
from airpocket.playbook.hedging.candidates import Candidates
from airpocket.playbook.hedging.rows import Rows
from airpocket.playbook.hedging.settings import HedgeSettings

_YEAR_D = 365.0


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """(n,) trades. option: row of the candidates, −1 of what is none. sign: 1 bought, −1 sold.

    cost: USD a coin at once, fees in it; below zero it pays. held: USD a coin that it has cost after the horizon,
    if nothing happens. worth: (r, n) what the trade adds to equity in each row, apart from its cost. margin: (r, n)
    maintenance it needs there. initial: (n,) margin that must be free to open it. upper: coins at most. lot:
    coins; 0 where any amount can be traded.
    """

    name: TextArray
    option: IntArray
    sign: IntArray
    cost: FloatArray
    held: FloatArray
    worth: FloatArray
    margin: FloatArray
    initial: FloatArray
    upper: FloatArray
    lot: FloatArray

    def __len__(self) -> int:
        return len(self.cost)

    def part(self, kept: IntArray) -> "Columns":
        """Some of them, in the order given."""
        return Columns(
            self.name[kept], self.option[kept], self.sign[kept], self.cost[kept], self.held[kept],
            self.worth[:, kept], self.margin[:, kept], self.initial[kept], self.upper[kept], self.lot[kept],
        )  # fmt: skip


def option_columns(
    found: Candidates,
    rows: Rows,
    buy: BoolArray,
    sell: BoolArray,
    coins: float,
    settings: HedgeSettings,
    hold_d: float,
) -> Columns:
    """The options picked by (n,) `buy` and `sell`, at executable prices, for a position of `coins`.

    What is bought costs its ask and is worth what its bid's volatility makes of it; what is sold pays its bid
    and is owed at its ask's. A bought option that has expired by a row's day is worth nothing there, a sold one
    is owed its intrinsic value. Sold options need Deribit's standard maintenance; of the kind that is bought
    only where the settings say so. Equity has what they are owed off already: the rule's mark is not taken twice.
    """
    bought, sold = np.flatnonzero(buy), np.flatnonzero(sell)
    picked = np.concatenate([bought, sold])
    sign = np.concatenate([np.ones(len(bought)), -np.ones(len(sold))]).astype(np.int64)
    price = np.concatenate([found.ask[bought], found.bid[sold]])
    vol = np.concatenate([found.bid_vol[bought], found.ask_vol[sold]])
    fee = option_fee(found, price, settings)
    value = values(found, picked, vol, rows)
    left = found.days[picked][None, :] - rows.days[:, None]
    value = np.where((left <= 0.0) & (sign > 0)[None, :], 0.0, value)
    spot = found.index * (1.0 + rows.move)[:, None]
    margin = np.zeros_like(value)
    owed = sign < 0
    if not settings.standard_margin and len(bought):  # a debit spread's worst loss is its premium
        owed &= found.call[picked] != found.call[bought[0]]
    margin[:, owed] = np.where(
        left[:, owed] > 0.0,
        written_maintenance(found.call[picked[owed]][None, :], value[:, owed] / spot) * spot - value[:, owed], 0.0,
    )  # fmt: skip
    first: FloatArray = np.zeros(len(picked))
    first[owed] = _initial(found, picked[owed], price[owed])
    size = np.concatenate([found.size_ask[bought], found.size_bid[sold]])
    most = settings.most_sizes * coins
    way = sign.astype(np.float64)
    return Columns(
        name=found.name[picked], option=picked, sign=sign, cost=way * price + fee,
        held=_held(found, picked, sign, (price, vol), settings, hold_d), worth=way * value, margin=margin,
        initial=first, upper=np.where(np.isnan(size), most, np.minimum(size, most)),
        lot=np.full(len(picked), settings.lot),
    )  # fmt: skip


def option_fee(found: Candidates, price: FloatArray, settings: HedgeSettings) -> FloatArray:
    """USD a coin of trading options at these prices."""
    return np.minimum(settings.option_fee * found.index, settings.option_fee_cap * price)


def _held(
    found: Candidates, picked: IntArray, sign: IntArray, traded: tuple[FloatArray, FloatArray],
    settings: HedgeSettings, hold_d: float,
) -> FloatArray:  # fmt: skip
    """(n,) USD a coin lost over `hold_d` days in which price stays: what was paid less what it is sold for then.

    traded: prices, and the volatilities of the other side, at which it is closed; of what was bought they have
    fallen by the calm shift, of what was sold they have not. What expires before is bought anew at the same
    price for the rest of the time. Money paid at once is charged the settings' rate.
    """
    price, vol = traded
    fallen = np.where(
        sign > 0, vol * (1.0 + settings.calm_shift * _factor(found, picked, hold_d)), vol
    )
    none = np.zeros(1)
    calm = Rows(none, none, none + hold_d, np.ones(1, dtype=np.bool_))
    then: FloatArray = values(found, picked, fallen, calm)[0]
    left = found.days[picked]
    closing = np.where(left > hold_d, option_fee(found, then, settings), 0.0)
    lost: FloatArray = sign * (price - then) + option_fee(found, price, settings) + closing
    money = sign * price * settings.money_rate * np.minimum(left, hold_d) / _YEAR_D
    return (lost + money) * np.maximum(hold_d / left, 1.0)


def _factor(found: Candidates, picked: IntArray, hold_d: float) -> FloatArray:
    return shock_factor(np.maximum(found.days[picked] - hold_d, 0.0))


def _initial(found: Candidates, picked: IntArray, price: FloatArray) -> FloatArray:
    """(n,) USD a coin that Deribit's standard rule wants free for writing these, beyond what they then owe."""
    mark = price / found.index
    needed = written_initial(found.call[picked], mark, found.strike[picked], found.forward[picked])
    return (needed - mark) * found.index


def values(found: Candidates, picked: IntArray, vol: FloatArray, rows: Rows) -> FloatArray:
    """(r, n) USD a coin of the options `picked` at volatilities (n,) `vol`, in every row; intrinsic once expired.

    Sticky strike: each option keeps its own volatility as price moves, shifted as portfolio margins shift it
    by days to expiry.
    """
    moves, at_move = np.unique(rows.move, return_inverse=True)
    shifts, at_shift = np.unique(rows.shift, return_inverse=True)
    out = np.empty((len(rows), len(picked)))
    for day in np.unique(rows.days):
        mine = np.flatnonzero(rows.days == day)
        left = found.days[picked] - day
        shifted = vol[:, None] * (1.0 + shifts[None, :] * shock_factor(left)[:, None])
        grid = value_grid(
            found.call[picked], found.forward[picked], found.strike[picked], left / _YEAR_D,
            1.0 + moves, np.maximum(shifted, 0.0),
        )  # fmt: skip
        out[mine] = grid[:, at_move[mine], at_shift[mine]].T
    return out * found.scale[picked][None, :]


def linear_column(
    name: str, gain: FloatArray, margin: FloatArray, cost: tuple[float, float], upper: float
) -> Columns:
    """One trade that is no option: (r,) USD a coin that it gains and must keep in each row; its cost a coin, at
    once and over the horizon.
    """
    return Columns(
        name=np.array([name]), option=np.array([-1]), sign=np.array([1]), cost=np.array([cost[0]]),
        held=np.array([cost[1]]), worth=gain[:, None], margin=margin[:, None], initial=np.zeros(1),
        upper=np.array([upper]), lot=np.zeros(1),
    )  # fmt: skip

"""What may be traded as columns of the programme: cost, gain and margin of one coin of it in every scenario."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray, IntArray, TextArray
from airpocket.margin.options import written_maintenance
from airpocket.margin.stressgrid import shock_factor
from airpocket.market.options.revalue import value_grid
from airpocket.playbook.hedging.candidates import Candidates
from airpocket.playbook.hedging.rows import Rows
from airpocket.playbook.hedging.settings import HedgeSettings

_YEAR_D = 365.0


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """(n,) trades. option: row of the candidates, −1 of what is none. sign: 1 bought, −1 sold.

    cost: USD a coin at once, fees in it; below zero it pays. worth: (r, n) what the trade adds to equity in each
    row, apart from its cost. margin: (r, n) maintenance it needs there. upper: coins at most. lot: coins; 0 where
    any amount can be traded.
    """

    name: TextArray
    option: IntArray
    sign: IntArray
    cost: FloatArray
    worth: FloatArray
    margin: FloatArray
    upper: FloatArray
    lot: FloatArray

    def __len__(self) -> int:
        return len(self.cost)


def option_columns(
    found: Candidates,
    rows: Rows,
    buy: BoolArray,
    sell: BoolArray,
    coins: float,
    settings: HedgeSettings,
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
    fee = np.minimum(settings.option_fee * found.index, settings.option_fee_cap * price)
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
    size = np.concatenate([found.size_ask[bought], found.size_bid[sold]])
    most = settings.most_sizes * coins
    way = sign.astype(np.float64)
    return Columns(
        name=found.name[picked], option=picked, sign=sign, cost=way * price + fee, worth=way * value,
        margin=margin, upper=np.where(np.isnan(size), most, np.minimum(size, most)),
        lot=np.full(len(picked), settings.lot),
    )  # fmt: skip


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
    name: str, gain: FloatArray, margin: FloatArray, cost: float, upper: float, lot: float = 0.0
) -> Columns:
    """One trade that is no option: (r,) USD a coin that it gains and must keep in each row; its cost a coin."""
    return Columns(
        name=np.array([name]), option=np.array([-1]), sign=np.array([1]), cost=np.array([cost]),
        worth=gain[:, None], margin=margin[:, None], upper=np.array([upper]), lot=np.array([lot]),
    )  # fmt: skip

"""What public accounts held at each past hour, as it was known then: answers → the exact columns of the heatmap."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from airpocket.domain.accounts import Answers, begins
from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.units import HOUR_NS
from airpocket.liquidations.settings import MapSettings
from airpocket.market.bars import Bars

STALE_NS = 24 * HOUR_NS  # older answers say too little about a moment


@dataclass(frozen=True, slots=True)
class HeldThen:
    """One contract's accounts by hour, shorts first: coin (2, T, B) that stands at a price, from bucket `first` on;
    held (2, T) in all, also at no price."""

    first: int
    coin: FloatArray
    held: FloatArray


class _Claims(NamedTuple):
    """Of one contract, arrays (n,): side 0 short, 1 long; coin; price, NaN where none; from heard to over, ns."""

    side: IntArray
    coin: FloatArray
    price: FloatArray
    heard: IntArray
    over: IntArray

    def of(self, rows: BoolArray) -> "_Claims":
        side, coin, price, heard, over = self
        return _Claims(side[rows], coin[rows], price[rows], heard[rows], over[rows])


def held_through(
    told: Answers, contract: int, hours: IntArray, path: Bars, s: MapSettings
) -> HeldThen | None:
    """What accounts held of a contract at each of the whole `hours` (T,) ns; None where nobody held it in any.

    told: `in_order`; contract: its number there.

    An answer counts from when it was heard until the same account's next, at most a day, at the price the venue
    told, and no longer than until price traded there. Bars of `path` that opened after the answer count whole; of
    the one it fell into, only where it closed.
    """
    claims = _claims(told, contract)
    row: IntArray = np.searchsorted(hours, claims.heard, side="left").astype(np.int64)
    claims, row = _going_on(claims, row, hours)
    if len(row) == 0:
        return None
    bucket = np.floor(np.log(claims.price[np.isfinite(claims.price)]) / s.width)
    first, count = (int(bucket.min()), int(np.ptp(bucket)) + 1) if len(bucket) else (0, 0)
    coin, held = np.zeros((2, len(hours), count)), np.zeros((2, len(hours)))
    since = claims.heard
    while len(row):
        high, low = _reached(path, since, hours[row])
        # never, where there is no price
        passed = np.where(claims.side == 0, claims.price <= high, claims.price >= low)
        claims, row = claims.of(~passed), row[~passed]
        np.add.at(held, (claims.side, row), claims.coin)
        on = np.isfinite(claims.price)
        at = np.floor(np.log(claims.price[on]) / s.width).astype(np.int64) - first
        np.add.at(coin, (claims.side[on], row[on], at), claims.coin[on])
        claims, row = _going_on(claims, row + 1, hours)
        since = hours[row - 1]
    return HeldThen(first, coin, held)


def _going_on(claims: _Claims, row: IntArray, hours: IntArray) -> tuple[_Claims, IntArray]:
    """Those that are not over at the hour of their row."""
    goes = (row < len(hours)) & (claims.over > hours[np.minimum(row, len(hours) - 1)])
    return claims.of(goes), row[goes]


def _claims(told: Answers, contract: int) -> _Claims:
    """Of one contract; what an account held is over with its next answer, whatever that was of."""
    new = begins(told.account, told.heard)
    begin, whose = told.heard[new], told.account[new]
    over: IntArray = begin + STALE_NS + 1
    again = whose[1:] == whose[:-1]
    over[:-1] = np.where(again, np.minimum(over[:-1], begin[1:]), over[:-1])
    held = np.flatnonzero(told.contract == contract)
    answer = np.cumsum(new)[held] - 1
    size = told.size_coin[held]
    return _Claims(
        (size > 0.0).astype(np.int64),
        np.abs(size),
        told.price[held],
        told.heard[held],
        over[answer],
    )


def _reached(path: Bars, since: IntArray, until: IntArray) -> tuple[FloatArray, FloatArray]:
    """(n,) highest and lowest price traded in bars that opened from `since` on and ended by `until`, and the close
    then; nothing where no bar ended in between."""
    if len(path) == 0:
        return np.full(len(since), -np.inf), np.full(len(since), np.inf)
    first = np.searchsorted(path.ts, since, side="left")
    last = np.searchsorted(path.end, until, side="right")
    bounds = np.stack([first, np.maximum(first, last)], axis=1).reshape(-1)
    some, newest = last > first, np.maximum(last - 1, 0)
    high = np.where(some, np.maximum.reduceat(np.append(path.high, -np.inf), bounds)[::2], -np.inf)
    low = np.where(some, np.minimum.reduceat(np.append(path.low, np.inf), bounds)[::2], np.inf)
    closed = (last > 0) & (path.end[newest] > since)
    close = path.close[newest]
    return np.where(closed, np.maximum(high, close), high), np.where(
        closed, np.minimum(low, close), low
    )

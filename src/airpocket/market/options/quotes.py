"""Quotes of a chain, cleaned: per expiry what two sides say of each strike, as an interval of total variance."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.options.fit import Slice
from airpocket.market.options.implied import implied_volatility

YEAR_NS = 365 * DAY_NS
_SHORTEST_NS = HOUR_NS  # later, what an expiry settles at is half averaged already
_LEAST_VOL, _MOST_VOL = 0.01, 5.0  # fraction a year: placeholders and fat fingers lie outside
_WIDEST = 4.0  # ask over bid


@dataclass(frozen=True, slots=True)
class ChainQuotes:
    """(n,) rows of one chain at one moment. expiry: ns. bid, ask: per coin of the underlying, in coin where
    `in_coin`, else in the quote; NaN where there is none. forward: of the row's expiry, at the time of its quote.
    """

    now: int
    expiry: IntArray
    strike: FloatArray
    call: BoolArray
    forward: FloatArray
    bid: FloatArray
    ask: FloatArray
    in_coin: bool = True


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Clean quotes of one expiry, strikes rising. bid_vol, ask_vol: fractions a year."""

    expiry: int
    years: float
    forward: float
    strike: FloatArray
    bid_vol: FloatArray
    ask_vol: FloatArray
    interval: Slice


def clean(chain: ChainQuotes) -> tuple[list[Cleaned], Counter[str]]:
    """By expiry, and how many rows were left out for which reason.

    Of each strike the option out of the money speaks: the other holds the same volatility under a spread
    that its intrinsic value widens.
    """
    out: Counter[str] = Counter()
    keep = np.ones(len(chain.strike), dtype=np.bool_)

    def leave(bad: BoolArray, why: str) -> None:
        nonlocal keep
        out[why] += int((keep & bad).sum())
        keep = keep & ~bad

    sound = (chain.forward > 0.0) & np.isfinite(chain.forward) & (chain.strike > 0.0)
    leave(~(sound & np.isfinite(chain.strike)), "no forward or strike")
    leave(chain.expiry - chain.now < _SHORTEST_NS, "expired or about to")
    leave(~((chain.bid > 0.0) & (chain.ask > 0.0)), "one-sided")
    leave(chain.bid >= chain.ask, "crossed or locked")
    leave(chain.ask > _WIDEST * chain.bid, f"ask above {_WIDEST:g} times the bid")
    forward = np.where(sound, chain.forward, np.nan)
    leave(np.where(chain.call, chain.strike < forward, chain.strike >= forward), "in the money")
    rows = np.flatnonzero(keep)
    worth = chain.forward[rows] if chain.in_coin else np.ones(len(rows))
    years = (chain.expiry[rows] - chain.now) / YEAR_NS
    vols = [
        implied_volatility(chain.call[rows], chain.forward[rows], chain.strike[rows], years, side[rows] * worth)
        for side in (chain.bid, chain.ask)
    ]  # fmt: skip
    known = (vols[0] >= _LEAST_VOL) & (vols[1] <= _MOST_VOL)
    out["no volatility that could be"] += int((~known).sum())
    rows, years, vols = rows[known], years[known], [vol[known] for vol in vols]
    found = [
        _of_expiry(chain, int(expiry), rows, years, vols)
        for expiry in np.unique(chain.expiry[rows])
    ]
    return found, Counter({why: count for why, count in out.items() if count})


def _of_expiry(
    chain: ChainQuotes, expiry: int, rows: IntArray, years: FloatArray, vols: list[FloatArray]
) -> Cleaned:
    mine = np.flatnonzero(chain.expiry[rows] == expiry)
    k = np.log(chain.strike[rows[mine]] / chain.forward[rows[mine]])
    order = np.argsort(k, kind="stable")
    mine, k = mine[order], k[order]
    bid, ask, time = vols[0][mine], vols[1][mine], float(years[mine][0])
    low, high = bid**2 * time, ask**2 * time
    return Cleaned(
        expiry=expiry, years=time, forward=float(np.median(chain.forward[rows[mine]])),
        strike=chain.strike[rows[mine]], bid_vol=bid, ask_vol=ask,
        interval=Slice(k, 0.5 * (low + high), 0.5 * (high - low)),
    )  # fmt: skip

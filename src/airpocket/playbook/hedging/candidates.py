"""Options that a hedge may be made of: what each costs at once, and at what volatility it would be taken back."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from airpocket.domain.errors import BadInput
from airpocket.domain.estimates import PRICE, Estimate, known
from airpocket.domain.events import BoolArray, FloatArray, IntArray, TextArray
from airpocket.domain.units import DAY_NS, HOUR_NS, YEAR_NS, format_time
from airpocket.market.options.chain import ChainSnapshot
from airpocket.market.options.greeks import greeks
from airpocket.market.options.implied import implied_volatility

_LEAST_VOL, _MOST_VOL = 0.05, 5.0  # a year: outside, a quote is a placeholder or a slip
_SHORTEST_NS = 12 * HOUR_NS  # later, an expiry is no cover for a night
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """(n,) options of one chain, by expiry and strike. Prices: USD per coin, NaN where nobody makes one.

    bid_vol, ask_vol: fraction a year; 0 where the quote is at or under intrinsic value. delta: of the middle,
    Black-Scholes. size_bid, size_ask: coin at those prices, NaN where not known. scale: index over the
    expiry's forward, which turns a price on the forward into USD now.
    """

    venue: str
    now: int
    at: int  # when the chain was true
    index: float
    name: TextArray
    expiry: IntArray
    strike: FloatArray
    call: BoolArray
    forward: FloatArray
    bid: FloatArray
    ask: FloatArray
    bid_vol: FloatArray
    ask_vol: FloatArray
    delta: FloatArray
    size_bid: FloatArray
    size_ask: FloatArray
    left_out: Counter[str] = field(default_factory=Counter[str])
    sketch: str = ""  # the volatility that all is made of, where nothing is quoted

    def __len__(self) -> int:
        return len(self.strike)

    @property
    def index_estimate(self) -> Estimate:
        """USD per coin, as of the chain."""
        return known(self.index, PRICE, as_of=self.at, now=self.now, source=f"{self.venue} index")

    @property
    def sized(self) -> int:
        """Options of which the size behind every quote they have is known."""
        bid = np.isnan(self.bid) | np.isfinite(self.size_bid)
        return int((bid & (np.isnan(self.ask) | np.isfinite(self.size_ask))).sum())

    @property
    def scale(self) -> FloatArray:
        return self.index / self.forward

    @property
    def days(self) -> FloatArray:
        """(n,) to expiry from `now`."""
        return (self.expiry - self.now) / DAY_NS


def candidates_of(chain: ChainSnapshot, asset: str, now: int) -> Candidates:
    """The chain's options that could be bought or sold now, in USD per coin.

    Raises:
        BadInput: none can; says how many rows were left out for which reason.
    """
    q = chain.quotes
    out: Counter[str] = Counter()
    keep = np.ones(len(q.strike), dtype=np.bool_)

    def leave(bad: BoolArray, why: str) -> None:
        nonlocal keep
        out[why] += int((keep & bad).sum())
        keep = keep & ~bad

    sound = (q.forward > 0.0) & np.isfinite(q.forward) & (q.strike > 0.0) & np.isfinite(q.strike)
    leave(~sound, "no strike or no forward")
    leave(q.expiry <= now, "expired")
    leave(q.expiry - now < _SHORTEST_NS, "expires within 12 h")
    ask, bid = (np.where(side > 0.0, side, np.nan) for side in (q.ask, q.bid))
    leave(np.isnan(ask) & np.isnan(bid), "no bid and no ask")
    leave(bid >= ask, "crossed or locked")  # NaN: one side is enough to trade on it
    worth = np.where(sound, q.forward, 1.0) if q.in_coin else np.ones(len(q.strike))
    years = np.maximum(q.expiry - q.now, 1) / YEAR_NS
    forward, strike = np.where(sound, q.forward, 1.0), np.where(sound, q.strike, 1.0)
    vols = [_volatility(q.call, forward, strike, years, side * worth) for side in (bid, ask)]
    odd = (vols[1] < _LEAST_VOL) | (np.fmax(vols[0], vols[1]) > _MOST_VOL)
    odd |= (np.isnan(vols[0]) & ~np.isnan(bid)) | (np.isnan(vols[1]) & ~np.isnan(ask))
    leave(odd, f"placeholder: a volatility outside {100 * _LEAST_VOL:g} to {100 * _MOST_VOL:g} %")
    rows = np.flatnonzero(keep)
    if not len(rows):
        raise BadInput(
            f"no option of {chain.venue}'s chain of {format_time(chain.ts)} can be traded: {told(out)}"
        )
    rows = rows[np.lexsort((q.call[rows], q.strike[rows], q.expiry[rows]))]
    scale = chain.index / forward[rows]
    middle = np.where(vols[0][rows] > 0.0, 0.5 * (vols[0][rows] + vols[1][rows]), vols[1][rows])
    middle = np.where(np.isfinite(middle), middle, np.fmax(vols[0][rows], 0.0))
    return Candidates(
        venue=chain.venue, now=now, at=chain.ts, index=chain.index,
        name=np.array([
            option_name(asset, int(q.expiry[i]), float(q.strike[i]), call=bool(q.call[i])) for i in rows
        ]),
        expiry=q.expiry[rows], strike=strike[rows], call=q.call[rows], forward=forward[rows],
        bid=(bid * worth)[rows] * scale, ask=(ask * worth)[rows] * scale,
        bid_vol=np.nan_to_num(vols[0][rows]), ask_vol=np.nan_to_num(vols[1][rows]),
        delta=greeks(q.call[rows], forward[rows], strike[rows], years[rows], middle).delta,
        size_bid=_sizes(chain.bid_size, rows), size_ask=_sizes(chain.ask_size, rows),
        left_out=Counter({why: count for why, count in out.items() if count}),
    )  # fmt: skip


def _sizes(said: FloatArray | None, rows: IntArray) -> FloatArray:
    return np.full(len(rows), np.nan) if said is None else said[rows]


def _volatility(
    call: BoolArray, forward: FloatArray, strike: FloatArray, years: FloatArray, price: FloatArray
) -> FloatArray:
    """NaN without a price; 0 where the price is no more than what exercise would pay."""
    inside = np.maximum(np.where(call, forward - strike, strike - forward), 0.0)
    least = inside * (1.0 + 1e-9) + 1e-9 * forward
    paid = np.where(np.isnan(price), least, np.maximum(price, least))
    found = implied_volatility(call, forward, strike, years, paid)
    return np.where(np.isnan(price), np.nan, np.where(price <= least, 0.0, found))


def told(left_out: Counter[str]) -> str:
    """'12 expired, 3 crossed or locked'."""
    return ", ".join(f"{count} {why}" for why, count in left_out.most_common()) or "nothing"


def option_name(asset: str, expiry: int, strike: float, *, call: bool) -> str:
    """As Deribit writes it: ETH-27FEB26-2400-C."""
    year, month, day = format_time(expiry)[:10].split("-")
    when = f"{int(day)}{_MONTHS[int(month) - 1]}{year[2:]}"
    return f"{asset}-{when}-{strike:.10g}-{'C' if call else 'P'}"

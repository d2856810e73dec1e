"""Public accounts and loans → the exact layer of the map: coin by bucket, with coverage and age of each answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from airpocket.domain.accounts import AccountState, LoanState
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS, TimeNs
from airpocket.liquidations.exact import (
    ScheduleOf,
    loan_liquidation,
    newest_marks,
    price_now,
    schedule_in_force,
)
from airpocket.liquidations.grid import bucket_of
from airpocket.liquidations.past import STALE_NS
from airpocket.liquidations.records import Measured
from airpocket.liquidations.settings import MapSettings
from airpocket.margin.tiers import Schedule
from airpocket.market.bars import Bars
from airpocket.market.carry import interest_of
from airpocket.market.state import Contract, Market

_INTEREST_NS = 6 * HOUR_NS
_SIDES = ("short", "long")


class Claims(NamedTuple):
    """Positions of one contract, arrays (n,): side 0 short, 1 long; coin; price NaN where none; heard ns."""

    side: IntArray
    coin: FloatArray
    price: FloatArray
    heard: IntArray


@dataclass(frozen=True, slots=True)
class Layer:
    """Exact coin by bucket from bucket `first`, arrays (B,), of one contract or protocol."""

    first: int
    shorts: FloatArray
    longs: FloatArray
    told: Measured

    @property
    def last(self) -> int:
        return self.first + len(self.shorts) - 1


class Memory:
    """Schedules looked up once a contract, day and largest leverage."""

    def __init__(self, schedule_of: ScheduleOf = schedule_in_force) -> None:
        self._schedule_of = schedule_of
        self._known: dict[tuple[str, str, int, float | None], Schedule | None] = {}

    def __call__(
        self, venue: str, symbol: str, at: int, max_leverage_x: float | None
    ) -> Schedule | None:
        key = (venue, symbol, at // DAY_NS, max_leverage_x)
        if key not in self._known:
            self._known[key] = self._schedule_of(venue, symbol, at, max_leverage_x)
        return self._known[key]


def layers_of(
    market: Market, states: Sequence[AccountState], loans: Sequence[LoanState],
    s: MapSettings, schedule_of: ScheduleOf = schedule_in_force,
) -> list[Layer]:  # fmt: skip
    """One exact layer for each contract that stored accounts hold, and for each protocol with loans.

    Raises:
        ValueError: a state was heard after the market's time (look-ahead).
    """
    ahead = max((each.usable_from for each in (*states, *loans)), default=0)
    if ahead > market.now:
        raise ValueError(f"look-ahead: an account heard at {ahead} in a map at {market.now}")
    memory = Memory(schedule_of)
    by_venue: dict[str, list[AccountState]] = {}
    for state in states:
        by_venue.setdefault(state.venue, []).append(state)
    found = [
        layer
        for contract in market.perps
        if contract.instrument.venue in by_venue
        and (
            layer := account_layer(contract, by_venue[contract.instrument.venue], market, s, memory)
        )
    ]
    by_protocol: dict[str, list[LoanState]] = {}
    for loan in loans:
        by_protocol.setdefault(loan.protocol, []).append(loan)
    return found + [
        layer
        for name, mine in sorted(by_protocol.items())
        if (layer := loan_layer(name, mine, market, s))
    ]


def account_layer(
    contract: Contract, states: Sequence[AccountState], market: Market,
    s: MapSettings, schedule_of: ScheduleOf,
) -> Layer | None:  # fmt: skip
    """The exact layer of one contract; None where no account fresh enough holds it.

    Cross accounts are taken at the newest mark told of each of their contracts, and at the price of now for
    this one's own. Positions whose price was traded since they were heard are gone: open interest told
    since counts them no more.
    """
    symbol = contract.instrument.symbol
    fresh = [each for each in states if market.now - each.usable_from <= STALE_NS]
    stale = sum(each.holding(symbol) is not None for each in states) - sum(
        each.holding(symbol) is not None for each in fresh
    )
    marks = newest_marks(fresh)
    side: list[int] = []
    coin: list[float] = []
    price: list[float] = []
    heard: list[int] = []
    as_told = 0
    for state in fresh:
        holding = state.holding(symbol)
        if holding is None:
            continue
        at, told = price_now(state, holding, marks, schedule_of)
        as_told += told
        side.append(_SIDES.index(holding.side))
        coin.append(abs(holding.size_coin))
        price.append(np.nan if at is None else at)
        heard.append(state.usable_from)
    if not coin:
        return None
    claims = Claims(
        np.array(side, dtype=np.int64), np.array(coin), np.array(price), np.array(heard, dtype=np.int64)
    )  # fmt: skip
    layer = _layer(contract.key, claims, path_of(contract, market), market, s)
    told = replace(layer.told, stale=stale, as_told=as_told)
    return _fitted(replace(layer, told=told), _interest(contract, market))


def _fitted(layer: Layer, interest: float | None) -> Layer:
    """No side may hold more than is open: where stale answers add up to more, that side shrinks."""
    scaled = tuple(
        1.0 if interest is None or coin <= interest else interest / coin for coin in layer.told.held
    )
    told = replace(layer.told, interest_coin=interest, scaled=(scaled[0], scaled[1]))
    return replace(layer, shorts=layer.shorts * scaled[0], longs=layer.longs * scaled[1], told=told)


def loan_layer(
    protocol: str, loans: Sequence[LoanState], market: Market, s: MapSettings
) -> Layer | None:
    """The exact layer of one protocol's loans in the asset."""
    fresh = [each for each in loans if market.now - each.usable_from <= STALE_NS]
    found = [loan_liquidation(each) for each in fresh]
    held = [k for k, (_, coin, _) in enumerate(found) if coin > 0.0]
    if not held:
        return None
    claims = Claims(
        np.array([_SIDES.index(found[k][0]) for k in held], dtype=np.int64),
        np.array([found[k][1] for k in held]),
        np.array([np.nan if found[k][2] is None else found[k][2] for k in held], dtype=np.float64),
        np.array([fresh[k].usable_from for k in held], dtype=np.int64),
    )
    layer = _layer(f"{protocol}:{market.asset}", claims, market.reference.base, market, s)
    return replace(layer, told=replace(layer.told, kind="loans", stale=len(loans) - len(fresh)))


def _layer(key: str, claims: Claims, path: Bars, market: Market, s: MapSettings) -> Layer:
    endless = np.isnan(claims.price)
    passed = ~endless & passed_since(claims, path)
    standing = ~endless & ~passed
    bucket = np.floor(np.log(claims.price[standing]) / s.width).astype(np.int64)
    first = (
        int(bucket.min())
        if len(bucket)
        else bucket_of(float(market.reference.base.close[-1]), s.width)
    )
    count = int(bucket.max()) - first + 1 if len(bucket) else 1
    sides = [np.zeros(count), np.zeros(count)]
    for k in range(2):
        mine = claims.side[standing] == k
        np.add.at(sides[k], bucket[mine] - first, claims.coin[standing][mine])
    told = Measured(
        key=key, kind="perpetual", accounts=len(claims.coin), held=_by_side(claims, ~passed),
        endless=_by_side(claims, endless), passed=_by_side(claims, passed), interest_coin=None,
        heard_first=TimeNs(int(claims.heard.min())), heard_last=TimeNs(int(claims.heard.max())),
        median_age_s=float(np.median((market.now - claims.heard) / SECOND_NS)),
    )  # fmt: skip
    return Layer(first, sides[0], sides[1], told)


def _by_side(
    claims: Claims, rows: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> tuple[float, float]:
    short, long = (float(claims.coin[rows & (claims.side == k)].sum()) for k in range(2))
    return short, long


def passed_since(claims: Claims, bars: Bars) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """(n,) whether price traded at or beyond a position's own since it was heard.

    Bars that opened after the answer count whole; of the one it fell into, only where it closed.
    """
    if len(bars) == 0:
        return np.zeros(len(claims.coin), dtype=np.bool_)
    reach_up = np.maximum.accumulate(bars.high[::-1])[::-1]
    reach_down = np.minimum.accumulate(bars.low[::-1])[::-1]
    last = float(bars.close[-1])
    up, down = np.append(reach_up, last), np.append(reach_down, last)
    later = bars.end[-1] > claims.heard
    at = np.searchsorted(bars.ts, claims.heard, side="left")
    shorts = claims.price <= np.where(later, np.maximum(up[at], last), -np.inf)
    longs = claims.price >= np.where(later, np.minimum(down[at], last), np.inf)
    return np.where(claims.side == 0, shorts, longs)


def path_of(contract: Contract, market: Market) -> Bars:
    """The contract's own bars where they are fresh, else the reference's."""
    own = contract.base
    fresh = len(own) > 0 and market.now - int(own.end[-1]) <= 2 * HOUR_NS
    return own if fresh else market.reference.base


def _interest(contract: Contract, market: Market) -> float | None:
    """The contract's open interest in coin, if it was told within six hours."""
    history = interest_of(contract, market.reference)
    if history is None or len(history.coin) == 0:
        return None
    if market.now - int(history.known_at[-1]) > _INTEREST_NS or not history.coin[-1] > 0.0:
        return None
    return float(history.coin[-1])

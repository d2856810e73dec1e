"""One wallet behind several coins: who is forced out in which coin when another one moves, from public accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from airpocket.cascade.dynamics import next_generation_matrix
from airpocket.cascade.records import Direction
from airpocket.domain.accounts import AccountState, Holding
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs
from airpocket.liquidations.exact import ScheduleOf, maintenance_at, newest_marks, schedule_in_force
from airpocket.liquidations.measured import STALE_NS, Memory

MOVE = 0.03  # of one coin alone; smaller ones catch too few accounts to count
_LEAST_ACCOUNTS = 20


@dataclass(frozen=True, slots=True)
class Coupling:
    """Of one venue, one way. accounts: cross accounts counted; forced: those that some move liquidates.

    with_move, against_move: (n, n) USD of coin i that must trade, a unit of log-price that coin j alone moves
    this way: along the move (in a fall: sold), and against it (in a fall: shorts bought back).
    """

    venue: str
    direction: Direction
    coins: tuple[str, ...]
    with_move: FloatArray
    against_move: FloatArray
    accounts: int
    forced: int


@dataclass(frozen=True, slots=True)
class Uncoupled:
    """Why nothing is known of it."""

    reason: str


def coupling_of(
    states: Sequence[AccountState], venue: str, now: TimeNs, direction: Direction,
    schedule_of: ScheduleOf = schedule_in_force,
) -> Coupling | Uncoupled:  # fmt: skip
    """ρ_ij by moving the mark of one coin at a time by 3 % and looking which cross accounts are short of margin.

    A liquidated account trades all its cross positions. Accounts already short of margin, too old, or with a
    position whose maintenance is not known are left out; isolated positions couple nothing.
    """
    fresh = [
        each for each in states if each.venue == venue and 0 <= now - each.usable_from <= STALE_NS
    ]
    told = [(state, _cross(state)) for state in fresh]
    crossed = [(state, held) for state, held in told if held]
    if len(crossed) < _LEAST_ACCOUNTS:
        return Uncoupled(
            f"{len(crossed)} public cross accounts of {venue} are fresh, {_LEAST_ACCOUNTS} at least count"
        )
    coins = tuple(sorted({each.symbol for _, held in crossed for each in held}))
    at = {coin: k for k, coin in enumerate(coins)}
    marks, memory = newest_marks(fresh), Memory(schedule_of)
    ways: FloatArray = np.zeros((2, len(coins), len(coins)))
    counted = forced = 0
    for state, held in crossed:
        found = _short_after(state, held, marks, direction, memory)
        if found is None:
            continue
        counted += 1
        forced += bool(found)
        for moved in found:
            for each in held:
                along = (each.side == "short") == (direction == "up")
                usd = abs(each.size_coin) * marks[each.symbol]
                ways[0 if along else 1, at[each.symbol], at[moved]] += usd
    ways /= np.log1p(MOVE) if direction == "up" else -np.log1p(-MOVE)
    return Coupling(venue, direction, coins, ways[0], ways[1], counted, forced)


def _cross(state: AccountState) -> list[Holding]:
    return [each for each in state.holdings if each.backing == "cross"]


def _short_after(
    state: AccountState, held: list[Holding], marks: Mapping[str, float], direction: Direction,
    schedule_of: ScheduleOf,
) -> list[str] | None:  # fmt: skip
    """Coins whose move alone liquidates the account; None where it can't be told, or is so already."""
    try:
        kept = {h.symbol: maintenance_at(state, h, marks[h.symbol], schedule_of) for h in held}
        spare = held[0].cash_usd + sum(h.size_coin * marks[h.symbol] - kept[h.symbol] for h in held)
        if spare <= 0.0:
            return None
        found: list[str] = []
        for each in held:
            price = marks[each.symbol] * (1.0 + MOVE if direction == "up" else 1.0 - MOVE)
            gain = each.size_coin * (price - marks[each.symbol])
            more = maintenance_at(state, each, price, schedule_of) - kept[each.symbol]
            if spare + gain - more < 0.0:
                found.append(each.symbol)
    except LookupError:
        return None
    return found


def ignited(
    coupling: Coupling, depth_usd: Mapping[str, float]
) -> tuple[tuple[str, ...], FloatArray, float]:
    """Coins, K_ij = ρ_ij λ_j over those whose depth (USD a unit of log-price) is known, and its spectral radius.

    Forced flow along the move alone counts, what must trade the other way calms the coin it trades.

    Raises:
        ValueError: none of the coins has a depth, or one that is not positive.
    """
    coins = tuple(coin for coin in coupling.coins if coin in depth_usd)
    if not coins or any(not depth_usd[coin] > 0.0 for coin in coins):
        raise ValueError("a network of coins needs the depth of one at least, each positive")
    rows = [coupling.coins.index(coin) for coin in coins]
    rho = coupling.with_move[np.ix_(rows, rows)]
    impact = np.array([1.0 / depth_usd[coin] for coin in coins])
    found = next_generation_matrix(np.ones(len(coins)), impact, rho)
    return coins, found.matrix, found.spectral_radius

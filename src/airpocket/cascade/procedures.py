"""How forced flow leaves: in what portions, how late and how far it chases price, by venue and date; blended."""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from airpocket.domain.units import PositionSide, TimeNs
from airpocket.liquidations.records import Ladder, LiquidationMap
from airpocket.margin.bundled import schedules_of
from airpocket.margin.mark import basis_lag_s
from airpocket.margin.rules import Procedure, rules_in_force
from airpocket.margin.tiers import SizeSlope

TYPICAL_USD = 1e6  # the position whose maintenance stands for all of a contract's
USUAL_MAINTENANCE = 0.01  # where no tiers are known here: between the 0.4 and 2.5 % of usual sizes
LARGE = 0.8  # share of notional in positions large enough to be cut up; not measured
# Quarters of an exponential: a position cut to just enough again and again shrinks by e a free maintenance of move.
_QUARTERS = tuple(-math.log1p(-(k + 0.5) / 4.0) for k in range(4))


class Manner(NamedTuple):
    """One contract's. portions: (share of a position, log-price past its liquidation level at which it goes).

    reach: how far past it the book may fill, log-price: to bankruptcy, or to where a backstop takes over; infinite
    for market orders that nothing stops.
    latency_s, basis_lag_s: None where not known.
    """

    portions: tuple[tuple[float, float], ...]
    reach: float
    latency_s: float | None
    basis_lag_s: float | None


@dataclass(frozen=True, slots=True)
class Handling:
    """One way's forced flow, blended by the contracts' shares of it.

    shares: contract → share. known: the share whose procedure is known here; portions and reach are of that
    share alone. waits, lags: (share, seconds) of those whose latency, or the age of whose mark's basis, is known.
    interest_usd: open interest of all of them.
    """

    shares: tuple[tuple[str, float], ...] = ()
    known: float = 0.0
    portions: tuple[tuple[float, float], ...] = ((1.0, 0.0),)
    reach: float = math.inf
    waits: tuple[tuple[float, float], ...] = ()
    lags: tuple[tuple[float, float], ...] = ()
    interest_usd: float = 0.0


UNHANDLED = Handling()


def manner_of(venue: str, symbol: str, at: TimeNs) -> Manner | None:
    """By the rules in force at a time; None where the venue's procedure is not known here."""
    rules = rules_in_force(venue, symbol, at)
    if rules is None or rules.procedure is None:
        return None
    procedure = rules.procedure
    maintenance = maintenance_of(venue, symbol, at)
    return Manner(
        portions_of(procedure, maintenance), _reach(procedure, maintenance), procedure.latency_s,
        basis_lag_s(rules.mark, at),
    )  # fmt: skip


def maintenance_of(venue: str, symbol: str, at: TimeNs) -> float:
    """Maintenance rate of a position of ordinary size, a fraction; the usual one where no tiers are known."""
    schedules = schedules_of(venue, symbol, at)
    if not schedules:
        return USUAL_MAINTENANCE
    newest = schedules[-1]
    if isinstance(newest, SizeSlope):
        return newest.mm_base
    mmr, deduction = newest.rate_at(TYPICAL_USD)
    return mmr - deduction / TYPICAL_USD


def _reach(procedure: Procedure, maintenance: float) -> float:
    """To bankruptcy, or to the backstop; a market order for all of it goes as far as it must."""
    if procedure.backstop is not None:
        return (1.0 - procedure.backstop) * maintenance
    ends_at_bankruptcy = procedure.limit_at_bankruptcy or procedure.portion != "whole"
    return maintenance if ends_at_bankruptcy else math.inf


def portions_of(procedure: Procedure, maintenance: float) -> tuple[tuple[float, float], ...]:
    """(share of a position, log-price past its level at which it goes), by a venue's procedure.

    Cut to c of itself at its level, a position is short of margin again c/(1 − c) maintenances on.

    Just enough: a part dn frees (m − f) dn of margin, f the fee taken of it, and a move dx costs n dx, so that
    n ∝ e^(−x/(m − f)). A fee of all that a part frees leaves nothing short of the whole that would be enough.
    """
    if procedure.portion == "enough":
        freed = maintenance - procedure.clearance_fee
        return tuple((0.25, at * freed) for at in _QUARTERS) if freed > 0.0 else ((1.0, 0.0),)
    if procedure.portion == "clip" and procedure.first_clip is not None:
        clip = procedure.first_clip
        again = clip / (1.0 - clip) * maintenance
        return ((1.0 - LARGE * (1.0 - clip), 0.0), (LARGE * (1.0 - clip), again))
    if procedure.portion == "tiers":  # tiers are not known here: half of a large one goes first
        return ((1.0 - 0.5 * LARGE, 0.0), (0.5 * LARGE, 0.5 * maintenance))
    return ((1.0, 0.0),)


def handling_of(found: LiquidationMap, side: PositionSide) -> Handling:
    """Of one side's forced flow, blended over the contracts whose parts of the map are told apart."""
    amounts = [(part.key, float(part.ladder(side).usd.sum())) for part in found.parts]
    amounts = [(key, usd) for key, usd in amounts if usd > 0.0]
    total = sum(usd for _, usd in amounts)
    interest = sum(source.interest_coin for source in found.sources) * found.price
    if total <= 0.0:
        return Handling(interest_usd=interest)
    shares = tuple((key, usd / total) for key, usd in amounts)
    manners = [(share, manner_of(*_split(key), found.now)) for key, share in shares]
    told = [(share, manner) for share, manner in manners if manner is not None]
    known = sum(share for share, _ in told)
    if known <= 0.0:
        return Handling(shares=shares, interest_usd=interest)
    portions: dict[float, float] = {}
    for share, manner in told:
        for part, at in manner.portions:
            portions[at] = portions.get(at, 0.0) + share * part
    portions[0.0] = portions.get(0.0, 0.0) + max(1.0 - known, 0.0)
    return Handling(
        shares=shares,
        known=min(known, 1.0),
        portions=tuple((share, at) for at, share in sorted(portions.items())),
        reach=_blended_reach(told),
        waits=tuple((share, m.latency_s) for share, m in told if m.latency_s is not None),
        lags=tuple((share, m.basis_lag_s) for share, m in told if m.basis_lag_s is not None),
        interest_usd=interest,
    )


def _blended_reach(told: list[tuple[float, Manner]]) -> float:
    """The mean of those that end somewhere, unless the larger part goes as far as it must."""
    ending = [(share, manner.reach) for share, manner in told if math.isfinite(manner.reach)]
    weight = sum(share for share, _ in ending)
    if weight < 0.5 * sum(share for share, _ in told):
        return math.inf
    return sum(share * reach for share, reach in ending) / weight


def only(found: LiquidationMap, keys: tuple[str, ...]) -> LiquidationMap:
    """The map of some contracts, added up from its parts: before public accounts were blended in.

    Raises:
        ValueError: none of them has a part.
    """
    parts = tuple(part for part in found.parts if part.key in keys)
    if not parts:
        raise ValueError(f"no part of the map is of {', '.join(keys)}")
    shorts, longs = (_sum([part.ladder(side) for part in parts]) for side in ("short", "long"))
    sources = tuple(source for source in found.sources if source.key in keys)
    return replace(found, shorts=shorts, longs=longs, parts=parts, sources=sources)


def _sum(ladders: list[Ladder]) -> Ladder:
    usd = np.sum([ladder.usd for ladder in ladders], axis=0)
    return Ladder(usd, np.sum([ladder.draws for ladder in ladders], axis=0))


def _split(key: str) -> tuple[str, str]:
    venue, _, symbol = key.partition(":")
    return venue, symbol

"""The share of each side believed offset elsewhere: stated as a belief, leaning on funding."""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from airpocket.domain.estimates import PERCENT, Estimate, known, unknown
from airpocket.domain.units import DAY_NS, TimeNs
from airpocket.liquidations.records import Ladder
from airpocket.liquidations.settings import MapSettings
from airpocket.market.carry import funding_of
from airpocket.market.state import Contract

_DAYS = 3  # of settlements that are averaged


def hedged_shorts(contracts: Sequence[Contract], now: TimeNs, s: MapSettings) -> Estimate:
    """Share of shorts held against spot or other perps, %, rising with funding as a logistic.

    Shorts are more often hedgers and miners (Soska et al. 2021), and where funding pays them, carry
    trades join: so the share leans on the mean funding of the last days over the mapped contracts.
    """
    paid: list[tuple[float, int, str]] = []
    for contract in contracts:
        history = funding_of(contract)
        if history is None:
            continue
        recent = history.settled_at > now - _DAYS * DAY_NS
        if recent.any():
            mean = float(history.annual[recent].mean())
            paid.append((mean, int(history.settled_at[-1]), contract.key))
    if not paid:
        return unknown(PERCENT, f"no funding was settled in {_DAYS} days")
    annual_percent = 100.0 * float(np.mean([mean for mean, _, _ in paid]))
    share = 1.0 / (1.0 + np.exp(-(_logit(s.hedged_at_zero) + _slope(s) * annual_percent)))
    low, high = max(share - s.hedged_range, 0.0), min(share + s.hedged_range, 1.0)
    return known(
        100.0 * share, PERCENT, as_of=max(at for _, at, _ in paid), now=now, provenance="modelled",
        source=f"a belief that leans on funding of {', '.join(key for _, _, key in paid)}",
        interval=(100.0 * low, 100.0 * high),
    )  # fmt: skip


def hedged_longs(now: TimeNs, s: MapSettings) -> Estimate:
    """Share of longs offset elsewhere, %: few, and no figure at hand moves the belief."""
    low, centre, high = (100.0 * share for share in s.hedged_longs)
    return known(
        centre, PERCENT, as_of=now, now=now, provenance="modelled", source="a belief",
        interval=(low, high),
    )  # fmt: skip


def left_on(ladder: Ladder, hedged: Estimate) -> Estimate:
    """The hedged share of what stands on a ladder, %, of a share believed of the whole side.

    What no price on the ladder forces out is off it already, and those who are hedged are the first of them:
    only the rest of the hedged share is still to be taken off.
    """
    whole = float(ladder.usd.sum()) + ladder.beyond
    off = 100.0 * ladder.beyond / whole if whole > 0.0 else 0.0
    if hedged.value is None or off <= 0.0:
        return hedged

    def rest(share: float | None) -> float | None:
        return None if share is None else 100.0 * max(share - off, 0.0) / (100.0 - off)

    return replace(
        hedged, value=rest(hedged.value), low=rest(hedged.low), high=rest(hedged.high),
        source=f"{hedged.source}; {off:.0f} % of the side are off the ladder already",
    )  # fmt: skip


def _logit(share: float) -> float:
    return float(np.log(share / (1.0 - share)))


def _slope(s: MapSettings) -> float:
    return (_logit(s.hedged_at_ten) - _logit(s.hedged_at_zero)) / 10.0

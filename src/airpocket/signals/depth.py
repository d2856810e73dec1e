"""How much rests near the price, and whether that is less than usual for the hour (M5, M18)."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import BPS, PERCENT, USD, Estimate, known, unknown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.tells import Reading, at_most, context
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.state import Contract, Market, Observations
from airpocket.signals.motion import hour_of_week
from airpocket.signals.windows import rank_percent

_BANDS = (0.1, 0.25, 0.5, 1.0, 2.0)
NO_BOOK = "no order book is stored for this time"


@dataclass(frozen=True, slots=True)
class DepthSettings:
    """`thin_percent`: depth this far below the hour's usual counts as pulled."""

    thin_percent: float = -30.0
    fresh_h: float = 1.0
    least_weeks: int = 3
    profile_days: int = 60


def _book_contract(market: Market, percent: float, settings: DepthSettings) -> Contract | None:
    """Whose depth is shown at a band: the reference's if it tells of it freshly, else the deepest that does.

    Books that venues cut off tell nothing of wide bands, so narrow and wide ones may come of two venues.
    """
    reference = market.reference.key
    best: tuple[bool, bool, float, str] | None = None
    chosen: Contract | None = None
    for contract in market.contracts:
        table = contract.table("depth")
        if table is None:
            continue
        ts, notional = _series(table, percent)
        if len(ts) == 0:
            continue
        stale = market.now - int(ts[-1]) > settings.fresh_h * HOUR_NS
        rank = (stale, contract.key != reference, -float(notional[-1]), contract.key)
        if best is None or rank < best:
            best, chosen = rank, contract
    return chosen


def band(market: Market, percent: float, settings: DepthSettings) -> Estimate:
    """Resting notional within `percent` of the mid; negative: bids, positive: asks."""
    contract = _book_contract(market, percent, settings)
    table = None if contract is None else contract.table("depth")
    if contract is None or table is None:
        told = any(c.table("depth") is not None for c in market.contracts)
        return unknown(USD, f"no book reaches to {percent:g} %" if told else NO_BOOK)
    ts, notional = _series(table, percent)
    if len(ts) == 0:
        return unknown(USD, f"{contract.key} has no depth at {percent:g} %")
    at = int(ts[-1])
    if market.now - at > settings.fresh_h * HOUR_NS:
        return unknown(USD, f"depth of {contract.key} is {(market.now - at) / HOUR_NS:,.1f} h old")
    return known(float(notional[-1]), USD, as_of=at, now=market.now, source=contract.key)


def _series(table: Observations, percent: float) -> tuple[IntArray, FloatArray]:
    rows = np.abs(table.floats("percent") - percent) < 1e-9
    return table.ints("ts")[rows], table.floats("notional_usd")[rows]


def thinning(market: Market, percent: float, settings: DepthSettings) -> Estimate:
    """Depth now against the median of the same hour of the week before, per cent."""
    now_usd = band(market, percent, settings)
    contract = _book_contract(market, percent, settings)
    table = None if contract is None else contract.table("depth")
    if now_usd.value is None or now_usd.as_of is None or contract is None or table is None:
        return unknown(PERCENT, now_usd.unknown or NO_BOOK)
    ts, notional = _series(table, percent)
    slot = hour_of_week(ts)
    same = (
        (slot == slot[-1])
        & (ts < ts[-1] - DAY_NS)
        & (ts >= ts[-1] - settings.profile_days * DAY_NS)
    )
    weeks = len(np.unique(ts[same] // (7 * DAY_NS)))
    if weeks < settings.least_weeks:
        return unknown(PERCENT, f"needs {settings.least_weeks} weeks of this hour, has {weeks}")
    usual = float(np.median(notional[same]))
    return known(
        100.0 * (now_usd.value / usual - 1.0), PERCENT, as_of=now_usd.as_of, now=market.now,
        source=contract.key,
    )  # fmt: skip


def hour_depth_rank(market: Market, settings: DepthSettings) -> Estimate:
    """Rank of this hour of the week by its usual depth within 1 % (both sides), per cent of the hours."""
    contract = _book_contract(market, 1.0, settings)
    table = None if contract is None else contract.table("depth")
    if contract is None or table is None:
        return unknown(PERCENT, NO_BOOK)
    rows = np.abs(np.abs(table.floats("percent")) - 1.0) < 1e-9
    ts, notional = table.ints("ts")[rows], table.floats("notional_usd")[rows]
    slot = hour_of_week(ts)
    weeks = [len(np.unique(ts[slot == s] // (7 * DAY_NS))) for s in range(168)]
    if min(weeks) < settings.least_weeks:
        return unknown(
            PERCENT, f"needs {settings.least_weeks} weeks of every hour, has {min(weeks)}"
        )
    usual = np.array([float(np.median(notional[slot == s])) for s in range(168)])
    here = int(hour_of_week(np.array([market.now], np.int64))[0])
    value = rank_percent(usual, float(usual[here]), 168)
    return known(value, PERCENT, as_of=int(ts[-1]), now=market.now, source=contract.key)


def imbalance(market: Market, percent: float, settings: DepthSettings) -> Estimate:
    """(bids − asks) / (bids + asks) within `percent` of the mid, per cent."""
    bids, asks = band(market, -percent, settings), band(market, percent, settings)
    if bids.value is None or asks.value is None or asks.as_of is None:
        return unknown(PERCENT, asks.unknown or bids.unknown or NO_BOOK)
    if bids.value + asks.value <= 0.0:
        return unknown(PERCENT, f"nothing rests within {percent:g} % on either side")
    value = 100.0 * (bids.value - asks.value) / (bids.value + asks.value)
    return known(value, PERCENT, as_of=asks.as_of, now=market.now, source=asks.source)


def spread(market: Market, settings: DepthSettings) -> Estimate:
    """Best ask over best bid of the newest stored book, bp of the mid."""
    for contract in market.contracts:
        table = contract.table("book")
        if table is None:
            continue
        ts = table.ints("ts")
        at = int(ts[-1])
        if market.now - at > settings.fresh_h * HOUR_NS:
            return unknown(
                BPS, f"book of {contract.key} is {(market.now - at) / HOUR_NS:,.1f} h old"
            )
        rows = ts == at
        price, side = table.floats("price")[rows], table.texts("book_side")[rows]
        bids, asks = price[side == "bid"], price[side == "ask"]
        if len(bids) == 0 or len(asks) == 0 or asks.min() <= bids.max():
            return unknown(BPS, f"book of {contract.key} is one-sided or crossed")
        best_bid, best_ask = float(bids.max()), float(asks.min())
        value = 2e4 * (best_ask - best_bid) / (best_ask + best_bid)
        return known(value, BPS, as_of=at, now=market.now, source=contract.key)
    return unknown(BPS, NO_BOOK)


def reading(market: Market, settings: DepthSettings) -> Reading:
    """M5: both sides at five distances, imbalance, spread, and thinning against the hour of the week."""
    asks_thin = thinning(market, 1.0, settings)
    bids_thin = thinning(market, -1.0, settings)
    thin = f"pulled at {settings.thin_percent:g} %"
    tells = [
        context("spread", "spread", spread(market, settings)),
        at_most("ask_thinning", "asks within 1 %, against the hour's usual", asks_thin,
                settings.thin_percent, thin),
        at_most("bid_thinning", "bids within 1 %, against the hour's usual", bids_thin,
                settings.thin_percent, thin),
        at_most("hour_depth_rank", "rank of this hour of the week by depth",
                hour_depth_rank(market, settings), 25.0, "low in the bottom quarter"),
        context("imbalance", "bid minus ask within 1 %", imbalance(market, 1.0, settings)),
    ]  # fmt: skip
    for percent in _BANDS:
        for sign, name in ((1, "asks"), (-1, "bids")):
            tell_id = f"{name}_{percent:g}"
            tells.append(
                context(
                    tell_id, f"{name} within {percent:g} %", band(market, sign * percent, settings)
                )
            )
    if asks_thin.value is None or bids_thin.value is None:
        state, because = "unknown", [asks_thin.unknown or bids_thin.unknown or NO_BOOK]
    elif tells[1].met:
        state, because = "asks pulled", ["less rests above the price than is usual at this hour"]
    elif tells[2].met:
        state, because = "bids pulled", ["less rests below the price than is usual at this hour"]
    else:
        state, because = "usual", ["depth is near what this hour of the week usually has"]
    return Reading(
        id="depth", title="Order-book depth", state=state, because=because, tells=tells,
        refs=["M5", "M18"],
    )  # fmt: skip

"""What arrived, how old it is and where it has holes: one row per channel."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from airpocket.domain.events import IntArray
from airpocket.domain.kinds import split_name
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS
from airpocket.market.state import Contract, Market, Observations
from airpocket.market.vintages import vintages

ChannelState: TypeAlias = Literal["ok", "stale", "gap"]

# Cadence of kinds that do not state one; a channel is stale after three cadences without news.
_CADENCE_NS = {
    "open_interest": HOUR_NS,
    "ticker": HOUR_NS,
    "funding_estimate": HOUR_NS,
    "depth": HOUR_NS,
    "book": HOUR_NS,
    "option_quote": 12 * HOUR_NS,
    "forward": 12 * HOUR_NS,
    "chain_health": 12 * HOUR_NS,
}
_RECENT_NS = 5 * MINUTE_NS
_LOOK_BACK_NS = 30 * DAY_NS
# These speak only when something happens: silence is no fault, and holes can't be told.
_SPARSE = (
    "liquidation", "off_book", "tier", "label", "trade", "liquidation_total",
    "channel_state", "listing", "funding_bound", "transfer", "catalyst",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Channel:
    """One (contract, kind): rows usable, newest moment (ns), state, and holes of the last 30 days."""

    venue: str
    symbol: str
    kind: str
    rows: int
    first: int
    last: int
    state: ChannelState
    gaps_30d: int
    longest_gap_h: float
    reason: str
    sources: tuple[str, ...]


def unwell(contract: Contract, channel: str = "") -> dict[str, str]:
    """Channels that the recorder's last word on them did not call live → state and reason.

    Empty where nothing was recorded live: then there is nothing to say.
    """
    table = contract.table("channel_state")
    if table is None:
        return {}
    names, states, reasons = table.texts("channel"), table.texts("state"), table.texts("reason")
    last = {str(name): row for row, name in enumerate(names)}
    return {
        name: f"{states[row]}: {reasons[row]}".rstrip(": ")
        for name, row in sorted(last.items())
        if states[row] not in ("live", "waiting") and channel in ("", name)
    }


def standing_of(contract: Contract) -> str:
    """Why no new position may be opened in it, by the venue's last word on its listing; '' where one may."""
    table = contract.table("listing")
    return "" if table is None else str(table.texts("reason")[-1])


def heard_throughout(contract: Contract, channel: str, since: int, now: int) -> bool | None:
    """Whether the recorder called a channel live from `since` to `now` (ns); None where it never spoke of it.

    Only changes of state are kept, so that a recorder which stopped leaves a live channel behind: the
    contract must also have brought a price within the last minutes.
    """
    table = contract.table("channel_state")
    if table is None:
        return None
    ts, states = table.ints("ts"), table.texts("state")
    mine = table.texts("channel") == channel
    if not mine.any():
        return None
    ts, states = ts[mine], states[mine]
    before = int(np.searchsorted(ts, since, side="right")) - 1
    told = states[max(before, 0) :]
    return before >= 0 and bool((told == "live").all()) and now - _spoke(contract) <= _RECENT_NS


def _spoke(contract: Contract) -> int:
    """When a price of the contract was last usable."""
    ticker = contract.table("ticker")
    ends = [int(contract.base.end[-1])] if len(contract.base) else []
    if ticker is not None:
        ends.append(int(ticker.ints("usable_from")[-1]))
    return max(ends, default=0)


def ill(contract: Contract, *names: str) -> str:
    """Why the recorder last called the first of these channels not live; '' where it did not."""
    states = [f"{name} {state}" for name in names for state in unwell(contract, name).values()]
    return f"{contract.key}: {states[0]}" if states else ""


def channels(market: Market) -> list[Channel]:
    """The health of every channel that has ever delivered, in a fixed order."""
    found: list[Channel] = []
    for contract in market.contracts:
        if len(contract.base):
            step = int(contract.base.end[-1] - contract.base.ts[-1])
            found.append(_of_bars(contract, step, market.now))
        for kind in sorted(contract.tables):
            found.append(_of_table(contract, kind, market.now))
    return found


def _of_bars(contract: Contract, step: int, now: int) -> Channel:
    bars = contract.base
    recent = bars.since(now - _LOOK_BACK_NS)
    holes = (recent.ts[1:] - recent.end[:-1])[recent.gap_before()[1:]]
    name, last = "bar", int(bars.end[-1])
    first, sources = int(bars.ts[0]), contract.bar_sources
    return _channel(contract, name, (len(bars), first, last), (step, now, holes), sources)


def _of_table(contract: Contract, kind: str, now: int) -> Channel:
    table = contract.tables[kind]
    if kind == "flow":
        return _of_flows(contract, table, now)
    ts, usable = table.ints("ts"), table.ints("usable_from")
    family, interval_ns = split_name(kind)
    cadence = interval_ns or _CADENCE_NS.get(family.name, DAY_NS)
    if family.name == "funding":
        cadence = int(table.ints("interval_s")[-1]) * 1_000_000_000
    recent = np.unique(ts[ts >= now - _LOOK_BACK_NS])
    steps = np.diff(recent)
    holes = steps[steps > 3 * cadence // 2] - cadence
    if family.name in _SPARSE:
        cadence, holes = 0, holes[:0]
    seen = (len(ts), int(ts[0]), int(max(ts[-1] + interval_ns, usable.max())))
    return _channel(contract, kind, seen, (cadence, now, holes), table.sources)


def _of_flows(contract: Contract, table: Observations, now: int) -> Channel:
    """Slow series by their own cadences: stale where all are; holes in any of them count."""
    names = [str(name) for name in np.unique(table.texts("series"))]
    told = [v for name in names if (v := vintages(table, name, contract.key, now)) is not None]
    ts, usable = table.ints("ts"), table.ints("usable_from")
    state: ChannelState = "ok"
    reason, holes = "", 0
    if told and all(each.trouble for each in told):
        state, reason = "stale", told[0].trouble
    else:
        recent = [v.gap_before()[v.event >= now - _LOOK_BACK_NS] for v in told]
        holes = sum(int(gaps.sum()) for gaps in recent)
        troubled = [each.trouble for each in told if each.trouble]
        if troubled or holes:
            state, reason = "gap", "; ".join(troubled) or f"{holes} holes in 30 days"
    at = contract.instrument
    return Channel(
        at.venue, at.symbol, "flow", len(ts), int(ts[0]), int(max(ts[-1], usable.max())), state, holes,
        0.0, reason, table.sources,
    )  # fmt: skip


def _channel(
    contract: Contract,
    kind: str,
    seen: tuple[int, int, int],
    timing: tuple[int, int, IntArray],
    sources: tuple[str, ...],
) -> Channel:
    rows, first, last = seen
    cadence, now, holes = timing
    age = now - last
    longest_h = float(holes.max()) / HOUR_NS if len(holes) else 0.0
    state: ChannelState = "ok"
    reason = ""
    if cadence and age > 3 * cadence:
        state, reason = "stale", f"nothing new for {age / HOUR_NS:,.1f} h"
    elif len(holes):
        state, reason = "gap", f"{len(holes)} holes in 30 days, the longest {longest_h:,.1f} h"
    at = contract.instrument
    return Channel(
        at.venue, at.symbol, kind, rows, first, last, state, len(holes), longest_h, reason, sources
    )

"""The newest option chain that a market knows, as arrays, and which rows of it can't be used."""

from dataclasses import dataclass, replace

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.units import HOUR_NS, MINUTE_NS, format_time
from airpocket.market.options.forwards import parity_forwards
from airpocket.market.options.quotes import ChainQuotes
from airpocket.market.state import Contract, Market, Observations

_KIND = "option_quote"
OLDEST_NS = 26 * HOUR_NS  # an older chain is history
_ONE_LOOK_NS = 10 * MINUTE_NS  # rows of one snapshot are stamped within


@dataclass(frozen=True, slots=True)
class ChainSnapshot:
    """One venue's chain as it was last told. ts, usable_from: ns. quotes.bid and .ask in coin.

    open_interest: (n,) coin, NaN where unknown; unsigned, nobody tells who is long. index: USD. bid_size, ask_size:
    (n,) coin behind the quotes, NaN where unknown; None where no row says.
    """

    venue: str
    ts: int
    usable_from: int
    quotes: ChainQuotes
    open_interest: FloatArray
    index: float
    source: str
    bid_size: FloatArray | None = None
    ask_size: FloatArray | None = None


def newest_chain(market: Market, now: int) -> ChainSnapshot | str:
    """The chain with the most two-sided quotes among the venues' newest told by `now`, or why there is none."""
    found, reasons = list[ChainSnapshot](), list[str]()
    for contract in market.contracts:
        table = contract.table(_KIND)
        if table is None or not len(table):
            continue
        told = table.where(table.ints("usable_from") <= now)
        if not len(told):
            reasons.append(
                f"no chain of {contract.instrument.venue} was told by {format_time(now)}"
            )
            continue
        snapshot = _last_look(contract, told)
        if now - snapshot.ts > OLDEST_NS:
            reasons.append(f"the chain of {snapshot.venue} is of {format_time(snapshot.ts)}")
        elif not _two_sided(snapshot):
            reasons.append(f"the chain of {snapshot.venue} has no two-sided quote")
        else:
            found.append(snapshot)
    if found:
        return max(found, key=lambda each: (_two_sided(each), each.ts, each.venue))
    return "; ".join(reasons) or "no option chain stored"


def _two_sided(snapshot: ChainSnapshot) -> int:
    quotes = snapshot.quotes
    return int(((quotes.bid > 0.0) & (quotes.ask > quotes.bid)).sum())


def _last_look(contract: Contract, table: Observations) -> ChainSnapshot:
    stamps = table.ints("ts")
    newest = int(stamps.max())
    rows = table.where(stamps > newest - _ONE_LOOK_NS)
    # of an option that was told twice, the later row
    names, order = rows.texts("instrument"), np.argsort(rows.ints("ts"), kind="stable")
    last = {str(names[row]): int(row) for row in order}
    picked = np.zeros(len(names), dtype=np.bool_)
    picked[list(last.values())] = True
    rows = rows.where(picked)
    index = rows.floats("index_price")
    known = index[np.isfinite(index)]
    forward = rows.floats("underlying_price")
    price = float(np.median(known)) if len(known) else float(np.nanmedian(forward))
    quotes = _with_forwards(
        ChainQuotes(
            now=newest, expiry=rows.ints("expiry"), strike=rows.floats("strike"),
            call=rows.texts("option_type") == "call", forward=forward, bid=rows.floats("bid"),
            ask=rows.floats("ask"),
        ), price,
    )  # fmt: skip
    return ChainSnapshot(
        contract.instrument.venue, newest, int(rows.ints("usable_from").max()), quotes,
        rows.floats("open_interest"), price, contract.key, _said(rows, "bid_size"), _said(rows, "ask_size"),
    )  # fmt: skip


def _with_forwards(quotes: ChainQuotes, index: float) -> ChainQuotes:
    """Forwards by put–call parity where none is told; there the index turned dollars into coin."""
    missing = ~np.isfinite(quotes.forward)
    if not missing.any():
        return quotes
    worth = np.where(missing, index, quotes.forward)
    middle = 0.5 * (quotes.bid + quotes.ask) * worth
    found = parity_forwards(quotes.expiry, quotes.strike, quotes.call, middle, index)
    forward = np.where(missing, found, quotes.forward)
    again = np.where(missing & np.isfinite(found), index / forward, 1.0)
    return replace(quotes, forward=forward, bid=quotes.bid * again, ask=quotes.ask * again)


def _said(rows: Observations, name: str) -> FloatArray | None:
    """A column that not every source of chains has."""
    return rows.floats(name) if name in rows.columns else None

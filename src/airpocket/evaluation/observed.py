"""One world run for scoring: what its venues told the public as batches, and the truth at set times."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from airpocket.domain.errors import BadInput, UnknownInstrument
from airpocket.domain.events import Batch, ColumnArray, FloatArray, IntArray
from airpocket.domain.instruments import instrument
from airpocket.domain.units import MINUTE_NS, TimeNs
from airpocket.lab.exchange import journal
from airpocket.lab.exchange.state import SPOT
from airpocket.lab.runs.published import Listed, tables_of
from airpocket.lab.runs.recording import contracts_of
from airpocket.lab.runs.session import Session
from airpocket.lab.runs.truth import Survey, agents_of, cross_accounts, forced_flow
from airpocket.lab.runs.worldfile import World
from airpocket.lab.tables import BundledTable
from airpocket.market.state import MarketState

_KINDS = ("bar_1m", "ticker", "funding", "open_interest", "liquidation")
# as venues publish open interest in their histories
_INTEREST_EVERY = 5 * MINUTE_NS


@dataclass(frozen=True, slots=True)
class Truth:
    """Who was forced out where at one moment: (n,) by position that can be liquidated.

    price: USD, where it goes. usd: notional there. short: side. mark: by perpetual, notional-weighted.
    """

    at: TimeNs
    mark: float
    price: FloatArray
    usd: FloatArray
    short: "np.ndarray[tuple[int], np.dtype[np.bool_]]"

    def within(self, percent: float) -> float:
        """USD forced out on the way to `percent` from the mark: shorts above it, longs below."""
        short = percent > 0.0
        low, high = sorted((self.mark, self.mark * (1.0 + percent / 100.0)))
        inside = (self.short == short) & (self.price >= low) & (self.price <= high)
        return float(self.usd[inside].sum())


@dataclass(frozen=True, slots=True)
class Observed:
    """A world's public side and its truth.

    rates: by contract key, share of what left by force that the feed told (coin over the whole run);
    NaN where nothing left. untold: every forced close as prints, for what a map could do that heard all.
    """

    world: World
    seed: int
    hash: str
    batches: tuple[Batch, ...]
    truths: tuple[Truth, ...]
    rates: Mapping[str, float]
    untold: tuple[Batch, ...] = ()


def observe(world: World, seed: int, every_h: float, from_h: float) -> Observed:
    """Runs a world and looks at all positions every `every_h` hours from `from_h` on.

    Raises:
        BadInput: the world ends before the first look, or a venue has a name that the market state does
            not know.
    """
    if world.hours < from_h:
        raise BadInput(
            f"{world.name}: hours: {world.hours:g}, but maps are scored from hour {from_h:g} on"
        )
    for venue in world.venue:
        try:
            instrument(venue.name, venue.symbol)
        except UnknownInstrument as error:
            raise BadInput(f"{world.name}: venue {venue.name}: {error}") from error
    session, contracts = Session(world, seed), contracts_of(world, seed)
    m = session.market
    agents = agents_of(m)
    survey = Survey(agents, cross_accounts(m, agents))
    kept: list[IntArray] = []
    looks = np.arange(from_h, world.hours + 1e-9, every_h)
    for look_h in [*looks, world.hours]:
        until = min(session.end, world.start_ns + round(look_h * 60) * MINUTE_NS)
        for rows in session.until(until):
            kept.append(rows[rows[:, 0] != journal.DEPTH])
        if look_h < world.hours or look_h in looks:
            survey.look(m, contracts)
    rows = np.concatenate(kept)
    tables = [table for one in contracts for table in tables_of(m, one, rows, _KINDS)]
    forced = forced_flow(m, contracts, rows)
    perps = [one for one in contracts if m.books[one.book].form != SPOT]
    batches = tuple(batch_of_table(table) for table in tables)
    gone = {f"{one.venue}:{one.symbol}": _gone(one, forced) for one in perps}
    rates = {
        f"{one.venue}:{one.symbol}": _rate(one, batches, gone[f"{one.venue}:{one.symbol}"])
        for one in perps
    }
    untold = tuple(_all_told(one, gone[f"{one.venue}:{one.symbol}"]) for one in perps)
    return Observed(world, seed, session.hash, batches, _truths(survey.positions()), rates, untold)


def market_until(state: MarketState, batches: tuple[Batch, ...], before: int, now: int) -> None:
    """Applies what became usable in (before, now]; `before` −1 for all of it."""
    for batch in batches:
        usable = batch.ints("usable_from")
        first, last = np.searchsorted(usable, [before, now], side="right")
        if last > first:
            state.apply(batch.slice(int(first), int(last)))


def batch_of_table(table: BundledTable) -> Batch:
    """A lab's table as the market state takes it."""
    frame = table.frame
    if table.kind == "open_interest":
        frame = frame.filter(pl.col("ts").dt.epoch("ns") % _INTEREST_EVERY == 0)
    if table.kind == "liquidation":  # told late: the state wants them in the order of `ts`
        frame = frame.sort("ts", "seq")
    columns: dict[str, ColumnArray] = {}
    for name in frame.columns:
        series = frame[name]
        if series.dtype == pl.String:
            columns[name] = series.fill_null("").to_numpy().astype(np.str_)
        elif series.dtype.is_temporal():
            columns[name] = series.dt.epoch("ns").to_numpy().astype(np.int64)
        elif series.dtype.is_float():
            columns[name] = series.fill_null(np.nan).to_numpy().astype(np.float64)
        else:
            columns[name] = series.fill_null(-1).to_numpy().astype(np.int64)
    source = str(columns.pop("source")[0]) if len(frame) else ""
    return Batch(table.kind, table.venue, table.symbol, columns, (source,))


def _truths(positions: pl.DataFrame) -> tuple[Truth, ...]:
    found: list[Truth] = []
    for part in positions.partition_by("ts", maintain_order=True):
        marks, coin = part["mark"].to_numpy(), part["size_coin"].to_numpy()
        mark = float((marks * marks * coin).sum() / (marks * coin).sum())
        held = part.filter(pl.col("agent") != "venue").drop_nulls("liquidation_price")
        # each venue's distances count from its own mark
        price = (held["liquidation_price"] / held["mark"] * mark).to_numpy()
        found.append(
            Truth(
                TimeNs(int(part["ts"].dt.epoch("ns")[0])),
                mark,
                price,
                price * held["size_coin"].to_numpy(),
                (held["side"] == "short").to_numpy(),
            )
        )
    return tuple(found)


def _gone(one: Listed, forced: pl.DataFrame) -> pl.DataFrame:
    """What left a contract by force: ts, account, forced_side, price and coin."""
    mine = forced.filter((pl.col("venue") == one.venue) & (pl.col("symbol") == one.symbol))
    return left_by_force(mine).select("ts", "account", "forced_side", "price", coin="gone")


def _rate(one: Listed, batches: tuple[Batch, ...], gone: pl.DataFrame) -> float:
    """Printed over gone, coin; NaN where nothing went."""
    told = sum(
        float(np.nansum(batch.floats("size")))
        for batch in batches
        if (batch.kind, batch.venue, batch.symbol) == ("liquidation", one.venue, one.symbol)
    )
    total = float(gone["coin"].sum())
    return told / total if total else float("nan")


def _all_told(one: Listed, gone: pl.DataFrame) -> Batch:
    """Everything that left by force as prints of a feed that tells all."""
    rows = gone.filter(pl.col("coin") > 0.0).sort("ts", maintain_order=True)
    at = rows["ts"].dt.epoch("ns").to_numpy().astype(np.int64)
    coin = rows["coin"].to_numpy()
    price = rows["price"].fill_null(np.nan).to_numpy()
    columns: dict[str, ColumnArray] = {
        "ts": at,
        "usable_from": at,
        "forced_side": rows["forced_side"].to_numpy().astype(np.str_),
        "price": price,
        "size": coin,
        "notional_usd": price * coin,
        "coverage": np.full(len(rows), "all"),
        "seq": np.arange(len(rows), dtype=np.int64),
    }
    return Batch("liquidation", one.venue, one.symbol, columns, (one.source,))


def left_by_force(forced: pl.DataFrame) -> pl.DataFrame:
    """`forced_flow` with a row a moment and account, coin: what was closed in the book, what winners took, and
    what is `gone` in all; price: the mean of those rows, null where none has any.

    A takeover of a whole position that the fund then closes in the book stands in two rows: it counts
    once. What was filled of an account's own order and the rest that was taken over both count.
    """
    by = pl.col("via")
    return (
        forced.group_by(
            "ts", "venue", "account", "forced_side", maintain_order=True
        )  # else sums differ in the last digit
        .agg(
            asked=pl.col("coin").filter(by == "book").sum(),
            booked=pl.col("filled_coin").filter(by == "book").sum(),
            taken=pl.col("coin").filter(by.is_in(["fund", "vault"])).sum(),
            cut=pl.col("coin").filter(by == "deleveraging").sum(),
            price=pl.col("price").mean(),
        )
        .with_columns(
            gone=pl.when(pl.col("taken") >= pl.col("asked"))
            .then(pl.col("taken"))
            .otherwise(pl.col("booked") + pl.col("taken"))
            .add(pl.col("cut"))
        )
    )

"""The truth behind a run: who holds what and is forced out where, and every forced order there was."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.lab.exchange import journal
from airpocket.lab.exchange.solvency import bankruptcy_price, equity, liquidation_price
from airpocket.lab.exchange.state import SPOT, Market
from airpocket.lab.runs.published import Listed, coin_of

AGENTS = ("maker", "noise", "trend", "reverter", "informed", "flow", "trader", "arbitrage", "carry")
BUCKET_PERCENT = 0.1  # of the ladder, of the mark
REACH_PERCENT = 50.0
_HEDGED = ("arbitrage", "carry")


def agents_of(m: Market) -> list[str]:
    """What kind of agent each account belongs to; treasury, fund and vault are "venue"."""
    found = ["venue"] * int(m.account_count)
    for k in range(int(m.actor_count)):
        actor = m.actors[k]
        kind, row = int(actor.kind), int(actor.row)
        if kind == 2:
            found[int(m.makers[row].account)] = "maker"
        elif kind == 3:
            found[int(m.takers[row].account)] = AGENTS[1 + int(m.takers[row].style)]
        elif kind == 4:
            found[int(m.traders[row].account)] = "trader"
        elif kind == 5:
            pair = m.pairs[row]
            name = AGENTS[7 + int(pair.style)]
            found[int(pair.account_a)] = found[int(pair.account_b)] = name
    return found


@kernel
def surveyed(m: Market, book: int, accounts: IntArray, out: FloatArray) -> None:
    """out: (n, 3) equity (units), liquidation and bankruptcy price (ticks) of each account's position."""
    for k in range(len(accounts)):
        out[k, 0] = equity(m, accounts[k])
        out[k, 1] = liquidation_price(m, accounts[k], book)
        out[k, 2] = bankruptcy_price(m, accounts[k], book)


@dataclass
class Survey:
    """Positions of all perpetuals, looked at again and again during a run."""

    agents: Sequence[str]
    cross: frozenset[int]  # accounts on cross margin
    frames: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])

    def look(self, m: Market, contracts: Sequence[Listed]) -> None:
        """Adds every open position as it stands now."""
        for listed in contracts:
            if m.books[listed.book].form != SPOT:
                frame = self._positions(m, listed)
                if frame.height:
                    self.frames.append(frame)

    def _positions(self, m: Market, listed: Listed) -> pl.DataFrame:
        terms = m.books[listed.book]
        venue = m.venues[terms.venue]
        first = int(venue.first_account)
        held = m.positions[first : first + int(venue.accounts), int(terms.slot)]
        which = np.flatnonzero(held["lots"])
        lots, cost = held["lots"][which], held["cost"][which]
        accounts = (which + first).astype(np.int64)
        out = np.empty((len(which), 3))
        surveyed(m, listed.book, accounts, out)
        tick, unit, mark = float(terms.tick_usd), float(terms.unit), float(terms.mark)
        money = unit if terms.form > 0 else unit * mark * tick
        coin = coin_of(m, listed.book, lots, np.full(len(lots), mark))
        at = np.full(len(which), int(m.now), dtype=np.int64)
        notional, own = coin * mark * tick, out[:, 0] * money
        return pl.DataFrame(
            {
                "ts": _times(at),
                "venue": [listed.venue] * len(which),
                "symbol": [listed.symbol] * len(which),
                "account": accounts,
                "agent": [self.agents[k] for k in accounts.tolist()],
                "hedged": [self.agents[k] in _HEDGED for k in accounts.tolist()],
                "margin_mode": [
                    "cross" if k in self.cross else "isolated" for k in accounts.tolist()
                ],
                "side": np.where(lots > 0, "long", "short"),
                "size_coin": coin,
                "entry_price": cost / lots * tick,
                "mark": np.full(len(which), mark * tick),
                "equity_usd": own,
                "leverage_x": np.where(own > 0.0, notional / np.where(own > 0.0, own, 1.0), np.nan),
                "liquidation_price": out[:, 1] * tick,
                "bankruptcy_price": np.where(np.isfinite(out[:, 2]), out[:, 2] * tick, np.nan),
            }
        ).with_columns(pl.col("leverage_x", "liquidation_price", "bankruptcy_price").fill_nan(None))

    def positions(self) -> pl.DataFrame:
        """One row an open position and look; null prices: never liquidated, never bankrupt."""
        return pl.concat(self.frames) if self.frames else pl.DataFrame()

    def ladder(self) -> pl.DataFrame:
        """Coin that goes by force per look, venue, side and bucket of 0.1 % from the mark, up to 50 %."""
        if not self.frames:
            return pl.DataFrame()
        away = (pl.col("liquidation_price") / pl.col("mark") - 1.0) * 100.0
        bucket = (away / BUCKET_PERCENT).floor() * BUCKET_PERCENT
        inside = pl.col("distance_percent").abs() <= REACH_PERCENT
        hedged = pl.when(pl.col("hedged")).then(pl.col("size_coin")).otherwise(0.0)
        return (
            self.positions()
            .drop_nulls("liquidation_price")
            .filter(pl.col("agent") != "venue")
            .with_columns(distance_percent=bucket.round(1))
            .filter(inside)
            .group_by("ts", "venue", "symbol", "side", "distance_percent", maintain_order=True)
            .agg(
                mark=pl.col("mark").first(),
                size_coin=pl.col("size_coin").sum(),
                hedged_coin=hedged.sum(),
                positions=pl.len().cast(pl.Int64),
            )
            .sort("ts", "venue", "symbol", "side", "distance_percent")
        )


def cross_accounts(m: Market, agents: Sequence[str]) -> frozenset[int]:
    """Accounts whose whole wallet backs their positions: all but traders on isolated margin."""
    isolated = {
        int(m.traders[k].account) for k in range(int(m.trader_count)) if not m.traders[k].cross
    }
    return frozenset(k for k in range(len(agents)) if k not in isolated)


def forced_flow(m: Market, contracts: Sequence[Listed], rows: IntArray) -> pl.DataFrame:
    """Every forced close: what was asked of the book, what it gave, what fund, vault or winners took.

    via: book (a liquidation order; filled_coin of coin), fund or vault (taken over), deleveraging.
    """
    frames = [_forced(m, listed, rows[rows[:, 2] == listed.book]) for listed in contracts]
    return pl.concat(frames).sort("ts", "venue", "account", maintain_order=True)


def _forced(m: Market, listed: Listed, rows: IntArray) -> pl.DataFrame:
    terms = m.books[listed.book]
    venue = m.venues[terms.venue]
    tick = float(terms.tick_usd)
    kinds = (journal.FORCED, journal.TAKEN, journal.DELEVERAGED)
    part = rows[np.isin(rows[:, 0], kinds)]
    booked, taken = part[:, 0] == journal.FORCED, part[:, 0] == journal.TAKEN
    # orders carry the order's sign; takeovers the position's; deleveraging the winner's, the loser's opposite
    buys = np.where(taken, part[:, 4] < 0, part[:, 4] > 0)
    buys = np.where(part[:, 0] == journal.DELEVERAGED, part[:, 4] > 0, buys)
    paid = np.where(booked, _mean_ticks(m, listed.book, part), part[:, 5]).astype(np.float64)
    asked = coin_of(m, listed.book, part[:, 4], np.where(paid > 0.0, paid, float(terms.mark)))
    filled = np.where(booked, part[:, 5], np.abs(part[:, 4]))
    share = filled / np.maximum(np.abs(part[:, 4]), 1)
    vault = np.where(part[:, 6] == int(venue.fund), "fund", "vault")
    via = np.where(booked, "book", np.where(taken, vault, "deleveraging"))
    price = np.where(paid > 0.0, paid * tick, np.nan)
    return pl.DataFrame(
        {
            "ts": _times(part[:, 1]),
            "venue": pl.Series([listed.venue] * len(part), dtype=pl.String),
            "symbol": pl.Series([listed.symbol] * len(part), dtype=pl.String),
            "account": np.where(part[:, 0] == journal.DELEVERAGED, part[:, 6], part[:, 3]),
            "forced_side": pl.Series(np.where(buys, "buy", "sell").tolist(), dtype=pl.String),
            "via": pl.Series(via.tolist(), dtype=pl.String),
            "coin": asked,
            "filled_coin": asked * share,
            "price": price,
        }
    ).with_columns(pl.col("price").fill_nan(None))  # fmt: skip


def _mean_ticks(m: Market, book: int, part: IntArray) -> FloatArray:
    """Mean price of forced orders in ticks, 0 where nothing filled."""
    terms = m.books[book]
    lots, value = part[:, 5].astype(np.float64), part[:, 6].astype(np.float64)
    full = lots > 0.0
    safe = np.where(full, lots, 1.0)
    if terms.form > 0:
        return np.where(full, value / (safe * float(terms.scale)), 0.0)
    return np.where(full, safe * float(terms.scale) / np.where(value > 0.0, value, 1.0), 0.0)


def _times(at: IntArray) -> pl.Series:
    """Nanoseconds as times in UTC, to the microsecond."""
    return (
        pl.Series(at // 1_000, dtype=pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    )

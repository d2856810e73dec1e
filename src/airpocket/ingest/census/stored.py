"""Accounts and loans in the store: states to tables, and back as they could be known at a moment."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import polars as pl

from airpocket.domain.accounts import AccountState, Answers, Holding, LoanState, number_of
from airpocket.domain.errors import BadInput
from airpocket.domain.events import IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.ingest.lake import Lake
from airpocket.ingest.tables import Table, columns_of, kind_named

# Accounts are the venue's, not a contract's: all of a venue's are filed under one symbol.
SYMBOL = "ACCOUNTS"
LENDING = "lending"
# Older answers say too little about now; the map drops accounts sooner than this.
KEPT_NS = 2 * DAY_NS


def account_table(venue: str, states: Sequence[AccountState], source: str) -> Table:
    """States of one venue's accounts as rows of the kind `account`; a flat account has one row."""
    rows: list[dict[str, Any]] = []
    for state in {(each.account, each.ts // 1_000): each for each in states}.values():
        head = {"ts": state.ts // 1_000, "usable_from": max(state.ts, state.usable_from) // 1_000,
                "account": state.account, "source": source}  # fmt: skip
        rows += [
            {**head, "contract": each.symbol, "size_coin": each.size_coin, "mark": each.mark,
             "backing": each.backing, "cash_usd": each.cash_usd, "entry_price": each.entry_price,
             "leverage_x": each.leverage_x, "max_leverage_x": each.max_leverage_x,
             "liquidation_price": each.liquidation_price}
            for each in state.holdings
        ] or [{**head, "contract": "", "size_coin": 0.0, "backing": "none", "cash_usd": 0.0}]  # fmt: skip
    return Table("account", venue, SYMBOL, _frame("account", rows))


def seen_table(venue: str, met: Mapping[str, tuple[int, str]], source: str) -> Table:
    """Addresses met, (ns, origin) by address, as rows of the kind `account_seen`."""
    rows = [
        {"ts": at // 1_000, "usable_from": at // 1_000, "account": account, "origin": origin, "source": source}
        for account, (at, origin) in met.items()
    ]  # fmt: skip
    return Table("account_seen", venue, SYMBOL, _frame("account_seen", rows))


def fact_table(
    kind: str, venue: str, symbol: str, rows: Sequence[Mapping[str, Any]], source: str
) -> Table:
    """Rows with ts and usable_from in ns as a table of any kind."""
    told = [
        {**row, "ts": row["ts"] // 1_000, "usable_from": max(row["ts"], row["usable_from"]) // 1_000,
         "source": source}
        for row in rows
    ]  # fmt: skip
    return Table(kind, venue, symbol, _frame(kind, told))


def _frame(kind: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """ts and usable_from come in µs; a column that a row lacks is null."""
    times = ("ts", "usable_from")
    dtypes = {"f64": pl.Float64(), "i64": pl.Int64(), "str": pl.String(), "time": pl.Int64()}
    schema = {column.name: dtypes[column.dtype] for column in columns_of(kind_named(kind))}
    told = [{name: row.get(name) for name in schema} for row in rows]
    frame = pl.DataFrame(told, schema=schema)
    return frame.with_columns(
        pl.col(name).cast(pl.Datetime("us")).dt.replace_time_zone("UTC") for name in times
    )


def accounts_of(lake: Lake, until: int, since: int | None = None) -> list[AccountState]:
    """The newest state of every stored account as known at `until` (ns), of all venues.

    since: ns; what is older is left out, by default two days before.

    Raises:
        StoreDamaged: a file is not what the manifest says.
        BadInput: a row that no account can have; names venue, account and contract.
    """
    start = until - KEPT_NS if since is None else since
    found: list[AccountState] = []
    for series in lake.series():
        if series.kind == "account":
            rows = lake.read("account", series.venue, series.symbol, start=start, until=until)
            newest = rows.filter(pl.col("ts") == pl.col("ts").max().over("account"))
            found += _states(series.venue, newest)
    return found


def answers_through(lake: Lake, until: int, since: int) -> list[Answers]:
    """What every stored account said in (since, until] ns, of each hour the last answer; a part for each venue.

    Raises:
        StoreDamaged: a file is not what the manifest says.
    """
    hour = (pl.col("usable_from").dt.epoch("ns") - 1) // HOUR_NS  # which ends with its whole hour
    found: list[Answers] = []
    for series in lake.series():
        if series.kind == "account":
            rows = lake.read("account", series.venue, series.symbol, start=since, until=until)
            rows = rows.filter(pl.col("ts") == pl.col("ts").max().over("account", hour))
            found.append(
                Answers(
                    _numbers(series.venue, rows["account"]),
                    _numbers(series.venue, rows["contract"]),
                    rows["usable_from"].dt.epoch("ns").to_numpy().astype(np.int64),
                    rows["size_coin"].to_numpy().astype(np.float64),
                    rows["liquidation_price"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
                )
            )
    return found


def _numbers(venue: str, names: pl.Series) -> IntArray:
    each = names.unique()
    numbers = pl.Series([number_of(venue, name) for name in each], dtype=pl.Int64)
    return names.replace_strict(each, numbers, return_dtype=pl.Int64).to_numpy().astype(np.int64)


def _states(venue: str, rows: pl.DataFrame) -> list[AccountState]:
    ordered = rows.with_columns(pl.col("ts", "usable_from").dt.epoch("us")).sort(
        "account", "contract"
    )
    states: list[AccountState] = []
    for account, told in groupby(ordered.iter_rows(named=True), key=itemgetter("account")):
        mine = list(told)
        states.append(
            AccountState(
                venue=venue, account=account, ts=mine[0]["ts"] * 1_000,
                usable_from=max(row["usable_from"] for row in mine) * 1_000,
                holdings=tuple(_holding(venue, row) for row in mine if row["backing"] != "none"),
            )
        )  # fmt: skip
    return states


def _holding(venue: str, row: Mapping[str, Any]) -> Holding:
    where = f"{venue} account {row['account']}, {row['contract']}"
    if row["mark"] is None:
        raise BadInput(f"{where}: has no mark; import it again with one")
    names = ("size_coin", "mark", "backing", "cash_usd", "entry_price", "leverage_x", "max_leverage_x",
             "liquidation_price")  # fmt: skip
    try:
        return Holding(symbol=row["contract"], **{name: row[name] for name in names})
    except ValueError as error:
        raise BadInput(f"{where}: {error}") from error


def asked_before(lake: Lake, venue: str, until: int) -> dict[str, tuple[int, bool]]:
    """Every account ever asked or met: (ns when last asked or 0, whether it held anything then)."""
    known: dict[str, tuple[int, bool]] = {}
    kinds = {series.kind for series in lake.series() if series.venue == venue}
    if "account_seen" in kinds:
        met = lake.read("account_seen", venue, SYMBOL, until=until)
        known = dict.fromkeys(met["account"].unique(maintain_order=True), (0, False))
    if "account" in kinds:
        # an answer older than this is due again, whatever it said
        rows = lake.read("account", venue, SYMBOL, start=until - KEPT_NS, until=until)
        newest = rows.filter(pl.col("ts") == pl.col("ts").max().over("account"))
        told = newest.group_by("account", maintain_order=True).agg(
            pl.col("usable_from").max().dt.epoch("us"), (pl.col("size_coin") != 0.0).any()
        )
        for account, at, holds in told.iter_rows():
            known[account] = (at * 1_000, holds)
    return known


def loans_of(lake: Lake, asset: str, until: int, since: int | None = None) -> list[LoanState]:
    """The newest state of every stored loan in an asset as known at `until`, ns."""
    start = until - KEPT_NS if since is None else since
    rows = lake.read("loan", LENDING, asset, start=start, until=until)
    newest = rows.filter(pl.col("ts") == pl.col("ts").max().over("protocol", "account"))
    told = newest.with_columns(pl.col("ts", "usable_from").dt.epoch("us") * 1_000)
    names = ("protocol", "account", "ts", "usable_from", "collateral_coin", "debt_coin", "threshold",
             "other_collateral_usd", "other_debt_usd", "close_share")  # fmt: skip
    return [
        LoanState(asset=asset, **{name: row[name] for name in names})
        for row in told.sort("protocol", "account").iter_rows(named=True)
    ]

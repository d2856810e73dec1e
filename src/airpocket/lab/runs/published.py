"""What a run's venues told the public, as tables of the store's kinds: bars, trades, funding, prints and so on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.lab.addresses import address_of
from airpocket.lab.exchange import journal
from airpocket.lab.exchange.feeds import LATEST
from airpocket.lab.exchange.state import INVERSE, SPOT, Market
from airpocket.lab.tables import BundledTable, Values, build

TICKER_NS = 5 * SECOND_NS
MILLI = 1_000.0
NANO = 1e9
KINDS = (
    "trade", "bar_1m", "ticker", "tape_1m", "funding", "funding_estimate", "open_interest", "liquidation",
)  # fmt: skip
BANDS_PERCENT = (0.1, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Listed:
    """One contract of a run, as tables need it."""

    book: int
    venue: str
    symbol: str
    source: str


def coin_of(m: Market, book: int, lots: IntArray | int, ticks: FloatArray) -> FloatArray:
    """Unsigned coin of lots at prices in ticks."""
    terms = m.books[book]
    size = np.abs(lots) / float(terms.lots_per_coin)
    return size / (ticks * float(terms.tick_usd)) if terms.form == INVERSE else size + 0.0 * ticks


def tables_of(
    m: Market, listed: Listed, rows: IntArray, wanted: Sequence[str] = KINDS
) -> list[BundledTable]:
    """The `wanted` tables of one contract from its journal rows, (n, COLUMNS) in order; depth excepted."""
    mine = rows[rows[:, 2] == listed.book]
    makers = {"trade": _trades, "bar_1m": _bars, "ticker": _tickers, "tape_1m": _tape}
    if m.books[listed.book].form != SPOT:
        makers |= {
            "funding": _funding, "funding_estimate": _estimates, "open_interest": _interest,
            "liquidation": _liquidations,
        }  # fmt: skip
    found = [make(m, listed, mine) for kind, make in makers.items() if kind in wanted]
    return [table for table in found if table.frame.height]


def _of(rows: IntArray, kind: int) -> IntArray:
    return rows[rows[:, 0] == kind]


def _listing(listed: Listed) -> tuple[str, str]:
    return listed.venue, listed.symbol


def _trades(m: Market, listed: Listed, rows: IntArray) -> BundledTable:
    part = _of(rows, journal.TRADE)
    at, ticks = part[:, 1], part[:, 3].astype(np.float64)
    columns = {
        "price": _usd(m, listed, ticks),
        "size": coin_of(m, listed.book, part[:, 4], ticks),
        "taker_side": np.where(part[:, 4] > 0, "buy", "sell"),
        "trade_id": np.arange(1, len(part) + 1, dtype=np.int64),
    }
    return build("trade", _listing(listed), listed.source, (at, at), columns)


def _bars(m: Market, listed: Listed, rows: IntArray) -> BundledTable:
    """Minute bars of the trades; a minute without one has no bar."""
    part = _of(rows, journal.TRADE)
    ticks = part[:, 3].astype(np.float64)
    price, coin = _usd(m, listed, ticks), coin_of(m, listed.book, part[:, 4], ticks)
    frame = pl.DataFrame(
        {
            "ts": part[:, 1] // MINUTE_NS * MINUTE_NS, "price": price, "coin": coin,
            "usd": price * coin, "bought": np.where(part[:, 4] > 0, coin, 0.0),
        }
    )  # fmt: skip
    bars = frame.group_by("ts", maintain_order=True).agg(
        open=pl.col("price").first(), high=pl.col("price").max(), low=pl.col("price").min(),
        close=pl.col("price").last(), volume=pl.col("coin").sum(), volume_usd=pl.col("usd").sum(),
        taker_buy=pl.col("bought").sum(),
    )  # fmt: skip
    at = bars["ts"].to_numpy().astype(np.int64)
    columns = {
        name: bars[name].to_numpy().astype(np.float64)
        for name in ("open", "high", "low", "close", "volume", "volume_usd", "taker_buy")
    }
    columns["taker_buy"] = np.minimum(columns["taker_buy"], columns["volume"])
    return build("bar_1m", _listing(listed), listed.source, (at, at + MINUTE_NS), columns)


def _tickers(m: Market, listed: Listed, rows: IntArray) -> BundledTable:
    part = _of(rows, journal.MARK)
    part = part[part[:, 1] % TICKER_NS < SECOND_NS]
    at = part[:, 1]
    spot = m.books[listed.book].form == SPOT
    columns = {
        "last": _usd(m, listed, part[:, 7].astype(np.float64)),
        "mark": None if spot else _usd(m, listed, part[:, 3] / MILLI),
        "index": None if spot else _usd(m, listed, part[:, 4] / MILLI),
    }
    return build("ticker", _listing(listed), listed.source, (at, at), columns)


def _tape(m: Market, listed: Listed, rows: IntArray) -> BundledTable:
    """Minutes of the tape and the touch: the spread is the mean of each second's; a minute without a
    two-sided touch has none, and what is heard only from single changes of the book is null."""
    trades, marks = _of(rows, journal.TRADE), _of(rows, journal.MARK)
    ticks = trades[:, 3].astype(np.float64)
    usd = _usd(m, listed, ticks) * coin_of(m, listed.book, trades[:, 4], ticks)
    bought = trades[:, 4] > 0
    traded = pl.DataFrame(
        {
            "ts": trades[:, 1] // MINUTE_NS, "buy_usd": np.where(bought, usd, 0.0),
            "sell_usd": np.where(bought, 0.0, usd), "print": np.ones(len(trades), dtype=np.int64),
        }
    ).group_by("ts").agg(pl.col("buy_usd", "sell_usd").sum(), prints=pl.col("print").sum())  # fmt: skip
    # the mark of a whole minute tells of the second before it
    minute = (marks[:, 1] - 1) // MINUTE_NS
    bid, ask = marks[:, 5].astype(np.float64), marks[:, 6].astype(np.float64)
    two_sided = (bid >= 1.0) & (ask < float(m.books[listed.book].window))
    seen = pl.DataFrame({"ts": minute, "bps": 2e4 * (ask - bid) / (ask + bid), "two": two_sided})
    spread = seen.filter("two").group_by("ts").agg(spread_bps=pl.col("bps").mean())
    all_of_it = (
        seen.select(pl.col("ts").unique()).join(traded, on="ts", how="left")
        .join(spread, on="ts", how="left").sort("ts")
        .with_columns(pl.col("prints", "buy_usd", "sell_usd").fill_null(0))
    )  # fmt: skip
    at = all_of_it["ts"].to_numpy() * MINUTE_NS
    columns: dict[str, Values] = {
        "prints": all_of_it["prints"].to_numpy(),
        "buy_usd": all_of_it["buy_usd"].to_numpy(),
        "sell_usd": all_of_it["sell_usd"].to_numpy(),
        "spread_bps": all_of_it["spread_bps"].to_list(),
    }
    columns |= dict.fromkeys(("reloads", "retreats", "refill_s"))
    return build("tape_1m", _listing(listed), listed.source, (at, at + MINUTE_NS), columns)


def _funding(_: Market, listed: Listed, rows: IntArray) -> BundledTable:
    part = _of(rows, journal.FUNDING)
    columns = {"rate": part[:, 3] / NANO, "interval_s": part[:, 5] // SECOND_NS}
    return build("funding", _listing(listed), listed.source, (part[:, 4], part[:, 1]), columns)


def _estimates(m: Market, listed: Listed, rows: IntArray) -> BundledTable:
    part = _of(rows, journal.ESTIMATE)
    every = int(m.venues[m.books[listed.book].venue].funding_every) // SECOND_NS
    columns = {"rate": part[:, 3] / NANO, "interval_s": np.full(len(part), every, dtype=np.int64)}
    at = part[:, 1]
    return build("funding_estimate", _listing(listed), listed.source, (at, at), columns)


def _interest(m: Market, listed: Listed, rows: IntArray) -> BundledTable:
    part = _of(rows, journal.INTEREST)
    at, terms = part[:, 1], m.books[listed.book]
    columns = {
        "amount": part[:, 3] / float(terms.lots_per_coin),
        "unit": ["usd" if terms.form == INVERSE else "coin"] * len(part),
        "averaged_s": np.zeros(len(part), dtype=np.int64),
    }
    return build("open_interest", _listing(listed), listed.source, (at, at), columns)


def _liquidations(m: Market, listed: Listed, rows: IntArray) -> BundledTable:
    """The feed's prints; `ts` is when it happened, usable when the venue told."""
    part = _of(rows, journal.PRINT)
    ticks = part[:, 3].astype(np.float64)
    price, coin = _usd(m, listed, ticks), coin_of(m, listed.book, part[:, 4], ticks)
    sampled = m.venues[m.books[listed.book].venue].feed == LATEST
    columns = {
        "forced_side": np.where(part[:, 4] > 0, "buy", "sell"),
        "price": price,
        "size": coin,
        "notional_usd": price * coin,
        "coverage": ["sample" if sampled else "all"] * len(part),
        "seq": np.arange(len(part), dtype=np.int64),
    }
    return build("liquidation", _listing(listed), listed.source, (part[:, 5], part[:, 1]), columns)


def depth_now(m: Market, book: int) -> list[tuple[float, float, float]]:
    """(percent, coin, USD) resting within each band of the mid; nothing where a side is empty."""
    terms = m.books[book]
    bid, ask, window = int(terms.bid), int(terms.ask), int(terms.window)
    if bid < 1 or ask >= window:
        return []
    middle, tick_usd = (bid + ask) / 2.0, float(terms.tick_usd)
    lots = m.levels[book]["lots"]
    found: list[tuple[float, float, float]] = []
    for percent in BANDS_PERCENT:
        low = max(1, int(np.ceil(middle * (1.0 - percent / 100.0))))
        high = min(window - 1, int(middle * (1.0 + percent / 100.0)))
        for sign, span in ((-1, range(low, bid + 1)), (1, range(ask, high + 1))):
            if not len(span):
                found.append((sign * percent, 0.0, 0.0))
                continue
            ticks = np.arange(span.start, span.stop, dtype=np.float64)
            coin = coin_of(m, book, lots[span.start : span.stop], ticks)
            found.append(
                (sign * percent, float(coin.sum()), float((coin * ticks * tick_usd).sum()))
            )
    return found


def depth_table(listed: Listed, seen: list[tuple[int, float, float, float]]) -> BundledTable:
    """Depth rows (ns, percent, coin, USD) as a table."""
    at = np.array([row[0] for row in seen], dtype=np.int64)
    columns = {
        name: np.array([row[k] for row in seen], dtype=np.float64)
        for k, name in ((1, "percent"), (2, "depth_coin"), (3, "notional_usd"))
    }
    return build("depth", _listing(listed), listed.source, (at, at), columns)


def account_table(listed: Listed, looks: pl.DataFrame) -> BundledTable | None:
    """What a venue with public accounts tells whoever asks for all of them, from looks at one contract's
    positions (`Survey`); who left since the look before tells so. None where nobody ever held anything.
    """
    if not looks.height:
        return None
    looks = looks.sort("ts", "account")
    holders = looks.select("ts", "account")
    times = looks["ts"].unique().sort()
    after = pl.DataFrame({"ts": times[:-1], "next": times[1:]})
    left = (
        holders.join(after, on="ts")
        .join(holders, left_on=["next", "account"], right_on=["ts", "account"], how="anti")
        .select(pl.col("next").alias("ts"), "account")
    )
    signed = pl.when(pl.col("side") == "long").then(1.0).otherwise(-1.0) * pl.col("size_coin")
    told = looks.select(
        "ts", "account", size=signed, mark="mark", backing="margin_mode",
        cash=pl.col("equity_usd") - signed * pl.col("mark"), entry="entry_price",
        price=pl.when(pl.col("liquidation_price") > 0.0).then(pl.col("liquidation_price")),
    )  # fmt: skip
    flat = left.with_columns(size=0.0, backing=pl.lit("none"), cash=0.0)
    rows = pl.concat([told, flat], how="diagonal").sort("ts", "account")
    at = rows["ts"].dt.epoch("us").to_numpy() * 1_000
    columns: dict[str, Values] = {
        "account": [address_of(number) for number in rows["account"].to_list()],
        "contract": ["" if each == "none" else listed.symbol for each in rows["backing"].to_list()],
        "size_coin": rows["size"].to_numpy(),
        "mark": rows["mark"].to_list(),
        "backing": rows["backing"].to_list(),
        "cash_usd": rows["cash"].to_numpy(),
        "entry_price": rows["entry"].to_list(),
        "leverage_x": None,
        "max_leverage_x": None,
        "liquidation_price": rows["price"].to_list(),
    }
    return build("account", (listed.venue, "ACCOUNTS"), listed.source, (at, at), columns)


def _usd(m: Market, listed: Listed, ticks: FloatArray) -> FloatArray:
    """Prices in dollars, to twelve digits: whole ticks come out as the venue writes them."""
    per_tick = float(m.books[listed.book].tick_usd)
    return np.round(ticks * per_tick, 9)

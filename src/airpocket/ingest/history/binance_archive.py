"""Binance's public archive (spot, um, cm): one zip or CSV of a known layout becomes rows of one or two kinds."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import polars as pl

from airpocket.domain.errors import BadTable, UnknownInstrument
from airpocket.domain.instruments import Instrument, instrument
from airpocket.domain.kinds import stored_name
from airpocket.domain.units import parse_interval
from airpocket.ingest.history.archive_rules import MARKETS
from airpocket.ingest.history.files import ROW, parse_csv
from airpocket.ingest.history.recorded_book import NewReplay
from airpocket.ingest.history.rules import ArchiveRule
from airpocket.ingest.history.sheet import Sheet, later, starts_with_names, unpacked
from airpocket.ingest.history.table import Part, of_contract
from airpocket.ingest.history.values import column_of

_KLINE = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count",
    "taker_buy_volume", "taker_buy_quote_volume", "ignore",
)  # fmt: skip
_TRADE = (
    "agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time",
    "is_buyer_maker",
)  # fmt: skip
RATIOS = {
    "count_toptrader_long_short_ratio": "top_trader_account",
    "sum_toptrader_long_short_ratio": "top_trader_position",
    "count_long_short_ratio": "account",
    "sum_taker_long_short_vol_ratio": "taker_volume",
}
LAYOUTS: dict[str, tuple[str, ...]] = {
    "klines": _KLINE,
    "markPriceKlines": _KLINE,
    "indexPriceKlines": _KLINE,
    "premiumIndexKlines": _KLINE,
    "aggTrades": _TRADE,
    "metrics": (
        "create_time", "symbol", "sum_open_interest", "sum_open_interest_value", *RATIOS,
    ),
    "fundingRate": ("calc_time", "funding_interval_hours", "last_funding_rate"),
    "bookDepth": ("timestamp", "percentage", "depth", "notional"),
    "liquidationSnapshot": (
        "time", "side", "order_type", "time_in_force", "original_quantity", "price",
        "average_price", "order_status", "last_fill_quantity", "accumulated_fill_quantity",
    ),
}  # fmt: skip
_SPOT_TYPES = ("klines", "aggTrades")
_BAR_KINDS = {
    "klines": "bar",
    "markPriceKlines": "mark_bar",
    "indexPriceKlines": "index_bar",
    "premiumIndexKlines": "premium_bar",
}
_NAME = re.compile(
    r"(?P<symbol>[^/-]+)-(?P<what>[A-Za-z0-9]+)-(?P<date>\d{4}-\d{2}(?:-\d{2})?)\.(?:zip|csv)"
)
_SPOT_US_FROM = "2025-01-01"  # the archive's own rule: spot files count in µs from this day
_METRICS_NS = parse_interval("5m")
_DOLLARS = ("USD", "USDT", "USDC", "USD1", "FDUSD", "TUSD")


@dataclass(frozen=True, slots=True)
class _Job:
    """One file, and everything that its path and the mapping say about it."""

    file: str
    rule: ArchiveRule
    type: str
    interval: str
    contract: Instrument
    unit: str
    date: str  # 2025-01 or 2025-01-31; empty where the name has none

    @property
    def cm(self) -> bool:
        return self.rule.market == "cm"

    def part(
        self, kind: str, frame: pl.DataFrame, rows_read: int, *,
        left_out: tuple[tuple[str, int], ...] = (), unordered: bool = False, expect_step_ns: int = 0,
    ) -> Part:  # fmt: skip
        named = of_contract(frame, self.contract)
        return Part(self.file, kind, named, rows_read, left_out, unordered, expect_step_ns)


def read_binance(
    path: Path, file: str, rule: ArchiveRule, new_replay: NewReplay | None = None
) -> list[Part]:
    """All rows of one archive file, in the store's kinds and units (see docs/import.md).

    Raises:
        BadTable: the name says too little, the layout is another, a cell or time is impossible.
    """
    del new_replay  # the archive has no books
    job = _job(path, file, rule)
    return _READERS[job.type](job, _cells(unpacked(path, file), job))


def _job(path: Path, file: str, rule: ArchiveRule) -> _Job:
    match = _NAME.fullmatch(path.name)
    said = match.groupdict() if match else {"symbol": "", "what": "", "date": ""}
    what = said["what"]
    folder = next((part for part in reversed(path.parts[:-1]) if part in _BAR_KINDS), "")
    type_ = rule.type or (what if what in LAYOUTS else folder)
    if type_ not in LAYOUTS:
        known = ", ".join(LAYOUTS)
        raise BadTable(file, f"neither name nor folder says its type: set 'type' ({known})")
    if rule.market == "spot" and type_ not in _SPOT_TYPES:
        raise BadTable(file, f"the spot market has no {type_}")
    interval = rule.interval or (what if what not in LAYOUTS else "")
    try:
        if type_ in _BAR_KINDS:
            stored_name("bar", interval or None)
        contract = instrument(MARKETS[rule.market], rule.symbol or said["symbol"])
    except (ValueError, UnknownInstrument) as error:
        raise BadTable(file, f"{error}; set 'interval' or 'symbol' in the mapping") from error
    return _Job(
        file, rule, type_, interval, contract, _unit(rule, said["date"], file), said["date"]
    )


def _unit(rule: ArchiveRule, date: str, file: str) -> str:
    if rule.unit:
        return rule.unit
    if rule.market != "spot":
        return "ms"
    if not date:
        raise BadTable(file, "the name has no date to tell ms from µs: set 'unit'")
    return "us" if date >= _SPOT_US_FROM[: len(date)] else "ms"


def _cells(content: bytes, job: _Job) -> Sheet:
    layout = LAYOUTS[job.type]
    if job.type == "aggTrades" and job.rule.market == "spot":
        layout = (*layout, "is_best_match")
    headed = starts_with_names(content)
    frame = parse_csv(content, job.file, header=None if headed else layout)
    if headed and tuple(frame.columns) != layout:
        names = ", ".join(layout)
        raise BadTable(job.file, f"is no {job.type}: the header is not {names}", row=0)
    if frame.height == 0:
        raise BadTable(job.file, "has a header and no rows")
    return Sheet(job.file, frame.with_row_index(ROW, offset=1), job.date)


def _times(job: _Job, raw: Sheet, name: str) -> pl.Series:
    if job.type in ("metrics", "bookDepth"):
        return raw.times(name, "iso", "UTC")
    return raw.times(name, job.unit)


def _bars(job: _Job, raw: Sheet) -> list[Part]:
    ts = _times(job, raw, "open_time")
    step_ns = parse_interval(job.interval)
    closes = _times(job, raw, "close_time").cast(pl.Int64) - ts.cast(pl.Int64)
    place = raw.place("close_time")
    # the archive's bars close one tick of their clock before the next one opens
    wrong = (closes - step_ns // 1_000).is_between(-1_000, 0).not_()
    place.refuse(
        wrong, "{} is not one " + job.interval + " after open_time", raw.cells["close_time"]
    )
    frame = pl.DataFrame(
        {
            ROW: raw.rows,
            "ts": ts,
            "usable_from": later(ts, step_ns),
            **{name: raw.floats(name) for name in ("open", "high", "low", "close")},
            **(_volumes(job, raw) if job.type == "klines" else {}),
        }
    )
    return [job.part(stored_name(_BAR_KINDS[job.type], job.interval), frame, raw.height)]


def _volumes(job: _Job, raw: Sheet) -> dict[str, pl.Series]:
    """Coin, USD, coin. COIN-M counts contracts of so many USD, and gives the coin as 'quote'."""
    volume, quote = raw.given("volume"), raw.given("quote_volume")
    if job.cm:
        taker = raw.given("taker_buy_quote_volume")
        return {"volume": quote, "volume_usd": volume * _size(job), "taker_buy": taker}
    dollars = job.contract.quote in _DOLLARS
    return {
        "volume": volume,
        "volume_usd": quote if dollars else quote.clear(len(quote)),
        "taker_buy": raw.given("taker_buy_volume"),
    }


def _size(job: _Job) -> float:
    """USD per contract (COIN-M)."""
    size = job.contract.contract_size
    if size is None:
        raise BadTable(job.file, f"the contract size of {job.contract.key} is not known")
    return size


def _trades(job: _Job, raw: Sheet) -> list[Part]:
    ts = _times(job, raw, "transact_time")
    price, size = raw.floats("price"), raw.floats("quantity")
    # the buyer rested in the book, so a seller crossed the spread
    maker = {"true": "sell", "false": "buy"}
    side = raw.words("is_buyer_maker", maker | {word.title(): maker[word] for word in maker})
    frame = pl.DataFrame(
        {
            ROW: raw.rows,
            "ts": ts,
            "usable_from": ts,
            "price": price,
            "size": size * _size(job) / price if job.cm else size,
            "taker_side": side,
            "trade_id": raw.ints("agg_trade_id"),
        }
    )
    return [job.part("trade", frame, raw.height)]


def _metrics(job: _Job, raw: Sheet) -> list[Part]:
    """A row stamped t is known at t + 5 min. Empty cells are unknown, and make no row."""
    cells, place = column_of(raw.cells, "symbol", job.file)
    place.refuse(cells != job.contract.symbol, "{} is not the symbol of the file", cells)
    base = pl.DataFrame({ROW: raw.rows, "ts": _times(job, raw, "create_time")})
    base = base.with_columns(later(base["ts"], _METRICS_NS).alias("usable_from"))
    amount = base.with_columns(
        raw.floats("sum_open_interest").alias("amount"),
        pl.lit("contracts" if job.cm else "coin").alias("unit"),
        pl.lit(0, pl.Int64).alias("averaged_s"),
    )
    ratios = pl.concat(
        base.with_columns(pl.lit(name).alias("name"), raw.floats(column).alias("value"))
        for column, name in RATIOS.items()
    ).sort(ROW, maintain_order=True)
    parts: list[Part] = []
    for kind, frame, column in (("open_interest", amount, "amount"), ("ratio", ratios, "value")):
        known = frame.filter(pl.col(column).is_not_null())
        left_out = ((f"{column} is empty", frame.height - known.height),)
        if known.height:
            parts.append(
                job.part(
                    kind, known, raw.height,
                    left_out=left_out, unordered=True, expect_step_ns=_METRICS_NS,
                )
            )  # fmt: skip
    if not parts:
        raise BadTable(job.file, "every figure is empty")
    return parts


def _funding(job: _Job, raw: Sheet) -> list[Part]:
    """Settlements are stamped some ms late: ts is the whole minute, usable from the stamp."""
    stamped = _times(job, raw, "calc_time")
    ts = stamped.dt.round("1m")
    far = (stamped.cast(pl.Int64) - ts.cast(pl.Int64)).abs() > 5_000_000
    place = raw.place("calc_time")
    place.refuse(
        far, "{} is not within 5 s of a whole minute: no settlement", raw.cells["calc_time"]
    )
    hours = raw.ints("funding_interval_hours")
    frame = pl.DataFrame(
        {
            ROW: raw.rows,
            "ts": ts,
            "usable_from": pl.select(pl.max_horizontal(ts, stamped)).to_series(),
            "rate": raw.floats("last_funding_rate"),
            "interval_s": hours * 3_600,
        }
    )
    return [job.part("funding", frame, raw.height)]


def _depth(job: _Job, raw: Sheet) -> list[Part]:
    if job.cm:
        raise BadTable(job.file, "bookDepth of COIN-M does not say what its amounts count")
    ts = _times(job, raw, "timestamp")
    frame = pl.DataFrame(
        {
            ROW: raw.rows,
            "ts": ts,
            "usable_from": ts,
            "percent": raw.floats("percentage"),
            "depth_coin": raw.floats("depth"),
            "notional_usd": raw.floats("notional"),
        }
    )
    return [job.part("depth", frame, raw.height)]


def _liquidations(job: _Job, raw: Sheet) -> list[Part]:
    """Forced orders; the archive repeats rows and, since 2021, names one a second at most."""
    rows = raw.with_cells(raw.cells.unique(pl.exclude(ROW), keep="first", maintain_order=True))
    filled, price = (rows.floats(n) for n in ("accumulated_fill_quantity", "average_price"))
    notional = filled * _size(job) if job.cm else filled * price
    frame = pl.DataFrame(
        {
            ROW: rows.rows,
            "ts": _times(job, rows, "time"),
            "forced_side": rows.words("side", {"BUY": "buy", "SELL": "sell"}),  # BUY closes a short
            "price": price,
            "size": notional / price if job.cm else filled,
            "notional_usd": notional,
        }
    ).with_columns(
        pl.col("ts").alias("usable_from"),
        pl.lit("sample").alias("coverage"),
        pl.int_range(pl.len()).over("ts").cast(pl.Int64).alias("seq"),
    )
    left_out = (("the archive repeats the row", raw.height - rows.height),)
    return [job.part("liquidation", frame, raw.height, left_out=left_out, unordered=True)]


_Reader: TypeAlias = Callable[[_Job, Sheet], list[Part]]

_READERS: dict[str, _Reader] = {
    **dict.fromkeys(_BAR_KINDS, _bars),
    "aggTrades": _trades,
    "metrics": _metrics,
    "fundingRate": _funding,
    "bookDepth": _depth,
    "liquidationSnapshot": _liquidations,
}

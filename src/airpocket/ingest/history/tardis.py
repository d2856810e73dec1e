"""Tardis' monthly free CSV files: trades, liquidations and tickers of many venues in one layout."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import polars as pl

from airpocket.domain.errors import BadTable
from airpocket.domain.instruments import Instrument, instrument
from airpocket.domain.units import SECOND_NS
from airpocket.ingest.history.files import ROW
from airpocket.ingest.history.recorded_book import NewReplay
from airpocket.ingest.history.rules import ArchiveRule
from airpocket.ingest.history.sheet import Sheet, need_columns, read_sheet
from airpocket.ingest.history.symbols import is_known, known_symbols
from airpocket.ingest.history.table import Part

_BASE = ("exchange", "symbol", "timestamp", "local_timestamp")
LAYOUTS = MappingProxyType(
    {
        "trades": (*_BASE, "id", "side", "price", "amount"),
        "liquidations": (*_BASE, "id", "side", "price", "amount"),
        "derivative_ticker": (
            *_BASE, "funding_timestamp", "funding_rate", "predicted_funding_rate", "open_interest",
            "last_price", "index_price", "mark_price",
        ),
    }
)  # fmt: skip
# its name → ours; where one of its names has two of our markets, the symbol decides
_VENUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "binance": ("binance_spot",),
        "binance-futures": ("binance_usdm",),
        "binance-delivery": ("binance_coinm",),
        "bybit": ("bybit_linear", "bybit_inverse"),
        "bybit-spot": ("bybit_spot",),
        "okex": ("okx",),
        "okex-swap": ("okx",),
        "deribit": ("deribit",),
        "hyperliquid": ("hyperliquid",),
        "cryptofacilities": ("kraken_futures",),
        "kraken": ("kraken_spot",),
        "coinbase": ("coinbase",),
        "dydx-v4": ("dydx",),
    }
)
# what is known of how complete a venue's reports are (docs/live.md)
_COVERAGE = MappingProxyType(
    {
        "binance_usdm": "sample", "binance_coinm": "sample", "okx": "sample", "deribit": "all",
        "kraken_futures": "all",
    }
)  # fmt: skip
_SIDES = {"buy": "buy", "sell": "sell"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATED_FOLDERS = re.compile(r"(\d{4})/(\d{2})/(\d{2})/[^/]+\.csv(?:\.gz)?", re.ASCII)


def read_tardis(
    path: Path, file: str, rule: ArchiveRule, new_replay: NewReplay | None
) -> list[Part]:
    """`trade`, `liquidation`, or what a ticker tells. Usable from when Tardis heard it (local_timestamp).

    Raises:
        BadTable: another layout, a venue or contract size that is not known, or an impossible cell.
    """
    del new_replay
    type_ = rule.type or next((each for each in LAYOUTS if each in file), "")
    if type_ not in LAYOUTS:
        raise BadTable(file, f"its path says no type: set 'type' ({', '.join(LAYOUTS)})")
    sheet = read_sheet(path, file, _date_of(path))
    need_columns(sheet, LAYOUTS[type_], f"Tardis file of {type_}")
    base = _base(sheet)
    if type_ == "derivative_ticker":
        return _ticker(sheet, base, rule)
    prices = base.with_columns(
        sheet.given("price").alias("price"),
        sheet.given("amount").alias("amount"),
        sheet.words("side", _SIDES).alias("side"),
    )
    known, left_out = known_symbols(file, prices, rule.symbols)
    sized = _sized(sheet, known, rule)
    if type_ == "trades":
        return [_trades(sheet, sized, left_out)]
    return [_liquidations(sheet, sized, left_out)]


def _date_of(path: Path) -> str:
    """The day in the name or in the folders …/2025/05/01/ETHUSDT.csv.gz."""
    named = _DATE.search(path.name)
    folders = _DATED_FOLDERS.search(path.as_posix())
    return named[0] if named else "-".join(folders.groups()) if folders else ""


def _base(sheet: Sheet) -> pl.DataFrame:
    """Row, venue, symbol, times. A row heard before its own stamp is usable from that."""
    ts, heard = sheet.times("timestamp", "us"), sheet.times("local_timestamp", "us")
    names, symbols = sheet.texts("exchange"), sheet.texts("symbol")
    unknown = ~names.is_in(list(_VENUES))
    sheet.place("exchange").refuse(unknown, "{} is no venue that we know by Tardis' names", names)
    pairs = pl.DataFrame({"exchange": names, "symbol": symbols})
    found = {
        pair: next((v for v in _VENUES[pair[0]] if is_known(v, pair[1])), _VENUES[pair[0]][0])
        for pair in pairs.unique(maintain_order=True).iter_rows()
    }
    venues = [found[pair] for pair in pairs.iter_rows()]
    return pl.DataFrame(
        {
            ROW: sheet.rows,
            "venue": pl.Series(venues, dtype=pl.String),
            "symbol": symbols,
            "ts": ts,
            "usable_from": pl.select(pl.max_horizontal(ts, heard)).to_series(),
        }
    )


def _contracts(frame: pl.DataFrame) -> list[Instrument]:
    pairs = frame.select("venue", "symbol").unique(maintain_order=True).iter_rows()
    return [instrument(venue, symbol) for venue, symbol in pairs]


def _sized(sheet: Sheet, frame: pl.DataFrame, rule: ArchiveRule) -> pl.DataFrame:
    """Amounts as the venue counts them → coin and USD; an unknown contract size is an error, never 1."""
    rows: list[tuple[str, str, float, bool]] = []
    for contract in _contracts(frame):
        size = rule.contract_sizes.get(contract.symbol, contract.contract_size)
        if size is None:
            where = f"the contract size of {contract.key} is not known"
            raise BadTable(
                sheet.file, f'{where}: say [table.contract_sizes] "{contract.symbol}" = …'
            )
        rows.append((contract.venue, contract.symbol, size, contract.kind == "inverse"))
    sizes = pl.DataFrame(rows, schema=["venue", "symbol", "each", "inverse"], orient="row")
    amount = pl.col("amount") * pl.col("each")
    return (
        frame.join(sizes, on=["venue", "symbol"], how="left", maintain_order="left")
        .with_columns(
            pl.when("inverse").then(amount / pl.col("price")).otherwise(amount).alias("size"),
            pl.when("inverse")
            .then(amount)
            .otherwise(amount * pl.col("price"))
            .alias("notional_usd"),
        )
        .drop("amount", "each", "inverse")
    )


def _trades(sheet: Sheet, sized: pl.DataFrame, left_out: Counter[str]) -> Part:
    """Ids are texts at some venues: rows of one moment are numbered in the file's order."""
    number = pl.int_range(pl.len()).over("venue", "symbol", "ts").cast(pl.Int64)
    frame = sized.drop("notional_usd").rename({"side": "taker_side"})
    frame = frame.with_columns(number.alias("trade_id"))
    reasons = tuple(sorted(left_out.items()))
    return Part(sheet.file, "trade", frame, sheet.height, reasons, unordered=True)


def _liquidations(sheet: Sheet, sized: pl.DataFrame, left_out: Counter[str]) -> Part:
    """Its side is the forced order's on every venue. Deribit's M and buy is a long closed, as it says too."""
    number = pl.int_range(pl.len()).over("venue", "symbol", "ts").cast(pl.Int64)
    coverage = pl.col("venue").replace_strict(dict(_COVERAGE), default="unknown")
    frame = sized.rename({"side": "forced_side"}).with_columns(
        number.alias("seq"), coverage.alias("coverage")
    )
    reasons = tuple(sorted(left_out.items()))
    return Part(sheet.file, "liquidation", frame, sheet.height, reasons, unordered=True)


def _ticker(sheet: Sheet, base: pl.DataFrame, rule: ArchiveRule) -> list[Part]:
    """Prices and running funding; open interest where its unit is the contract's own coin or USD."""
    columns = {
        "last": "last_price", "mark": "mark_price", "index": "index_price", "rate": "funding_rate",
        "amount": "open_interest",
    }  # fmt: skip
    frame = base.with_columns(sheet.floats(theirs).alias(ours) for ours, theirs in columns.items())
    frame, left_out = known_symbols(sheet.file, frame, rule.symbols)
    rows = [
        (
            one.venue, one.symbol,
            None if one.funding_interval_ns is None else one.funding_interval_ns // SECOND_NS,
            "contracts" if one.venue in ("okx", "binance_coinm") else
            "usd" if one.kind == "inverse" else "coin",
        )
        for one in _contracts(frame)
    ]  # fmt: skip
    known = pl.DataFrame(
        rows,
        schema={"venue": pl.String, "symbol": pl.String, "interval_s": pl.Int64, "unit": pl.String},
        orient="row",
    )
    frame = frame.join(known, on=["venue", "symbol"], how="left", maintain_order="left")
    whose = (ROW, "venue", "symbol", "ts", "usable_from")
    interest = ("amount", "unit")
    parts: list[Part] = []
    for kind, names, needed in (
        ("ticker", ("last", "mark", "index"), ("last", "mark", "index")),
        ("funding_estimate", ("rate", "interval_s"), ("rate",)),
        ("open_interest", interest, ("amount",)),
    ):
        mine = frame.select(*whose, *names).filter(
            pl.any_horizontal(pl.col(name).is_not_null() for name in needed)
        )
        if kind == "funding_estimate":
            mine = mine.filter(pl.col("interval_s").is_not_null())
        if kind == "open_interest":
            mine = mine.with_columns(pl.lit(0, pl.Int64).alias("averaged_s"))
        # several rows of one microsecond: the last is what stood
        last = mine.unique(["venue", "symbol", "ts"], keep="last", maintain_order=True)
        reasons = dict(left_out) | {
            f"no {' or '.join(needed)}": frame.height - mine.height,
            "another row of the same moment follows": mine.height - last.height,
        }
        told = tuple(sorted(reasons.items()))
        parts.append(Part(sheet.file, kind, last, sheet.height, told, unordered=True))
    return parts

"""OKX's public archive: trades, candles, funding of all swaps, and recordings of the order book."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
import polars as pl
from msgspec import Meta, Struct, field

from airpocket.domain.errors import BadTable, UnknownInstrument
from airpocket.domain.instruments import Instrument, instrument
from airpocket.domain.kinds import stored_name
from airpocket.domain.units import parse_interval
from airpocket.domain.wire import BookChange
from airpocket.ingest.history.files import ROW
from airpocket.ingest.history.recorded_book import NewReplay, Recording, Told, depth_part
from airpocket.ingest.history.rules import ArchiveRule
from airpocket.ingest.history.sheet import Sheet, date_span_ns, later, need_columns, read_sheet
from airpocket.ingest.history.streams import lines
from airpocket.ingest.history.symbols import known_symbols
from airpocket.ingest.history.table import Part, of_contract
from airpocket.ingest.levels import Price, Size
from airpocket.ingest.values import BadValue, stamp_ns
from airpocket.ingest.venues.okx.names import VENUE, Worth

_TRADES = ("instrument_name", "trade_id", "side", "price", "size", "created_time")
_CANDLES = (
    "instrument_name", "open", "high", "low", "close", "vol", "vol_ccy", "vol_quote", "open_time",
    "confirm",
)  # fmt: skip
_FUNDING = ("instrument_name", "funding_rate", "funding_time")
_DATE = r"(?P<date>\d{4}-\d{2}(?:-\d{2})?)"
_NAME = re.compile(rf"(?P<symbol>.+)-(?P<type>trades|aggtrades|candlesticks)-{_DATE}\.(zip|csv)")
_SWAPS = re.compile(rf"allswap-fundingrates-{_DATE}\.(zip|csv)")
_BOOK = re.compile(rf"(?P<symbol>.+)-L2orderbook-\d+lv-{_DATE}\.(tar\.gz|data|jsonl)")
_EARLY = timedelta(hours=8)  # days of some files are those of UTC+8
_HOURS = (1, 2, 4, 8)  # settlement intervals of this venue
_MINUTE_US = 60_000_000

_Level: TypeAlias = tuple[Price, Size, Any]  # price, size, orders


class _Frame(Struct):
    symbol: Annotated[str, Meta(max_length=64)] = field(name="instId")
    action: str
    ts: int
    asks: tuple[_Level, ...] = ()
    bids: tuple[_Level, ...] = ()


# numbers written as text are numbers
_FRAME = msgspec.json.Decoder(_Frame, strict=False)


def read_okx(path: Path, file: str, rule: ArchiveRule, new_replay: NewReplay | None) -> list[Part]:
    """All rows of one file: `trade`, `bar`, `funding`, or `depth` at the rule's step.

    Raises:
        BadTable: the name says too little, the layout is another, a contract's size is not known, or a cell,
            line or time is impossible.
    """
    book = _BOOK.fullmatch(path.name)
    if book is not None:
        contract = _contract(rule, book["symbol"], file)
        start, end = date_span_ns(book["date"], file)
        early = int(_EARLY.total_seconds()) * 10**9
        recording = Recording(file, contract, start - early, end, rule.step_ns)
        return [depth_part(recording, _changes(path, recording, rule), new_replay)]
    swaps = _SWAPS.fullmatch(path.name)
    if swaps is not None:
        return _funding(read_sheet(path, file, swaps["date"], early=_EARLY), rule)
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise BadTable(
            file, "is not named as in OKX's archive: ETH-USDT-SWAP-trades-2025-05-01.zip, "
            "…-aggtrades-…, …-candlesticks-…, allswap-fundingrates-…, …-L2orderbook-400lv-….tar.gz",
        )  # fmt: skip
    contract = _contract(rule, named["symbol"], file)
    sheet = read_sheet(path, file, named["date"], early=_EARLY)
    if named["type"] == "candlesticks":
        need_columns(sheet, _CANDLES, "file of candles")
        _one_name(sheet, contract)
        return [_bars(sheet, contract, rule)]
    need_columns(sheet, _TRADES, "file of trades")
    _one_name(sheet, contract)
    return [_trades(sheet, contract, _worth(contract, rule, file))]


def _contract(rule: ArchiveRule, named: str, file: str) -> Instrument:
    symbol = rule.symbol or named
    if rule.symbols and symbol not in rule.symbols:
        raise BadTable(file, f"is of {symbol}, which 'symbols' does not name")
    try:
        return instrument(VENUE, symbol)
    except UnknownInstrument as error:
        raise BadTable(file, str(error)) from error


def _worth(contract: Instrument, rule: ArchiveRule, file: str) -> Worth:
    """What one contract is: coin (linear, spot) or USD (inverse). Never a guess."""
    size = rule.contract_sizes.get(contract.symbol, contract.contract_size)
    if size is None:
        raise BadTable(
            file, f"the contract size of {contract.key} is not known: "
            f"say [table.contract_sizes] \"{contract.symbol}\" = …",
        )  # fmt: skip
    inverse = contract.kind == "inverse"
    return Worth(None if inverse else size, size if inverse else None, dollars=True)


def _one_name(sheet: Sheet, contract: Instrument) -> None:
    names = sheet.texts("instrument_name")
    problem = "{} is not the contract of the file"
    sheet.place("instrument_name").refuse(names != contract.symbol, problem, names)


def _trades(sheet: Sheet, contract: Instrument, worth: Worth) -> Part:
    ts = sheet.times("created_time", "ms")
    price, size = sheet.floats("price"), sheet.given("size")
    frame = pl.DataFrame(
        {
            ROW: sheet.rows,
            "ts": ts,
            "usable_from": ts,
            "price": price,
            "size": size * worth.usd / price if worth.usd is not None else size * worth.coin,
            "taker_side": sheet.words("side", {"buy": "buy", "sell": "sell"}),
            "trade_id": sheet.ints("trade_id"),
        }
    )
    return Part(sheet.file, "trade", of_contract(frame, contract), sheet.height, unordered=True)


def _bars(sheet: Sheet, contract: Instrument, rule: ArchiveRule) -> Part:
    """`vol` counts contracts (spot: coin), `vol_ccy` coin (spot: quote), `vol_quote` the quote currency."""
    interval = rule.interval or "1m"
    try:
        kind, step_ns = stored_name("bar", interval), parse_interval(interval)
    except ValueError as error:
        raise BadTable(sheet.file, f"{error}; set 'interval' in the mapping") from error
    closed = sheet.words("confirm", {"1": "1", "0": "0"}) == "1"
    ts = sheet.times("open_time", "ms")
    sheet.place("open_time").refuse(
        (ts.diff().cast(pl.Int64).abs() < step_ns // 1_000),
        "opens less than " + interval + " from the row above: set 'interval'",
    )
    frame = pl.DataFrame(
        {
            ROW: sheet.rows,
            "ts": ts,
            "usable_from": later(ts, step_ns),
            **{name: sheet.floats(name) for name in ("open", "high", "low", "close")},
            "volume": sheet.given("vol" if contract.kind == "spot" else "vol_ccy"),
            "volume_usd": sheet.given("vol_quote"),
            "taker_buy": pl.repeat(None, sheet.height, dtype=pl.Float64, eager=True),
        }
    ).filter(closed)
    left_out = (("the bar was not closed", sheet.height - frame.height),)
    named = of_contract(frame, contract)
    return Part(sheet.file, kind, named, sheet.height, left_out, unordered=True)


def _funding(sheet: Sheet, rule: ArchiveRule) -> list[Part]:
    """The interval is the spacing to the settlement before; the first of a file takes that after it."""
    need_columns(sheet, _FUNDING, "file of funding rates")
    ts = sheet.times("funding_time", "ms")
    frame = pl.DataFrame(
        {
            ROW: sheet.rows,
            "venue": pl.repeat(VENUE, sheet.height, eager=True),
            "symbol": sheet.texts("instrument_name"),
            "ts": ts,
            "usable_from": ts,
            "rate": sheet.given("funding_rate"),
        }
    )
    frame, left_out = known_symbols(sheet.file, frame, rule.symbols)
    step = pl.col("ts").diff().over("symbol").dt.total_microseconds()
    spaced = frame.sort("symbol", "ts", maintain_order=True).unique(
        pl.exclude(ROW), keep="first", maintain_order=True
    )
    spaced = spaced.with_columns(
        step.fill_null(strategy="backward", limit=1).over("symbol").alias("step")
    ).with_columns((pl.col("step") / _MINUTE_US).round().cast(pl.Int64).mul(60).alias("interval_s"))
    told = spaced.filter(pl.col("interval_s").is_in([hours * 3_600 for hours in _HOURS]))
    left_out["settlements whose interval can't be told"] = spaced.height - told.height
    if told.height == 0:
        raise BadTable(sheet.file, "no settlement is left whose interval can be told")
    reasons = tuple(sorted(left_out.items()))
    return [
        Part(
            sheet.file, "funding", told.drop("step").sort(ROW), sheet.height, reasons,
            unordered=True,
        )
    ]  # fmt: skip


def _changes(path: Path, recording: Recording, rule: ArchiveRule) -> Iterator[Told]:
    """Lines without ids: snapshots and changes follow one another as they stand in the file."""
    contract = recording.contract
    worth = _worth(contract, rule, recording.file)
    for row, line in lines(path, recording.file):
        try:
            frame = _FRAME.decode(line)
            ts = stamp_ns(frame.ts, "ts")
        except (msgspec.DecodeError, BadValue) as error:
            raise BadTable(recording.file, f"is no line of a book: {error}", row=row) from error
        if frame.action not in ("snapshot", "update"):
            raise BadTable(recording.file, f"{frame.action[:20]!r} is no action", row=row)
        sides = [
            worth.levels(tuple((price, size) for price, size, _ in levels))
            for levels in (frame.bids, frame.asks)
        ]
        yield row, BookChange(
            venue=VENUE, symbol=frame.symbol, ts=ts, usable_from=ts, heard=ts,
            snapshot=frame.action == "snapshot", first=None, last=None, previous=None,
            bids=sides[0], asks=sides[1],
        )  # fmt: skip

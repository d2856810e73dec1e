"""Bybit's public archive: gzipped trades of contracts and spot, and zipped recordings of the order book."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl

from airpocket.domain.errors import BadTable, UndecodableFrame, UnknownInstrument
from airpocket.domain.instruments import Instrument, instrument
from airpocket.domain.wire import BookChange
from airpocket.ingest.history.archive_rules import BYBIT_MARKETS
from airpocket.ingest.history.files import ROW
from airpocket.ingest.history.recorded_book import NewReplay, Recording, Told, depth_part
from airpocket.ingest.history.rules import ArchiveRule
from airpocket.ingest.history.sheet import Sheet, date_span_ns, need_columns, read_sheet
from airpocket.ingest.history.streams import lines
from airpocket.ingest.history.table import Part, of_contract
from airpocket.ingest.values import BadValue, stamp_ns
from airpocket.ingest.venues.registry import VENUES

_CONTRACT_TRADES = (
    "timestamp", "symbol", "side", "size", "price", "tickDirection", "trdMatchID", "grossValue",
    "homeNotional", "foreignNotional",
)  # fmt: skip
_SPOT_TRADES = ("id", "timestamp", "price", "volume", "side")
_SIDES = {"Buy": "buy", "Sell": "sell", "buy": "buy", "sell": "sell"}
_TRADES = re.compile(
    r"(?P<symbol>[A-Z0-9]+?)(?P<mark>[_-]?)(?P<date>\d{4}-\d{2}(?:-\d{2})?)\.csv(?:\.gz)?"
)
_BOOK = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})_(?P<symbol>[A-Z0-9]+)_ob\d+\.data(?:\.zip)?", re.ASCII
)
_MATCH_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class _Stamp(msgspec.Struct):
    ts: int


_STAMP = msgspec.json.Decoder(_Stamp)


def read_bybit(
    path: Path, file: str, rule: ArchiveRule, new_replay: NewReplay | None
) -> list[Part]:
    """All rows of one file: `trade`, or `depth` at the rule's step.

    Raises:
        BadTable: the name says too little, the layout is another, a cell, line or time is impossible.
    """
    book = _BOOK.fullmatch(path.name)
    if book is not None:
        contract = _contract(rule, rule.symbol or book["symbol"], _market_of(path, rule), file)
        start, end = date_span_ns(book["date"], file)
        recording = Recording(file, contract, start, end, rule.step_ns)
        return [depth_part(recording, _changes(path, recording), new_replay)]
    trades = _TRADES.fullmatch(path.name)
    if trades is None:
        known = (
            "ETHUSDT2025-05-01.csv.gz, ETHUSDT_2025-05-01.csv.gz, 2025-05-01_ETHUSDT_ob200.data.zip"
        )
        raise BadTable(file, f"is not named as in Bybit's archive: {known}")
    sheet = read_sheet(path, file, trades["date"])
    symbol = rule.symbol or trades["symbol"]
    if "trdMatchID" in sheet.cells.columns:
        need_columns(sheet, _CONTRACT_TRADES, "file of contract trades")
        market = rule.market or ("inverse" if symbol.endswith("USD") else "linear")
        return [_contract_trades(sheet, _contract(rule, symbol, market, file))]
    need_columns(sheet, _SPOT_TRADES, "file of spot trades")
    return [_spot_trades(sheet, _contract(rule, symbol, "spot", file))]


def _market_of(path: Path, rule: ArchiveRule) -> str:
    """A book's folder says its market: linear/ETHUSDT/…; the name alone does not."""
    return rule.market or next((part for part in path.parts if part in BYBIT_MARKETS), "")


def _contract(rule: ArchiveRule, symbol: str, market: str, file: str) -> Instrument:
    if not market:
        raise BadTable(file, "no folder linear, inverse or spot says its market: set 'market'")
    if rule.market and rule.market != market:
        raise BadTable(file, f"is of the {market} market, the mapping says {rule.market}")
    try:
        return instrument(BYBIT_MARKETS[market], symbol)
    except UnknownInstrument as error:
        raise BadTable(file, f"{error}; set 'symbol' or 'market' in the mapping") from error


def _contract_trades(sheet: Sheet, contract: Instrument) -> Part:
    """Linear sizes are coin, inverse ones are USD."""
    cells = sheet.texts("symbol")
    sheet.place("symbol").refuse(
        cells != contract.symbol, "{} is not the symbol of the file", cells
    )
    ts = sheet.times("timestamp", "decimal_s")
    price, size = sheet.floats("price"), sheet.given("size")
    match = sheet.texts("trdMatchID")
    sheet.place("trdMatchID").refuse(
        ~match.str.contains(_MATCH_ID), "{} is no id of a match", match
    )
    # the id of the match is longer than the store's: two 60-bit parts of it, folded, tell trades apart
    digits = match.str.replace_all("-", "", literal=True)
    halves = [
        part.str.to_integer(base=16, dtype=pl.Int64)
        for part in (digits.str.head(15), digits.str.tail(15))
    ]
    frame = pl.DataFrame(
        {
            ROW: sheet.rows,
            "ts": ts,
            "usable_from": ts,
            "price": price,
            "size": size / price if contract.kind == "inverse" else size,
            "taker_side": sheet.words("side", _SIDES),
            "trade_id": halves[0] ^ halves[1],
        }
    )
    # files of 2020 run backwards
    return Part(sheet.file, "trade", of_contract(frame, contract), sheet.height, unordered=True)


def _spot_trades(sheet: Sheet, contract: Instrument) -> Part:
    ts = sheet.times("timestamp", "ms")
    frame = pl.DataFrame(
        {
            ROW: sheet.rows,
            "ts": ts,
            "usable_from": ts,
            "price": sheet.floats("price"),
            "size": sheet.given("volume"),
            "taker_side": sheet.words("side", _SIDES),
            "trade_id": sheet.ints("id"),
        }
    )
    return Part(sheet.file, "trade", of_contract(frame, contract), sheet.height, unordered=True)


def _changes(path: Path, recording: Recording) -> Iterator[Told]:
    """The websocket's frames, one a line, through the decoder that hears them live."""
    decode = VENUES[recording.contract.venue].decode
    for row, line in lines(path, recording.file):
        try:
            published = stamp_ns(_STAMP.decode(line).ts, "ts")
            events = decode(line, published, "")
        except (msgspec.DecodeError, BadValue, UndecodableFrame) as error:
            raise BadTable(recording.file, f"is no frame of a book: {error}", row=row) from error
        for event in events:
            if not isinstance(event, BookChange):
                raise BadTable(recording.file, "is no frame of a book", row=row)
            yield row, event

"""Hyperliquid's archive: contexts of all coins, recordings of the book, and the fills of its nodes."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl
from msgspec import Raw, Struct, field

from airpocket.domain.errors import BadTable, UndecodableFrame, UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.units import HOUR_NS
from airpocket.domain.wire import BookChange
from airpocket.ingest.history.files import ROW
from airpocket.ingest.history.hyperliquid_fills import VENUE, read_fills
from airpocket.ingest.history.recorded_book import NewReplay, Recording, Told, depth_part
from airpocket.ingest.history.rules import ArchiveRule
from airpocket.ingest.history.sheet import Sheet, date_span_ns, need_columns, read_sheet
from airpocket.ingest.history.streams import lines
from airpocket.ingest.history.symbols import known_symbols
from airpocket.ingest.history.table import Part
from airpocket.ingest.values import BadValue, stamp_ns
from airpocket.ingest.venues.registry import VENUES

_CONTEXTS = ("time", "coin", "funding", "open_interest", "oracle_px", "mark_px")
TYPES = ("asset_ctxs", "l2Book", "node_fills_by_block")
_DAY = re.compile(r"\d{8}", re.ASCII)
_HOUR = re.compile(r"\d{1,2}", re.ASCII)


def read_hyperliquid(
    path: Path, file: str, rule: ArchiveRule, new_replay: NewReplay | None
) -> list[Part]:
    """All rows of one file: contexts, `depth`, or `liquidation` and `deleveraging`.

    Raises:
        BadTable: the path says too little, or a cell, line or time is impossible.
        MissingExtra: without lz4.
    """
    type_ = rule.type or _type_of(path)
    if type_ == "asset_ctxs":
        return _contexts(read_sheet(path, file, _date(path.name[:8])), rule)
    if type_ == "l2Book":
        return [_depth(path, file, rule, new_replay)]
    if type_ == "node_fills_by_block":
        return read_fills(path, file, _named_hour(path, file), rule.symbols)
    raise BadTable(file, f"neither name nor folder says its type: set 'type' ({', '.join(TYPES)})")


def _type_of(path: Path) -> str:
    if re.fullmatch(r"\d{8}\.csv(\.lz4)?", path.name, re.ASCII):
        return "asset_ctxs"
    return next((part for part in reversed(path.parts[:-1]) if part in TYPES), "")


def _date(digits: str) -> str:
    """'20250501' → '2025-05-01'; '' where there is none."""
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if _DAY.fullmatch(digits) else ""


def _contexts(sheet: Sheet, rule: ArchiveRule) -> list[Part]:
    """One row a coin and minute: mark and oracle price, open interest in coin, the hour's running funding."""
    need_columns(sheet, _CONTEXTS, "file of contexts")
    marked = str(sheet.cells["time"][0]).endswith("Z")
    ts = sheet.times("time", "iso", "" if marked else "UTC")
    frame = pl.DataFrame(
        {
            ROW: sheet.rows,
            "venue": pl.repeat(VENUE, sheet.height, eager=True),
            "symbol": sheet.texts("coin"),
            "ts": ts,
            "usable_from": ts,
            "mark": sheet.floats("mark_px"),
            "index": sheet.floats("oracle_px"),
            "amount": sheet.floats("open_interest"),
            "rate": sheet.floats("funding"),
        }
    )
    frame, left_out = known_symbols(sheet.file, frame, rule.symbols)
    whose = (ROW, "venue", "symbol", "ts", "usable_from")
    parts: list[Part] = []
    for kind, columns, constants in (
        ("ticker", ("mark", "index"), {"last": pl.lit(None, pl.Float64)}),
        ("open_interest", ("amount",), {"unit": pl.lit("coin"), "averaged_s": pl.lit(0, pl.Int64)}),
        ("funding_estimate", ("rate",), {"interval_s": pl.lit(3_600, pl.Int64)}),
    ):
        known = frame.select(*whose, *columns).filter(
            pl.any_horizontal(pl.col(name).is_not_null() for name in columns)
        )
        empty = {f"{' and '.join(columns)} empty": frame.height - known.height}
        reasons = tuple(sorted({**left_out, **empty}.items()))
        rows = known.with_columns(value.alias(name) for name, value in constants.items())
        parts.append(Part(sheet.file, kind, rows, sheet.height, reasons, unordered=True))
    return parts


class _Time(Struct):
    time: int


class _Heard(Struct):
    data: _Time


class _Line(Struct):
    """A frame, or a frame as it was put away: {time, ver_num, raw}."""

    raw: Raw = field(default_factory=Raw)


_LINE, _HEARD = msgspec.json.Decoder(_Line), msgspec.json.Decoder(_Heard)


def _depth(path: Path, file: str, rule: ArchiveRule, new_replay: NewReplay | None) -> Part:
    """`…/{YYYYMMDD}/{H}/l2Book/{coin}.lz4`; every frame is the whole book, 20 levels a side."""
    coin = path.name.removesuffix(".lz4")
    hour = path.parts[-4:-2]
    if len(hour) != 2 or not _DAY.fullmatch(hour[0]) or not _HOUR.fullmatch(hour[1]):
        raise BadTable(file, "its folders must name day, hour and coin: 20250501/9/l2Book/ETH.lz4")
    if rule.symbols and coin not in rule.symbols:
        raise BadTable(file, f"is of {coin}, which 'symbols' does not name")
    try:
        contract = instrument(VENUE, coin)
    except UnknownInstrument as error:
        raise BadTable(file, str(error)) from error
    start = _hour_ns(hour[0], hour[1], file)
    recording = Recording(file, contract, start, start + HOUR_NS, rule.step_ns)
    return depth_part(recording, _changes(path, file), new_replay)


def _hour_ns(day: str, hour: str, file: str) -> int:
    start, _ = date_span_ns(_date(day), file)
    if int(hour) > 23:
        raise BadTable(file, f"{hour} is no hour of a day")
    return start + int(hour) * HOUR_NS


def _changes(path: Path, file: str) -> Iterator[Told]:
    decode = VENUES[VENUE].decode
    for row, line in lines(path, file):
        try:
            frame = bytes(_LINE.decode(line).raw) or line
            events = decode(frame, stamp_ns(_HEARD.decode(frame).data.time, "time"), "")
        except (msgspec.DecodeError, BadValue, UndecodableFrame) as error:
            raise BadTable(file, f"is no frame of a book: {error}", row=row) from error
        for event in events:
            if not isinstance(event, BookChange):
                raise BadTable(file, "is no frame of a book", row=row)
            yield row, event


def _named_hour(path: Path, file: str) -> int | None:
    hour, day = path.name.removesuffix(".lz4"), path.parent.name
    if not (_DAY.fullmatch(day) and _HOUR.fullmatch(hour)):
        return None
    return _hour_ns(day, hour, file)

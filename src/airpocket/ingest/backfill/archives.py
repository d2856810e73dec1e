"""Which files of a venue's public archive hold a kind of fact over a span, and where they lie."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from airpocket.domain.errors import BadInput
from airpocket.domain.instruments import instrument
from airpocket.domain.kinds import split_name
from airpocket.domain.units import SECOND_NS, format_interval, format_time
from airpocket.ingest.history.rules import ArchiveRule, HistoryMapping

_VISION, _BYBIT, _BYBIT_BOOKS, _OKX = (
    "data.binance.vision", "public.bybit.com", "quote-saver.bycsi.com", "static.okx.com",
)  # fmt: skip
_DAY = timedelta(days=1)
_VISION_FOLDERS = MappingProxyType(
    {"binance_usdm": "futures/um", "binance_coinm": "futures/cm", "binance_spot": "spot"}
)
_BARS = MappingProxyType(
    {
        "bar": "klines",
        "mark_bar": "markPriceKlines",
        "index_bar": "indexPriceKlines",
        "premium_bar": "premiumIndexKlines",
    }
)


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file, by the names it may have; `summed`: the venue publishes its SHA-256 as NAME.CHECKSUM."""

    host: str
    paths: tuple[str, ...]  # the first that is there is taken
    summed: bool = False

    def url(self, path: str) -> str:
        return f"https://{self.host}/{path}"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked of one archive: whole days that are over, and whole months among them."""

    venue: str
    symbol: str
    interval: str
    days: tuple[datetime, ...]
    now: datetime

    def months(self) -> tuple[list[str], list[datetime]]:
        """Months ('2025-05') wholly asked for and over two days ago, and the days of the others."""
        whole: list[str] = []
        rest: list[datetime] = []
        for first in sorted({day.replace(day=1) for day in self.days}):
            after = (first + 31 * _DAY).replace(day=1)
            mine = [day for day in self.days if first <= day < after]
            if len(mine) == (after - first).days and after + 2 * _DAY <= self.now:
                whole.append(f"{first:%Y-%m}")
            else:
                rest += mine
        return whole, rest


_Lister: TypeAlias = Callable[[_Wanted], Iterator[ArchiveFile]]


def _vision(folder: str, *, monthly: bool = True, daily: bool = True) -> _Lister:
    """Files of Binance: monthly ones where the whole month is asked for."""

    def files(wanted: _Wanted) -> Iterator[ArchiveFile]:
        months, days = wanted.months() if monthly else ([], list(wanted.days))
        if not daily:  # a month that is over, whatever of it is asked for
            asked = sorted({f"{day:%Y-%m}" for day in wanted.days})
            months, days = [each for each in asked if each < f"{wanted.now:%Y-%m}"], []
        dates = [("monthly", month) for month in months]
        dates += [("daily", f"{day:%Y-%m-%d}") for day in days]
        market = _VISION_FOLDERS[wanted.venue]
        inside = f"{folder}/{wanted.symbol}/" + (f"{wanted.interval}/" if wanted.interval else "")
        for rhythm, date in dates:
            name = f"{wanted.symbol}-{wanted.interval or folder}-{date}.zip"
            yield ArchiveFile(_VISION, (f"data/{market}/{rhythm}/{inside}{name}",), summed=True)

    return files


def _bybit_trades(wanted: _Wanted) -> Iterator[ArchiveFile]:
    spot = wanted.venue == "bybit_spot"
    folder, mark = ("spot", "_") if spot else ("trading", "")
    for day in wanted.days:
        name = f"{wanted.symbol}{mark}{day:%Y-%m-%d}.csv.gz"
        yield ArchiveFile(_BYBIT, (f"{folder}/{wanted.symbol}/{name}",))


def _bybit_books(wanted: _Wanted) -> Iterator[ArchiveFile]:
    """500 levels a side; 200 since the venue changed it."""
    folder = f"orderbook/{wanted.venue.removeprefix('bybit_')}/{wanted.symbol}"
    for day in wanted.days:
        stem = f"{folder}/{day:%Y-%m-%d}_{wanted.symbol}"
        paths = tuple(f"{stem}_ob{levels}.data.zip" for levels in (500, 200))
        yield ArchiveFile(_BYBIT_BOOKS, paths)


def _okx(what: str) -> _Lister:
    """`what` is a path with {day} (20250501), {date} (2025-05-01) and {symbol}."""

    def files(wanted: _Wanted) -> Iterator[ArchiveFile]:
        for day in wanted.days:
            path = what.format(day=f"{day:%Y%m%d}", date=f"{day:%Y-%m-%d}", symbol=wanted.symbol)
            yield ArchiveFile(_OKX, (f"cdn/{path}",))

    return files


@dataclass(frozen=True, slots=True)
class _Archive:
    """One venue's archive: the format of the importer, its word for the market, and the kinds it holds."""

    form: str
    market: str
    kinds: Mapping[str, _Lister]
    bars: tuple[str, ...] = ()  # lengths of bars; empty: any
    later: timedelta = timedelta(0)  # how much later than ours its days end


_UM: Mapping[str, _Lister] = {
    **{kind: _vision(folder) for kind, folder in _BARS.items()},
    "trade": _vision("aggTrades"),
    "funding": _vision("fundingRate", daily=False),
    "open_interest": _vision("metrics", monthly=False),
    "ratio": _vision("metrics", monthly=False),
}
_BYBIT_KINDS: Mapping[str, _Lister] = {"trade": _bybit_trades, "depth": _bybit_books}
_RECORDS = "okex/traderecords"
_OKX_KINDS: Mapping[str, _Lister] = {
    "trade": _okx(_RECORDS + "/trades/daily/{day}/{symbol}-trades-{date}.zip"),
    "bar": _okx(_RECORDS + "/candlesticks/daily/{day}/{symbol}-candlesticks-{date}.zip"),
    "funding": _okx(_RECORDS + "/swaprates/daily/{day}/allswap-fundingrates-{date}.zip"),
    "depth": _okx(
        "okx/match/orderbook/L2/400lv/daily/{day}/{symbol}-L2orderbook-400lv-{date}.tar.gz"
    ),
}
_UM_DEPTH = {"depth": _vision("bookDepth", monthly=False)}
_SPOT = {kind: _UM[kind] for kind in ("bar", "trade")}
_ARCHIVES: Mapping[str, _Archive] = MappingProxyType(
    {
        "binance_usdm": _Archive("binance_archive", "um", {**_UM, **_UM_DEPTH}),
        "binance_coinm": _Archive("binance_archive", "cm", _UM),
        "binance_spot": _Archive("binance_archive", "spot", _SPOT),
        "bybit_linear": _Archive("bybit_archive", "linear", _BYBIT_KINDS),
        "bybit_inverse": _Archive("bybit_archive", "inverse", _BYBIT_KINDS),
        "bybit_spot": _Archive("bybit_archive", "spot", _BYBIT_KINDS),
        "okx": _Archive("okx_archive", "", _OKX_KINDS, ("1m",), timedelta(hours=8)),
    }
)
HOSTS = frozenset({_VISION, _BYBIT, _BYBIT_BOOKS, _OKX})


def archive_files(
    venue: str, symbol: str, kinds: Sequence[str], span: tuple[int, int], now: int
) -> list[ArchiveFile]:
    """Every file that touches [start, until) and is of a day that is over, each once.

    Raises:
        BadInput: no archive of this venue, a kind that it lacks, no day that is over.
        UnknownInstrument: the venue does not write symbols like this.
    """
    archive = _archive_of(venue)
    instrument(venue, symbol)
    days = _days(span, now, archive.later)
    found: dict[ArchiveFile, None] = {}
    for kind in kinds:
        family, interval = _asked(kind)
        lister = archive.kinds.get(family)
        if lister is None or (interval and archive.bars and interval not in archive.bars):
            known = ", ".join(archive.kinds) + "".join(f"; bars of {one}" for one in archive.bars)
            raise BadInput(f"the archive of {venue} has no '{kind}'; it has {known}")
        found.update(dict.fromkeys(lister(_Wanted(venue, symbol, interval, days, _moment(now)))))
    if not found:
        between = f"between {format_time(span[0])} and {format_time(span[1])}"
        raise BadInput(
            f"no file of {', '.join(kinds) or 'no kind'} {between}: archives hold days that are over, "
            "and funding of Binance months that are over"
        )
    return list(found)


def mapping_of(venue: str, symbol: str, files: Sequence[str], step_ns: int) -> HistoryMapping:
    """What a mapping file would say of these files, so that they are imported like any others."""
    archive = _archive_of(venue)
    rule = ArchiveRule(
        f"the archive of {venue}", tuple(files), archive.form, market=archive.market,
        symbols=(symbol,) if venue == "okx" else (), step_ns=step_ns,
    )  # fmt: skip
    return HistoryMapping(Path(), archive.form, "the venue's terms of use", (rule,), ())


def _archive_of(venue: str) -> _Archive:
    archive = _ARCHIVES.get(venue)
    if archive is None:
        raise BadInput(f"no archive of '{venue}' to download; there are: {', '.join(_ARCHIVES)}")
    return archive


def _asked(kind: str) -> tuple[str, str]:
    """'bar_1h' → ('bar', '1h')."""
    try:
        family, interval_ns = split_name(kind)
    except ValueError as error:
        raise BadInput(str(error)) from error
    return family.name, format_interval(interval_ns) if interval_ns else ""


def _days(span: tuple[int, int], now: int, later: timedelta) -> tuple[datetime, ...]:
    start, until = _moment(span[0]), _moment(span[1]) + later
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[datetime] = []
    while day < until and day + _DAY <= _moment(now):
        found.append(day)
        day += _DAY
    return tuple(found)


def _moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / SECOND_NS, UTC)

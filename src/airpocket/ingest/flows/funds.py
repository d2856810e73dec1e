"""Decoders of fund flows: the table Farside publishes (HTML or CSV) and CoinGlass's answers. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser

from msgspec import Struct

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.trading_days import is_trading_day
from airpocket.domain.units import DAY_NS, SECOND_NS, day_of
from airpocket.ingest.flows.told import Observation, Told, decoded, plausible
from airpocket.ingest.values import BadValue, number, stamp_ns

_SERIES = "etf_net_flow"
_MOST_MILLIONS = 20_000.0  # a day of all funds; more, and the table is not in millions
_SILENT = 10  # rows: a fund that told nothing in so many is closed, not late
_DATES = ("%d %b %Y", "%Y-%m-%d", "%d/%m/%Y")
_MISSING = ("-", "", "–", "n/a")
_AMOUNT = re.compile(r"\(?-?[\d,]*\.?\d+\)?")


def fund_table(rows: Sequence[Sequence[str]], symbol: str, source: str, now: int) -> Told:
    """A published table, a row a day: date, a column a fund in USD millions, total.

    (12.3) is −12.3; '-' says nothing, which is not 0. A day on which a fund of late has no figure yet is half
    published: the funds told are kept, its net flow is not given. Days on which funds don't trade are left out.

    Raises:
        UndecodableFrame: no such table, a cell that is no figure, or one too large to be millions.
    """
    head = _head(rows, source)
    names, body = [cell.strip() for cell in rows[head]], rows[head + 1 :]
    last = next(at for at, name in enumerate(names) if name.lower() == "total")
    funds = {at: name.replace(" ", "_") for at, name in enumerate(names[:last]) if at and name}
    days: list[tuple[int, dict[str, float | None], float | None]] = []
    for row in body:
        event = _date(row[0])
        if event is None or len(row) <= last:
            continue  # a line of fees, sums or means, as the page has
        cells = {name: _millions(row[at], source, event) for at, name in funds.items()}
        days.append((event, cells, _millions(row[last], source, event)))
    if not days:
        raise UndecodableFrame(f"{source}: a table without a single day")
    return _funds_told(sorted(days), symbol, source, now)


def _funds_told(
    days: list[tuple[int, dict[str, float | None], float | None]], symbol: str, source: str, now: int
) -> Told:  # fmt: skip
    found: list[Observation] = []
    notes: list[str] = []
    for at, (event, cells, total) in enumerate(days):
        day = day_of(event)
        told = {name: value for name, value in cells.items() if value is not None}
        if event > now:
            notes.append(f"{day}: a day to come, left out")
            continue
        if not is_trading_day(event):
            if any(told.values()):
                notes.append(f"{day}: figures for a day on which funds don't trade, left out")
            continue
        recent = days[max(0, at - _SILENT) : at]
        expected = {n for _, past, _ in recent for n, v in past.items() if v is not None}
        late = sorted(expected - set(told))
        found += [
            _told_of(symbol, f"{_SERIES}:{name}", event, value) for name, value in told.items()
        ]
        if not told or (late and recent):
            notes.append(
                f"{day}: half published, no figure of {', '.join(late) or 'any fund'}; no net flow"
            )
        elif total is None or abs(total - sum(told.values())) > 0.05 * len(told) + 0.06:
            notes.append(
                f"{day}: total {total} is not the funds' sum {sum(told.values()):.1f}; no net flow"
            )
        else:
            found.append(_told_of(symbol, _SERIES, event, total))
    kept, refused = plausible(source, found)
    return Told(observations=tuple(kept), notes=(*notes, *refused))


def _told_of(symbol: str, series: str, event: int, millions: float) -> Observation:
    return Observation(symbol, series, event, round(millions * 1e6, 2), "USD")


def _head(rows: Sequence[Sequence[str]], source: str) -> int:
    """The row that names funds and total: the last such above the first day, as a page may have two."""
    first = next(
        (at for at, row in enumerate(rows) if row and _date(row[0]) is not None), len(rows)
    )
    for at in reversed(range(first)):
        if any(cell.strip().lower() == "total" for cell in rows[at]):
            return at
    raise UndecodableFrame(f"{source}: no table with a column 'Total' above its days")


def _date(text: str) -> int | None:
    for form in _DATES:
        try:
            day = datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return int(day.timestamp()) * SECOND_NS
    return None


def _millions(text: str, source: str, event: int) -> float | None:
    plain = text.strip().replace("\N{MINUS SIGN}", "-")
    if plain.lower() in _MISSING:
        return None
    if not _AMOUNT.fullmatch(plain) or plain.count("(") != plain.count(")"):
        raise UndecodableFrame(f"{source}: {day_of(event)}: {plain[:40]!r} is no amount")
    negative = plain.startswith("(")
    try:
        value = number(plain.strip("()").replace(",", ""), "amount")
    except BadValue as error:
        raise UndecodableFrame(f"{source}: {day_of(event)}: {error}") from error
    if abs(value) > _MOST_MILLIONS:
        raise UndecodableFrame(
            f"{source}: {day_of(event)}: {value:,.0f} million dollars in a day; is the table in another unit?"
        )
    return -value if negative else value


class _Cells(HTMLParser):
    """The cells of a page's tables of class `etf`, row by row."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._deep = 0
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table" and (self._deep or "etf" in (dict(attrs).get("class") or "").split()):
            self._deep += 1
        elif self._deep and tag == "tr":
            self.rows.append([])
        elif self._deep and tag in ("td", "th") and self.rows:
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._deep:
            self._deep -= 1
        elif tag in ("td", "th") and self._cell is not None:
            self.rows[-1].append("".join(self._cell).strip())
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)


def fund_page(body: bytes, symbol: str, now: int) -> Told:
    """Farside's page of one coin.

    Raises:
        UndecodableFrame: the page has no such table, as a browser check instead of it has none.
    """
    parser = _Cells()
    parser.feed(body.decode("utf-8", errors="replace"))
    parser.close()
    if not parser.rows:
        raise UndecodableFrame(
            "farside: a page without the table, as to programs it often is; save the table as CSV and"
            " give it to 'airpocket flows add'"
        )
    return fund_table([row for row in parser.rows if row], symbol, "farside", now)


class _Fund(Struct, frozen=True):
    etf_ticker: str
    flow_usd: float | None = None


class _Day(Struct, frozen=True):
    timestamp: int
    etf_flows: list[_Fund]
    flow_usd: float | None = None


class _CoinGlass(Struct, frozen=True):
    code: str
    msg: str = ""
    data: list[_Day] = []


def coinglass_funds(body: bytes, symbol: str, now: int) -> Told:
    """`/api/etf/{coin}/flow-history` (docs.coinglass.com, v4): days in ms, dollars by fund.

    Raises:
        UndecodableFrame: another shape, or the answer says that it refuses.
    """
    source = "coinglass"
    answer = decoded(source, body, _CoinGlass)
    if answer.code != "0":
        raise UndecodableFrame(f"{source}: says {answer.code}: {answer.msg[:120]}")
    days: list[tuple[int, dict[str, float | None], float | None]] = []
    for day in answer.data:
        try:
            stamp = stamp_ns(day.timestamp, "timestamp")
        except BadValue as error:
            raise UndecodableFrame(f"{source}: {error}") from error
        cells = {
            f.etf_ticker: None if f.flow_usd is None else f.flow_usd / 1e6 for f in day.etf_flows
        }
        total = None if day.flow_usd is None else day.flow_usd / 1e6
        days.append((stamp - stamp % DAY_NS, cells, total))
    return _funds_told(sorted(days, key=lambda day: day[0]), symbol, source, now)

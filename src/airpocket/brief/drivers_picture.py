"""The slow drivers as inline SVG: what each told day by day over half a year, a pane each."""

from dataclasses import dataclass
from html import escape
from math import ceil, floor

from airpocket.brief import words
from airpocket.brief.model import Brief
from airpocket.brief.phase_picture import Pane, round_step
from airpocket.domain.units import DAY_NS, day_of, parse_time
from airpocket.signals.driver_records import DriverRow

_DAYS = 180
_HIGH, _STEP, _TOP = 96.0, 158.0, 62.0
_SCALES = ((1e9, "bn"), (1e6, "mn"), (1e3, "k"), (1.0, ""))
_FLOWS = ("etf_creations",)  # of a day: bars; all others are levels


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Columns of panes: (left, right) of each; a phone gets one."""

    name: str
    width: float
    columns: tuple[tuple[float, float], ...]


_SHEETS = (
    _Sheet("roomy", 960, ((62, 464), (548, 950))),
    _Sheet("small", 360, ((58, 350),)),
)


def drivers_picture(brief: Brief) -> str:
    """A pane for each driver with figures of two days or more; nothing where there is none."""
    rows = [] if brief.drivers is None else [row for row in brief.drivers.rows if _figures(row) > 1]
    seen: set[str] = set()  # reserves and netflow share one series
    rows = [row for row in rows if not (row.source in seen or seen.add(row.source))]
    if not rows:
        return ""
    drawn = "".join(_picture(brief, rows, sheet) for sheet in _SHEETS)
    told = "Figures as told by the as-of time, by the day they are about; a day nobody told stays empty."
    return f'<figure class="market">{drawn}<figcaption>{escape(told)}</figcaption></figure>'


def _figures(row: DriverRow) -> int:
    return sum(value is not None for value in row.history)


def _picture(brief: Brief, rows: list[DriverRow], sheet: _Sheet) -> str:
    title = (
        f"{words.plain(brief.asset)}: slow drivers, as of {words.moment(brief.as_of)} · MEASURED"
    )
    deep = ceil(len(rows) / len(sheet.columns))
    height = _TOP + deep * _STEP - 20.0
    now = parse_time(brief.as_of)
    parts = [f'<text class="head" x="8" y="20">{escape(title)}</text>']
    for at, row in enumerate(rows):
        left, right = sheet.columns[at % len(sheet.columns)]
        parts.append(_pane(row, (left, right, _TOP + _STEP * (at // len(sheet.columns))), now))
    if brief.health.simulated:
        size = sheet.width / 8.0
        parts.append(
            f'<text class="stamp" x="{sheet.width / 2:g}" y="{height / 2 + size / 3:g}" '
            f'style="font-size:{size:g}px">SIMULATED</text>'
        )
    described = "; ".join(_described(row) for row in rows)
    return (
        f'<svg class="{sheet.name}" viewBox="0 0 {sheet.width:g} {height:g}" role="img">'
        f"<title>{escape(title)}</title><desc>{escape(described)}</desc>{''.join(parts)}</svg>"
    )


def _described(row: DriverRow) -> str:
    """What a pane shows, for those who can't see it."""
    told = [value for value in row.history if value is not None]
    return (
        f"{words.plain(row.title)}: from {told[0]:,.4g} to {told[-1]:,.4g} {words.plain(row.history_unit)},"
        f" {len(told)} days, {row.standing}"
    )


def _pane(row: DriverRow, place: tuple[float, float, float], now: int) -> str:
    left, right, top = place
    size, word = _scale(row)
    begin = now - _DAYS * DAY_NS
    points = [
        (None if value is None else ((at - begin) / DAY_NS, value / size))
        for at, value in zip(row.history_ts, row.history, strict=True)
    ]
    told = [point[1] for point in points if point is not None]
    low, high = min(told), max(told)
    if row.id in _FLOWS:
        low, high = min(low, 0.0), max(high, 0.0)
    step = round_step((high - low) or abs(high) or 1.0)
    pane = Pane(
        left, right, top, top + _HIGH, _DAYS, floor(low / step) * step, ceil(high / step) * step
    )
    if pane.y_low == pane.y_high:
        pane = Pane(left, right, top, top + _HIGH, _DAYS, low - step, high + step)
    draw = _bars if row.id in _FLOWS else _line
    unit = " ".join(part for part in (word, words.plain(row.history_unit)) if part)
    late = "" if row.standing == "current" else f" · {row.standing.upper()}"
    name = f'<text class="label" x="{left - 54:g}" y="{top - 12:g}">{escape(f"{row.title}, {unit}{late}")}</text>'
    return name + pane.levels() + _dates(pane, begin) + draw(pane, points)


def _scale(row: DriverRow) -> tuple[float, str]:
    most = max(abs(value) for value in row.history if value is not None)
    return next(((size, word) for size, word in _SCALES if most >= size), (1.0, ""))


def _bars(pane: Pane, points: list[tuple[float, float] | None]) -> str:
    wide = max(0.8 * (pane.right - pane.left) / _DAYS, 0.8)
    zero = pane.y(0.0)
    parts = [
        f'<line class="zero" x1="{pane.left:g}" x2="{pane.right:g}" y1="{zero:.1f}" y2="{zero:.1f}"/>'
    ]
    for point in points:
        if point is None:
            continue
        y = pane.y(point[1])
        way = "up" if point[1] >= 0.0 else "down"
        parts.append(
            f'<rect class="flow {way}" x="{pane.x(max(point[0], 0.0)):.1f}" y="{min(y, zero):.1f}" '
            f'width="{wide:.1f}" height="{max(abs(y - zero), 0.5):.1f}"/>'
        )
    return "".join(parts)


def _line(pane: Pane, points: list[tuple[float, float] | None]) -> str:
    """A path that breaks where nothing was told."""
    path: list[str] = []
    pen = "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        path.append(f"{pen}{pane.x(max(point[0], 0.0)):.1f} {pane.y(point[1]):.1f}")
        pen = "L"
    return f'<path class="level" d="{"".join(path)}"/>'


def _dates(pane: Pane, begin: int) -> str:
    """A line and a date every sixty days."""
    parts: list[str] = []
    for day in range(0, _DAYS + 1, 60):
        x = pane.x(day)
        style = "middle" if 0 < day < _DAYS else "before" if day else ""
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{pane.top:g}" y2="{pane.bottom:g}"/>'
            f'<text class="{style}" x="{x:.1f}" y="{pane.bottom + 16:g}">{day_of(begin + day * DAY_NS)}</text>'
        )
    return "".join(parts)

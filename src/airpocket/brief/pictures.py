"""Pictures of the brief as inline SVG: price with zones, open interest and funding beneath, on one time axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from airpocket.brief import words
from airpocket.brief.model import Brief, Chart
from airpocket.domain.units import DAY_NS, day_of

_WIDTH, _LEFT, _RIGHT = 960.0, 10.0, 175.0
_PANES = (("price", 40.0, 270.0), ("interest", 345.0, 80.0), ("funding", 460.0, 70.0))
_HEIGHT = 560.0


@dataclass(frozen=True, slots=True)
class _Pane:
    """A rectangle with its own value axis."""

    top: float
    height: float
    low: float
    high: float

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.top + self.height * (1.0 - min(max(share, 0.0), 1.0))


def market_picture(brief: Brief) -> str:
    """Two weeks of hourly closes with the zones around them, OI in coin and funding in force.

    Returns an SVG element, or a sentence when there are no closes to draw.
    """
    price = brief.price
    closes = [value for value in price.chart_close if value is not None]
    if len(price.chart_ts) < 2 or not closes:
        return "<p>no picture: fewer than two closes are known</p>"
    low, high = min(closes), max(closes)
    margin = 0.25 * (high - low) or 0.01 * high
    pane = _Pane(_PANES[0][1], _PANES[0][2], low - margin, high + margin)
    title = words.plain(f"{brief.asset} price, open interest and funding until {brief.as_of}")
    body = [
        _zones(brief, pane),
        _days(price.chart_ts),
        _frame(pane, f"{words.plain(price.reference)} close, quote per coin [measured]"),
        _line(price.chart_ts, price.chart_close, pane, "price"),
        _last(closes[-1], pane),
        _lower(price.chart_ts, price.chart_interest, 1, "open interest, coin"),
        _lower(price.chart_ts, price.chart_funding, 2, "funding in force, % per 8 h"),
    ]
    if brief.health.simulated:
        body.append(_text(_WIDTH / 2 - 60, 26, "SIMULATED", "stamp"))
    return (
        f'<svg class="market" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(body)}</svg>"
    )


def _x(at: int, first: int, last: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (at - first) / max(last - first, 1)


def _line(times: Sequence[int], values: Chart, pane: _Pane, name: str) -> str:
    """A path that breaks where a value is not known."""
    path: list[str] = []
    pen = "M"
    for at, value in zip(times, values, strict=True):
        if value is None or not math.isfinite(value):
            pen = "M"
            continue
        path.append(f"{pen}{_x(at, times[0], times[-1]):.1f} {pane.y(value):.1f}")
        pen = "L"
    return f'<path class="{name}" d="{"".join(path)}"/>'


def _frame(pane: _Pane, label: str) -> str:
    right = _WIDTH - _RIGHT
    ticks = [pane.low + share * (pane.high - pane.low) for share in (0.0, 0.5, 1.0)]
    marks = "".join(
        f'<line class="grid" x1="{_LEFT:g}" x2="{right:g}" y1="{pane.y(t):.1f}" y2="{pane.y(t):.1f}"/>'
        + _text(right + 6, pane.y(t) + 4, _short(t), "tick")
        for t in ticks
    )
    return marks + _text(_LEFT + 2, pane.top - 6, label, "label")


def _lower(times: Sequence[int], values: Chart, place: int, label: str) -> str:
    name, top, height = _PANES[place]
    have = [value for value in values if value is not None]
    if not have:
        return _text(_LEFT + 2, top - 6, f"{label}: unknown", "label")
    low, high = min(have), max(have)
    margin = 0.1 * (high - low) or max(abs(high) * 0.1, 1e-9)
    pane = _Pane(top, height, low - margin, high + margin)
    zero = ""
    if pane.low < 0 < pane.high:
        y, right = pane.y(0.0), _WIDTH - _RIGHT
        zero = f'<line class="zero" x1="{_LEFT:g}" x2="{right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return _frame(pane, f"{label} [measured]") + zero + _line(times, values, pane, name)


def _days(times: Sequence[int]) -> str:
    first, last = times[0], times[-1]
    bottom = _PANES[2][1] + _PANES[2][2]
    marks: list[str] = []
    at = first - first % DAY_NS + DAY_NS
    while at < last:
        x = _x(at, first, last)
        marks.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="40" y2="{bottom:g}"/>')
        if (at // DAY_NS) % 3 == 0:
            marks.append(_text(x - 16, bottom + 18, day_of(at)[5:], "tick"))
        at += DAY_NS
    return "".join(marks)


def _zones(brief: Brief, pane: _Pane) -> str:
    """Bands of the zones that lie inside the picture, named at the right edge."""
    drawn: list[str] = []
    right, last_y = _WIDTH - _RIGHT, -100.0
    for zone in sorted(brief.roadmap.zones, key=lambda zone: -zone.high):
        if zone.high < pane.low or zone.low > pane.high:
            continue
        top, bottom = pane.y(zone.high), pane.y(zone.low)
        drawn.append(
            f'<rect class="zone {escape(zone.bias)}" x="{_LEFT:g}" width="{right - _LEFT:g}" '
            f'y="{top:.1f}" height="{max(bottom - top, 1.5):.1f}"/>'
        )
        middle = max((top + bottom) / 2 + 4, last_y + 12)
        drawn.append(_text(right + 58, middle, words.name(zone.role), f"zone-name {zone.bias}"))
        last_y = middle
    return "".join(drawn)


def _last(value: float, pane: _Pane) -> str:
    x, y = _WIDTH - _RIGHT, pane.y(value)
    return f'<circle class="last" cx="{x:g}" cy="{y:.1f}" r="4"/>'


def _text(x: float, y: float, text: str, name: str) -> str:
    return (
        f'<text class="{escape(name)}" x="{x:.1f}" y="{y:.1f}">{escape(words.plain(text))}</text>'
    )


def _short(value: float) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.2f} mn"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.4f}"

"""The roadmap as a PNG: four-hour candles, the zones that matter as bands named at the right, volume by price."""

import io
import math
from typing import NamedTuple

import numpy as np

from airpocket.brief import words
from airpocket.brief.levels_model import LevelsView
from airpocket.brief.roadmap_words import band, reasons, state
from airpocket.delivery.pen import FAINT, GRID, INK, PAPER, Colour, Pen, lighter, stamp
from airpocket.domain.errors import MissingExtra, NothingKnown
from airpocket.domain.units import DAY_NS, day_of
from airpocket.levels.roadmap import VolumeProfile, Zone

_WIDTH, _HEIGHT = 1600, 900
_TOP, _BOTTOM = 116, 846
_LEFT, _RIGHT = 84, 1010  # of the candles
_BARS, _BARS_END = 1012, 1100  # of the volume profile
_NAMES = 1128
_NAME_STEP = 54  # two lines of words and air
_PER_SIDE = 5
_APART = 0.035  # of the picture's height: nearer zones are not both drawn
_STRETCH = 0.55  # how far past the candles a zone may stretch the axis, in their range
_UP, _DOWN = (
    (0, 114, 178),
    (213, 94, 0),
)  # supports and rising bars blue, resistances and falling ones vermilion
_PIVOT = (110, 118, 129)
_AVERAGES: tuple[Colour, ...] = ((0, 158, 115), (204, 121, 167))
_MARKED = ("squeeze_zone", "discovery_trigger", "immediate_support", "major_support")


class _Axis(NamedTuple):
    """Prices on the picture's height, evenly in log-price; four-hour bars on its width."""

    low: float
    high: float
    start: int
    end: int

    def y(self, price: float) -> float:
        share = np.log(price / self.low) / np.log(self.high / self.low)
        return float(_BOTTOM - (_BOTTOM - _TOP) * min(max(share, 0.0), 1.0))

    def x(self, ts: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (ts - self.start) / max(self.end - self.start, 1)


def picture(view: LevelsView) -> bytes:
    """PNG bytes, 1600 by 900.

    Raises:
        MissingExtra: Pillow is not installed.
        NothingKnown: there are no candles or no zones to draw.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise MissingExtra("levels --png", "pictures") from error
    if len(view.candles.chart_ts) < 2 or not view.roadmap.zones:
        raise NothingKnown(f"no picture of {view.asset}: {view.headline}")
    sheet = Image.new("RGB", (_WIDTH, _HEIGHT), PAPER)
    pen = Pen(ImageDraw.Draw(sheet))
    shown, axis = _framed(view)
    _bands(pen, shown, axis)
    _grid(pen, axis, view)
    _profile(pen, view.roadmap.profile, axis)
    _candles(pen, view, axis)
    _averages(pen, view, axis)
    _names(pen, shown, axis)
    _price(pen, view, axis)
    _titles(pen, view, shown)
    if view.simulated:
        stamp(sheet, pen, ((_LEFT + _RIGHT) / 2, (_TOP + _BOTTOM) / 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _framed(view: LevelsView) -> tuple[list[Zone], _Axis]:
    """The zones to draw, and axes that hold the candles and as many of them as don't flatten the candles."""
    candles = view.candles
    low, high = min(candles.low), max(candles.high)
    reach = _STRETCH * (high - low)
    apart = _APART * float(np.log((high + reach) / max(low - reach, 0.5 * low)))
    near = [
        z
        for z in chosen(view.roadmap.zones, apart)
        if z.high >= low - reach and z.low <= high + reach
    ]
    bottom = max(low - reach, min([low, *(zone.low for zone in near)]))
    top = min(high + reach, max([high, *(zone.high for zone in near)]))
    margin = 0.03 * (top - bottom)
    step = candles.chart_ts[1] - candles.chart_ts[0]
    axis = _Axis(
        max(bottom - margin, 0.5 * bottom), top + margin, candles.chart_ts[0], candles.chart_ts[-1] + step
    )  # fmt: skip
    return [zone for zone in near if axis.low <= (zone.low * zone.high) ** 0.5 <= axis.high], axis


def chosen(zones: list[Zone], apart: float) -> list[Zone]:
    """The zones worth drawing, rising: the named ones, the pivots, and of each side the nearest and loudest others
    that lie `apart` (log-price) from all of these."""
    kept = [zone for zone in zones if zone.bias == "pivot"]
    for bias in ("support", "resistance"):
        side = [zone for zone in zones if zone.bias == bias]
        side.sort(key=lambda zone: abs(zone.distance_percent))
        order = sorted(
            range(len(side)),
            key=lambda k: (k > 0 and side[k].role not in _MARKED, -side[k].prominence / (1.0 + k)),
        )
        mine: list[Zone] = []
        for zone in (side[k] for k in order):
            room = min((_between(zone, other) for other in (*kept, *mine)), default=np.inf)
            named = zone.role in _MARKED or zone is side[0]
            if len(mine) < _PER_SIDE and (named or room >= apart):
                mine.append(zone)
        kept += mine
    return sorted(kept, key=lambda zone: zone.low)


def _between(one: Zone, other: Zone) -> float:
    """How far apart the middles of two zones are, in log-price."""
    return abs(float(np.log((one.low * one.high) / (other.low * other.high)))) / 2.0


def _colour(zone: Zone) -> Colour:
    return {"support": _UP, "resistance": _DOWN}.get(zone.bias, _PIVOT)


def _bands(pen: Pen, zones: list[Zone], axis: _Axis) -> None:
    for zone in zones:
        top, bottom = axis.y(zone.high), axis.y(zone.low)
        middle = (top + bottom) / 2
        half = max((bottom - top) / 2, 2.0)
        loud = 0.30 if zone.role in _MARKED or zone.bias == "pivot" else 0.16
        ends = (_LEFT, middle - half, _BARS_END, middle + half)
        pen.box(ends, lighter(_colour(zone), loud))


def _grid(pen: Pen, axis: _Axis, view: LevelsView) -> None:
    """Round prices at the left, dates below."""
    last = view.price.value
    for value in round_values(axis.low, axis.high, 9):
        y = axis.y(value)
        pen.line([(_LEFT, y), (_RIGHT, y)], GRID, 1)
        if last is None or abs(axis.y(last) - y) > 18:
            pen.text(_LEFT - 8, y, words.price(value).removesuffix(".00"), 16, FAINT, "rm")
    first = axis.start - axis.start % DAY_NS + DAY_NS
    for number, day in enumerate(range(first, axis.end, DAY_NS)):
        if number % 7 == 0:
            pen.line([(axis.x(day), _TOP), (axis.x(day), _BOTTOM)], GRID, 1)
            pen.text(axis.x(day), _BOTTOM + 18, day_of(day)[5:], 16, FAINT, "mm")
    pen.text(_RIGHT, _BOTTOM + 40, "4 h candles, UTC", 15, FAINT, "rm")


def round_values(low: float, high: float, about: int) -> list[float]:
    """Round values between the ends, 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1.0, 2.0, 5.0, 10.0) if size * power >= rough * 0.999)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [row * step for row in range(first, last + 1)]


def _candles(pen: Pen, view: LevelsView, axis: _Axis) -> None:
    told = view.candles
    step = told.chart_ts[1] - told.chart_ts[0]
    half = max(1.0, 0.34 * (axis.x(axis.start + step) - _LEFT))
    rows = zip(told.chart_ts, told.open, told.high, told.low, told.close, strict=True)
    for ts, opened, high, low, close in rows:
        x = axis.x(ts + step / 2)
        colour = INK if close >= opened else _PIVOT
        pen.line([(x, axis.y(high)), (x, axis.y(low))], colour, 1)
        top, bottom = sorted((axis.y(opened), axis.y(close)))
        ends = (x - half, top, x + half, max(bottom, top + 1))
        pen.box(ends, colour)
        if close >= opened and bottom - top > 2 and half > 1.5:
            pen.box((ends[0] + 1, ends[1] + 1, ends[2] - 1, ends[3] - 1), PAPER)


def _averages(pen: Pen, view: LevelsView, axis: _Axis) -> None:
    for average, colour in zip(view.averages, _AVERAGES, strict=False):
        points = [
            (axis.x(ts), axis.y(value))
            for ts, value in zip(average.chart_ts, average.value, strict=True)
            if axis.low < value < axis.high and ts >= axis.start
        ]
        if len(points) > 1:
            pen.line(points, colour, 2)


def _profile(pen: Pen, profile: VolumeProfile | None, axis: _Axis) -> None:
    """Volume by price beside the candles, one bar for every few pixels."""
    if profile is None or len(profile.prices) < 2:
        return
    rows = np.linspace(_TOP, _BOTTOM, (_BOTTOM - _TOP) // 4 + 1)
    prices, volume = np.array(profile.prices), np.array(profile.volume)
    heights = np.array([axis.y(price) for price in prices])
    inside = (prices > axis.low) & (prices < axis.high)
    summed, _ = np.histogram(heights[inside], rows, weights=volume[inside])
    most = float(summed.max())
    if most <= 0.0:
        return
    for top, size in zip(rows[:-1].tolist(), summed.tolist(), strict=True):
        if size > 0.0:
            right = _BARS + (_BARS_END - _BARS) * size / most
            pen.box((_BARS, top, right, top + 2), (190, 196, 204))


def _names(pen: Pen, zones: list[Zone], axis: _Axis) -> None:
    """Two lines for each zone at the right: place, band, distance; then state and reasons."""
    falling = sorted(zones, key=lambda zone: -zone.low)
    middles = [(axis.y(zone.low) + axis.y(zone.high)) / 2 for zone in falling]
    places = spread(middles, _TOP + 4, _BOTTOM - 4, _NAME_STEP)
    for zone, middle, y in zip(falling, middles, places, strict=True):
        colour = _colour(zone)
        pen.line([(_BARS_END, middle), (_NAMES - 16, y), (_NAMES - 6, y)], lighter(colour, 0.6), 1)
        away = (
            "price is in it"
            if zone.distance_percent == 0
            else words.signed_percent(zone.distance_percent)
        )
        pen.text(_NAMES, y - 11, f"{words.name(zone.role)}  {band(zone)}", 18, colour)
        pen.text(_WIDTH - 20, y - 11, away, 16, FAINT, "rm")
        told = f"{state(zone.track)}: {reasons(zone.confluence, 3)}"
        pen.text(_NAMES, y + 10, fitted(pen, told, 14, _WIDTH - 20 - _NAMES), 14, FAINT)


def fitted(pen: Pen, text: str, size: int, width: float) -> str:
    """The text, cut at the end of a word where it is too wide."""
    if pen.font(size).getlength(text) <= width:
        return text
    parts = text.split(" ")
    while len(parts) > 1 and pen.font(size).getlength(" ".join(parts) + " ...") > width:
        parts.pop()
    return " ".join(parts) + " ..."


def spread(wanted: list[float], top: float, bottom: float, step: float) -> list[float]:
    """Heights from top to bottom, near where they are wanted and `step` apart."""
    step = min(step, (bottom - top) / max(len(wanted) - 1, 1))
    places: list[float] = []
    for want in wanted:
        places.append(max(want, places[-1] + step if places else top))
    limit = bottom
    for at in reversed(range(len(places))):
        places[at] = min(places[at], limit)
        limit = places[at] - step
    return places


def _price(pen: Pen, view: LevelsView, axis: _Axis) -> None:
    if view.price.value is None:
        return
    y = axis.y(view.price.value)
    pen.line([(_LEFT, y), (_BARS_END, y)], INK, 1)
    pen.box((4, y - 12, _LEFT - 4, y + 12), INK)
    pen.text(_LEFT - 8, y, words.price(view.price.value), 16, PAPER, "rm")


def _titles(pen: Pen, view: LevelsView, shown: list[Zone]) -> None:
    origin = "SIMULATED " if view.simulated else ""
    pen.text(28, 32, f"{origin}{view.asset}: levels", 30)
    line = f"{words.moment(view.as_of)} · {words.value(view.price)} on {view.reference}"
    pen.text(28, 66, line, 19, FAINT)
    x = float(_LEFT)
    for average, colour in zip(view.averages, _AVERAGES, strict=False):
        if average.value:
            pen.line([(x, 96), (x + 22, 96)], colour, 3)
            pen.text(x + 28, 96, average.name, 15, FAINT)
            x += 110
    pen.text(_BARS, 96, "volume, 90 d", 15, FAINT)
    drawn = {zone.role for zone in shown}
    beyond = [
        zone for zone in view.roadmap.zones if zone.role not in drawn and zone.role in _MARKED
    ]
    if beyond:
        told = "; ".join(
            f"{words.name(z.role)} {band(z)} ({words.signed_percent(z.distance_percent)})"
            for z in beyond
        )
        pen.text(_WIDTH - 20, 32, f"beyond the chart: {told}", 16, FAINT, "rm")
    pen.text(
        _WIDTH - 20,
        66,
        "below the price blue, above it vermilion; a record of each is in the table",
        15,
        FAINT,
        "rm",
    )

"""The map as a PNG: heat through time under the price, and the ladder of now beside it, measured part solid."""

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpocket.brief import words
from airpocket.brief.heat import exact_spans
from airpocket.brief.map_model import MapView, Profile
from airpocket.brief.model import ClusterRow, HeatGrid
from airpocket.delivery.pen import FAINT, GRID, INK, PAPER, Pen, stamp
from airpocket.domain.errors import MissingExtra, NothingKnown
from airpocket.domain.units import DAY_NS, day_of

if TYPE_CHECKING:
    from PIL import Image

_WIDTH, _HEIGHT = 1600, 900
_TOP, _BOTTOM = 128, 832
_LEFT, _MIDDLE = 112, 1130  # of the heat
_BARS, _RIGHT = 1150, 1480  # of the ladder
# Okabe-Ito: vermilion for shorts above, blue for longs below, as in the brief's pictures
_SHORT, _LONG = (213, 94, 0), (0, 114, 178)
_MARKS_PERCENT = (-15, -10, -5, -3, -1, 0, 1, 3, 5, 10, 15)
_LABEL_STEP = 20
_NAMED_PX = 120


class _Axis(NamedTuple):
    """Prices on the picture's height, evenly in log-price."""

    low: float
    high: float

    def y(self, price: float) -> float:
        share = np.log(price / self.low) / np.log(self.high / self.low)
        return float(_BOTTOM - (_BOTTOM - _TOP) * share)


def picture(view: MapView) -> bytes:
    """PNG bytes, 1600 by 900; a map without history has the ladder alone.

    Raises:
        MissingExtra: Pillow is not installed.
        NothingKnown: there is no map.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise MissingExtra("map --png", "pictures") from error
    if view.profile is None:
        raise NothingKnown(f"no picture of {view.asset}: {view.map.unknown}")
    sheet = Image.new("RGB", (_WIDTH, _HEIGHT), PAPER)
    pen = Pen(ImageDraw.Draw(sheet))
    axis = _Axis(view.profile.edge[0], view.profile.edge[-1])
    price = view.price.value or float(np.sqrt(axis.low * axis.high))
    _titles(pen, view)
    _axes(pen, axis, price)
    grid = view.map.heat
    if grid is None or len(grid.ts) < 2:
        pen.text(_LEFT + 24, (_TOP + _BOTTOM) / 2, "no map through time is stored", 20, FAINT)
    else:
        _heat(sheet, pen, grid, axis)
    _ladder(pen, view.profile, axis, price, view.map.clusters)
    if view.simulated:
        stamp(sheet, pen, ((_LEFT + _MIDDLE) / 2, (_TOP + _BOTTOM) / 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _titles(pen: Pen, view: MapView) -> None:
    origin = "SIMULATED " if view.simulated else ""
    pen.text(28, 34, f"{origin}{view.asset}: who is forced out where", 30)
    pen.text(
        28,
        68,
        f"{words.moment(view.as_of)} · {words.value(view.price)} on {view.reference}",
        19,
        FAINT,
    )
    exact = "; solid: known exactly from accounts" if view.map.accounts else ""
    pen.text(_LEFT, 104, _through(view.map.heat), 17, FAINT)
    pen.text(_BARS, 104, f"now, USD{exact}", 17, FAINT)
    pen.text(_WIDTH - 28, 30, "shorts, forced to buy", 19, _SHORT, "rm")
    pen.text(_WIDTH - 28, 56, "longs, forced to sell", 19, _LONG, "rm")


def _through(grid: HeatGrid | None) -> str:
    """What the heat shows: modelled throughout, or with accounts in it where the line at its foot is."""
    whole = "positions through two weeks; denser: more coin"
    if grid is None or not any(grid.exact_percent):
        return f"modelled {whole}"
    return f"{whole}; modelled, but for accounts known then (line below)"


def _axes(pen: Pen, axis: _Axis, price: float) -> None:
    for percent in _MARKS_PERCENT:
        at = price * (1.0 + percent / 100.0)
        if not axis.low * 0.9999 <= at <= axis.high * 1.0001:
            continue
        y = axis.y(at)
        pen.line([(_LEFT, y), (_RIGHT, y)], GRID, 1)
        pen.text(_LEFT - 10, y, words.price(at), 17, INK if percent == 0 else FAINT, "rm")
        label = "now" if percent == 0 else f"{percent:+d} %"
        pen.text(_RIGHT + 8, y, label, 17, INK if percent == 0 else FAINT)


def _heat(sheet: "Image.Image", pen: Pen, grid: HeatGrid, axis: _Axis) -> None:
    from PIL import Image

    pixels = heat_pixels(grid)
    size = (_MIDDLE - _LEFT, _BOTTOM - _TOP)
    layer = Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)
    sheet.paste(layer, (_LEFT, _TOP), layer)
    span = max(grid.ts[-1] - grid.ts[0], 1)

    def x(ts: int) -> float:
        return _LEFT + size[0] * (ts - grid.ts[0]) / span

    pen.line([(x(t), axis.y(p)) for t, p in zip(grid.ts, grid.close, strict=True)], PAPER, 5)
    pen.line([(x(t), axis.y(p)) for t, p in zip(grid.ts, grid.close, strict=True)], INK, 2)
    for start, end, share in exact_spans(grid):
        left, right = x(grid.ts[start]), x(grid.ts[end])
        pen.box((left, _BOTTOM + 3, max(right, left + 3), _BOTTOM + 8), INK)
        if right - left > _NAMED_PX:
            text = f"accounts known: {share:.0f} % of it"
            pen.text((left + right) / 2, _BOTTOM + 44, text, 15, FAINT, "mm")
    first = grid.ts[0] - grid.ts[0] % DAY_NS + DAY_NS
    for number, day in enumerate(range(first, grid.ts[-1], DAY_NS)):
        if number % 2 == 0:
            pen.text(x(day), _BOTTOM + 20, day_of(day)[5:], 17, FAINT, "mm")
    pen.text(_MIDDLE, _BOTTOM + 44, "UTC", 15, FAINT, "rm")


def heat_pixels(grid: HeatGrid) -> "NDArray[np.uint8]":
    """(rows, columns, 4) RGBA from the highest price down; opacity by the root of the amount."""
    forced = np.array(grid.forced).T[::-1]
    edge = np.array(grid.edge)
    middle = np.sqrt(edge[:-1] * edge[1:])[::-1]
    some = forced[forced > 0.0]
    full = float(np.quantile(some, 0.995)) if len(some) else 1.0
    opacity = np.minimum(1.0, np.sqrt(np.maximum(forced, 0.0) / full))
    above = (middle[:, None] > np.array(grid.close)[None, :])[..., None]
    pixels = np.empty((*forced.shape, 4), dtype=np.uint8)
    pixels[..., :3] = np.where(above, np.array(_SHORT), np.array(_LONG))
    pixels[..., 3] = np.round(235 * opacity)
    return pixels


def _ladder(
    pen: Pen, profile: Profile, axis: _Axis, price: float, clusters: list[ClusterRow]
) -> None:
    """Bars by price: light what is modelled, solid what accounts hold; the clusters named at the right."""
    most = max(profile.forced_usd) or 1.0
    full = _RIGHT - _BARS
    for low, high, usd, exact in zip(
        profile.edge[:-1], profile.edge[1:], profile.forced_usd, profile.exact_usd, strict=True
    ):
        colour = _SHORT if low >= price else _LONG
        light = (
            round(255 - 0.42 * (255 - colour[0])),
            round(255 - 0.42 * (255 - colour[1])),
            round(255 - 0.42 * (255 - colour[2])),
        )
        top, bottom = axis.y(high) + 1, axis.y(low) - 1
        if usd > 0.0:
            pen.box((_BARS, top, _BARS + max(full * usd / most, 1.0), bottom), light)
        if exact > 0.0:
            pen.box((_BARS, top, _BARS + max(full * exact / most, 1.0), bottom), colour)
    pen.line([(_BARS, axis.y(price)), (_RIGHT, axis.y(price))], INK, 2)
    taken: list[float] = [axis.y(price)]
    for each in sorted(
        clusters, key=lambda cluster: -cluster.forced_usd.value if cluster.forced_usd.value else 0.0
    ):
        y = axis.y(each.peak)
        if not (axis.low < each.peak < axis.high) or any(abs(y - at) < _LABEL_STEP for at in taken):
            continue
        taken.append(y)
        amount = words.value(each.forced_usd)
        pen.text(_RIGHT - 8, y, f"{amount} around {words.price(each.peak)}", 16, INK, "rm", 3)
    pen.text(_BARS, _BOTTOM + 20, "0", 16, FAINT, "mm")
    pen.text(_RIGHT, _BOTTOM + 20, f"{words.with_unit(most, words.USD)} a row", 16, FAINT, "rm")

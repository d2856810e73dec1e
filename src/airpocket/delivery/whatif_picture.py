"""A what-if as a PNG: the fan of paths, where they stop, the phase diagram with the way here, who ignites whom."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor

from airpocket.brief import whatif_page, words
from airpocket.brief.whatif_picture import decimals, diagram_ends, round_step, trail_of
from airpocket.cascade.network import Network
from airpocket.cascade.whatif import WhatIf
from airpocket.delivery.pen import FAINT, GRID, INK, PAPER, Colour, Pen, lighter, stamp
from airpocket.domain.errors import MissingExtra

_WIDTH, _HEIGHT = 1600, 900
# Okabe-Ito: blue for the fan; green, yellow, vermilion for ends by itself, speeds up, runs away
_FAN, _CALM, _GROWS, _RUNS = (0, 114, 178), (0, 158, 115), (240, 228, 66), (213, 94, 0)
_TITLE = 108  # characters of a line of the title
_SHOWN = 7  # venues that fit


@dataclass(frozen=True, slots=True)
class _Pane:
    """A rectangle with its axes; x and y rise to the right and upwards."""

    ends: tuple[float, float, float, float]  # left, top, right, bottom
    x_most: float
    y_low: float
    y_high: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        left, top, right, bottom = self.ends
        share = min(max((y - self.y_low) / (self.y_high - self.y_low), 0.0), 1.0)
        return left + (right - left) * min(x / self.x_most, 1.0), bottom - (bottom - top) * share

    def levels(self, pen: Pen, label: Callable[[float], str], step: float) -> None:
        """Lines across at whole steps, named at the left."""
        first, last = ceil(self.y_low / step - 1e-9), floor(self.y_high / step + 1e-9)
        for k in range(first, last + 1):
            _, y = self.at(0.0, k * step)
            pen.line([(self.ends[0], y), (self.ends[2], y)], GRID, 1)
            pen.text(self.ends[0] - 8, y, label(k * step), 15, FAINT, "rm")


def picture(asset: str, found: WhatIf, *, simulated: bool) -> bytes:
    """PNG bytes, 1600 by 900.

    Raises:
        MissingExtra: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise MissingExtra("cascade --png", "pictures") from error
    sheet = Image.new("RGB", (_WIDTH, _HEIGHT), PAPER)
    pen = Pen(ImageDraw.Draw(sheet))
    for row, line in enumerate(_lines(whatif_page.answer(asset, found), _TITLE)[:2]):
        pen.text(28, 30 + 28 * row, line, 23)
    pen.text(28, 88, whatif_page.head_line(found), 15, FAINT)
    _fan(pen, found)
    _phase(pen, found)
    _stops(pen, found)
    _venues(pen, found)
    if simulated:
        stamp(sheet, pen, (520.0, 330.0))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _lines(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)


def _fan(pen: Pen, found: WhatIf) -> None:
    minutes = [0.0, *(found.fan_s / 60.0).tolist()]
    rows = [[0.0] * 5, *found.fan.tolist()]
    low, high = min(map(min, rows)), max(map(max, rows))
    step = round_step(max(high - low, 0.1))
    pane = _Pane(
        (96, 150, 960, 520), minutes[-1], floor(low / step) * step, ceil(high / step) * step
    )
    pen.text(96, 128, "price from the start: middle, half and eight in ten of all paths", 16, FAINT)
    for inner, share in ((0, 0.25), (1, 0.5)):
        above = [pane.at(at, row[4 - inner]) for at, row in zip(minutes, rows, strict=True)]
        below = [pane.at(at, row[inner]) for at, row in zip(minutes, rows, strict=True)]
        pen.area(above + below[::-1], lighter(_FAN, share))
    pane.levels(pen, lambda value: f"{value:+.{decimals(step)}f} %", step)
    pen.line([pane.at(at, row[2]) for at, row in zip(minutes, rows, strict=True)], _FAN, 4)
    pushed = found.course.push_s / 60.0 if found.push.usd else 0.0
    if 0.0 < pushed < pane.x_most:
        x, _ = pane.at(pushed, 0.0)
        pen.line([(x, pane.ends[1]), (x, pane.ends[3])], FAINT, 1)
        pen.text(x + 6, pane.ends[1] + 12, "the push ends", 15, FAINT)
    pen.text(96, 540, "0", 15, FAINT)
    pen.text(960, 540, f"{minutes[-1]:g} min", 15, FAINT, "rm")


def _phase(pen: Pen, found: WhatIf) -> None:
    phase, trail = found.phase, trail_of(found)
    ratio_most, most = diagram_ends(phase, trail)
    pane = _Pane((1080, 150, 1560, 520), ratio_most, 0.0, most)
    across = [ratio_most * k / 60.0 for k in range(61)]
    growth = [pane.at(k, 1.0 + k) for k in across]
    runaway = [pane.at(k, (1.0 + k**0.5) ** 2) for k in across]
    pen.text(1080, 128, "R, forced over resting, against kappa x tau", 16, FAINT)
    pen.box((*pane.at(0.0, most), *pane.at(ratio_most, 0.0)), lighter(_CALM, 0.35))
    pen.area([*growth, pane.at(ratio_most, most), pane.at(0.0, most)], lighter(_GROWS, 0.45))
    pen.area([*runaway, pane.at(ratio_most, most), pane.at(0.0, most)], lighter(_RUNS, 0.4))
    named = (
        (0.5 * (1.0 + ratio_most), "ends by itself"),
        (0.5 * (1.0 + ratio_most + (1.0 + ratio_most**0.5) ** 2), "speeds up, then ends"),
        (0.94 * most, "runs until the fuel ends"),
    )
    step = round_step(most)
    pane.levels(pen, lambda value: f"{value:.{decimals(step)}f}", step)
    for at, name in named:
        pen.text(1552, pane.at(0.0, at)[1], name, 15, INK, "rm", 2)
    here = (phase.kappa_tau, phase.reproduction)
    way = [pane.at(*at) for at in (*trail, here)]
    if trail:
        pen.line(way, INK, 2)
        for x, y in way[:-1]:
            pen.box((x - 3, y - 3, x + 3, y + 3), FAINT)
    x, y = way[-1]
    pen.box((x - 7, y - 7, x + 7, y + 7), INK)
    pen.text(x + 14, y - 10, f"S {phase.squeeze:.2f}", 18, INK, halo=3)
    past = f"; its way from {len(trail)} earlier moments" if trail else ""
    pen.text(1080, 540, f"kappa x tau, 0 to {ratio_most:.2g}{past}", 15, FAINT)


def _stops(pen: Pen, found: WhatIf) -> None:
    edges, share = found.pushed.stops
    pen.text(96, 590, "where the furthest point lies, share of all paths", 16, FAINT)
    left, right, top, bottom = 96.0, 960.0, 612.0, 850.0
    most = max(float(share.max()), 1e-9)
    width = (right - left) / len(share)
    for k, part in enumerate(share.tolist()):
        if part > 0.0:
            high = bottom - (bottom - top) * part / most
            pen.box(
                (left + k * width + 1, high, left + (k + 1) * width - 1, bottom), lighter(_FAN, 0.7)
            )
    pen.line([(left, bottom), (right, bottom)], GRID, 1)
    sign = 1.0 if found.way == "up" else -1.0
    for k in range(0, len(edges), 5):
        pen.text(left + k * width, bottom + 18, f"{sign * edges[k]:+.1f} %", 15, FAINT, "mm")
    pen.text(left - 8, top, f"{100 * most:.0f} %", 15, FAINT, "rm")


def _venues(pen: Pen, found: WhatIf) -> None:
    network: Network | None = found.network if isinstance(found.network, Network) else None
    pen.text(1020, 590, "a dollar forced, or pushed, on each forces next, in all", 16, FAINT)
    if network is None:
        pen.text(1020, 624, "unknown: no contract has both positions and a book", 16, FAINT)
        return
    shown = sorted(network.venues, key=lambda v: -v.ignites.middle)[:_SHOWN]
    most = max([v.ignites.high for v in shown] + [1.0])
    left, right = 1260.0, 1560.0

    def x(value: float) -> float:
        return left + (right - left) * value / most

    for row, venue in enumerate(shown):
        y = 622.0 + 30.0 * row
        colour: Colour = FAINT if venue.spot else _RUNS
        pen.text(left - 10, y, words.plain(venue.key)[:26], 15, INK, "rm")
        pen.box((x(venue.ignites.low), y - 5, x(venue.ignites.high), y + 5), lighter(colour, 0.4))
        pen.box((x(venue.ignites.middle) - 2, y - 9, x(venue.ignites.middle) + 2, y + 9), colour)
    pen.line([(x(1.0), 608.0), (x(1.0), 622.0 + 30.0 * len(shown))], INK, 1)
    pen.text(x(1.0), 634.0 + 30.0 * len(shown), "1: it feeds itself", 15, FAINT, "mm")
    radius = network.radius
    told = (
        f"spectral radius {radius.middle:.2f} ({radius.low:.2f} to {radius.high:.2f}); grey: spot"
    )
    pen.text(1020, 862, told, 16, FAINT)

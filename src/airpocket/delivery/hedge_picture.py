"""A sheet of hedges as a PNG: equity over moves without and with each hedge, and cost against the gap held."""

import io
import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from airpocket.brief import hedge_page, words
from airpocket.delivery.pen import FAINT, GRID, INK, PAPER, Colour, Pen, stamp
from airpocket.domain.errors import MissingExtra
from airpocket.playbook.hedging.records import HedgeSheet

_WIDTH, _HEIGHT = 1600, 900
_LEFT, _RIGHT = (120, 170, 900, 800), (1060, 170, 1560, 800)
# Okabe-Ito: one colour a shape, in both panes
_COLOURS: dict[str, Colour] = {
    "ladder": (0, 114, 178), "spread": (0, 158, 115), "collar": (204, 121, 167), "gamma": (230, 159, 0),
    "free": (213, 94, 0), "spot": (86, 180, 233), "major": (120, 94, 240), "trim": (110, 118, 129),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Pane:
    ends: tuple[int, int, int, int]
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        left, top, right, bottom = self.ends
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = min(max((y - self.y[0]) / (self.y[1] - self.y[0]), 0.0), 1.0)
        return left + (right - left) * across, bottom - (bottom - top) * up

    def levels(self, pen: Pen, label: Callable[[float], str]) -> None:
        step = _step(self.y[1] - self.y[0])
        for k in range(math.ceil(self.y[0] / step), math.floor(self.y[1] / step) + 1):
            _, y = self.at(self.x[0], k * step)
            pen.line([(self.ends[0], y), (self.ends[2], y)], INK if k == 0 else GRID, 1)
            pen.text(self.ends[0] - 8, y, label(k * step), 15, FAINT, "rm")


def picture(sheet: HedgeSheet) -> bytes:
    """PNG bytes, 1600 by 900.

    Raises:
        MissingExtra: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise MissingExtra("hedge --png", "pictures") from error
    page = Image.new("RGB", (_WIDTH, _HEIGHT), PAPER)
    pen = Pen(ImageDraw.Draw(page))
    for row, line in enumerate(textwrap.wrap(sheet.answer.replace("×", "x"), 150)[:3]):
        pen.text(28, 26 + 25 * row, line, 19)
    pen.text(28, 104, hedge_page.head_line(sheet), 15, FAINT)
    _payoffs(pen, sheet)
    _costs(pen, sheet)
    if sheet.simulated:
        stamp(page, pen, (_WIDTH / 2, _HEIGHT / 2))
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _payoffs(pen: Pen, sheet: HedgeSheet) -> None:
    drawn = [each for each in sheet.hedges if each.curve and each.legs]
    pen.text(_LEFT[0], 136, "equity after a move, at once, USD", 17, INK)
    if not drawn:
        pen.text(_LEFT[0], 300, "no hedge to draw", 20, FAINT)
        return
    plain = [(p.move_percent, p.plain_usd) for p in drawn[0].curve]
    shown = [v for _, v in plain if v > -abs(plain[0][1])] + [
        p.hedged_usd for e in drawn for p in e.curve
    ]
    now = next(v for m, v in plain if abs(m) < 0.01)
    low = max(min(0.0, *shown), -1.2 * abs(now))
    pane = _Pane(_LEFT, (plain[0][0], plain[-1][0]), (low, 1.05 * min(max(shown), 4.0 * abs(now))))
    pane.levels(pen, lambda value: words.number(value, words.USD))
    for move in range(-40, 61, 20):
        x, _ = pane.at(move, 0.0)
        pen.text(x, _LEFT[3] + 18, f"{move:+d} %", 15, FAINT, "mm")
    gap = sheet.gap_percent if sheet.position.side == "short" else -sheet.gap_percent
    if pane.x[0] < gap < pane.x[1]:
        x, _ = pane.at(gap, 0.0)
        pen.line([(x, _LEFT[1]), (x, _LEFT[3])], FAINT, 1)
        pen.text(x + 6, _LEFT[1] + 12, "the gap", 15, FAINT)
    pen.line([p for p in (pane.at(m, v) for m, v in plain) if p[1] < _LEFT[3]], INK, 4)
    for each in drawn:
        line = [pane.at(p.move_percent, p.hedged_usd) for p in each.curve]
        pen.line([p for p in line if p[1] < _LEFT[3]], _COLOURS.get(each.id, FAINT), 3)
    _names(pen, [("no hedge", INK), *((e.title, _COLOURS.get(e.id, FAINT)) for e in drawn)])


def _names(pen: Pen, named: list[tuple[str, Colour]]) -> None:
    """The key under the panes, two rows."""
    x, y = float(_LEFT[0]), 848.0
    for title, colour in named:
        wide = 44.0 + 8.6 * len(title)
        if x + wide > _WIDTH - 20:
            x, y = float(_LEFT[0]), y + 26.0
        pen.line([(x, y), (x + 24, y)], colour, 4)
        pen.text(x + 32, y, title, 16)
        x += wide


def _costs(pen: Pen, sheet: HedgeSheet) -> None:
    told = f"least cost of {sheet.hold_d:.3g} calm days by the gap held, USD"
    pen.text(_RIGHT[0], 136, told, 17, INK)
    rows = [row for row in sheet.table if row.gap_percent is not None]
    known = [e.value for row in rows for e in row.cost.values() if e.value is not None]
    if not known:
        pen.text(_RIGHT[0], 300, "no chain to price it with", 20, FAINT)
        return
    most = max(row.gap_percent or 0.0 for row in rows)
    pane = _Pane(_RIGHT, (0.0, most), (0.0, 1.08 * max(*known, 1.0)))
    pane.levels(pen, lambda value: words.number(value, words.USD))
    for row in rows:
        x, _ = pane.at(row.gap_percent or 0.0, 0.0)
        pen.text(x, _RIGHT[3] + 18, f"{row.gap_percent:g} %", 15, FAINT, "mm")
    for name in rows[0].cost:
        told = [(row.gap_percent or 0.0, row.cost[name].value) for row in rows]
        points = [pane.at(gap, value) for gap, value in told if value is not None]
        if len(points) > 1:
            pen.line(points, _COLOURS.get(name, FAINT), 3)


def _step(span: float) -> float:
    """A round step that cuts a span in about six."""
    rough = span / 6.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= rough)

"""Stress tests as a PNG: equity and maintenance over price for each account, and its exits beside it."""

import io
import math

import numpy as np

from airpocket.brief import words
from airpocket.delivery.pen import FAINT, GRID, INK, PAPER, Colour, Pen, lighter, stamp
from airpocket.domain.errors import MissingExtra, NothingKnown
from airpocket.playbook.stress.records import Curve, Exit, Outcome, StressTest

_WIDTH, _ROW, _HEAD = 1600, 620, 40
_LEFT, _MIDDLE, _RIGHT = 130, 960, 1570
_TOP, _BOTTOM = 110, 540  # within a row
_EQUITY, _NEEDED, _BAD = (0, 114, 178), (213, 94, 0), (180, 30, 30)
_MOVES = (-40, -20, 0, 20, 40, 60, 80)
_STEPS = 6


def picture(tests: list[StressTest]) -> bytes:
    """PNG bytes, one row of 1600 by 620 for each account.

    Raises:
        MissingExtra: Pillow is not installed.
        NothingKnown: no account could be drawn.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise MissingExtra("stress --png", "pictures") from error
    drawn = [each for each in tests if each.curve is not None]
    if not drawn:
        raise NothingKnown("no picture: no account could be valued")
    sheet = Image.new("RGB", (_WIDTH, _HEAD + _ROW * len(drawn)), PAPER)
    pen = Pen(ImageDraw.Draw(sheet))
    for row, test in enumerate(drawn):
        if test.curve is not None:
            _account(pen, test, test.curve, float(_HEAD + row * _ROW))
    if any(each.simulated for each in drawn):
        stamp(sheet, pen, (_WIDTH / 2, _HEAD + _ROW * len(drawn) / 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


class _Axes:
    """Prices across in logarithm, dollars upward, of one account."""

    def __init__(self, test: StressTest, curve: Curve, top: float) -> None:
        self.test, self.top = test, top
        self.low, self.high = curve.price[0], curve.price[-1]
        near = [e for e in (*curve.equity, *curve.maintenance) if np.isfinite(e)]
        least, most = min(near), max(near)
        room = 0.05 * (most - least or 1.0)
        self.least, self.most = min(least, 0.0) - room, most + room

    def x(self, price: float) -> float:
        share = np.log(price / self.low) / np.log(self.high / self.low)
        return float(_LEFT + (_MIDDLE - 120 - _LEFT) * share)

    def y(self, usd: float) -> float:
        share = (usd - self.least) / (self.most - self.least)
        return float(self.top + _BOTTOM - (_BOTTOM - _TOP) * share)


def _account(pen: Pen, test: StressTest, curve: Curve, top: float) -> None:
    origin = "SIMULATED " if test.simulated else ""
    pen.text(28, top + 20, f"{origin}{test.name} ({test.margin_mode} margin, {test.venue})", 26)
    _answer(pen, test, top)
    axes = _Axes(test, curve, top)
    _frame(pen, test, axes)
    for values, colour, width in (
        (curve.maintenance, _NEEDED, 4),
        (curve.equity, _EQUITY, 5),
    ):
        points = [(axes.x(p), axes.y(v)) for p, v in zip(curve.price, values, strict=True)]
        pen.line(points, colour, width)
    _thresholds(pen, test, axes)
    _shocks(pen, test, axes)
    _exits(pen, test.exits, top)


def _answer(pen: Pen, test: StressTest, top: float) -> None:
    told, lines = test.answer.split(" "), [""]
    for word in told:
        if len(lines[-1]) + len(word) > 150:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    for at, line in enumerate(lines[:2]):
        pen.text(28, top + 52 + 24 * at, line, 18, FAINT)


def _frame(pen: Pen, test: StressTest, axes: _Axes) -> None:
    mark = test.price.value or axes.low
    for move in _MOVES:
        price = mark * (1.0 + move / 100.0)
        if axes.low < price < axes.high:
            x = axes.x(price)
            pen.line([(x, axes.top + _TOP), (x, axes.top + _BOTTOM)], GRID, 2 if move == 0 else 1)
            pen.text(x, axes.top + _BOTTOM + 18, f"{move:+d} %" if move else words.price(mark), 16,
                     FAINT, "mm")  # fmt: skip
    for level in _levels(axes.least, axes.most):
        y = axes.y(level)
        pen.line([(_LEFT, y), (_MIDDLE - 120, y)], GRID, 1)
        pen.text(_LEFT - 10, y, _money(level), 15, FAINT, "rm")
    zero = axes.y(0.0)
    pen.line([(_LEFT, zero), (_MIDDLE - 120, zero)], INK, 1)
    pen.text(_LEFT, axes.top + _BOTTOM + 46, "equity", 17, _EQUITY)
    pen.text(_LEFT + 80, axes.top + _BOTTOM + 46, "maintenance", 17, _NEEDED)
    pen.text(_LEFT + 230, axes.top + _BOTTOM + 46,
             "before anyone acts; circles: shocks (off the line: not of price alone), filled: they liquidate",
             17, FAINT)  # fmt: skip


def _levels(least: float, most: float) -> list[float]:
    """Round amounts between two ends, about six of them."""
    rough = (most - least) / _STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(each for each in (1.0, 2.0, 5.0, 10.0) if each * power >= rough)
    return [step * k for k in range(math.ceil(least / step), math.floor(most / step) + 1)]


def _thresholds(pen: Pen, test: StressTest, axes: _Axes) -> None:
    for end in (test.down, test.up):
        if end.value is not None and axes.low < end.value < axes.high:
            x = axes.x(end.value)
            pen.line([(x, axes.top + _TOP), (x, axes.top + _BOTTOM)], _BAD, 3)
            told = f"liquidated {words.price(end.value)}"
            pen.text(x, axes.top + _TOP - 12, told, 16, _BAD, "mm", 3)


def _shocks(pen: Pen, test: StressTest, axes: _Axes) -> None:
    for each in test.outcomes:
        place = _place(each, axes)
        if place is not None:
            x, y = place
            colour = _BAD if each.liquidated else _EQUITY
            fill = colour if each.liquidated else PAPER
            pen.draw.ellipse((x - 6, y - 6, x + 6, y + 6), fill=fill, outline=colour, width=3)


def _place(each: Outcome, axes: _Axes) -> tuple[float, float] | None:
    price, equity = each.price.value, each.equity.value
    if price is None or equity is None or not axes.low < price < axes.high:
        return None
    return axes.x(price), min(max(axes.y(equity), axes.top + _TOP), axes.top + _BOTTOM)


def _exits(pen: Pen, exits: list[Exit], top: float) -> None:
    """A bar of cost for each exit, longest for the dearest; those that fail stand in red with their reason."""
    pen.text(_MIDDLE, top + _TOP, "closing everything at market: cost", 18)
    known = [each for each in exits if each.cost.value is not None or each.works is False]
    if not known:
        why = exits[0].why if exits else "nothing to close"
        pen.text(_MIDDLE, top + _TOP + 34, f"unknown: {why[:60]}", 16, FAINT)
        return
    dearest = max((each.cost.value or 0.0 for each in known), default=0.0) or 1.0
    height = min(44.0, (_BOTTOM - _TOP - 30) / len(known))
    for at, each in enumerate(known):
        y = top + _TOP + 36 + at * height
        _bar(pen, each, y, height, dearest)


def _bar(pen: Pen, each: Exit, y: float, height: float, dearest: float) -> None:
    after = f"{each.after_percent:+g} %" if each.after_percent else "now"
    pen.text(_MIDDLE, y, f"{after}, {each.gone_percent:g} % gone", 15, FAINT)
    colour: Colour = _EQUITY if each.works else _BAD
    start, cost = _MIDDLE + 160, each.cost.value or 0.0
    end = start + (_RIGHT - start - 190) * cost / dearest
    pen.box(
        (start, y - height * 0.32, max(end, start + 1), y + height * 0.32), lighter(colour, 0.5)
    )
    told = _money(cost)
    if not each.works:
        told = (
            "liquidated before"
            if each.filled.value is None
            else f"FAILS ({each.filled.value:.0f} % filled)"
        )
    pen.text(end + 8, y, told, 15, colour)


def _money(usd: float) -> str:
    sign, size = ("-" if usd < 0 else ""), abs(usd)
    for unit, name in ((1e9, " bn"), (1e6, " mn"), (1e3, " k")):
        if size >= unit:
            return f"{sign}${size / unit:,.3g}{name}"
    return f"{sign}${size:,.0f}"
